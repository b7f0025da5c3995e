"""Locks that threads and processes share, and that die with their holder.

One permanent file for each lock, in the store's own directory: a lock file that is
removed can be held twice, and one that only exists stays when its holder is killed.
The kernel lets go of these when the process ends, however it ends.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

from oauthmagic.errors import StoreBusy, StoreUnavailable
from oauthmagic.store.forks import begins_anew_in_children

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from oauthmagic.store.disks import Disk

#: Seconds to wait for another holder: longer than it may take to revoke a token with
#: the waits that its server asks for (8 + 10 + 8 + 8). Only a longer timeout of the
#: user's own can outlast it.
PATIENCE = 45.0
#: Seconds between two looks; a lock of the kernel cannot be waited for in time.
_LOOK = 0.01
#: Seconds after which a waiting thread looks whether it was interrupted.
_TICK = 0.2
_MADE_ANEW = (
    "Restart the kernel, in Python make another Session: it makes the store anew. "
    'Until then: %config OAuthMagic.store = "memory".'
)


class Locks:
    """The locks of one directory.

    Args:
        directory: Where their files are.
        disk: Opens and closes them.
        patience: Seconds to wait for another holder.
        sleep: Waits so many seconds.
        monotonic: Returns seconds that only grow.
    """

    def __init__(
        self,
        directory: Path,
        disk: Disk,
        *,
        patience: float = PATIENCE,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._disk = disk
        self._patience = patience
        self._sleep = sleep
        self._monotonic = monotonic
        # First among the threads of this process, who can wait without looking.
        self._of_threads: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._held: set[int] = set()
        # Of names that are held on to, and those that are not in use just now.
        self._keeping: set[str] = set()
        self._kept: dict[str, int] = {}
        begins_anew_in_children(self)

    def begin_anew(self) -> None:
        """Let go, in a forked child, of what its parent holds."""
        # A child that inherits a lock would keep it as long as it lives.
        for handle in self._held:
            with contextlib.suppress(OSError):
                os.close(handle)
        self._held = set()
        self._keeping, self._kept = set(), {}
        self._of_threads = defaultdict(threading.Lock)

    @contextmanager
    def held(self, name: str) -> Iterator[None]:
        """Hold a lock until the context ends.

        Raises:
            StoreBusy: Somebody else held it all the time.
            StoreUnavailable: There is no way to lock here.
        """
        end = self._monotonic() + self._patience
        of_threads = self._of_threads[name]
        while not of_threads.acquire(timeout=_TICK):
            self._check(end)
        try:
            with self._held_alone(name, end):
                yield
        finally:
            of_threads.release()

    def keep(self, name: str) -> None:
        """Hold on to a lock that is held, so that no other process gets it."""
        self._keeping.add(name)

    def keep_no_longer(self, name: str) -> None:
        """Let go of a lock as soon as its context ends."""
        self._keeping.discard(name)

    @contextmanager
    def _held_alone(self, name: str, end: float) -> Iterator[None]:
        """Hold the lock of all processes."""
        handle = self._kept.pop(name, None)
        while handle is None and (handle := self._taken(name)) is None:
            self._check(end)
            self._sleep(_LOOK)
        try:
            yield
        finally:
            if name in self._keeping:
                self._kept[name] = handle
            else:
                self._let_go(handle)

    def _check(self, end: float) -> None:
        if self._monotonic() >= end:
            msg = "Another kernel or program has been busy with this token for "
            raise StoreBusy(f"{msg}{self._patience:g} seconds.")

    def _taken(self, name: str) -> int | None:
        """Return an open file that holds the lock, or None if somebody else does."""
        try:
            path = self._directory / f"{name}.lock"
            handle = self._disk.open(path, os.O_RDWR | os.O_CREAT)
        except FileNotFoundError:
            # Made again without its key file, it would be one that nobody can read.
            msg = "The directory of the token store was removed."
            raise StoreUnavailable(msg, hint=_MADE_ANEW) from None
        except OSError as error:
            raise _unlockable(error) from None
        try:
            _lock(handle)
        except BlockingIOError:
            self._disk.close(handle)
            return None
        except OSError as error:
            self._disk.close(handle)
            raise _unlockable(error) from None
        self._held.add(handle)
        return handle

    def _let_go(self, handle: int) -> None:
        self._held.discard(handle)
        self._disk.close(handle)


def _unlockable(error: OSError) -> StoreUnavailable:
    why = os.strerror(error.errno) if error.errno else type(error).__name__
    return StoreUnavailable(f"The token store cannot be locked ({why}).")


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise BlockingIOError from error

elif sys.platform == "emscripten":

    def _lock(handle: int) -> None:
        """Do nothing: there is one process, and it has one thread."""

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
