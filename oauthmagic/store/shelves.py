"""Where sealed records lie: a seam of four methods, and the directory behind it.

The other shelf is the keyring (`oauthmagic.store.keyrings`).
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Protocol

from oauthmagic.errors import StoreDamaged, StoreUnavailable, StoreWriteFailed
from oauthmagic.store.disks import (
    private_directory,
    read_private,
    remove_whole,
    write_whole,
)

if TYPE_CHECKING:
    from pathlib import Path

    from oauthmagic.store.disks import Disk

_SUFFIX = ".token"


class Shelf(Protocol):
    """Keeps bytes by name; a write is whole or not at all."""

    def names(self) -> list[str]:
        """Return the names of all records."""
        ...

    def read(self, name: str) -> bytes | None:
        """Return a record, or None if there is none."""
        ...

    def mark(self, name: str) -> object:
        """Return what changes when a record does, or None if there is none."""
        ...

    def write(self, name: str, record: bytes) -> None:
        """Keep a record, durably; one writer at a time.

        Raises:
            StoreWriteFailed: The old record is still there.
        """
        ...

    def remove(self, name: str) -> None:
        """Remove a record; do nothing if there is none.

        Raises:
            StoreWriteFailed: It is still there.
        """
        ...


class Directory:
    """A shelf of files that only their owner can read.

    Args:
        path: The directory; made if there is none.
        disk: The calls that touch the disk.

    Raises:
        StoreUnavailable: It cannot be made, or is not safe.
    """

    def __init__(self, path: Path, disk: Disk) -> None:
        self._path = path
        self._disk = disk
        try:
            private_directory(path)
        except OSError as error:
            msg = f"The directory of the token store cannot be used ({reason(error)})."
            raise StoreUnavailable(msg) from None

    def names(self) -> list[str]:
        """Return the names of all records."""
        try:
            found = [each.name for each in self._path.iterdir()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _unreadable(error) from None
        return sorted(
            name.removesuffix(_SUFFIX) for name in found if name.endswith(_SUFFIX)
        )

    def read(self, name: str) -> bytes | None:
        """Return a record, or None if there is none.

        Raises:
            StoreDamaged: It is a link, or somebody else's.
            StoreUnavailable: It cannot be read.
        """
        try:
            return read_private(self._file(name))
        except OSError as error:
            raise _unreadable(error) from None

    def mark(self, name: str) -> object:
        """Return what changes when a record does, or None if there is none."""
        try:
            found = os.lstat(self._file(name))
        except OSError:
            return None
        # A new record is a new file.
        return found.st_ino, found.st_mtime_ns, found.st_size, found.st_mode

    def write(self, name: str, record: bytes) -> None:
        """Keep a record, durably; one writer at a time.

        Raises:
            StoreWriteFailed: The old record is still there.
        """
        try:
            write_whole(self._disk, self._file(name), record)
        except OSError as error:
            msg = f"The token was NOT saved ({reason(error)})."
            raise StoreWriteFailed(msg) from None

    def remove(self, name: str) -> None:
        """Remove a record; do nothing if there is none.

        Raises:
            StoreWriteFailed: It is still there.
        """
        try:
            remove_whole(self._disk, self._file(name))
        except OSError as error:
            msg = f"The token was not removed from the store ({reason(error)})."
            raise StoreWriteFailed(msg, hint="Try again when the disk works.") from None

    def _file(self, name: str) -> Path:
        return self._path / f"{name}{_SUFFIX}"


def reason(error: OSError) -> str:
    """Return why the disk refused, without the path."""
    return os.strerror(error.errno) if error.errno else str(error)


def _unreadable(error: OSError) -> StoreDamaged | StoreUnavailable:
    """Return the error for a record that is not as this package leaves it."""
    why = reason(error)
    if isinstance(error, PermissionError) and error.errno is None:
        return StoreDamaged(f"A record of the token store is not safe: {why}.")
    if error.errno in (None, errno.ELOOP, errno.EISDIR):
        return StoreDamaged(
            f"A record of the token store is not a file of ours ({why})."
        )
    return StoreUnavailable(f"The token store cannot be read ({why}).")
