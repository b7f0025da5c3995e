"""The one token that the requests of all rows are sent with."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from oauthmagic.runtime.authorized import after_answer, authorize, bearer
from oauthmagic.runtime.lifecycle import leeway

if TYPE_CHECKING:
    from datetime import datetime

    from oauthmagic.oauth.tokens import Token
    from oauthmagic.runtime.lifecycle import TokenKeeper
    from oauthmagic.runtime.world import World
    from oauthmagic.transport.wire import Headers, WireRequest, WireResponse

#: A token that could not be renewed yet is tried again after so many seconds.
RETRY = timedelta(seconds=5)


class Authorization(Protocol):
    """Puts a token on requests, and renews it where it must be.

    Attributes:
        number: Another one for each token.
    """

    number: int

    def check(self) -> None:
        """Renew the token if its end is near.

        Raises:
            OAuthMagicError: It is over and cannot be renewed.
        """
        ...

    def header(self) -> Headers:
        """Return the header field of the token."""
        ...

    def complete(self, request: WireRequest) -> WireRequest:
        """Return a request as it is sent: the provider's headers, then the token."""
        ...

    def accepted(self) -> None:
        """Take note that the token was accepted."""
        ...

    def refused(self, response: WireResponse, number: int) -> bool:
        """Return whether a request that was refused may succeed with another token.

        Args:
            response: The refusal.
            number: What the request was sent with.

        Raises:
            OAuthMagicError: The token is over and cannot be renewed.
        """
        ...


class KeptAuthorization:
    """The token of one target, in the hands of a keeper.

    Args:
        token: The token to begin with.
        keeper: Renews it.
        world: What its requests run in.
    """

    def __init__(self, token: Token, keeper: TokenKeeper, world: World) -> None:
        world.admit(token)
        self.number = 0
        self._token = token
        self._keeper = keeper
        self._world = world
        # Whoever hands a token over need not have looked at it.
        self._renew_at: datetime | None = world.clock()

    @property
    def token(self) -> Token:
        """The token of now."""
        return self._token

    @property
    def check_in(self) -> float | None:
        """Seconds until `check` has something to do; None if it never has."""
        if self._renew_at is None:
            return None
        return max((self._renew_at - self._world.clock()).total_seconds(), 0.0)

    def check(self) -> None:
        """Renew the token if its end is near.

        Raises:
            OAuthMagicError: It is over and cannot be renewed.
        """
        if self._renew_at is None or self._world.clock() < self._renew_at:
            return
        token = self._keeper.usable(self._token, self._world)
        if token is not self._token:
            self._take(token)
            return
        end = _renewal(token)
        self._renew_at = end and max(end, self._world.clock() + RETRY)

    def header(self) -> Headers:
        """Return the header field of the token (RFC 6750, section 2.1)."""
        return (("authorization", bearer(self._token)),)

    def complete(self, request: WireRequest) -> WireRequest:
        """Return a request as it is sent: the provider's headers, then the token."""
        return authorize(self._world.prepared(request), self._token, self._world)

    def accepted(self) -> None:
        """Take note that the token was accepted."""
        self._keeper.accepted(self._token)

    def refused(self, response: WireResponse, number: int) -> bool:
        """Return whether a request that was refused may succeed with another token.

        Raises:
            OAuthMagicError: The token is over and cannot be renewed.
        """
        if number != self.number:
            return True  # somebody else's refusal came first
        token = after_answer(
            response, self._token, keeper=self._keeper, world=self._world
        )
        if token is self._token:
            return False
        self._take(token)
        return True

    def _take(self, token: Token) -> None:
        self._world.admit(token)
        self._token = token
        self._renew_at = _renewal(token)
        self.number += 1


def _renewal(token: Token) -> datetime | None:
    if token.expires_at is None:
        return None
    return token.expires_at - timedelta(seconds=leeway(token))
