"""The protocol, pure: targets, scopes, grants, client authentication, tokens.

Every module here imports the standard library only and knows no clock, no
randomness and no environment; what it needs of them comes in as an argument.
"""
