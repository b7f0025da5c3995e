"""An authorized request: the token goes on, a 401 is answered once, 429 waited for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from oauthmagic.oauth import sca
from oauthmagic.oauth.challenges import bearer_error, parse_challenges
from oauthmagic.runtime.calls import Call
from oauthmagic.transport.urls import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from oauthmagic.oauth.tokens import Token
    from oauthmagic.runtime.lifecycle import TokenKeeper
    from oauthmagic.runtime.world import World
    from oauthmagic.transport.wire import WireRequest, WireResponse


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A response with what it took to get it.

    Attributes:
        response: The last response.
        token: The token it was sent with.
        waited: Seconds waited because the server said `Retry-After`.
        replayed: Whether it was sent once more with a renewed token.
        reconnected: Whether it was sent once more because the connection was lost.
        attempts: How often it was sent.
        trouble: What is wrong with a token that still serves, or "".
    """

    response: WireResponse
    token: Token
    waited: float = 0.0
    replayed: bool = False
    reconnected: bool = False
    attempts: int = 1
    trouble: str = ""


def send_authorized(
    request: WireRequest,
    token: Token,
    *,
    keeper: TokenKeeper,
    world: World,
    timeout: float | None = None,
) -> Answer:
    """Send a request with a token, renewed before it or after a 401 where needed.

    Args:
        request: The request, without its Authorization header.
        token: The token held.
        keeper: Renews it.
        world: What it runs in.
        timeout: Seconds for everything, waiting and a second try included; the
            world's own without it.

    Raises:
        LoginRequired: The token is over and cannot be renewed.
        TransportError: No usable answer came.
    """
    # From here on, so that a slow renewal is part of what the caller waits for.
    call = Call(world, timeout)
    token = keeper.usable(token, world)
    response = call.send(request, _completed(token, world))
    renewed = after_answer(response, token, keeper=keeper, world=world)
    replayed = renewed is not token
    if replayed:
        token = renewed
        # Any method may be replayed: the server refused it. Never twice.
        response = call.send(request, _completed(token, world))
        if not is_about_the_token(response):
            keeper.accepted(token)
    return Answer(
        response=response,
        token=token,
        waited=call.waited,
        replayed=replayed,
        reconnected=call.reconnected,
        attempts=call.attempts,
        trouble=keeper.trouble(token),
    )


def after_answer(
    response: WireResponse, token: Token, *, keeper: TokenKeeper, world: World
) -> Token:
    """Return the token to go on with: a renewed one if this one was refused.

    Raises:
        LoginRequired: It was refused, and its renewal, too.
    """
    if not is_about_the_token(response):
        keeper.accepted(token)
        return token
    if not keeper.can_renew(token):
        return token
    return keeper.renew(token, world, reason="the API answered 401", doubted=True)


def bearer(token: Token) -> str:
    """Return the value of the Authorization header (RFC 6750, section 2.1)."""
    return f"Bearer {token.access_token.reveal()}" if token.access_token else ""


def _completed(token: Token, world: World) -> Callable[[WireRequest], WireRequest]:
    """Return what makes a request complete: the provider's headers, then the token."""

    def complete(request: WireRequest) -> WireRequest:
        return authorize(world.prepared(request), token, world)

    return complete


def authorize(request: WireRequest, token: Token, world: World) -> WireRequest:
    """Return the request with the token in its Authorization header (RFC 6750, 2.1).

    Raises:
        EnvironmentRefused: The token is another target's.
        UrlRefused: The request goes to an origin that the environment does not declare.
    """
    world.admit(token)
    # Once more, where the token goes on: whatever rewrote the request meanwhile.
    resolve(
        request.url,
        api_base=world.environment.api_base,
        origins=world.environment.token_origins,
    )
    return replace(
        request, headers=(*request.headers, ("authorization", bearer(token)))
    )


def is_about_the_token(response: WireResponse) -> bool:
    """Return whether a response says that the access token is not, or no longer, good.

    A 401 without a challenge may say so (STET banks), and so does `invalid_token`
    (RFC 6750, section 3.1). A challenge that asks for a second factor, for other
    scopes or for a stronger login (RFC 9470) does not.
    """
    if response.status != 401:  # noqa: PLR2004
        return False
    field = response.joined("www-authenticate")
    if sca.asks(field):
        return False
    return bearer_error(parse_challenges(field)).error in ("", "invalid_token")
