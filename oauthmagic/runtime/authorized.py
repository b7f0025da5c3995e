"""An authorized request: the token goes on, a 401 is answered once, 429 waited for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from oauthmagic.oauth import sca
from oauthmagic.oauth.challenges import bearer_error, parse_challenges
from oauthmagic.transport.retry_after import parse_retry_after

if TYPE_CHECKING:
    from oauthmagic.oauth.tokens import Token
    from oauthmagic.runtime.lifecycle import TokenKeeper
    from oauthmagic.runtime.world import World
    from oauthmagic.transport.wire import WireRequest, WireResponse

#: Methods that a server does not act on (RFC 9110, section 9.2.1); only these are
#: sent again after a 429 or 503, which do not prove that nothing was done.
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A response with what it took to get it.

    Attributes:
        response: The last response.
        token: The token it was sent with.
        waited: Seconds waited because the server said `Retry-After`.
        replayed: Whether it was sent once more with a renewed token.
        attempts: How often it was sent.
        trouble: What is wrong with a token that still serves, or "".
    """

    response: WireResponse
    token: Token
    waited: float = 0.0
    replayed: bool = False
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
        timeout: Seconds for each exchange; the world's own without it.

    Raises:
        LoginRequired: The token is over and cannot be renewed.
        TransportError: No usable answer came.
    """
    token = keeper.usable(token, world)
    answer = _send_waiting(request, token, world, timeout)
    renewed = after_answer(answer.response, token, keeper=keeper, world=world)
    if renewed is not token:
        token = renewed
        # Any method may be replayed: the server refused it. Never twice.
        again = _send_waiting(request, token, world, timeout)
        if not _is_about_the_token(again.response):
            keeper.accepted(token)
        answer = replace(
            again,
            replayed=True,
            attempts=answer.attempts + again.attempts,
            waited=answer.waited + again.waited,
        )
    return replace(answer, trouble=keeper.trouble(token))


def after_answer(
    response: WireResponse, token: Token, *, keeper: TokenKeeper, world: World
) -> Token:
    """Return the token to go on with: a renewed one if this one was refused.

    Raises:
        LoginRequired: It was refused, and its renewal, too.
    """
    if not _is_about_the_token(response):
        keeper.accepted(token)
        return token
    if not keeper.can_renew(token):
        return token
    return keeper.renew(token, world, reason="the API answered 401", doubted=True)


def bearer(token: Token) -> str:
    """Return the value of the Authorization header (RFC 6750, section 2.1)."""
    return f"Bearer {token.access_token.reveal()}" if token.access_token else ""


def _send_waiting(
    request: WireRequest, token: Token, world: World, timeout: float | None
) -> Answer:
    """Send; where the server says to wait, wait and send again within `max_wait`."""
    waited = 0.0
    attempts = 0
    while True:
        attempts += 1
        # Made anew each time: a signature holds the moment.
        prepared = world.prepare(request) if world.prepare else request
        response = world.transport.send(
            authorize(prepared, token),
            timeout=timeout or world.api_timeout,
            limit=world.max_body,
        )
        answer = Answer(
            response=response, token=token, waited=waited, attempts=attempts
        )
        if response.status not in (429, 503) or request.method not in SAFE_METHODS:
            return answer
        wait = parse_retry_after(response.header("retry-after"), world.clock())
        if wait is None or waited + max(wait, 1.0) > world.max_wait:
            return answer
        # At least a second: "0" must not become a storm.
        wait = max(wait, 1.0)
        world.sleep(wait)
        waited += wait


def authorize(request: WireRequest, token: Token) -> WireRequest:
    """Return the request with the token in its Authorization header (RFC 6750, 2.1)."""
    return replace(
        request, headers=(*request.headers, ("authorization", bearer(token)))
    )


def _is_about_the_token(response: WireResponse) -> bool:
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
