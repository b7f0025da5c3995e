"""So many requests in so much time, and none at all for a while."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from oauthmagic.errors import CommandError
from oauthmagic.sandbox.answers import Refusal, json_answer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

#: Above this many keys, the windows that have ended are forgotten.
_MANY_KEYS: Final = 1000


class Throttle:
    """Refuses every request until a time has passed.

    Args:
        refusal: Makes the refusal, in a provider's own shape, of the whole seconds
            to wait.
    """

    def __init__(self, refusal: Callable[[int], Exception]) -> None:
        self._refusal = refusal
        self._until: datetime | None = None

    def begin(self, seconds: float, now: datetime) -> None:
        """Refuse from now on.

        Args:
            seconds: How long; 0 ends it.
            now: The time (aware).

        Raises:
            CommandError: It is negative or out of the calendar.
        """
        try:
            until = now + timedelta(seconds=seconds)
        except (OverflowError, ValueError):
            until = None
        if until is None or seconds < 0:
            msg = f"The demo cannot throttle for {seconds} seconds."
            raise CommandError(msg, hint="Give a number of seconds, 0 or more.")
        self._until = until

    def check(self, now: datetime) -> None:
        """Refuse a request while the time has not passed.

        Raises:
            Refusal: 429 with `Retry-After`.
        """
        if self._until is None:
            return
        if self._until > now:
            raise self._refusal(whole_seconds(self._until - now))
        self._until = None


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
