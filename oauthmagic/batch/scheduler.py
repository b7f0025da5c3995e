"""One thread that keeps an engine busy, and knows when not to.

What goes well takes the short way: an answer is written down, the next request goes
out. Everything else leaves it: a token that is over, a server that wants to be left
alone, a connection that was lost. The rules are those of one call
(`oauthmagic.runtime.calls`); only the waiting is everybody's, and as long as a storm
lasts.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Protocol

from oauthmagic.batch.chunks import ROWS
from oauthmagic.batch.pacing import Pacing
from oauthmagic.errors import ConnectionLost
from oauthmagic.runtime.authorized import is_about_the_token
from oauthmagic.runtime.calls import asks_to_wait, may_be_repeated
from oauthmagic.transport.urls import parse_url
from oauthmagic.transport.wire import WireRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from oauthmagic.batch.authorizations import Authorization
    from oauthmagic.batch.chunks import Chunk, RowRequest
    from oauthmagic.errors import OAuthMagicError
    from oauthmagic.runtime.world import World
    from oauthmagic.transport.engines import Engine
    from oauthmagic.transport.wire import WireResponse

#: So many requests without any answer in a row, and it is not the rows.
MOST_LOST = 100
#: After so many renewals that changed nothing, it takes so many refusals in a row.
FRUITLESS, IN_A_ROW = 2, 4
#: How many chunks may be open at once: whoever waits for a slow row holds no more.
MOST_OPEN = 4
#: How long nothing may happen until it is looked again, in seconds.
_TICK = 1.0
_LEAST_SLEEP = 0.001


class Successes(Protocol):
    """Takes each success; a `Checkpoint` does."""

    def add(self, position: int, response: WireResponse, attempts: int) -> None:
        """Take one."""
        ...

    def write(self) -> None:
        """Keep what was taken."""
        ...


class Scheduler:
    """Sends the requests of all rows, and writes down what became of them.

    Args:
        world: Its time, and who wants to be left alone in it.
        engine: Sends many requests at once.
        authorization: The token.
        first: A request of these rows; where a row is no more than a URL, the rest.
        timeout: Seconds for one exchange.
        concurrency: How many requests are under way at most.
        rate: How many are sent in a second at most, or None.
        explain: Says what is wrong with an answer that is no success.
        finished: Takes a chunk whose rows are all settled.
        checkpoint: Takes each success, or None.
        pacing: Says when; without it, `concurrency` and `rate` do.
        looked: Is called now and then with the number of rows settled so far.
        waits: Is called with the seconds that a server wants to be left alone, where
            nothing happens until then; or None.

    Attributes:
        done: How many rows are settled.
    """

    def __init__(  # noqa: PLR0913 - every seam is named
        self,
        world: World,
        engine: Engine,
        authorization: Authorization,
        *,
        first: WireRequest,
        timeout: float,
        concurrency: int,
        rate: float | None,
        explain: Callable[[WireResponse], str],
        finished: Callable[[Chunk], None],
        checkpoint: Successes | None,
        looked: Callable[[int], None],
        waits: Callable[[float], None] | None = None,
        pacing: Pacing | None = None,
    ) -> None:
        self._world = world
        self._engine = engine
        self._authorization = authorization
        self._first = first
        self._timeout = timeout
        self._explain = explain
        self._finished = finished
        self._checkpoint = checkpoint
        self._looked = looked
        self._waits = waits
        origin = parse_url(first.url).origin
        self._pacing = pacing or Pacing(world, origin, concurrency, rate)
        self._most_lost = max(MOST_LOST, 2 * concurrency)
        self._plain = world.prepare is None
        self.done = self._begun = 0
        self._chunks: dict[int, Chunk] = {}
        self._source: Iterator[Chunk] = iter(())
        self._todo: Iterator[int] = iter(())
        self._again: deque[int] = deque()
        # By position: the token that a request is under way with, and since when.
        self._under_way: dict[int, tuple[int, int]] = {}
        # Of rows that were sent more than once: how often before, and why.
        self._tries: dict[int, int] = {}
        self._replayed: set[int] = set()
        self._reconnected: set[int] = set()
        self._fruitless = self._refused_in_a_row = 0
        self._accepted = -1
        self._stamp = (authorization.number, 0)
        self._headers = (*first.headers, *authorization.header())
        self._lost = 0

    def run(self, source: Iterator[Chunk]) -> None:
        """Send everything.

        Args:
            source: The chunks, in order; each is asked for when there is room for it.

        Raises:
            OAuthMagicError: It makes no sense to go on; `stop` says what was done.
            KeyboardInterrupt: The user does not want to.
        """
        self._source = source
        while True:
            wait = self._submit()
            if not self._under_way:
                if wait is None:
                    break
                # A clock need not know a smaller piece of time.
                self._world.sleep(max(wait, _LEAST_SLEEP))
                continue
            for arrival in self._engine.poll(
                _TICK if wait is None else min(wait, _TICK)
            ):
                response = arrival.response
                if response is not None and 200 <= response.status < 300:  # noqa: PLR2004
                    self._succeeded(arrival.tag, response)
                else:
                    self._failed(arrival.tag, response, arrival.error)
            if self._checkpoint is not None:
                self._checkpoint.write()
            self._looked(self.done)

    def stop(self) -> int:
        """Break off, and hand on what was done; the rest says that it was not.

        Returns:
            The position of the first row that was not even looked at.
        """
        self._engine.close()
        tries = {tag: self._tries.get(tag, 0) + 1 for tag in self._under_way}
        again = {tag: self._tries[tag] for tag in self._again if tag in self._tries}
        self._under_way.clear()
        self._again.clear()
        for number in sorted(self._chunks):
            chunk = self._chunks[number]
            chunk.give_up(tries, again)
            self._finished(chunk)
        self._chunks.clear()
        return self._begun

    def _submit(self) -> float | None:
        """Send what may be sent now; return when to look again, None if that is all.

        None also means that there is no room: an answer makes some.
        """
        authorization, pacing = self._authorization, self._pacing
        authorization.check()
        engine, under_way = self._engine, self._under_way
        wait = pacing.pause(is_idle=not under_way)
        if wait is not None:
            if self._waits is not None and not under_way:
                self._waits(wait)
            return wait
        if self._stamp != (authorization.number, pacing.storm):
            self._stamp = (authorization.number, pacing.storm)
            self._headers = (*self._first.headers, *authorization.header())
        stamp = self._stamp
        room = pacing.room(engine.room(), len(under_way))
        limit, timeout = self._world.max_body, self._timeout
        while room > 0:
            tag = self._next()
            if tag is None:
                return None
            if pacing.is_paced and (wait := pacing.slot()) is not None:
                self._again.appendleft(tag)
                return wait
            chunk = self._chunks[tag // ROWS]
            request = self._sending(chunk.requests[tag - chunk.start])
            under_way[tag] = stamp
            engine.submit(tag, request, timeout=timeout, limit=limit)
            room -= 1
        return None

    def _sending(self, request: RowRequest | None) -> WireRequest:
        if self._plain and isinstance(request, str):
            return WireRequest(
                method=self._first.method,
                url=request,
                headers=self._headers,
                body=self._first.body,
            )
        return self._authorization.complete(self._whole(request))

    def _whole(self, request: RowRequest | None) -> WireRequest:
        """Return a row's request without its token."""
        if isinstance(request, WireRequest):
            return request
        return WireRequest(
            method=self._first.method,
            url=request or self._first.url,
            headers=self._first.headers,
            body=self._first.body,
        )

    def _next(self) -> int | None:
        if self._again:
            return self._again.popleft()
        while (tag := next(self._todo, None)) is None:
            if len(self._chunks) >= MOST_OPEN:
                return None
            chunk = next(self._source, None)
            if chunk is None:
                return None
            self._chunks[chunk.start // ROWS] = chunk
            self._begun = chunk.start + len(chunk)
            self.done += len(chunk) - chunk.left
            if not chunk.left:
                self._finished(self._chunks.pop(chunk.start // ROWS))
            self._todo = iter(chunk.todo if chunk.left else ())
        return tag

    def _settle(self, tag: int, response: WireResponse | None, error: str = "") -> None:
        chunk = self._chunks[tag // ROWS]
        place = tag - chunk.start
        tries = self._tries.pop(tag, 0) + 1 if self._tries else 1
        if error:
            chunk.errors[place] = error
        if response is None:
            chunk.settle(place, status=0, body=b"", attempts=tries, elapsed=math.nan)
        else:
            chunk.settle(
                place,
                status=response.status,
                body=response.body,
                attempts=tries,
                elapsed=response.elapsed,
            )
            if self._checkpoint is not None and not error:
                self._checkpoint.add(tag, response, tries)
        self.done += 1
        if not chunk.left:
            self._finished(self._chunks.pop(chunk.start // ROWS))

    def _succeeded(self, tag: int, response: WireResponse) -> None:
        number = self._under_way.pop(tag)[0]
        if number != self._accepted and number == self._authorization.number:
            self._accepted = number
            self._authorization.accepted()
        self._pacing.answered()
        self._lost = self._refused_in_a_row = 0
        self._settle(tag, response)

    def _failed(
        self, tag: int, response: WireResponse | None, error: OAuthMagicError | None
    ) -> None:
        number, storm = self._under_way.pop(tag)
        chunk = self._chunks[tag // ROWS]
        request = self._whole(chunk.requests[tag - chunk.start])
        if response is None:
            self._got_nothing(tag, request, error)
            return
        self._lost = 0
        if asks_to_wait(response):
            self._pacing.told_to_wait(response, storm)
            if self._may_repeat(request):
                self._repeat(tag)
                return
        elif is_about_the_token(response) and self._may_renew(tag):
            # Not settled yet, should the renewal end everything.
            self._under_way[tag] = (number, storm)
            is_another = self._authorization.refused(response, number)
            del self._under_way[tag]
            if is_another:
                # Any method may be replayed: the server refused it. Never twice.
                self._replayed.add(tag)
                self._repeat(tag)
                return
        self._settle(tag, response, self._explain(response))

    def _got_nothing(
        self, tag: int, request: WireRequest, error: OAuthMagicError | None
    ) -> None:
        is_lost = isinstance(error, ConnectionLost) and tag not in self._reconnected
        if is_lost and (
            getattr(error, "sent", "") == "no" or self._may_repeat(request)
        ):
            self._reconnected.add(tag)
            self._repeat(tag)
            return
        self._settle(tag, None, f"{type(error).__name__}: {error}")
        self._lost += 1
        if self._lost >= self._most_lost and error is not None:
            raise error.with_traceback(None)

    def _may_renew(self, tag: int) -> bool:
        """Return whether another token may help a row that was refused.

        Some APIs say 401 of a row that is not the user's: two renewals that changed
        nothing show that, and from then on it takes refusals in a row.
        """
        self._refused_in_a_row += 1
        if tag in self._replayed:
            self._fruitless += 1
            return False
        return self._fruitless < FRUITLESS or self._refused_in_a_row > IN_A_ROW

    def _may_repeat(self, request: WireRequest) -> bool:
        own = self._world.provider.idempotency_header
        return may_be_repeated(request, self._authorization.complete(request), own)

    def _repeat(self, tag: int) -> None:
        self._tries[tag] = self._tries.get(tag, 0) + 1
        self._again.append(tag)
