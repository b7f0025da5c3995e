"""Exchanges through libcurl that an event loop drives: no thread, no waiting."""

from __future__ import annotations

import asyncio
import sys
import weakref
from collections import deque
from typing import TYPE_CHECKING

from oauthmagic.transport.curl import (
    CSELECT_IN,
    CSELECT_OUT,
    READS,
    SOCKET_TIMEOUT,
    WRITES,
    Exchanges,
    Settings,
)

if TYPE_CHECKING:
    from oauthmagic.transport.curl import Tls
    from oauthmagic.transport.engines import Arrival
    from oauthmagic.transport.wire import WireRequest, WireResponse

#: How many connections there are at once; whoever comes later waits for one.
_MOST = 100


class LoopTransport:
    """Sends requests for the tasks of any event loop that can watch sockets.

    Args:
        tls: The file of the only authorities to trust, the client's certificate and
            its key, as `tls_context` takes them.
    """

    def __init__(self, tls: Tls) -> None:
        self._settings = Settings(tls)
        self._drivers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Driver] = (
            weakref.WeakKeyDictionary()
        )

    async def send(
        self,
        request: WireRequest,
        *,
        timeout: float,  # noqa: ASYNC109 - it is libcurl's, name lookup included
        limit: int,
    ) -> WireResponse:
        """Send a request; follow nothing, retry nothing.

        Raises:
            TransportError: No usable answer; `.sent` says what is known.
        """
        loop = asyncio.get_running_loop()
        driver = self._drivers.get(loop)
        if driver is None:
            # Connections of a loop that is over cannot be used in another.
            driver = self._drivers[loop] = _Driver(self._settings, loop)
        arrival = await driver.arrival(request, timeout=timeout, limit=limit)
        del request
        if arrival.response is None:
            assert arrival.error is not None, "it is one of the two"  # noqa: S101 - for readers and mypy
            raise arrival.error
        return arrival.response

    def close(self) -> None:
        """Break off what is under way, and close every connection."""
        for driver in list(self._drivers.values()):
            driver.close()
        self._drivers.clear()


def can_watch(loop: asyncio.AbstractEventLoop) -> bool:
    """Return whether an event loop can watch sockets that are not its own."""
    if sys.platform == "win32":
        return not isinstance(loop, asyncio.ProactorEventLoop)
    return True


class _Driver:
    """What one event loop watches."""

    def __init__(self, settings: Settings, loop: asyncio.AbstractEventLoop) -> None:
        self._exchanges = Exchanges(settings, watch=self._watch, wake=self._wake)
        # Weakly, for the table of drivers must let go of a loop that is over.
        self._loop = weakref.ref(loop)
        self._watched: dict[int, int] = {}
        self._alarm: asyncio.Handle | None = None
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def arrival(
        self,
        request: WireRequest,
        *,
        timeout: float,  # noqa: ASYNC109 - it is libcurl's, name lookup included
        limit: int,
    ) -> Arrival:
        """Send a request and wait for what becomes of it."""
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        try:
            while len(self._exchanges) >= _MOST:
                turn = loop.create_future()
                self._waiting.append(turn)
                await turn
            return await self._begun(request, max(end - loop.time(), 0.001), limit)
        finally:
            self._next()

    async def _begun(self, request: WireRequest, left: float, limit: int) -> Arrival:
        arrived: asyncio.Future[Arrival] = asyncio.get_running_loop().create_future()

        def ended(arrival: Arrival) -> None:
            if not arrived.done():
                arrived.set_result(arrival)

        exchange = self._exchanges.begin(0, request, timeout=left, limit=limit)
        exchange.ended = ended
        try:
            return await arrived
        finally:
            # When it is over, it may be somebody else's by now.
            if exchange.ended is ended:
                self._exchanges.abandon(exchange)

    def close(self) -> None:
        """Break off what is under way, and close every connection."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._exchanges.close()

    def _next(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    def _watch(self, event: int, descriptor: int, *_: object) -> None:
        """Have the loop look at a socket, as libcurl says."""
        loop = self._loop()
        if loop is None or loop.is_closed():
            return
        before, after = self._watched.get(descriptor, 0), event
        if after in READS and before not in READS:
            loop.add_reader(descriptor, self._act, descriptor, CSELECT_IN)
        elif before in READS and after not in READS:
            loop.remove_reader(descriptor)
        if after in WRITES and before not in WRITES:
            loop.add_writer(descriptor, self._act, descriptor, CSELECT_OUT)
        elif before in WRITES and after not in WRITES:
            loop.remove_writer(descriptor)
        if after in READS or after in WRITES:
            self._watched[descriptor] = after
        else:
            self._watched.pop(descriptor, None)

    def _wake(self, milliseconds: int) -> None:
        """Have the loop come back, as libcurl says."""
        loop = self._loop()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if loop is None or loop.is_closed() or milliseconds < 0:
            return
        self._alarm = loop.call_later(milliseconds / 1000, self._act, SOCKET_TIMEOUT, 0)

    def _act(self, descriptor: int, what: int) -> None:
        self._exchanges.multi.socket_action(descriptor, what)
        for exchange, arrival in self._exchanges.arrived():
            ended, exchange.ended = exchange.ended, None
            if ended is not None:
                ended(arrival)
