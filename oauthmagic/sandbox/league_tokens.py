"""The access token of league/oauth2-server: a JWT signed with RS256.

Source: the library's `AccessTokenTrait`, the formatter and the parser of
lcobucci/jwt, and recorded answers. Dates are JSON numbers with microseconds, there
is no `iss`, and `scopes` is an array.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from oauthmagic.keys.jwts import rfc7515_a2_key, sign_rs256

if TYPE_CHECKING:
    import random

LIFETIME: Final = timedelta(seconds=300)
JWT_HEADER: Final = {"typ": "JWT", "alg": "RS256"}
_IDENTIFIER_BYTES: Final = 40
_MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessToken:
    """What an access token says."""

    client_id: str
    identifier: str
    issued_at: datetime
    not_before: datetime
    expires_at: datetime
    user_id: str
    scopes: tuple[str, ...]

    def is_valid_at(self, now: datetime) -> bool:
        """Say whether the token may be used at this time."""
        return self.issued_at <= now and self.not_before <= now < self.expires_at

    def sign(self) -> str:
        """Return the token as a JWT, its claims in the library's order."""
        claims = {
            "aud": self.client_id,
            "jti": self.identifier,
            "iat": numeric_date(self.issued_at),
            "nbf": numeric_date(self.not_before),
            "exp": numeric_date(self.expires_at),
            "sub": self.user_id,
            "scopes": list(self.scopes),
        }
        return sign_rs256(claims, JWT_HEADER, rfc7515_a2_key())


def issue_access_token(
    client_id: str,
    user_id: str,
    scopes: tuple[str, ...],
    *,
    now: datetime,
    randomness: random.Random,
) -> AccessToken:
    """Return a new access token of 300 seconds.

    Args:
        client_id: Becomes `aud`.
        user_id: Becomes `sub`.
        scopes: What it allows.
        now: The time (aware).
        randomness: Where the identifier comes from.
    """
    # The library reads the time three times while it works, the expiry first.
    # Those moments lie just before `now`, so that a clock that stands still never
    # shows a token from the future.
    begun = now - timedelta(microseconds=randomness.randrange(500, 1500))
    built = now - timedelta(microseconds=randomness.randrange(3, 100))
    return AccessToken(
        client_id=client_id,
        identifier=randomness.randbytes(_IDENTIFIER_BYTES).hex(),
        issued_at=built,
        not_before=built + timedelta(microseconds=2),
        expires_at=begun + LIFETIME,
        user_id=user_id,
        scopes=scopes,
    )


def structure_fault(token: str) -> str:
    """Return what the library's parser finds wrong with a JWT, or ""."""
    parts = token.split(".")
    if len(parts) != len(("header", "claims", "signature")):
        return "The JWT string must have two dots"
    for name, part in zip(("Header", "Claim", "Signature"), parts, strict=True):
        if not part:
            return f"The JWT string is missing the {name} part"
    for name, part in zip(("headers", "claims", ""), parts, strict=True):
        try:
            decoded = _decode_base64url(part)
        except ValueError:
            return (
                "Error while decoding from Base64Url, invalid base64 characters "
                "detected"
            )
        if not name:
            continue  # the signature is no JSON
        try:
            members: Any = json.loads(decoded)
        except (ValueError, RecursionError):
            return "Error while decoding from JSON"
        if not isinstance(members, dict):
            return f"{name} must be an array"
    return ""


def numeric_date(moment: datetime) -> float:
    """Return a NumericDate (RFC 7519, section 2): whole only by chance."""
    whole = int(moment.replace(microsecond=0).timestamp())
    if not moment.microsecond:
        return whole
    return (whole * _MICROSECONDS + moment.microsecond) / _MICROSECONDS


def _decode_base64url(part: str) -> bytes:
    padded = part + "=" * (-len(part) % 4)
    return base64.b64decode(padded.translate(str.maketrans("-_", "+/")), validate=True)
