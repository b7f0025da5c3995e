"""When the next request may go out: a rate, a pause that a server asked for, a storm.

One call waits for seconds (`oauthmagic.runtime.calls`), many rows as long as a storm
lasts. A pause holds for everybody who asks the same origin. After one, half as many
requests are under way as before it, and with each answer a little more again, so that
a limit that nobody told us about is found and kept to.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from oauthmagic.errors import RateLimited
from oauthmagic.runtime.calls import LEAST_WAIT, SPREAD
from oauthmagic.transport.retry_after import retry_after

if TYPE_CHECKING:
    from oauthmagic.runtime.world import World
    from oauthmagic.transport.wire import WireResponse

#: How many seconds a server may want to be left alone without answering anything in
#: between: longer than a storm, shorter than a day's quota.
PATIENCE = 900.0
#: How late a request may be and still be made up for, in seconds.
MADE_UP = 0.02


class Pacing:
    """Says when the next request may go out.

    Args:
        world: Its time, and who wants to be left alone in it.
        origin: Where the requests go.
        concurrency: How many are under way at most.
        rate: How many are sent in a second at most, or None.

    Attributes:
        storm: The number of the last storm: another one for each.
        is_paced: Whether there is a rate.
    """

    def __init__(
        self, world: World, origin: str, concurrency: int, rate: float | None
    ) -> None:
        self.storm = 0
        self.is_paced = rate is not None
        self._world = world
        self._origin = origin
        self._gap = 1 / rate if rate else 0.0
        self._next = -math.inf
        self._most = concurrency
        self._window: float = concurrency
        self._waited = 0.0
        self._backoff = LEAST_WAIT

    def room(self, room: int, under_way: int) -> int:
        """Return how many may be sent, of those that there is room for."""
        if self._window >= self._most:
            return room
        return min(room, int(self._window) - under_way)

    def slot(self) -> float | None:
        """Return how long until the next one may go out; None if it may now."""
        now = self._world.monotonic()
        if self._next > now:
            return self._next - now
        # A moment that was missed is made up for; a pause is not.
        self._next = max(self._next, now - MADE_UP) + self._gap
        return None

    def pause(self, *, is_idle: bool) -> float | None:
        """Return how long everybody has to wait, or None.

        Args:
            is_idle: Whether nothing is under way, so that the wait is lost time.

        Raises:
            RateLimited: It is longer than makes sense.
        """
        world = self._world
        until = world.pauses.until(self._origin)
        if until is None:
            return None
        wait = until - world.monotonic()
        if wait <= 0:
            world.pauses.end(self._origin, until)
            return None
        if is_idle:
            self._waited += wait
            if self._waited > PATIENCE:
                msg = "The server wants to be left alone for longer than makes sense."
                raise RateLimited(msg, retry_after=f"{math.ceil(wait)}")
        return wait

    def answered(self) -> None:
        """Take note of a success."""
        self._waited, self._backoff = 0.0, LEAST_WAIT
        if self._window < self._most:
            self._window += 1 / self._window

    def told_to_wait(self, response: WireResponse, storm: int) -> None:
        """Let everybody wait as a response asks.

        Args:
            response: The response.
            storm: The number of the last storm when its request was sent.
        """
        world = self._world
        wait = retry_after(response, world.clock())
        if wait is None:
            # It wants a wait and cannot say which.
            wait = self._backoff
        wait = max(wait, LEAST_WAIT)
        if storm == self.storm:
            # The others that were under way speak of the same one.
            self._begin_storm()
            self._backoff *= 2
            chance = int.from_bytes(world.randomness(2), "big") / 65536
            wait += wait * SPREAD * chance
        world.pauses.begin(self._origin, now=world.monotonic(), seconds=wait)

    def _begin_storm(self) -> None:
        self.storm += 1
        self._window = max(1.0, self._window / 2)
