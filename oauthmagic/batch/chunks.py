"""Some rows on their way: their requests, then what became of them."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from oauthmagic.views.rows import row_frame

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from oauthmagic.transport.wire import WireRequest

    #: The URL of a row, where that is all that differs from row to row; or all of it.
    RowRequest = str | WireRequest

#: How many rows are made ready, kept and written together.
ROWS = 4096
#: What is said of a row whose turn did not come.
NOT_SENT = "not sent"
#: What is said of a row that was under way when everything was broken off.
BROKEN_OFF = "interrupted: whether the server acted on it is not known"
#: What is said of a row that was to be sent once more.
NOT_AGAIN = "interrupted before it was sent again"


@dataclass(frozen=True, slots=True, repr=False)
class Answered:
    """What became of a row in an earlier run."""

    status: int
    attempts: int
    elapsed: float
    body: bytes


@dataclass(slots=True, eq=False, repr=False)
class Chunk:
    """Neighbouring rows; all lists are as long as there are rows.

    Attributes:
        start: The position of the first of them.
        requests: What to send; None for a row that makes no request.
        todo: The positions of the rows that are to be sent.
        status: The status of the last answer, 0 without one.
        bodies: The body of the last answer.
        attempts: How often each was sent.
        elapsed: Seconds from the first byte out to the last byte in, or NaN.
        errors: By place, what went wrong.
        left: How many rows are not settled.
    """

    start: int
    requests: list[RowRequest | None]
    todo: list[int] = field(init=False)
    status: list[int] = field(init=False)
    bodies: list[bytes] = field(init=False)
    attempts: list[int] = field(init=False)
    elapsed: list[float] = field(init=False)
    errors: dict[int, str] = field(default_factory=dict)
    left: int = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.requests)
        self.todo = [
            self.start + place
            for place, request in enumerate(self.requests)
            if request is not None
        ]
        self.status = [0] * count
        self.bodies = [b""] * count
        self.attempts = [0] * count
        self.elapsed = [math.nan] * count
        self.left = len(self.todo)

    def __len__(self) -> int:
        return len(self.status)

    def settle(
        self, place: int, *, status: int, body: bytes, attempts: int, elapsed: float
    ) -> None:
        """Take down what became of a row."""
        self.status[place] = status
        self.bodies[place] = body
        self.attempts[place] = attempts
        self.elapsed[place] = elapsed
        self.left -= 1

    @classmethod
    def made(
        cls,
        start: int,
        requests: list[RowRequest | None],
        errors: dict[int, str],
        known: Mapping[int, Answered],
    ) -> Chunk:
        """Return a chunk that is ready to be sent.

        Args:
            start: The position of its first row.
            requests: What to send.
            errors: By place, what is wrong with rows that make no request.
            known: By place, what need not be sent again.
        """
        for place in known:
            requests[place] = None
            errors.pop(place, None)
        chunk = cls(start, requests)
        chunk.errors = errors
        for place, answered in known.items():
            chunk.status[place] = answered.status
            chunk.bodies[place] = answered.body
            chunk.attempts[place] = answered.attempts
            chunk.elapsed[place] = answered.elapsed
        return chunk

    def give_up(self, under_way: dict[int, int], again: dict[int, int]) -> None:
        """Say of every row that is not settled why not.

        Args:
            under_way: By position, how often rows were sent that are under way.
            again: By position, how often rows were sent that were to be sent again.
        """
        for tag in self.todo:
            place = tag - self.start
            if self.attempts[place]:
                continue
            self.attempts[place] = under_way.get(tag) or again.get(tag, 0)
            if tag in under_way:
                self.errors[place] = BROKEN_OFF
            else:
                self.errors[place] = NOT_AGAIN if tag in again else NOT_SENT
        self.left = 0


def table(chunks: Sequence[Chunk], index: pd.Index[Any]) -> pd.DataFrame:
    """Return what became of rows, with a row for each.

    Args:
        chunks: The rows, in order.
        index: What they are called.
    """
    every = itertools.chain.from_iterable
    return row_frame(
        index,
        status=every(chunk.status for chunk in chunks),
        errors=every(map(chunk.errors.get, range(len(chunk))) for chunk in chunks),
        attempts=every(chunk.attempts for chunk in chunks),
        elapsed=every(chunk.elapsed for chunk in chunks),
        bodies=every(chunk.bodies for chunk in chunks),
    )
