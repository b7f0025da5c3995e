"""What was really exchanged for a target, written down without its secrets.

It is written down as text, and at once (`oauthmagic.runtime.sightings`).
"""

from __future__ import annotations

import copy
import logging
import threading
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from oauthmagic.errors import OAuthMagicError
from oauthmagic.redaction import RedactingFilter, quote
from oauthmagic.redaction.values import number_made
from oauthmagic.runtime.sightings import (
    grant_of,
    parameter_names,
    request_text,
    response_text,
    status_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from oauthmagic.oauth.tokens import Clock
    from oauthmagic.runtime.world import World
    from oauthmagic.transport.wire import Transport, WireRequest, WireResponse

_log = logging.getLogger("oauthmagic")
# What is logged has no secret in it; should one slip in, it is masked.
_log.addFilter(RedactingFilter())
#: How many exchanges of a target are remembered.
MOST = 100
BROWSER = "browser"
NOTEBOOK = "notebook"
SERVER = "authorization server"
API = "API"


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    """One request and what came of it, or one thing that happened between.

    Attributes:
        at: When it began, in the target's time.
        sender: Who began it: "browser", "notebook", ...
        receiver: To whom.
        title: What it was, in a line.
        request: The request, a line each, without secrets.
        outcome: The status, or what went wrong; "" where nothing comes back.
        response: The response in the same way.
        notes: What else is known: mutual TLS, a signature.
        elapsed: Seconds that it took.
    """

    at: datetime
    sender: str
    receiver: str
    title: str
    request: str = ""
    outcome: str = ""
    response: str = ""
    notes: tuple[str, ...] = ()
    elapsed: float = 0.0


class Trace:
    """The last exchanges of a target; safe to write from several threads.

    Args:
        target: Whose they are.
        clock: The target's time.
        numbers: Counts the steps of all targets, so that one is the latest.

    Attributes:
        latest: The number of the last step, 0 before there is one.
    """

    def __init__(self, target: str, clock: Clock, numbers: Iterator[int]) -> None:
        self.target = target
        self.latest = 0
        self._clock = clock
        self._numbers = numbers
        self._kept: deque[Exchange] = deque(maxlen=MOST)
        self._count = 0
        self._lock = threading.Lock()

    def exchanges(self) -> tuple[Exchange, ...]:
        """Return what is remembered, oldest first."""
        with self._lock:
            return tuple(self._kept)

    @property
    def forgotten(self) -> int:
        """How many earlier exchanges are no longer remembered."""
        with self._lock:
            return self._count - len(self._kept)

    def now(self) -> datetime:
        """Return the target's time."""
        return self._clock()

    def add(self, exchange: Exchange) -> None:
        """Remember an exchange."""
        with self._lock:
            self._kept.append(exchange)
            self.latest = next(self._numbers)
            self._count += 1
        _log.debug(
            "%s: %s to %s: %s %s (%.3f s)",
            self.target,
            exchange.sender,
            exchange.receiver,
            exchange.title,
            exchange.outcome,
            exchange.elapsed,
        )

    def authorization_request(self, url: str) -> None:
        """Remember that a browser was sent to log in (RFC 6749, section 4.1.1)."""
        self.add(
            Exchange(
                at=self.now(),
                sender=NOTEBOOK,
                receiver=BROWSER,
                title="authorization request",
                request=request_text("GET", url),
            )
        )

    def authorization_response(self, url: str) -> None:
        """Remember what came back with the browser (section 4.1.2)."""
        came = ", ".join(parameter_names(url)) or "nothing"
        self.add(
            Exchange(
                at=self.now(),
                sender=BROWSER,
                receiver=SERVER,
                title="login and consent, as the browser saw it",
            )
        )
        self.add(
            Exchange(
                at=self.now(),
                sender=BROWSER,
                receiver=NOTEBOOK,
                title=f"authorization response: {came}",
                request=request_text("GET", url),
            )
        )

    def waited(self, seconds: float) -> None:
        """Remember a pause between two requests."""
        title = f"waited {round(seconds, 1):g} s"
        self.add(
            Exchange(at=self.now(), sender=NOTEBOOK, receiver=NOTEBOOK, title=title)
        )


class _Seen(NamedTuple):
    """A request as it is written down."""

    receiver: str
    title: str
    text: str
    notes: tuple[str, ...]


class RecordingTransport:
    """Sends through another transport and writes down what came of it.

    Args:
        transport: What sends.
        trace: Where it is written.
        endpoints: URLs of the authorization server by their RFC 8414 names.
        api_base: What is below it, and no endpoint, is the API.
        has_certificate: Whether the client shows a certificate (mutual TLS).

    Attributes:
        inner: What sends.
    """

    def __init__(
        self,
        transport: Transport,
        trace: Trace,
        *,
        endpoints: Mapping[str, str],
        api_base: str,
        has_certificate: bool = False,
    ) -> None:
        self.inner = transport
        self._trace = trace
        self._endpoints = endpoints
        self._api_base = api_base
        self._has_certificate = has_certificate
        self._last_request: tuple[int, _Seen] | None = None
        self._last_answer: tuple[int, str] | None = None

    def over(self, transport: Transport) -> RecordingTransport:
        """Return what writes the same down, and sends through another transport."""
        other = copy.copy(self)
        other.inner = transport
        return other

    def send(self, request: WireRequest, *, timeout: float, limit: int) -> WireResponse:
        """Send a request; follow nothing, retry nothing.

        Raises:
            TransportError: No usable answer; `.sent` says what is known.
        """
        begun = self.begun()
        try:
            response = self.inner.send(request, timeout=timeout, limit=limit)
        except OAuthMagicError as error:
            self.failed(begun, request, error)
            raise
        self.answered(begun, request, response)
        return response

    def begun(self) -> datetime:
        """Return the moment, for what is written down later."""
        return self._trace.now()

    def failed(
        self, begun: datetime, request: WireRequest, error: OAuthMagicError
    ) -> None:
        """Write down that a request had no answer."""
        self._write(begun, self._seen(request), type(error).__name__, str(error), 0.0)

    def answered(
        self, begun: datetime, request: WireRequest, response: WireResponse
    ) -> None:
        """Write down what a request was answered."""
        seen = self._seen(request)
        # What an API answers is the user's, not the protocol's: its size will do.
        text = (
            self._text_of(response)
            if seen.receiver == API
            else response_text(response, with_body=True)
        )
        self._write(begun, seen, status_text(response.status), text, response.elapsed)

    def _write(
        self, begun: datetime, seen: _Seen, outcome: str, response: str, elapsed: float
    ) -> None:
        self._trace.add(
            Exchange(
                at=begun,
                sender=NOTEBOOK,
                receiver=seen.receiver,
                title=seen.title,
                request=seen.text,
                outcome=outcome,
                response=response,
                notes=seen.notes,
                elapsed=elapsed,
            )
        )

    def _seen(self, request: WireRequest) -> _Seen:
        """Return a request as it is written down; the last one need not be made anew.

        It is known by a hash, and no longer where there is another secret to mask.
        """
        parts = (request.method, request.url, request.headers, request.body)
        mark = hash((number_made(), parts))
        last = self._last_request
        if last is not None and last[0] == mark:
            return last[1]
        receiver, what = self._place(request)
        notes = ["mutual TLS"] * self._has_certificate
        names = {name.lower() for name, _ in request.headers}
        notes += ["HTTP signature"] * ("signature" in names)
        notes += ["proof of a second factor"] * ("sca-authorization" in names)
        path = quote(urlsplit(request.url).path, 200)
        seen = _Seen(
            receiver=receiver,
            title=f"{what + ': ' if what else ''}{request.method} {path[:80]}",
            text=request_text(
                request.method,
                request.url,
                path=path,
                headers=request.headers,
                body=request.body,
            ),
            notes=tuple(notes),
        )
        self._last_request = mark, seen
        return seen

    def _text_of(self, response: WireResponse) -> str:
        """Return an API's answer as it is written down, in the same way."""
        size = len(response.body)
        mark = hash((number_made(), response.status, response.headers, size))
        last = self._last_answer
        if last is not None and last[0] == mark:
            return last[1]
        text = response_text(response, with_body=False)
        self._last_answer = mark, text
        return text

    def _place(self, request: WireRequest) -> tuple[str, str]:
        """Return who is asked, and for what where the standards have a word."""
        url = request.url.partition("?")[0]
        grant = grant_of(request.body)
        if grant:
            return SERVER, f"token request ({grant})"
        for name, endpoint in self._endpoints.items():
            if url == endpoint or (endpoint and url.startswith(f"{endpoint}/")):
                if name == "issuer":
                    continue
                return SERVER, name.removesuffix("_endpoint").replace("_", " ")
        if (request.body or b"").startswith(b"token="):
            # RFC 7009 and RFC 7662, at an endpoint that the issuer named.
            return SERVER, "about a token"
        if "/.well-known/" in url:
            return SERVER, "discovery"
        inside = url == self._api_base or url.startswith(f"{self._api_base}/")
        return (API, "") if inside else (SERVER, "")


class RecordedSleep:
    """A pause that is written down.

    Args:
        sleep: What waits.
        trace: Where it is written.

    Attributes:
        inner: What waits.
    """

    def __init__(self, sleep: Callable[[float], None], trace: Trace) -> None:
        self.inner = sleep
        self._trace = trace

    def __call__(self, seconds: float) -> None:
        """Wait."""
        self._trace.waited(seconds)
        self.inner(seconds)


def unrecorded(world: World) -> World:
    """Return a world whose exchanges are not written down: they would be too many."""
    transport, sleep = world.transport, world.sleep
    if isinstance(transport, RecordingTransport):
        transport = transport.inner
    if isinstance(sleep, RecordedSleep):
        sleep = sleep.inner
    return replace(world, transport=transport, sleep=sleep, trace=None)
