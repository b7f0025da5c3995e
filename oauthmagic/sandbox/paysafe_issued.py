"""The tokens that the simulated Paysafe has issued.

Source: docs.paysafe.com, embedded wallets, issue-access-token: the members of the
answer, JWT access tokens, the scope "whitelabelWallet", lifetimes of 36000 s (admin)
and 900 s (configuration). Our inventions: the claims, the lives of a user's tokens,
and that client credentials get no refresh token (RFC 6749, section 4.4.3).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from oauthmagic.keys.jwts import rfc7515_a2_key, sign_rs256
from oauthmagic.sandbox.paysafe_answers import NO_STORE, invalid_token, json_answer
from oauthmagic.sandbox.paysafe_clients import LIFETIMES

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from datetime import datetime

    from oauthmagic.sandbox.answers import Answer
    from oauthmagic.sandbox.paysafe_data import Person

SCOPE: Final = "whitelabelWallet"
REFRESH_LIFETIME: Final = timedelta(days=1)
_JWT_HEADER: Final = {"alg": "RS256", "typ": "JWT", "kid": "simulated"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """What somebody was granted: what an access token and its refresh token allow.

    Attributes:
        brand: Whose wallets.
        client_id: Whose client.
        kind: `ADMIN`, `CONFIGURATION` or `USER`.
        person: The user, or None.
        code: The authorization code that it came from, or "".
        nonce: For the ID token, or "".
    """

    brand: str
    client_id: str
    kind: str
    person: Person | None = None
    code: str = field(default="", repr=False)
    nonce: str = ""

    @property
    def customer_id(self) -> str:
        """The user's customer, or "" for a token of the brand itself."""
        return self.person.customer_id if self.person else ""


class _Held(NamedTuple):
    grant: Grant
    expires_at: datetime


class IssuedTokens:
    """Makes tokens and remembers them.

    Args:
        clock: The time (aware).
        randomness: Where identifiers come from.
    """

    def __init__(
        self, *, clock: Callable[[], datetime], randomness: random.Random
    ) -> None:
        self._clock = clock
        self._randomness = randomness
        self._access_tokens: dict[str, _Held] = {}
        self._refresh_tokens: dict[str, _Held] = {}
        self._id_tokens: dict[str, _Held] = {}

    def issue(self, grant: Grant, issuer: str, **more: object) -> Answer:
        """Return the answer with new tokens (RFC 6749, section 5.1).

        Args:
            grant: What they allow.
            issuer: What this server calls itself.
            more: More members.
        """
        now, life = self._clock(), LIFETIMES[grant.kind]
        held = _Held(grant, now + timedelta(seconds=life))
        issued_at = int(now.timestamp())
        claims: dict[str, object] = {
            "iss": issuer,
            "sub": grant.customer_id or grant.client_id,
            "aud": grant.client_id,
            "iat": issued_at,
            "exp": issued_at + life,
        }
        jti = str(uuid.UUID(bytes=self._randomness.randbytes(16), version=4))
        access_token = _sign({**claims, "jti": jti, "scope": SCOPE})
        self._access_tokens[access_token] = held
        members: dict[str, object] = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": life,
        }
        if grant.person is not None:
            refresh_token = self._randomness.randbytes(48).hex()
            self._refresh_tokens[refresh_token] = _Held(grant, now + REFRESH_LIFETIME)
            members["refresh_token"] = refresh_token
            members["refresh_expires_in"] = int(REFRESH_LIFETIME.total_seconds())
            # OIDC Core, section 3.1.3.7: the nonce is the one of the request.
            nonce = {"nonce": grant.nonce} if grant.nonce else {}
            id_token = _sign({**claims, **nonce})
            self._id_tokens[id_token] = held
            members["id_token"] = id_token
        return json_answer(200, {**members, "scope": SCOPE, **more}, *NO_STORE)

    def authorize(self, authorization: str | None) -> Grant:
        """Return what a request's access token allows.

        Args:
            authorization: The Authorization header, or None.

        Raises:
            Refusal: It is missing, unknown, expired or revoked.
        """
        if authorization is None:
            raise invalid_token("The access token is missing.", error="")
        scheme, _, value = authorization.partition(" ")
        held = self._access_tokens.get(value.strip())
        if scheme.lower() != "bearer" or held is None:
            raise invalid_token("The access token is invalid.")
        if self._clock() >= held.expires_at:
            raise invalid_token("The access token has expired.")
        return held.grant

    def use_refresh_token(self, text: str, brand: str, client_id: str) -> Grant | None:
        """Return what a refresh token stands for, and spend it; None if it does not.

        Args:
            text: The refresh token.
            brand: Where it is used.
            client_id: Who uses it.
        """
        held = self._refresh_tokens.get(text)
        if held is None or (held.grant.brand, held.grant.client_id) != (
            brand,
            client_id,
        ):
            return None
        del self._refresh_tokens[text]
        return held.grant if self._clock() < held.expires_at else None

    def person_of(self, subject_token: str, brand: str) -> Person | None:
        """Return the user of a valid access token or ID token of a brand, or None."""
        for kept in (self._access_tokens, self._id_tokens):
            held = kept.get(subject_token)
            if held and held.grant.brand == brand and self._clock() < held.expires_at:
                return held.grant.person
        return None

    def revoke_access_tokens(self) -> None:
        """Revoke every access token issued so far; refresh tokens stay."""
        self._access_tokens.clear()

    def revoke_code(self, code: str) -> None:
        """Revoke every token that came from an authorization code."""
        for kept in (self._access_tokens, self._refresh_tokens, self._id_tokens):
            for text in [
                text for text, held in kept.items() if held.grant.code == code
            ]:
                del kept[text]


def _sign(claims: dict[str, object]) -> str:
    return sign_rs256(claims, _JWT_HEADER, rfc7515_a2_key())
