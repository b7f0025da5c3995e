"""A step that must not be cut in half, whatever the user presses.

Between the server's answer to a refresh and its keeping lies the only copy of the
new refresh token. Ctrl-C frees the user at once; the step goes on to its end.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
#: How often a waiting cell looks whether it was interrupted, in seconds.
_TICK = 0.2


def finished(step: Callable[[], T]) -> T:
    """Run a step to its end in a thread of its own, and wait for it.

    Args:
        step: What to do; it ends by itself, by its own deadlines.

    Returns:
        What the step returned.

    Raises:
        KeyboardInterrupt: The user does not wait; the step goes on.
    """
    if sys.platform == "emscripten":  # no threads, and no Ctrl-C either
        return step()
    outcome: dict[str, Any] = {}

    def run() -> None:
        try:
            outcome["result"] = step()
        except BaseException as error:  # noqa: BLE001 - raised again by who waits
            outcome["error"] = error.with_traceback(None)

    thread = threading.Thread(target=run, daemon=True, name="oauthmagic-renewal")
    thread.start()
    while thread.is_alive():
        thread.join(_TICK)
    if "error" in outcome:
        raise outcome["error"]
    result: T = outcome["result"]
    return result
