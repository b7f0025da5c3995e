"""A listener on the loopback interface for one redirect: RFC 8252, sections 7.3, 8.3.

It is bound to 127.0.0.1 alone, never shared, answers every request with the same page,
and is gone when it has been told to close or its time is over. What it is sent it keeps
short: 8 KiB of a request, 5 seconds of a connection, 16 connections.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import sys
import threading
import time
from typing import TYPE_CHECKING

from oauthmagic.errors import ListenerUnavailable
from oauthmagic.oauth.callbacks import LIFE, query_of
from oauthmagic.store.forks import begins_anew_in_children

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HOST = "127.0.0.1"
#: The most bytes of a request, seconds of a connection, connections at a time.
MAX_REQUEST, PATIENCE, MOST_CONNECTIONS = 8 * 1024, 5.0, 16
#: Seconds between two looks whether to close, and for a client's own closing.
_LOOK, _FAREWELL = 0.2, 1.0
_REQUEST_LINE = re.compile(rb"([A-Z]{1,20}) (/[\x21-\x7e]*) HTTP/1\.[01]")
_HTTP_PORT = 80


class LoopbackListener:
    """Waits for one redirect; `start` begins, `close` ends it, both at once.

    Args:
        port: The port to listen on; 0 takes a free one.
        path: The path of the redirect URI.
        page: What every request is answered.
        headers: The headers of that answer.
        seconds: How long it listens at most.

    Attributes:
        port: The port that it listens on.

    Raises:
        ListenerUnavailable: The port is somebody else's.
    """

    def __init__(
        self,
        port: int,
        path: str,
        *,
        page: bytes,
        headers: Iterable[tuple[str, str]],
        seconds: float = LIFE,
    ) -> None:
        self._path = path
        self._seconds = seconds
        self._answer = _answer(page, headers)
        self._slots = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._socket = _bound(port)
        self.port: int = self._socket.getsockname()[1]
        begins_anew_in_children(self)

    def begin_anew(self) -> None:
        """Leave the port, in a forked child, to the parent."""
        self._closed = threading.Event()
        self._closed.set()
        self._socket.close()

    def start(self, came: Callable[[str], None]) -> None:
        """Begin to listen.

        Args:
            came: Is given the query of each request that may be an authorization
                response, after the browser was answered, in a thread of its own.
        """
        self._thread = threading.Thread(
            target=self._listen, args=(came,), daemon=True, name="oauthmagic-listener"
        )
        self._thread.start()

    def close(self) -> None:
        """Listen no longer; when this returns, the port is free."""
        self._closed.set()
        if self._thread is None:
            self._socket.close()
        elif self._thread is not threading.current_thread():
            self._thread.join(PATIENCE)

    def _listen(self, came: Callable[[str], None]) -> None:
        end = time.monotonic() + self._seconds
        with self._socket:
            self._socket.settimeout(_LOOK)
            while not self._closed.is_set() and time.monotonic() < end:
                try:
                    connection, _ = self._socket.accept()
                except TimeoutError:
                    continue
                except OSError:
                    break
                if not self._slots.acquire(blocking=False):
                    connection.close()
                    continue
                threading.Thread(
                    target=self._serve, args=(connection, came), daemon=True
                ).start()

    def _serve(self, connection: socket.socket, came: Callable[[str], None]) -> None:
        query = ""
        try:
            with connection, contextlib.suppress(OSError):
                query = self._read(connection)
                connection.sendall(self._answer)
                _let_go(connection)
        finally:
            self._slots.release()
        if query:
            came(query)

    def _read(self, connection: socket.socket) -> str:
        """Return the query of a request, or "" where it is none to look at."""
        end = time.monotonic() + PATIENCE
        head = b""
        while b"\r\n\r\n" not in head:
            connection.settimeout(max(end - time.monotonic(), 0.001))
            more = connection.recv(MAX_REQUEST + 1 - len(head))
            head += more
            if not more or len(head) > MAX_REQUEST:
                return ""
        first, *lines = head.partition(b"\r\n\r\n")[0].split(b"\r\n")
        found = _REQUEST_LINE.fullmatch(first)
        # RFC 9112, section 3.2: one Host. Another name than ours is a page of somebody
        # else's that was made to resolve to this address (DNS rebinding).
        hosts = [
            value.strip()
            for name, _, value in (line.partition(b":") for line in lines)
            if name.lower() == b"host"
        ]
        if found is None or hosts not in ([host] for host in self._hosts()):
            return ""
        return query_of(found[1].decode(), found[2].decode(), path=self._path)

    def _hosts(self) -> tuple[bytes, ...]:
        full = f"{HOST}:{self.port}".encode()
        return (full, HOST.encode()) if self.port == _HTTP_PORT else (full,)


def _bound(port: int) -> socket.socket:
    """Return a socket that nobody shares.

    Raises:
        ListenerUnavailable: There is none to be had.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # Windows lets another program bind the same port, unless it is told not to.
        exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)
        if exclusive is not None:
            listening.setsockopt(socket.SOL_SOCKET, exclusive, 1)
        listening.bind((HOST, port))
        listening.listen(MOST_CONNECTIONS)
    except OSError as error:
        listening.close()
        msg = (
            f"Port {port} of this machine, where the login would come back to, cannot "
            f"be listened on ({error.strerror or type(error).__name__})."
        )
        raise ListenerUnavailable(msg) from None
    return listening


def _let_go(connection: socket.socket) -> None:
    """Have the other side close first, so that no trace of it holds the port."""
    # The port is not shared (SO_REUSEADDR), and whoever closes first keeps it for a
    # minute: the next login would find its own port taken.
    connection.settimeout(_FAREWELL)
    with contextlib.suppress(OSError):
        while connection.recv(MAX_REQUEST):
            pass
        return
    at_once = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)


def _answer(page: bytes, headers: Iterable[tuple[str, str]]) -> bytes:
    lines = [
        "HTTP/1.1 200 OK",
        *(f"{name}: {value}" for name, value in headers),
        f"Content-Length: {len(page)}",
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + page
