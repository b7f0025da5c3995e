"""Waiting where an authorization server says to, for requests that may be repeated.

Revoking a token twice revokes it (RFC 7009, section 2.2), and asking about it twice
is asking (RFC 7662). A token request does not go through here: a refused password or
a rotated refresh token is sent once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthmagic.transport.retry_after import retry_after

if TYPE_CHECKING:
    from oauthmagic.runtime.world import World
    from oauthmagic.transport.wire import WireRequest, WireResponse

#: HTTP 429 (RFC 6585, section 4) and 503 (RFC 9110, section 15.6.4).
BUSY = (429, 503)


class Patient:
    """A transport that sends a request once more where its server is busy.

    The waits of all its requests together are no longer than the world's `max_wait`.

    Args:
        world: What sends, how long may be waited, and what waits.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._left = world.max_wait

    def send(self, request: WireRequest, *, timeout: float, limit: int) -> WireResponse:
        """Send a request, and once more after a 429 or 503 with `Retry-After`.

        Raises:
            TransportError: As `oauthmagic.transport.wire.Transport.send`.
        """
        world = self._world
        response = world.transport.send(request, timeout=timeout, limit=limit)
        if response.status not in BUSY:
            return response
        wait = retry_after(response, world.clock())
        # At least a second: "0" must not become a storm.
        if wait is None or (wait := max(wait, 1.0)) > self._left:
            return response
        self._left -= wait
        world.sleep(wait)
        return world.transport.send(request, timeout=timeout, limit=limit)
