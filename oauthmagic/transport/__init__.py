"""Bytes out, bytes in: the URL gate, the wire types and the one HTTP client."""
