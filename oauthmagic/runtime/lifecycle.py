"""Obtaining a token and keeping it usable.

The one rule: lock, read again, renew, write, use. Whoever waited for the lock
finds the new token and renews nothing.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauthmagic.errors import (
    LoginRequired,
    OAuthError,
    OAuthMagicError,
    StoreWriteFailed,
)
from oauthmagic.oauth import grants
from oauthmagic.oauth.credentials import Credentials
from oauthmagic.oauth.tokens import Token, fingerprint
from oauthmagic.runtime.granting import (
    WRONG_CREDENTIALS,
    grant_parameters,
    perform,
    token_after,
)
from oauthmagic.runtime.histories import Histories
from oauthmagic.runtime.interruptions import Flights, finished
from oauthmagic.runtime.refreshing import Refreshes, login_hint
from oauthmagic.store.memory import FORKED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oauthmagic.oauth.responses import TokenResponse
    from oauthmagic.oauth.tokens import TokenKey
    from oauthmagic.runtime.world import World
    from oauthmagic.store.stores import Entry, Store
    from oauthmagic.transport.wire import Headers

    _Owner = tuple[str, str, str]

#: A token counts as over this many seconds before its end, at most.
MAX_LEEWAY = 60.0
#: ... and at most this part of its life: a 300 s token is good for 270 s.
LEEWAY_PART = 0.1
#: RFC 9700, section 2.4. Said once, and not as a warning: some providers document no
#: other grant.
LEGACY_GRANT = "RFC 9700 forbids the password grant; use another where there is one"
#: How many refused credentials are remembered for one user of one client.
MOST_REFUSED = 16


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

    Attributes:
        histories: When they were issued and renewed.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._renewals: Flights[Token] = Flights()
        self._refreshes = Refreshes()
        # In memory only, for a renewal without the user.
        self._credentials: dict[TokenKey, Credentials] = {}
        # What a server refused is not sent again by itself: an account would be locked.
        self._refused: dict[_Owner, list[tuple[Credentials, OAuthError]]] = {}
        # Tokens that came after a 401 and that no answer has accepted yet.
        self._doubted: set[int] = set()
        self._has_warned = False
        # Why the last renewal of a token failed that still served.
        self._trouble: dict[TokenKey, str] = {}
        self.histories = Histories()

    def obtain(
        self,
        world: World,
        wish: Wish,
        credentials: Credentials,
        *,
        seen: Token | None = None,
        parameters: grants.Parameters | None = None,
        headers: Headers = (),
    ) -> Token:
        """Run a grant and keep the token, unless somebody else just did.

        Args:
            world: What it runs in.
            wish: What is asked for.
            credentials: Every field that the grant needs.
            seen: The token that the caller found not good enough, if any.
            parameters: What the user brought back, for example a code; without
                it, the grant's parameters are made of the credentials.
            headers: Further headers, for example the proof of a second factor.

        Raises:
            StepUpRequired: The server asks for a second factor first.
            OAuthError: It was refused; nothing is kept. The same credentials are
                not sent again unless the wish is for a fresh token.
            OAuthMagicError: The grant failed otherwise; nothing is kept.
        """
        before = _unissued(world, wish, credentials)

        def step() -> Token:
            with self._store.exclusive(before.key) as entry:
                held = entry.token
                if held is not None and not wish.fresh and parameters is None:
                    newer = seen is None or held.generation != seen.generation
                    same = credentials.agrees_with(self.credentials(held))
                    if newer and same and not held.is_expired(leeway(held)):
                        return held
                if not wish.fresh:
                    self._check_not_refused(before.key, credentials)
                asked = parameters or grant_parameters(
                    wish.grant, wish.scopes, credentials
                )
                response = self._performed(
                    world, before.key, credentials, asked, headers
                )
                token = token_after(world, before, response, reason="asked for")
                return self._keep(entry, token, credentials)

        return finished(step)

    def adopt(self, world: World, token: Token, credentials: Credentials) -> Token:
        """Keep a token that was got elsewhere.

        Raises:
            StoreWriteFailed: It is kept in memory only.
        """
        world.admit(token)
        mark = fingerprint(token.access_token, world.fingerprint_key)
        token = token.replace(fingerprint=mark)
        with self._store.exclusive(token.key) as entry:
            kept = self._keep(entry, token, credentials)
        if self._store.unsaved(kept.key):
            raise StoreWriteFailed(self._store.unsaved(kept.key))
        return kept

    def forget(self, token: Token) -> None:
        """Forget a token and the credentials it came by."""
        with self.forgetting(token):
            pass

    @contextmanager
    def forgetting(self, token: Token) -> Iterator[Entry]:
        """Return a token's entry, locked; forget it when the context ends well."""
        with self._store.exclusive(token.key) as entry:
            yield entry
            entry.delete()
            # Under the lock: whoever waits for it may bring credentials of its own.
            self._credentials.pop(token.key, None)
            self._trouble.pop(token.key, None)
            self.histories.forget(token.key)

    def clear(self) -> int:
        """Forget every token, those that cannot be read included; return how many."""
        self._credentials.clear()
        self._trouble.clear()
        self.histories.clear()
        return self._store.clear()

    def usable(self, token: Token, world: World) -> Token:
        """Return the token held, renewed if its end is near.

        Raises:
            LoginRequired: It is over and cannot be renewed.
            OAuthMagicError: It is over and its renewal failed.
        """
        if not token.is_expired(leeway(token)):
            return token
        try:
            return self.renew(token, world, reason=_why(token))
        except OAuthMagicError as error:
            # Inside the leeway the old one still serves.
            if token.is_expired():
                raise
            why = f"the token could not be renewed yet: {error}"
            self._trouble[token.key] = why
            return token

    def trouble(self, token: Token) -> str:
        """Return what its owner should know of a token that still serves, or ""."""
        return self._trouble.get(token.key, "") or self._store.unsaved(token.key)

    def credentials(self, token: Token) -> Credentials:
        """Return the credentials that a token came by, as far as they are held."""
        return self._credentials.get(token.key, Credentials())

    def remember(self, token: Token, credentials: Credentials) -> None:
        """Hold credentials for a token's renewals."""
        self._credentials[token.key] = credentials

    def can_renew(self, token: Token) -> bool:
        """Return whether a renewal after a 401 has any chance.

        A token that itself came after a 401, and that nothing has accepted since,
        shows that renewing does not help: the next 401 is the answer.
        """
        return token.generation not in self._doubted and (
            token.refresh_token is not None or self._can_grant_again(token)
        )

    def accepted(self, token: Token) -> None:
        """Take note that a resource server accepted a token."""
        self._doubted.discard(token.generation)

    def renew(
        self, token: Token, world: World, *, reason: str, doubted: bool = False
    ) -> Token:
        """Renew a token, unless somebody else just did.

        Args:
            token: The snapshot that is no longer good.
            world: What its requests run in.
            reason: Why, for people.
            doubted: Whether a 401 was the reason.

        Raises:
            LoginRequired: The refresh token was refused, or there is none, and
                the grant cannot be run again without the user.
            MissingCredentials: The client cannot authenticate.
            OAuthMagicError: The renewal failed otherwise; what was held is kept.
        """

        def step() -> Token:
            with self._store.exclusive(token.key) as entry:
                held = entry.token
                if held is None:
                    msg = f"The token of {world.target} was forgotten."
                    raise LoginRequired(msg, hint=login_hint(token))
                if held.generation != token.generation and not held.is_expired():
                    return held
                renewed = self._renewed(entry, held, world, reason, doubted=doubted)
                if renewed is None:
                    return entry.token or held
                renewed = renewed.replace(generation=entry.next_generation(), note="")
                if doubted:
                    self._doubted.add(renewed.generation)
                self._trouble.pop(token.key, None)
                self._refreshes.forget(token.key)
                self.histories.add(renewed, is_renewal=True)
                return self._written(entry, renewed)

        return self._renewals.joined(token.key, step)

    def _renewed(
        self, entry: Entry, held: Token, world: World, reason: str, *, doubted: bool
    ) -> Token | None:
        """Return what follows a token; None if somebody else has renewed it."""
        world.admit(held)
        if held.refresh_token is None:
            return self._granted_again(held, world, reason)
        known = Credentials(client_id=held.client_id)
        known = self.credentials(held).over(known)
        response = self._refreshes.send(world, known, held, held.refresh_token)
        if response is not None:
            return token_after(world, held, response, reason=reason)
        # Somebody who does not share the lock, on another host, may have been faster.
        now = entry.token
        if now is not None and now.generation != held.generation:
            return None
        reason = f"{reason}, {self._refreshes.why_refused(held)}"
        # Never sent again: a refused refresh token stays refused.
        held = held.replace(refresh_token=None, generation=entry.next_generation())
        if doubted:
            # Nor does the server take the access token, whatever end it had.
            held = held.replace(expires_at=world.clock())
        self._written(entry, held)
        return self._granted_again(held, world, reason)

    def _granted_again(self, held: Token, world: World, reason: str) -> Token:
        if not self._can_grant_again(held):
            msg = (
                f"The token of {world.target} is over ({reason}), and it cannot be "
                "renewed: there is no refresh token that works."
            )
            hint = f"{held.note} {login_hint(held)}" if held.note == FORKED else ""
            raise LoginRequired(msg, hint=hint or login_hint(held))
        credentials = self._credentials[held.key]
        scopes = tuple(sorted(held.scopes_requested))
        asked = grant_parameters(held.grant, scopes, credentials)
        response = self._performed(world, held.key, credentials, asked)
        before = held.replace(refresh_token=None)
        return token_after(world, before, response, reason=f"{reason}; granted again")

    def _can_grant_again(self, token: Token) -> bool:
        return (
            token.grant in grants.REPEATABLE
            and token.key in self._credentials
            and _owner(token.key) not in self._refused
        )

    def _performed(
        self,
        world: World,
        key: TokenKey,
        credentials: Credentials,
        parameters: grants.Parameters,
        headers: Headers = (),
    ) -> TokenResponse:
        """Send a grant; what is refused as wrong is remembered as such."""
        try:
            response = perform(world, credentials, parameters, headers)
        except OAuthError as error:
            # A code that is refused says nothing against the client's own secret.
            has_code = "code" in parameters or "device_code" in parameters
            if error.error in WRONG_CREDENTIALS and not has_code:
                refused = self._refused.setdefault(_owner(key), [])
                refused.append((credentials, error))
                del refused[:-MOST_REFUSED]
            raise
        self._refused.pop(_owner(key), None)
        return response

    def _check_not_refused(self, key: TokenKey, credentials: Credentials) -> None:
        for refused, error in self._refused.get(_owner(key), ()):
            if not refused.agrees_with(credentials):
                continue
            raise type(error)(
                "these credentials were refused before, and were not sent again",
                error=error.error,
                status=error.status,
                hint=f"{error.hint} To send the same once more, ask for a fresh "
                "token: --fresh, in Python fresh=True.",
            )

    def _keep(self, entry: Entry, token: Token, credentials: Credentials) -> Token:
        """Keep a token that does not come from a renewal."""
        token = token.replace(generation=entry.next_generation())
        if token.grant == "password" and not self._has_warned:
            self._has_warned = True
            token = token.replace(note=LEGACY_GRANT)
        self._credentials[token.key] = credentials
        self._trouble.pop(token.key, None)
        self.histories.add(token)
        return self._written(entry, token, latest=True)

    def _written(self, entry: Entry, token: Token, *, latest: bool = False) -> Token:
        """Return a token that is kept; its note says if only in memory."""
        try:
            entry.write(token, latest=latest)
        except StoreWriteFailed as error:
            # Here is the only copy of it: it has to serve, and be saved later.
            return token.replace(note=f"{error} {error.hint}")
        return token


def _unissued(world: World, wish: Wish, credentials: Credentials) -> Token:
    """Return the token of a wish as it is before there is one."""
    # Who logged in at a redirect is not known here.
    subject = {
        "password": credentials.username,
        "client_credentials": credentials.client_id,
    }.get(wish.grant, "")
    return Token(
        target=str(world.target),
        access_token=None,
        scopes=frozenset(wish.scopes),
        scopes_requested=frozenset(wish.scopes),
        grant=wish.grant,
        client_id=credentials.client_id,
        subject=subject,
        alias=wish.alias,
        issued_at=world.clock(),
        clock=world.clock,
    )


def _owner(key: TokenKey) -> _Owner:
    """Return whose credentials a token is got with."""
    return key.target, key.client_id, key.subject


def _why(token: Token) -> str:
    left = token.remaining()
    if token.access_token is None:
        return "there is no access token yet"
    if not left:
        return "the access token had expired"
    return f"{left.total_seconds():.0f} s left, renewed from {leeway(token):.0f} s on"
