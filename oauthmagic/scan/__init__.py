"""Find secrets in notebooks and other text files.

    from oauthmagic.scan import scan_file
    scan_file("demo.ipynb")

What is found is said without the value: where, what, and what to do next. `known`
takes `Secret` values that must be nowhere; they are compared by keyed hashes, in any
spelling. Everything else is found by its form or by the label beside it.

    values      whether a value is a secret, a placeholder or a word
    readings    a text as shown, unescaped, without tags, decoded
    grammar     what patterns are made of
    judges      whether a match is a find
    vendors     keys that tell by their form whose they are
    kinds       every kind of secret, in one table
    labels      values beside a label
    columns     values under a label in a table
    known       values that the scanner was told
    texts       one text
    parts       a part of a notebook, and what it has to look like
    widgets     the state of widgets as parts
    notebooks   a notebook as parts
    findings    what was found, for reading
    files       files and folders; only here the world is touched

This package imports the standard library, `redaction` and `errors` only.
"""

from __future__ import annotations

from oauthmagic.scan.files import Scan, scan_file, scan_paths
from oauthmagic.scan.findings import Finding

__all__ = ["Finding", "Scan", "scan_file", "scan_paths"]
