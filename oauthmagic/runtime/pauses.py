"""Whoever is told to wait tells everyone: no storm follows a 429."""

from __future__ import annotations

import threading

from oauthmagic.store.forks import begins_anew_in_children


class Pauses:
    """Until when no request is sent to an origin; safe to share between threads.

    The times are those of whoever asks: all who share this share a clock.
    """

    def __init__(self) -> None:
        self._until: dict[str, float] = {}
        self._lock = threading.Lock()
        begins_anew_in_children(self)

    def begin_anew(self) -> None:
        """Share no lock with the process that this one was forked from."""
        self._lock = threading.Lock()

    def begin(self, origin: str, *, now: float, seconds: float) -> None:
        """Send nothing to an origin for a while, or for longer than so far."""
        with self._lock:
            self._until = {
                each: until for each, until in self._until.items() if until > now
            }
            until = max(self._until.get(origin, now), now + seconds)
            self._until[origin] = until

    def until(self, origin: str) -> float | None:
        """Return when the pause of an origin ends or ended, or None."""
        with self._lock:
            return self._until.get(origin)

    def end(self, origin: str, until: float) -> None:
        """End a pause that was waited out, unless it was made longer meanwhile."""
        with self._lock:
            if self._until.get(origin) == until:
                del self._until[origin]

    def clear(self) -> None:
        """End all of them."""
        with self._lock:
            self._until.clear()
