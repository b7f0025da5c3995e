"""Where a Jupyter Server leaves what was redirected, for the kernel that waits for it.

A directory that only this user can enter, in Jupyter's runtime directory if one is
named, else in the user's state directory: the system's own is not set on many servers,
and what stands for it in /tmp can be made by anybody first. A login that
waits has one empty file there, named after a hash of its state, until it is over; next
to it the server puts the query that came, once, and the kernel takes it away. Nothing
else is read, and nothing is written for a login that does not wait.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from oauthmagic.errors import StoreBusy, StoreError
from oauthmagic.oauth.callbacks import LIFE, MAX_QUERY
from oauthmagic.oauth.redirect_ways import RunningServer
from oauthmagic.oauth.strict_json import read_object
from oauthmagic.store.disks import (
    Disk,
    private_directory,
    read_private,
    remove_whole,
    write_whole,
)
from oauthmagic.store.locks import Locks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MOST_OF_A_SERVER = 4096
_WAITING, _CALLBACK, _SERVER = ".waiting", ".callback", ".server"


def user_rendezvous(jupyter: str) -> Path:
    """Return the directory where this user's servers and kernels meet.

    Args:
        jupyter: `JUPYTER_RUNTIME_DIR`, which a kernel has from its server, or "".
    """
    if jupyter:
        return Path(jupyter) / "oauthmagic"
    from platformdirs import user_state_path  # noqa: PLC0415 - at a login

    return user_state_path("oauthmagic", appauthor=False) / "callbacks"


class Rendezvous:
    """The directory, made when it is first needed.

    Args:
        directory: Where it is.
        disk: The calls that touch it.
        clock: Returns the seconds of this machine's own time.

    Raises:
        OSError: (from any method) It cannot be made or used, or is somebody else's.
    """

    def __init__(
        self,
        directory: Path,
        *,
        disk: Disk | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._directory = directory
        self._disk = disk or Disk()
        self._clock = clock

    def wait(self, key: str) -> None:
        """Begin to wait for the callback of a login."""
        private_directory(self._directory)
        self._sweep()
        path = self._path(key, _WAITING)
        write_whole(self._disk, path, b"")
        os.utime(path, (self._clock(), self._clock()))

    def is_awaited(self, key: str) -> bool:
        """Return whether a login waits, and has not waited too long."""
        try:
            found = self._path(key, _WAITING).lstat()
        except FileNotFoundError:
            return False
        mine = sys.platform == "win32" or found.st_uid == os.geteuid()
        return stat.S_ISREG(found.st_mode) and mine and not self._is_old(found.st_mtime)

    def leave(self, key: str, query: str) -> bool:
        """Leave a query for the kernel that waits for it; return whether one does."""
        if not key or len(query) > MAX_QUERY or not self.is_awaited(key):
            return False
        private_directory(self._directory)
        write_whole(self._disk, self._path(key, _CALLBACK), query.encode("ascii"))
        return True

    def take(self, key: str) -> str:
        """Return what was left for a login and remove it; "" if nothing was."""
        path = self._path(key, _CALLBACK)
        # Most of the time there is nothing, and looking must cost nothing.
        if not path.exists():
            return ""
        found = read_private(path) or b""
        remove_whole(self._disk, path)
        return "" if len(found) > MAX_QUERY else found.decode("ascii", "replace")

    def end(self, key: str) -> None:
        """Wait no longer."""
        for kind in (_WAITING, _CALLBACK):
            remove_whole(self._disk, self._path(key, kind))

    @contextlib.contextmanager
    def announced(self, server: RunningServer, name: str) -> Iterator[None]:
        """Let kernels know of a server until the context ends, or its process does.

        Args:
            server: What to say of it.
            name: A name that nobody else has.
        """
        private_directory(self._directory)
        path = self._path(name, _SERVER)
        members = {"base_url": server.base_url, "port": server.port, "pid": server.pid}
        with self._locks().held(name):
            write_whole(self._disk, path, json.dumps(members).encode())
            try:
                yield
            finally:
                self._remove_server(path)

    def servers(self) -> tuple[RunningServer, ...]:
        """Return the servers that are there; forget those that ended unheard."""
        found = []
        for path in sorted(self._directory.glob(f"*{_SERVER}")):
            try:
                with self._locks().held(path.stem):
                    self._remove_server(path)  # its lock died with it
            except StoreBusy:
                server = _read_server(read_private(path) or b"")
                if server is not None:
                    found.append(server)
            except StoreError:
                continue
        return tuple(found)

    def _locks(self) -> Locks:
        return Locks(self._directory, self._disk, patience=0)

    def _remove_server(self, path: Path) -> None:
        # The name is never used again, so nobody can lock what is removed here.
        for each in (path, path.with_suffix(".lock")):
            remove_whole(self._disk, each)

    def _path(self, name: str, kind: str) -> Path:
        return self._directory / f"{name}{kind}"

    def _is_old(self, since: float) -> bool:
        return self._clock() - since >= LIFE

    def _sweep(self) -> None:
        """Remove what kernels left that were killed."""
        for kind in (_WAITING, _CALLBACK):
            for path in self._directory.glob(f"*{kind}"):
                with contextlib.suppress(FileNotFoundError):
                    if self._is_old(path.lstat().st_mtime):
                        self._disk.remove(path)


def _read_server(found: bytes) -> RunningServer | None:
    try:
        members = read_object(found, max_bytes=_MOST_OF_A_SERVER)
        base_url, port, pid = (members[each] for each in ("base_url", "port", "pid"))
    except (ValueError, KeyError):
        return None
    known = isinstance(base_url, str) and base_url.startswith("/")
    if not known or not isinstance(port, int) or not isinstance(pid, int):
        return None
    return RunningServer(base_url=base_url, port=port, pid=pid)
