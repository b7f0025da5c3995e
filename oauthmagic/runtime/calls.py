"""One call: however often its request is sent, one deadline and one patience.

A request is sent again in three cases only: nothing of it was sent; it may be done
twice, because its method is idempotent (RFC 9110, section 9.2.2) or because it carries
an idempotency key; or the server refused its token, which is not decided here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from oauthmagic.errors import ConnectionLost, DeadlineExceeded, TransportError
from oauthmagic.transport.retry_after import retry_after
from oauthmagic.transport.urls import parse_url

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from oauthmagic.errors import Sent
    from oauthmagic.runtime.world import World
    from oauthmagic.transport.wire import WireRequest, WireResponse

#: RFC 9110, sections 9.2.1 and 9.2.2. A 429 or 503 does not prove that nothing was
#: done, nor does a lost connection; for these methods that makes no difference.
IDEMPOTENT = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE")
#: The header of a key by which a server knows a request that it has seen; what the
#: draft of the IETF and most servers call it.
IDEMPOTENCY_KEY = "idempotency-key"
#: "0" must not become a storm.
LEAST_WAIT = 1.0
#: All who wait for the same end go on within this part of the wait, and not at once.
#: Not within more: whoever comes late would find the next pause, and starve.
SPREAD = 0.1

_WORST: tuple[Sent, ...] = ("no", "unknown", "yes")


def may_be_repeated(
    request: WireRequest, sending: WireRequest, own_header: str = ""
) -> bool:
    """Return whether it does no harm that a request is done twice.

    Args:
        request: The request as its caller made it.
        sending: The same as it is sent.
        own_header: The provider's own header of an idempotency key, or "".
    """
    if request.method in IDEMPOTENT:
        return True
    # The caller's own, which stays the same; one that is made anew is none.
    keys = idempotency_keys(request, own_header)
    return bool(keys) and all(keys) and keys == idempotency_keys(sending, own_header)


def idempotency_keys(request: WireRequest, own_header: str = "") -> list[str]:
    """Return the idempotency keys that a request carries."""
    names = {IDEMPOTENCY_KEY, own_header.lower()}
    return [value for name, value in request.headers if name.lower() in names]


def asks_to_wait(response: WireResponse) -> bool:
    """Return whether a server wants to be left alone for a while."""
    return response.status in (429, 503) and response.header("retry-after") is not None


class Sending(NamedTuple):
    """A step of a call: send this, within so many seconds."""

    request: WireRequest
    timeout: float


class Waiting(NamedTuple):
    """A step of a call: wait for so many seconds."""

    seconds: float


class Call:
    """Sends a request for as long as one caller waits for its answer.

    Args:
        world: What it runs in.
        timeout: Seconds for everything, waiting included; the world's own without it.

    Attributes:
        attempts: How often the request was sent.
        waited: How many seconds were spent waiting because the server said so.
        reconnected: Whether it was sent again because the connection was lost.
    """

    def __init__(self, world: World, timeout: float | None = None) -> None:
        self.attempts = 0
        self.waited = 0.0
        self.reconnected = False
        self._world = world
        self._timeout = timeout or world.api_timeout
        self._end = world.monotonic() + self._timeout
        self._backoff = LEAST_WAIT

    def send(
        self, request: WireRequest, complete: Callable[[WireRequest], WireRequest]
    ) -> WireResponse:
        """Send a request, and again where that is allowed and may help.

        Args:
            request: The request.
            complete: Makes what is sent of it, each time anew: a signature holds
                the moment.

        Raises:
            TransportError: No usable answer came; `.sent` speaks of all attempts.
        """
        steps = self.steps(request, complete)
        world = self._world
        try:
            step = next(steps)
            while True:
                if isinstance(step, Waiting):
                    world.sleep(step.seconds)
                    step = next(steps)
                    continue
                try:
                    answer = world.transport.send(
                        step.request, timeout=step.timeout, limit=world.max_body
                    )
                except TransportError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
        except StopIteration as end:
            response: WireResponse = end.value
            return response

    def steps(
        self, request: WireRequest, complete: Callable[[WireRequest], WireRequest]
    ) -> Generator[Sending | Waiting, WireResponse | None, WireResponse]:
        """Yield what to do next, and be sent the answer or the error; return the last.

        For whoever does it in a way of its own. Arguments and errors are those of
        `send`.
        """
        origin = parse_url(request.url).origin
        lost: ConnectionLost | None = None
        answer: WireResponse | None = None
        told = 0.0
        while True:
            may_go_on = yield from self._wait_for_everyone(origin, told)
            if not may_go_on and answer is not None:
                return answer
            sending = complete(request)
            own = self._world.provider.idempotency_header
            may_repeat = may_be_repeated(request, sending, own)
            try:
                answer = yield from self._exchanged(sending, lost)
            except ConnectionLost as error:
                if self.reconnected or not (may_repeat or error.sent == "no"):
                    raise
                self.reconnected = True
                lost = error.with_traceback(None)
                continue
            wait = self._asked_to_wait(answer)
            if wait is None or wait > self._world.max_wait:
                return answer
            told = wait
            now = self._world.monotonic()
            self._world.pauses.begin(origin, now=now, seconds=told)
            if not may_repeat:
                return answer

    def _exchanged(
        self, sending: WireRequest, lost: ConnectionLost | None
    ) -> Generator[Sending | Waiting, WireResponse | None, WireResponse]:
        left = self._end - self._world.monotonic()
        if left <= 0:
            if lost is not None:
                raise lost
            msg = f"No whole answer within {self._timeout:g} seconds."
            raise DeadlineExceeded(msg, sent="no")
        self.attempts += 1
        try:
            answer = yield Sending(sending, left)
        except TransportError as error:
            if lost is not None:
                error.sent = max(error.sent, lost.sent, key=_WORST.index)
            raise
        assert answer is not None, "whoever sends brings the answer"  # noqa: S101 - for readers and mypy
        return answer

    def _asked_to_wait(self, response: WireResponse) -> float | None:
        """Return how long the server asks to wait, if it does at all."""
        if not asks_to_wait(response):
            return None
        wait = retry_after(response, self._world.clock())
        if wait is None:
            # It wants a wait and cannot say which.
            wait, self._backoff = self._backoff, self._backoff * 2
        return max(wait, LEAST_WAIT)

    def _wait_for_everyone(
        self, origin: str, told: float
    ) -> Generator[Waiting, WireResponse | None, bool]:
        """Wait while an origin wants to be left alone; return whether it is over.

        Whoever has not asked yet may ask then; it is one request, and no storm.
        """
        world = self._world
        waited_for = None
        while (until := world.pauses.until(origin)) not in (None, waited_for):
            wait, told = max(until - world.monotonic(), told), 0.0
            if wait > 0:
                if not self._has_time_for(wait):
                    return False
                chance = int.from_bytes(world.randomness(2), "big") / 65536
                spread = wait * SPREAD * chance
                if self._has_time_for(wait + spread):
                    wait += spread
                self.waited += wait
                yield Waiting(wait)
            world.pauses.end(origin, until)
            waited_for = until
        return True

    def _has_time_for(self, wait: float) -> bool:
        left = self._end - self._world.monotonic()
        return self.waited + wait <= self._world.max_wait and wait < left
