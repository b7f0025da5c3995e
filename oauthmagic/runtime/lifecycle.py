"""Obtaining a token and keeping it usable.

The one rule: lock, read again, renew, write, use. Whoever waited for the lock
finds the new token and renews nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from oauthmagic.errors import (
    InvalidClient,
    LoginRequired,
    OAuthError,
    OAuthMagicError,
    RateLimited,
    ServerError,
    TemporarilyUnavailable,
)
from oauthmagic.flows.token_requests import Endpoint, request_token
from oauthmagic.oauth import grants
from oauthmagic.oauth.credentials import Credentials
from oauthmagic.oauth.tokens import Token, fingerprint

if TYPE_CHECKING:
    from datetime import datetime

    from oauthmagic.oauth.responses import TokenResponse
    from oauthmagic.oauth.tokens import TokenKey
    from oauthmagic.runtime.world import World
    from oauthmagic.store.stores import Store

#: A token counts as over this many seconds before its end, at most.
MAX_LEEWAY = 60.0
#: ... and at most this part of its life: a 300 s token is good for 270 s.
LEEWAY_PART = 0.1


def leeway(token: Token) -> float:
    """Return how many seconds before its end a token is renewed."""
    if token.expires_at is None:
        return 0.0
    life = (token.expires_at - token.issued_at).total_seconds()
    return min(MAX_LEEWAY, max(life, 0.0) * LEEWAY_PART)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """A token to obtain: the grant, its scopes, a name, whether it must be new."""

    grant: str
    scopes: tuple[str, ...] = ()
    alias: str = ""
    fresh: bool = False


class TokenKeeper:
    """Obtains tokens, and renews them once, whoever asks.

    Args:
        store: Where tokens are kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        # In memory only, for a grant that can be run again without its user.
        self._credentials: dict[TokenKey, Credentials] = {}

    def obtain(
        self,
        world: World,
        wish: Wish,
        credentials: Credentials,
        *,
        seen: Token | None = None,
    ) -> Token:
        """Run a grant and keep the token, unless somebody else just did.

        Args:
            world: What it runs in.
            wish: What is asked for.
            credentials: Every field that the grant needs.
            seen: The token that the caller found not good enough, if any.

        Raises:
            OAuthMagicError: The grant failed; nothing is kept.
        """
        before = Token(
            target=str(world.target),
            access_token=None,
            scopes=frozenset(wish.scopes),
            scopes_requested=frozenset(wish.scopes),
            grant=wish.grant,
            client_id=credentials.client_id,
            subject=credentials.username
            if wish.grant == "password"
            else credentials.client_id,
            alias=wish.alias,
            issued_at=world.clock(),
            clock=world.clock,
        )
        with self._store.exclusive(before.key) as entry:
            held = entry.token
            seen_here = seen is not None and seen.key == before.key
            if held is not None and not wish.fresh:
                newer = not seen_here or held.generation != seen.generation  # type: ignore[union-attr]
                if newer and not held.is_expired(leeway(held)):
                    return held
            response = self._grant(world, wish.grant, wish.scopes, credentials)
            token = _token(
                world,
                response,
                before.replace(issued_at=world.clock()),
                reason="asked for",
            )
            return self._keep(token, credentials)

    def adopt(self, world: World, token: Token, credentials: Credentials) -> Token:
        """Keep a token that was got elsewhere."""
        mark = fingerprint(token.access_token, world.fingerprint_key)
        return self._keep(token.replace(fingerprint=mark), credentials)

    def forget(self, token: Token) -> None:
        """Forget a token and the credentials it came by."""
        self._store.delete(token.key)
        self._credentials.pop(token.key, None)

    def usable(self, token: Token, world: World) -> Token:
        """Return the token held, renewed if its end is near.

        Raises:
            LoginRequired: It is over and cannot be renewed.
            OAuthMagicError: It is over and its renewal failed.
        """
        if not token.is_expired(leeway(token)):
            return token
        left = token.remaining()
        reason = (
            "the access token was not there yet"
            if token.access_token is None
            else f"{_seconds(left)} s left, renewed from {leeway(token):.0f} s on"
            if left
            else "the access token had expired"
        )
        try:
            return self.renew(token, world, reason=reason)
        except OAuthMagicError:
            # Inside the leeway the old one still serves.
            if token.is_expired():
                raise
            return token

    def credentials(self, token: Token) -> Credentials:
        """Return the credentials that a token came by, as far as they are held."""
        return self._credentials.get(token.key, Credentials())

    def can_renew(self, token: Token) -> bool:
        """Return whether a renewal has any chance without the user."""
        return token.refresh_token is not None or self._can_grant_again(token)

    def renew(self, token: Token, world: World, *, reason: str) -> Token:
        """Renew a token, unless somebody else just did.

        Args:
            token: The snapshot that is no longer good.
            world: What its requests run in.
            reason: Why, for people.

        Raises:
            LoginRequired: The refresh token was refused, or there is none, and
                the grant cannot be run again without the user.
            OAuthMagicError: The renewal failed otherwise; what was held is kept.
        """
        with self._store.exclusive(token.key) as entry:
            held = entry.token
            if held is None:
                msg = f"The token of {world.target} was forgotten."
                raise LoginRequired(msg, hint=_login_hint(token))
            if held.generation != token.generation:
                return held
            if held.refresh_token is not None:
                try:
                    renewed = self._refresh(held, world, reason)
                except OAuthError as error:
                    if not _is_refusal(error):
                        raise
                    # Never sent again: a refused refresh token stays refused.
                    held = held.replace(
                        refresh_token=None, generation=held.generation + 1
                    )
                    entry.write(held)
                    if not self._can_grant_again(held):
                        msg = f"The refresh token of {world.target} is no longer valid."
                        raise LoginRequired(msg, hint=_login_hint(held)) from None
                else:
                    entry.write(renewed)
                    return renewed
            renewed = self._grant_again(held, world, reason)
            entry.write(renewed)
            return renewed

    def _refresh(self, held: Token, world: World, reason: str) -> Token:
        known = self.credentials(held)
        parameters = grants.refresh_token(held.refresh_token)  # type: ignore[arg-type]
        response = _request(world, known, known.client_id or held.client_id, parameters)
        return _token(
            world, response, held.replace(issued_at=world.clock()), reason=reason
        )

    def _grant_again(self, held: Token, world: World, reason: str) -> Token:
        if not self._can_grant_again(held):
            msg = f"The token of {world.target} cannot be renewed: {reason}."
            raise LoginRequired(msg, hint=_login_hint(held))
        credentials = self._credentials[held.key]
        try:
            response = self._grant(
                world, held.grant, tuple(sorted(held.scopes_requested)), credentials
            )
        except OAuthError as error:
            if _is_refusal(error):
                # Sent once more it would only bring the account nearer to a lock.
                del self._credentials[held.key]
            raise
        return _token(
            world,
            response,
            held.replace(issued_at=world.clock(), refresh_token=None),
            reason=f"{reason}; granted again",
        )

    def _can_grant_again(self, token: Token) -> bool:
        return (
            token.grant in ("password", "client_credentials")
            and token.key in self._credentials
        )

    def _grant(
        self,
        world: World,
        grant: str,
        scopes: tuple[str, ...],
        credentials: Credentials,
    ) -> TokenResponse:
        if grant == "password" and credentials.password is not None:
            parameters = grants.password(
                credentials.username, credentials.password, scopes
            )
        else:
            parameters = grants.client_credentials(scopes)
        return _request(world, credentials, credentials.client_id, parameters)

    def _keep(self, token: Token, credentials: Credentials) -> Token:
        """Keep a token that does not come from a renewal."""
        with self._store.exclusive(token.key) as entry:
            before = entry.token
            # Counted on, so that a renewal of the one before is not taken for it.
            token = token.replace(generation=before.generation + 1 if before else 1)
            self._store.put(token)
        self._credentials[token.key] = credentials
        return token


