"""Asking for credentials where there is somebody to ask."""

from __future__ import annotations

import getpass
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

#: Set where a form works in the background: it has fields to ask with, and a prompt
#: would take the input of whatever cell runs at that time.
unasked: ContextVar[bool] = ContextVar("unasked", default=False)


def prompt_for(shell: InteractiveShell) -> Callable[[str, bool], str] | None:
    """Return what asks the user of this shell, or None where nobody can answer.

    A hidden prompt leaves nothing in the notebook, its history or its messages.
    """
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        # nbclient, nbval and Voila run kernels that nobody can type into.
        return _ask if getattr(kernel, "_allow_stdin", False) else None
    return _ask if sys.stdin is not None and sys.stdin.isatty() else None


def _ask(label: str, secret: bool) -> str:  # noqa: FBT001 - the seam's signature
    if unasked.get():
        return ""
    try:
        return getpass.getpass(label) if secret else input(label)
    except EOFError:
        return ""
