"""How far a long step is, as one line that changes."""

from __future__ import annotations

from typing import Any

from IPython.display import display


class _Line:
    """A line of text, for a notebook and for a terminal."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


class Progress:
    """Shows a line when it is first told something, and changes it from then on.

    Args:
        what: What takes long.
        unit: What is counted.
    """

    def __init__(self, what: str, unit: str = "bytes") -> None:
        self._what = what
        self._unit = unit
        self._handle: Any = None

    def __call__(self, done: int, total: int | None) -> None:
        """Show how much came, of how much if that is known."""
        text = f"{self._what}: {done:,} {self._unit}"
        if total:
            text += f" of {total:,} ({100 * done // total} %)"
        if self._handle is None:
            self._handle = display(_Line(text), display_id=True)
        else:
            self._handle.update(_Line(text))
