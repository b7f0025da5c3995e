"""How far many rows are: how many, how fast, and how long it will take."""

from __future__ import annotations

import math
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    #: (rows done, rows in all, rows in a second, seconds left; while a server wants to
    #: be left alone, no rows in a second and how many seconds it wants)
    RowsProgress = Callable[[int, int, float, float], None]

#: From when on, and how often, progress is told, in seconds.
FIRST, EVERY = 0.5, 0.25
#: How many looks back the speed is taken: ten seconds.
_LOOKS = 40


class Told:
    """Tells how far it is, but not at every look.

    Args:
        progress: Is told, or None.
        total: How many rows there are.
        known: How many of them need not be sent.
        clock: Returns seconds that only grow: the user's, whatever time it is
            elsewhere.
    """

    def __init__(
        self,
        progress: RowsProgress | None,
        total: int,
        known: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._progress = progress
        self._total = total
        self._clock = clock
        self._next = clock() + FIRST if progress else math.inf
        self._is_begun = False
        self._done = known
        self._looks = deque([(clock(), known)], maxlen=_LOOKS)

    def __call__(self, done: int) -> None:
        """Take note of how many rows are done."""
        self._done = done
        now = self._clock()
        # What was said of the rest must not stay where there is none.
        is_end = self._is_begun and done >= self._total
        if self._progress is None or (now < self._next and not is_end):
            return
        self._next = now + EVERY
        self._is_begun = True
        before, were = self._looks[0]
        self._looks.append((now, done))
        rate = max(done - were, 0) / (now - before)
        left = (self._total - done) / rate if rate else math.inf
        self._progress(done, self._total, rate, left)

    def waits(self, seconds: float) -> None:
        """Take note that nothing happens for a while, because a server wants it."""
        if self._progress is not None and seconds >= FIRST:
            self._is_begun = True
            self._progress(self._done, self._total, 0.0, seconds)
