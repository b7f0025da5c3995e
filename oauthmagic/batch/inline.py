"""An engine without threads: for a simulator in this process, and for Pyodide."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from oauthmagic.errors import OAuthMagicError
from oauthmagic.transport.engines import Arrival

if TYPE_CHECKING:
    from oauthmagic.transport.wire import Transport, WireRequest


class InlineEngine:
    """Sends one request at a time, in the order in which they were submitted.

    Args:
        transport: Sends them.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._waiting: deque[tuple[int, WireRequest, float, int]] = deque()

    def room(self) -> int:
        """Return how many more requests may be submitted now."""
        return 1 - len(self._waiting)

    def submit(
        self, tag: int, request: WireRequest, *, timeout: float, limit: int
    ) -> None:
        """Take a request; `poll` sends it."""
        self._waiting.append((tag, request, timeout, limit))

    def poll(self, timeout: float) -> list[Arrival]:  # noqa: ARG002 - it never waits
        """Send what was taken, and return what became of it."""
        arrivals: list[Arrival] = []
        while self._waiting:
            tag, request, deadline, limit = self._waiting.popleft()
            try:
                response = self._transport.send(request, timeout=deadline, limit=limit)
            except OAuthMagicError as error:
                arrivals.append(Arrival(tag, error=error.with_traceback(None)))
            else:
                arrivals.append(Arrival(tag, response))
        return arrivals

    def close(self) -> None:
        """Send nothing more."""
        self._waiting.clear()
