"""Ctrl-C: what it ends at once, and steps that must not be cut in half.

Between the server's answer to a refresh and its keeping lies the only copy of the
new refresh token. Ctrl-C frees the user at once; the step goes on to its end.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

from oauthmagic.store.forks import begins_anew_in_children

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")
#: How often a waiting cell looks whether it was interrupted, in seconds.
_TICK = 0.2


def wait(seconds: float) -> None:
    """Wait, in slices: some systems do not wake a sleeper for an interrupt."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, _TICK))


def finished(step: Callable[[], T]) -> T:
    """Run a step to its end in a thread of its own, and wait for it.

    Args:
        step: What to do; it ends by itself, by its own deadlines.

    Returns:
        What the step returned.

    Raises:
        KeyboardInterrupt: The user does not wait; the step goes on.
    """
    flight = _Flight(step)
    flight.start()
    return flight.outcome()


class Flights(Generic[T]):
    """Steps under way, one for each key: who comes while it runs shares its outcome.

    A thousand who find one token over ask the server once, and where it refuses,
    a thousand are told and it was asked once.
    """

    def __init__(self) -> None:
        self._under_way: dict[Hashable, _Flight[T]] = {}
        self._guard = threading.Lock()
        begins_anew_in_children(self)

    def begin_anew(self) -> None:
        """Forget, in a forked child, what its parent's threads are doing."""
        self._under_way = {}
        self._guard = threading.Lock()

    def joined(self, key: Hashable, step: Callable[[], T]) -> T:
        """Return the outcome of the step under way for a key; else of this one.

        Raises:
            KeyboardInterrupt: The user does not wait; the step goes on.
        """
        with self._guard:
            flight = self._under_way.get(key)
            is_first = flight is None
            if flight is None:
                flight = _Flight(step, lambda: self._under_way.pop(key, None))
                self._under_way[key] = flight
        if is_first:
            flight.start()
        return flight.outcome()


class _Flight(Generic[T]):
    """One step in a thread of its own, and what came of it."""

    def __init__(
        self, step: Callable[[], T], landed: Callable[[], object] = lambda: None
    ) -> None:
        self._step = step
        # Called before anybody is told, so that nobody who knows the outcome joins.
        self._landed = landed
        self._over = threading.Event()
        self._results: list[T] = []
        self._error: BaseException | None = None

    def start(self) -> None:
        """Begin."""
        if sys.platform == "emscripten":  # no threads, and no Ctrl-C either
            self._run()
            return
        try:
            threading.Thread(
                target=self._run, daemon=True, name="oauthmagic-renewal"
            ).start()
        except BaseException as error:
            self._end(error)
            raise

    def outcome(self) -> T:
        """Wait for the end, and return or raise what came of it."""
        while not self._over.wait(_TICK):
            pass
        if self._error is not None:
            raise _once_more(self._error)
        return self._results[0]

    def _run(self) -> None:
        try:
            self._results.append(self._step())
        except BaseException as error:  # noqa: BLE001 - raised again by who waits
            self._end(error.with_traceback(None))
        else:
            self._end(None)

    def _end(self, error: BaseException | None) -> None:
        self._error = error
        self._landed()
        self._over.set()


def _once_more(error: BaseException) -> BaseException:
    """Return a copy of an error: each who waits raises one of their own."""
    kind = type(error)
    copy: BaseException = kind.__new__(kind, *error.args)
    copy.__dict__.update(error.__dict__)
    return copy
