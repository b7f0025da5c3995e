"""A token server in the manner of league/oauth2-server, without any HTTP in it.

Source: answers recorded from versions 8.5.5 and 9.4.1, and the library's source.
It performs the password grant (RFC 6749, section 4.3) and the refresh grant
(section 6) with rotation, and judges access tokens as the library's resource
server does. Two habits of the library that surprise clients:

- A refresh revokes the access token that was issued together with the refresh
  token used. Reuse of a rotated refresh token is refused, and nothing more; see
  `TokenServer.use_reuse_detection` for a server that does more.
- Values are trimmed, and an empty one counts as absent.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NoReturn

from oauthmagic.errors import ProtocolError
from oauthmagic.keys.jwts import rfc7515_a2_key, verify_rs256
from oauthmagic.sandbox.answers import Answer, Refusal, json_answer
from oauthmagic.sandbox.league_errors import family
from oauthmagic.sandbox.league_tokens import (
    LIFETIME,
    AccessToken,
    issue_access_token,
    structure_fault,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping
    from datetime import datetime

#: The version header of the encryption that the library wraps refresh tokens in.
REFRESH_TOKEN_PREFIX: Final = "def50200"  # noqa: S105 - public, it says nothing
_REFRESH_TOKEN_BYTES: Final = 375
_PHP_WHITESPACE: Final = " \t\n\r\0\x0b"


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """A resource owner; the identifier becomes the claim `sub`."""

    identifier: str
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class _RefreshToken:
    access_token: AccessToken
    expire_time: datetime
    family: int


class TokenServer:
    """Issues tokens and judges them.

    Args:
        clock: The time (aware).
        randomness: Where identifiers come from.
        clients: Secret by `client_id`.
        users: User by user name.
        scopes: The scopes that exist; all are granted where none is asked for
            (our invention: which default Revsto has is not documented).
        errors: Error family, see `oauthmagic.sandbox.league_errors`.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        randomness: random.Random,
        clients: Mapping[str, str],
        users: Mapping[str, User],
        scopes: tuple[str, ...],
        errors: str,
    ) -> None:
        self._clock = clock
        self._randomness = randomness
        self._clients = clients
        self._users = users
        self._scopes = scopes
        self._issued: dict[str, AccessToken] = {}
        self._live: set[str] = set()
        self._refresh_tokens: dict[str, _RefreshToken] = {}
        self._rotated: set[str] = set()
        self._families = 0
        self._revokes_families = False
        self.use_errors(errors)

    def use_errors(self, errors: str) -> None:
        """Answer in another error family from now on.

        Raises:
            UnknownName: There is no such family.
        """
        self._errors = family(errors)

    def use_reuse_detection(self, on: bool = True) -> None:  # noqa: FBT001, FBT002 - reads well
        """Revoke everything that came from a login once its refresh token is reused.

        Our invention, after RFC 9700, section 4.14.2: the library does not do it.

        Args:
            on: Whether to do so from now on.
        """
        self._revokes_families = on

    def revoke_access_tokens(self) -> None:
        """Revoke every access token issued so far; refresh tokens stay."""
        self._live.clear()

    def token(self, form: Mapping[str, str], authorization: str | None) -> Answer:
        """Answer a token request (RFC 6749, section 3.2).

        Args:
            form: The decoded form; empty if the body is not a form.
            authorization: The Authorization header, or None.
        """
        try:
            grant_type = form.get("grant_type")
            if grant_type not in ("password", "refresh_token"):
                raise self._errors.unsupported_grant_type()
            client_id = self._authenticate_client(form, authorization)
            if grant_type == "password":
                return self._password(form, client_id)
            return self._refresh(form, client_id)
        except Refusal as refusal:
            return refusal.answer

    def authorize(self, authorization: str | None) -> AccessToken:
        """Return what a request's access token allows.

        Args:
            authorization: The Authorization header, or None.

        Raises:
            Refusal: It is missing, malformed, forged, expired or revoked.
        """
        if authorization is None:
            self._deny('Missing "Authorization" header')
        ignored = re.IGNORECASE if self._errors.any_case else 0
        token = re.sub(r"^\s*Bearer\s", "", authorization, flags=ignored)
        token = token.strip(_PHP_WHITESPACE)
        if fault := structure_fault(token):
            self._deny(fault)
        try:
            verify_rs256(token, rfc7515_a2_key())
        except ProtocolError:
            self._deny("Access token could not be verified")
        # The signing key is published: what was not issued here counts as revoked.
        held = self._issued.get(token)
        if held is not None and not held.is_valid_at(self._clock()):
            self._deny("Access token could not be verified")
        if held is None or held.identifier not in self._live:
            self._deny("Access token has been revoked")
        return held

    def _password(self, form: Mapping[str, str], client_id: str) -> Answer:
        scopes = self._known_scopes(_parameter(form, "scope"), self._scopes)
        username = self._required(form, "username")
        password = self._required(form, "password")
        user = self._users.get(username)
        if user is None or not _equal(password, user.password):
            raise self._errors.invalid_user()
        self._families += 1
        return self._issue(client_id, user.identifier, scopes, self._families)

    def _refresh(self, form: Mapping[str, str], client_id: str) -> Answer:
        text = self._required(form, "refresh_token")
        held = self._refresh_tokens.get(text)
        if held is None:
            self._refuse_refresh("Cannot decrypt the refresh token")
        old = held.access_token
        if old.client_id != client_id:
            self._refuse_refresh("Token is not linked to client")
        if held.expire_time < self._clock():
            self._refuse_refresh("Token has expired")
        if text in self._rotated:
            if self._revokes_families:
                self._revoke_family(held.family)
            self._refuse_refresh("Token has been revoked")
        scopes = self._known_scopes(_parameter(form, "scope"), old.scopes)
        for scope in scopes:
            if scope not in old.scopes:
                raise self._errors.invalid_scope(scope)
        self._live.discard(old.identifier)
        self._rotated.add(text)
        return self._issue(client_id, old.user_id, scopes, held.family)

    def _revoke_family(self, number: int) -> None:
        for text, held in self._refresh_tokens.items():
            if held.family == number:
                self._rotated.add(text)
                self._live.discard(held.access_token.identifier)

    def _authenticate_client(
        self, form: Mapping[str, str], authorization: str | None
    ) -> str:
        basic = _basic_credentials(authorization)
        client_id = _parameter(form, "client_id", basic[0])
        if client_id is None:
            self._miss("client_id")
        client_secret = _parameter(form, "client_secret", basic[1])
        expected = self._clients.get(client_id)
        if expected is None or not _equal(client_secret or "", expected):
            raise self._errors.invalid_client(authorization)
        return client_id

    def _required(self, form: Mapping[str, str], name: str) -> str:
        value = _parameter(form, name)
        if value is None:
            self._miss(name)
        return value

    def _known_scopes(
        self, text: str | None, default: tuple[str, ...]
    ) -> tuple[str, ...]:
        # A scope asked for twice is granted once.
        scopes = tuple(dict.fromkeys(filter(None, (text or "").split(" "))))
        for scope in scopes:
            if scope not in self._scopes:
                raise self._errors.invalid_scope(scope)
        return scopes or default

    def _issue(
        self, client_id: str, user_id: str, scopes: tuple[str, ...], number: int
    ) -> Answer:
        now = self._clock()
        token = issue_access_token(
            client_id, user_id, scopes, now=now, randomness=self._randomness
        )
        access_token = token.sign()
        refresh_token = (
            REFRESH_TOKEN_PREFIX
            + self._randomness.randbytes(_REFRESH_TOKEN_BYTES).hex()
        )
        self._issued[access_token] = token
        self._live.add(token.identifier)
        self._refresh_tokens[refresh_token] = _RefreshToken(
            access_token=token, expire_time=_a_month_after(now), family=number
        )
        members = {
            "token_type": "Bearer",
            "expires_in": int(LIFETIME.total_seconds()),
            "access_token": access_token,
            "refresh_token": refresh_token,
        }
        return json_answer(
            200,
            members,
            ("Pragma", "no-cache"),
            ("Cache-Control", "no-store"),
            content_type="application/json; charset=UTF-8",
        )

    def _miss(self, name: str) -> NoReturn:
        raise self._errors.invalid_request(name)

    def _refuse_refresh(self, hint: str) -> NoReturn:
        raise self._errors.invalid_refresh_token(hint)

    def _deny(self, hint: str) -> NoReturn:
        raise self._errors.access_denied(hint)


def _parameter(
    form: Mapping[str, str], name: str, default: str | None = None
) -> str | None:
    return form.get(name, "").strip(_PHP_WHITESPACE) or default


def _basic_credentials(authorization: str | None) -> tuple[str | None, str | None]:
    """Return id and secret as this server reads them: raw, not form-decoded."""
    if authorization is None or not authorization.startswith("Basic "):
        return None, None
    encoded = authorization.removeprefix("Basic ")
    try:
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except (binascii.Error, UnicodeError):
        return None, None
    client_id, colon, client_secret = decoded.partition(":")
    return (client_id, client_secret) if colon else (None, None)


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _a_month_after(moment: datetime) -> datetime:
    """Return the same day next month; PHP counts on where there is none."""
    first = moment.replace(day=1)
    next_month = (first + timedelta(days=32)).replace(day=1)
    return next_month + timedelta(days=moment.day - 1)
