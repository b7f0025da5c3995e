"""Tokens at rest: in memory, in an encrypted file, or in the system's keyring."""
