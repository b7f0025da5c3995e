"""The notebook's variables, on their way through our frames.

A traceback with variables shows what stands in each frame. IPython would put the
whole namespace into two of them (`needs_local_scope`), so it is not asked for it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

    from IPython.core.interactiveshell import InteractiveShell

_RUNNERS = ("run_line_magic", "run_cell_magic")
_OF_IPYTHON = "IPython.core.interactiveshell"


class Names(Mapping[str, Any]):
    """Variables by name; their values do not show in its `repr`."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values.__getitem__, values.__iter__, values.__len__

    def __getitem__(self, name: str) -> Any:
        return self._values[0](name)

    def __iter__(self) -> Iterator[str]:
        return self._values[1]()

    def __len__(self) -> int:
        return self._values[2]()


def names_in(shell: InteractiveShell) -> Names:
    """Return the variables that a magic's line sees where it stands.

    In a function, its own come first.
    """
    # What IPython put there itself is nobody's variable.
    hidden = {*shell.user_ns_hidden, "In", "Out"}
    caller = _caller()
    return Names(
        {
            name: value
            for name, value in {
                **shell.user_ns,
                **(caller.f_locals if caller else {}),
            }.items()
            if not name.startswith("_") and name not in hidden
        }
    )


def _caller() -> FrameType | None:
    """Return the frame of the notebook that a magic was called from."""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - as IPython does
    while frame and not (_is_of_ipython(frame) and frame.f_code.co_name in _RUNNERS):
        frame = frame.f_back
    while frame and _is_of_ipython(frame):
        frame = frame.f_back
    return frame


def _is_of_ipython(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__") == _OF_IPYTHON
