"""Tokens at rest. One store so far: the memory of one session."""
