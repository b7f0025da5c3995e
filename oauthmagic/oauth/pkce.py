"""Proof Key for Code Exchange: RFC 7636; always with S256."""

from __future__ import annotations

import base64
import hashlib

from oauthmagic.redaction import Secret

#: Random octets in a verifier; section 4.1 recommends 32, 64 make 86 characters.
OCTETS = 64


def code_verifier(octets: bytes) -> Secret:
    """Return the verifier made of random octets (section 4.1)."""
    return Secret(_base64url(octets))


def code_challenge(verifier: Secret) -> str:
    """Return the S256 challenge of a verifier (section 4.2)."""
    return _base64url(hashlib.sha256(verifier.reveal().encode("ascii")).digest())


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")
