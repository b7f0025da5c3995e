"""The few calls by which a store touches the disk; the seam where disks fail.

Every write is whole or not at all: a file of its own, written, synchronized, moved
over the old one, and the directory synchronized. Only its owner can read it, from the
first byte on.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700
_OTHERS = 0o077
#: What Windows has not.
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)


class Disk:
    """The calls themselves. A test gives another that fails at the k-th."""

    def open(self, path: Path, flags: int) -> int:
        """Open a file of ours; never through a link."""
        return os.open(path, flags | _NOFOLLOW | _BINARY, PRIVATE_FILE)

    def write(self, handle: int, data: bytes) -> int:
        """Write some of the bytes; return how many."""
        return os.write(handle, data)

    def sync(self, handle: int) -> None:
        """Have what was written reach the disk."""
        os.fsync(handle)

    def close(self, handle: int) -> None:
        """Close a file."""
        os.close(handle)

    def move(self, source: Path, target: Path) -> None:
        """Put a file in the place of another, in one step."""
        source.replace(target)

    def remove(self, path: Path) -> None:
        """Remove a file."""
        path.unlink()


def write_whole(disk: Disk, path: Path, data: bytes) -> None:
    """Put bytes in a file's place; whoever reads finds the old ones or the new.

    Only one may write a path at a time; the caller holds its lock.

    Raises:
        OSError: It failed. Unless it was the last step, which makes it durable, the
            old bytes are still there.
    """
    new = path.with_name(f"{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        disk.remove(new)  # of a writer that was killed
    handle = disk.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        try:
            _write_all(disk, handle, data)
            disk.sync(handle)
        finally:
            disk.close(handle)
        disk.move(new, path)
    except OSError:
        with contextlib.suppress(OSError):
            disk.remove(new)
        raise
    _sync_directory(disk, path.parent)


def remove_whole(disk: Disk, path: Path) -> None:
    """Remove a file, durably; do nothing if there is none.

    Raises:
        OSError: It failed.
    """
    with contextlib.suppress(FileNotFoundError):
        disk.remove(path)
        _sync_directory(disk, path.parent)


def read_private(path: Path) -> bytes | None:
    """Return the bytes of a file that only its owner can read, or None without one.

    Modes that are too wide are narrowed.

    Raises:
        OSError: It cannot be read, is a link, no file, or somebody else's.
    """
    try:
        # Without waiting: a pipe in its place has no end.
        handle = os.open(path, os.O_RDONLY | _NOFOLLOW | _BINARY | _NONBLOCK)
    except FileNotFoundError:
        return None
    with os.fdopen(handle, "rb") as file:
        check_private(handle, stat.S_ISREG)
        return file.read()


def private_directory(path: Path) -> None:
    """Make a directory that only its owner can enter.

    Raises:
        OSError: It cannot be made, or is a link, no directory or somebody else's.
    """
    # Its parents, too: who can rename a directory can put another in its place.
    for each in (*reversed(path.parents), path):
        if not each.exists():
            each.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
    if sys.platform == "win32":  # there the profile's own rights are inherited
        return
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _NOFOLLOW)
    try:
        check_private(handle, stat.S_ISDIR)
    finally:
        os.close(handle)


def check_private(handle: int, is_kind: Callable[[int], bool]) -> None:
    """Narrow the mode of what is open, if it is ours.

    Raises:
        OSError: It is somebody else's, or of another kind.
    """
    found = os.fstat(handle)
    if not is_kind(found.st_mode):
        msg = "it is of another kind than it should be"
        raise OSError(msg)
    if sys.platform == "win32":
        return
    if found.st_uid != os.geteuid():
        msg = "it belongs to somebody else"
        raise PermissionError(msg)
    if found.st_mode & _OTHERS:
        os.fchmod(handle, stat.S_IMODE(found.st_mode) & ~_OTHERS)


def _write_all(disk: Disk, handle: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[disk.write(handle, bytes(left)) :]


def _sync_directory(disk: Disk, path: Path) -> None:
    if sys.platform == "win32":  # it has no handle to synchronize
        return
    handle = disk.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        disk.sync(handle)
    finally:
        disk.close(handle)
