"""What a simulator was asked and what it answered, for tests and demos."""

from __future__ import annotations

from typing import Final, NamedTuple

#: The oldest half goes when there are so many.
MOST_KEPT: Final = 100_000


class Seen(NamedTuple):
    """One request that was answered; it holds no query, header or body."""

    method: str
    path: str
    status: int


class SeenRequests(list[Seen]):
    """The requests that were answered, oldest first, and never too many of them."""

    def record(self, method: str, path: str, status: int) -> None:
        """Add a request; the caller sees to it that it is alone."""
        if len(self) >= MOST_KEPT:
            del self[: MOST_KEPT // 2]
        self.append(Seen(method, path, status))
