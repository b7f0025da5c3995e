"""Providers: data and quirks, no input and no output.

A provider is one `Provider` value on one page. The built-in ones come in through
the entry-point group `oauthmagic.providers`, like those of any other package.
"""
