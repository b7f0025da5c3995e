"""Many requests at once, from one thread.

An engine takes requests as long as it has room, and hands over what became of them in
the order in which they end. It follows nothing and retries nothing, as a transport.
"""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from oauthmagic.errors import OAuthMagicError, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable

    from oauthmagic.transport.http import Exchange
    from oauthmagic.transport.wire import Transport, WireRequest, WireResponse

#: How often a waiting cell looks whether it was interrupted, in seconds.
_TICK = 0.2


@dataclass(slots=True)
class Arrival:
    """What became of one request: a response, or why there is none.

    Attributes:
        tag: What the request was submitted under.
        response: The response, or None.
        error: Why there is none, or None; `.sent` says what is known.
    """

    tag: int
    response: WireResponse | None = None
    error: OAuthMagicError | None = None


class Engine(Protocol):
    """Sends many requests at once; called by one thread.

    It gets on with them while it is polled.
    """

    def room(self) -> int:
        """Return how many more requests may be submitted now."""
        ...

    def submit(
        self, tag: int, request: WireRequest, *, timeout: float, limit: int
    ) -> None:
        """Begin to send a request.

        Args:
            tag: What its arrival will bear.
            request: What to send.
            timeout: Seconds for everything, name lookup to last byte.
            limit: The most decoded body bytes to accept.
        """
        ...

    def poll(self, timeout: float) -> list[Arrival]:
        """Wait until something has arrived, or the time is over.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            What has arrived; nothing where the time was over, or nothing is in flight.
        """
        ...

    def close(self) -> None:
        """Break off what is in flight; nothing more arrives."""
        ...


def engine_for(transport: Transport, concurrency: int) -> Engine:
    """Return what sends many requests at once over a transport.

    On libcurl where the extra `fast` is installed and the transport is one over
    sockets, and with threads otherwise. Nothing of it is written into a trace.

    Args:
        transport: What would send each of them alone.
        concurrency: How many may be in flight.

    Raises:
        TlsError: The transport's certificates cannot be used.
    """
    transport = bare(transport)
    tls = getattr(transport, "tls", None)
    if tls is not None and has_curl():
        from oauthmagic.transport.curl import CurlEngine, Settings  # noqa: PLC0415 - an extra

        return CurlEngine(Settings(tls), concurrency)
    return ThreadedEngine(transport, concurrency)


def quick(transport: Transport) -> Transport:
    """Return what sends the same as a transport over sockets, at less cost.

    On libcurl where the extra `fast` is installed; the transport itself otherwise.
    """
    make = getattr(transport, "quick", None)
    if make is None or not has_curl():
        return transport
    quicker: Transport = make()
    return quicker


def bare(transport: Transport) -> Transport:
    """Return what a transport that only looks on sends through."""
    while (inner := getattr(transport, "inner", None)) is not None:
        transport = inner
    return transport


def has_curl() -> bool:
    """Return whether libcurl can be used: installed, and by nobody watched.

    Where `SSLKEYLOGFILE` was set when somebody else loaded it, it writes the keys of
    every session to that file.
    """
    try:
        from oauthmagic.transport import curl  # noqa: PLC0415 - an extra
    except ImportError:
        return False
    return not curl.IS_WATCHED


class ThreadedEngine:
    """An engine over any transport: one thread for each request in flight.

    Args:
        transport: Sends each request, by its own deadline.
        concurrency: How many requests may be in flight.
    """

    def __init__(self, transport: Transport, concurrency: int) -> None:
        self._transport = transport
        self._concurrency = concurrency
        self._in_flight = 0
        self._threads = 0
        self._is_closed = False
        self._work: queue.SimpleQueue[Callable[[], Arrival] | None] = (
            queue.SimpleQueue()
        )
        self._arrived: queue.SimpleQueue[Arrival] = queue.SimpleQueue()
        self._exchanges: dict[int, Exchange] = {}

    def room(self) -> int:
        """Return how many more requests may be submitted now."""
        return self._concurrency - self._in_flight

    def submit(
        self, tag: int, request: WireRequest, *, timeout: float, limit: int
    ) -> None:
        """Begin to send a request."""
        self._in_flight += 1
        self._work.put(lambda: self._sent(tag, request, timeout, limit))
        if self._threads < min(self._in_flight, self._concurrency):
            self._threads += 1
            threading.Thread(target=self._serve, daemon=True).start()

    def poll(self, timeout: float) -> list[Arrival]:
        """Wait until something has arrived, or the time is over."""
        arrivals: list[Arrival] = []
        end = time.monotonic() + timeout
        while self._in_flight > len(arrivals):
            try:
                # In slices, for some systems cannot interrupt a long wait.
                left = 0 if arrivals else min(end - time.monotonic(), _TICK)
                arrivals.append(self._arrived.get(timeout=max(left, 0)))
            except queue.Empty:
                if arrivals or time.monotonic() >= end:
                    break
        self._in_flight -= len(arrivals)
        return arrivals

    def close(self) -> None:
        """Break off what is in flight; nothing more arrives."""
        self._is_closed = True
        for exchange in list(self._exchanges.values()):
            exchange.abandon()
        for _ in range(self._threads):
            self._work.put(None)
        self._in_flight = self._threads = 0

    def _serve(self) -> None:
        while (work := self._work.get()) is not None and not self._is_closed:
            arrival = work()
            del work
            if self._is_closed:
                return
            self._arrived.put(arrival)
            del arrival

    def _sent(
        self, tag: int, request: WireRequest, timeout: float, limit: int
    ) -> Arrival:
        try:
            response = self._response(tag, request, timeout, limit)
        except OAuthMagicError as error:
            return Arrival(tag, error=error.with_traceback(None))
        except Exception:  # noqa: BLE001 - whatever it is, the other requests go on
            # Fresh, for a foreign error may show the request.
            return Arrival(
                tag, error=TransportError("It could not be sent.", sent="unknown")
            )
        return Arrival(tag, response)

    def _response(
        self, tag: int, request: WireRequest, timeout: float, limit: int
    ) -> WireResponse:
        # A transport over sockets gives what can be told to leave an exchange.
        begin = getattr(self._transport, "exchange", None)
        if begin is None:
            return self._transport.send(request, timeout=timeout, limit=limit)
        exchange: Exchange = begin(request, timeout=timeout, limit=limit)
        self._exchanges[tag] = exchange
        try:
            # In this order: whoever closes the engine then looks for the exchanges.
            if self._is_closed:
                exchange.abandon()
            return exchange.result()
        finally:
            del self._exchanges[tag]
