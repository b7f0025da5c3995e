"""A clock for a demo: it stands still until it is moved."""

from __future__ import annotations

import math
import threading
from datetime import UTC, datetime, timedelta
from typing import Final

from oauthmagic.errors import CommandError

START: Final = datetime(2030, 1, 1, 9, 0, tzinfo=UTC)


class DemoClock:
    """The time in the demo: 2030-01-01 09:00:00 UTC, until somebody moves it.

    A tutorial's outputs are then the same every day, and waiting for a token to
    expire takes one call. Call the clock to read it; threads may share it.

    Args:
        start: The time to begin with (aware).
    """

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        """Return the time in the demo (aware, UTC)."""
        with self._lock:
            return self._now

    def advance(self, seconds: float) -> datetime:
        """Move the time forward and return it.

        Args:
            seconds: How far; not negative.

        Raises:
            CommandError: Time would run backwards or out of the calendar.
        """
        if not (math.isfinite(seconds) and seconds >= 0):
            msg = f"The demo's time cannot move by {seconds} seconds."
            raise CommandError(msg, hint="Give a number of seconds, 0 or more.")
        with self._lock:
            try:
                self._now += timedelta(seconds=seconds)
            except OverflowError:
                msg = f"The demo's calendar ends before {seconds} seconds have passed."
                raise CommandError(msg) from None
            return self._now

    def __deepcopy__(self, _: object) -> DemoClock:
        # A copied token still lives in its demo's time.
        return self

    def sleep(self, seconds: float) -> None:
        """Let time pass in the demo; nobody waits."""
        self.advance(max(seconds, 0.0))