def _request(
    world: World,
    credentials: Credentials,
    client_id: str,
    parameters: grants.Parameters,
) -> TokenResponse:
    endpoint = Endpoint(
        url=world.environment.token_endpoint,
        client_id=client_id,
        client_secret=credentials.client_secret,
        token_endpoint_auth_method=world.provider.token_endpoint_auth_method,
        basic_encoding=world.provider.basic_encoding,
        timeout=world.token_timeout,
    )
    try:
        return request_token(world.transport, endpoint, parameters)
    except (OAuthError, RateLimited) as error:
        status = error.status if isinstance(error, OAuthError) else 429
        raise error.with_hint(world.provider.hint("token", status, error)) from None


def _token(
    world: World, response: TokenResponse, before: Token, *, reason: str
) -> Token:
    """Return the token that follows `before` by a token response."""
    now = before.issued_at
    granted = response.scopes
    return before.replace(
        access_token=response.access_token,
        token_type=response.token_type,
        # RFC 6749, section 6: a new refresh token replaces the old one; none
        # leaves it.
        refresh_token=response.refresh_token or before.refresh_token,
        id_token=response.id_token or before.id_token,
        # Section 5.1: no scope in the answer means what was asked.
        scopes=before.scopes if granted is None else frozenset(granted),
        expires_at=_later(now, response.expires_in),
        refresh_expires_at=before.refresh_expires_at
        if _keeps_refresh_token(response, before)
        else _later(now, response.refresh_expires_in),
        fingerprint=fingerprint(response.access_token, world.fingerprint_key),
        generation=before.generation + 1,
        reason=reason,
    )


def _keeps_refresh_token(response: TokenResponse, before: Token) -> bool:
    """Return whether the old refresh token stays, and nothing is said of its end."""
    return (
        response.refresh_token is None
        and response.refresh_expires_in is None
        and before.refresh_token is not None
    )


def _is_refusal(error: OAuthError) -> bool:
    """Return whether the server refused the grant itself, for good.

    Older servers of the League family answer a dead refresh token with
    `invalid_request` and 401, so the code alone does not tell.
    """
    if isinstance(error, InvalidClient | ServerError | TemporarilyUnavailable):
        return False
    return bool(error.error) and (error.status or 400) < 500  # noqa: PLR2004


def _login_hint(token: Token) -> str:
    return f"Log in again: %token {token.alias or token.target} --fresh."


def _later(now: datetime, seconds: int | None) -> datetime | None:
    return None if seconds is None else now + timedelta(seconds=seconds)


def _seconds(left: timedelta) -> int:
    return int(left.total_seconds())
