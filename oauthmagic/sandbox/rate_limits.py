"""So many requests in so much time: fixed windows, one per key."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from oauthmagic.sandbox.answers import Refusal, json_answer

if TYPE_CHECKING:
    from datetime import datetime, timedelta

#: Above this many keys, the windows that have ended are forgotten.
_MANY_KEYS: Final = 1000


class RateLimit:
    """Counts requests in windows that begin with a key's first request.

    Args:
        most: Requests allowed in one window.
        window: How long a window is.
    """

    def __init__(self, most: int, window: timedelta) -> None:
        self._most = most
        self._window = window
        self._windows: dict[str, tuple[datetime, int]] = {}

    def count(self, key: str, now: datetime) -> int:
        """Count a request; return the whole seconds to wait, 0 if it is allowed.

        Args:
            key: Whose request it is.
            now: The time (aware).
        """
        begun, seen = self._windows.get(key, (now, 0))
        if now >= begun + self._window:
            begun, seen = now, 0
        if seen >= self._most:
            return whole_seconds(begun + self._window - now)
        if len(self._windows) > _MANY_KEYS:
            self._forget_ended(now)
        self._windows[key] = (begun, seen + 1)
        return 0

    def _forget_ended(self, now: datetime) -> None:
        self._windows = {
            key: (begun, seen)
            for key, (begun, seen) in self._windows.items()
            if now < begun + self._window
        }


def whole_seconds(wait: timedelta) -> int:
    """Return a wait as `Retry-After` says it: rounded up (RFC 9110, 10.2.3)."""
    return math.ceil(wait.total_seconds())


def too_many_requests(wait: int) -> Refusal:
    """Return the refusal 429 (RFC 6585, section 4); the body is our invention.

    Args:
        wait: Whole seconds for `Retry-After`.
    """
    members = {
        "error": "too_many_requests",
        "error_description": "The rate limit is exceeded.",
    }
    return Refusal(json_answer(429, members, ("Retry-After", str(wait))))
