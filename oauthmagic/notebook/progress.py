"""How far a long step is, as one line that changes."""

from __future__ import annotations

import math
from typing import Any

from IPython.display import display

#: From how many rows in a second on nobody cares for a tenth of one.
_SLOW = 10


class _Line:
    """A line of text, for a notebook and for a terminal."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


class _Shown:
    """Shows a line when it is first told something, and changes it from then on."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, text: str) -> None:
        """Show a text in place of the one before."""
        if self._handle is None:
            self._handle = display(_Line(text), display_id=True)
        else:
            self._handle.update(_Line(text))


class Progress(_Shown):
    """How much of a body came."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self._what = what

    def __call__(self, done: int, total: int | None) -> None:
        """Show how much came, of how much if that is known."""
        text = f"{self._what}: {done:,} bytes"
        if total:
            text += f" of {total:,} ({100 * done // total} %)"
        self.show(text)


class RowsProgress(_Shown):
    """How many rows are done, how fast, and how long it will take."""

    def __call__(self, done: int, total: int, rate: float, left: float) -> None:
        """Show how many rows are done, of how many."""
        text = f"Rows: {done:,} of {total:,} ({100 * done // total} %)"
        if rate:
            text += f", {rate:,.0f}/s" if rate >= _SLOW else f", {rate:.1f}/s"
        if not rate and math.isfinite(left):
            text += f", the server asked to wait {_duration(left)}"
        elif math.isfinite(left) and done < total:
            text += f", {_duration(left)} left"
        self.show(text)


class PagesProgress(_Shown):
    """How many pages of a list came, with how many rows."""

    def __call__(self, pages: int, rows: int, total: int | None) -> None:
        """Show how many came, of how many rows if that is known."""
        text = f"Pages: {pages:,}, {rows:,} rows"
        if total:
            text += f" of {total:,} ({min(100 * rows // total, 100)} %)"
        self.show(text)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
