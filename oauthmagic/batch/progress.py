"""How far many rows are: how many, how fast, and how long it will take."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    #: (rows done, rows in all, rows in a second, seconds left)
    RowsProgress = Callable[[int, int, float, float], None]

#: From when on, and how often, progress is told, in seconds.
FIRST, EVERY = 0.5, 0.25


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
        self._known = known
        self._clock = clock
        self._begun = clock()
        self._next = self._begun + FIRST if progress else math.inf

    def __call__(self, done: int) -> None:
        """Take note of how many rows are done."""
        now = self._clock()
        if now < self._next or self._progress is None:
            return
        self._next = now + EVERY
        sent = max(done - self._known, 0)
        rate = sent / (now - self._begun)
        left = (self._total - done) / rate if rate else math.inf
        self._progress(done, self._total, rate, left)
