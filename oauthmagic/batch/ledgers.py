"""What was answered of the rows of a cluster, and which rows these are."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from oauthmagic.batch.chunks import Answered

if TYPE_CHECKING:
    import pandas as pd

    from oauthmagic.transport.wire import WireResponse


class Ledger(Protocol):
    """Knows what was answered; a `Checkpoint` is one."""

    def known(self, start: int, stop: int) -> dict[int, Answered]:
        """Return what was answered of some rows before."""
        ...

    def add(self, position: int, response: WireResponse, attempts: int) -> None:
        """Take a success."""
        ...

    def write(self) -> None:
        """Keep what was taken."""
        ...


class MemoryLedger:
    """Knows it as long as this process lives."""

    def __init__(self) -> None:
        self._answered: dict[int, Answered] = {}

    def known(self, start: int, stop: int) -> dict[int, Answered]:
        """Return what was answered of some rows before."""
        found = self._answered
        return {row - start: found[row] for row in range(start, stop) if row in found}

    def add(self, position: int, response: WireResponse, attempts: int) -> None:
        """Take a success."""
        self._answered[position] = Answered(
            response.status, attempts, response.elapsed, response.body
        )

    def write(self) -> None:
        """Keep what was taken: it is kept."""


def rows_mark(frame: pd.DataFrame, key: bytes) -> str:
    """Return a hash of rows and of what they are called.

    Args:
        frame: The rows.
        key: Makes it useless to whoever does not have it.
    """
    digest = sha256(key)
    digest.update(_bytes(frame.index.tolist()))
    for name in frame.columns:
        digest.update(_bytes((name, frame[name].tolist())))
    return digest.hexdigest()


def _bytes(value: object) -> bytes:
    return repr(value).encode("utf-8", "surrogatepass")
