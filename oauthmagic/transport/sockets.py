"""Sockets that know which exchange they serve: its deadline, and what went out for it.

The network backend of the HTTP library (httpcore's `NetworkBackend`). The library
gives every step on a socket the whole time anew, hands the socket of a connection that
is used again out too late to break it, and cannot say whether a byte was sent.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any

import httpcore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from oauthmagic.errors import Sent

#: What TLS encrypts at once: a server can read nothing of a part (RFC 8446, 5.1).
_RECORD = 16384

_this_thread = threading.local()


class Line:
    """One exchange's connection: how long it may take, and how to break it.

    Args:
        seconds: For everything, from the name lookup to the last byte.

    Attributes:
        sent: Whether the server may have seen the request.
    """

    def __init__(self, seconds: float) -> None:
        self.sent: Sent = "no"
        self._end = time.monotonic() + seconds
        self._is_request = False
        self._is_broken = False
        self._handle: socket.socket | None = None

    @contextlib.contextmanager
    def used(self) -> Iterator[None]:
        """Be what this thread's steps on sockets are for."""
        _this_thread.line = self
        try:
            yield
        finally:
            _this_thread.line = None

    def left(self) -> float:
        """Return how many seconds are left.

        Raises:
            httpcore.TimeoutException: None, or nobody waits any more.
        """
        left = self._end - time.monotonic()
        if self._is_broken or left <= 0:
            raise httpcore.ReadTimeout
        return left

    def break_off(self) -> None:
        """Break the connection, from another thread, so that the exchange ends."""
        self._is_broken = True
        if self._handle is not None:
            with contextlib.suppress(OSError):
                self._handle.shutdown(socket.SHUT_RDWR)

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Note when the request itself begins, and not the one to a proxy."""
        if event.endswith("send_request_headers.started"):
            self._is_request = info["request"].method != b"CONNECT"

    def on(self, handle: socket.socket) -> float:
        """Take a step on a connection; return how long it may last."""
        # In this order: whoever breaks the line then looks for the handle.
        self._handle = handle
        return self.left()

    @contextlib.contextmanager
    def sending(self) -> Iterator[None]:
        """Send the first bytes of the request, unless this raises."""
        before = self.sent
        if self._is_request:
            self.sent = "unknown"
        try:
            yield
        except OSError:
            self.sent = before
            raise httpcore.WriteError from None


def this_line() -> Line | None:
    """Return the line that this thread is on, if any."""
    return getattr(_this_thread, "line", None)


class Backend(httpcore.NetworkBackend):
    """Makes connections for whatever exchange runs in the thread."""

    def __init__(self) -> None:
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the line knows better
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect within the time that is left."""
        line = _line()
        stream = self._backend.connect_tcp(
            host, port, line.left(), local_address, socket_options
        )
        # A handle of its own: a handshake takes the socket away from who has it, and
        # the TLS socket's own shutdown would let the rest go out in clear.
        made = _Stream(stream, stream.get_extra_info("socket").dup())
        try:
            line.on(made.handle)
        except httpcore.TimeoutException:
            made.close()
            raise
        return made


class _Stream(httpcore.NetworkStream):
    """A connection whose every step ends with the exchange that takes it."""

    def __init__(self, stream: httpcore.NetworkStream, handle: socket.socket) -> None:
        self.handle = handle
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - as above
        return self._stream.read(max_bytes, _line().on(self.handle))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - as above
        line = _line()
        rest = memoryview(buffer)
        while rest:
            left = line.on(self.handle)
            part = bytes(rest[:_RECORD])
            if line.sent == "no":
                count = self._send(part, left, line)
            else:
                self._stream.write(part, left)
                count = len(part)
            rest = rest[count:]

    def _send(self, part: bytes, left: float, line: Line) -> int:
        """Send some bytes, or none; return how many."""
        if isinstance(self._stream.get_extra_info("ssl_object"), ssl.SSLObject):
            # TLS inside a proxy's TLS: the socket is the outer one's.
            with line.sending():
                self._stream.write(part, left)
            line.sent = "unknown"
            return len(part)
        sender = self._stream.get_extra_info("socket")
        with line.sending():
            sender.settimeout(left)
            count: int = sender.send(part)
        return count

    def close(self) -> None:
        self._stream.close()
        self.handle.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - as above
    ) -> httpcore.NetworkStream:
        left = _line().on(self.handle)
        try:
            stream = self._stream.start_tls(ssl_context, server_hostname, left)
        except BaseException:
            self.close()
            raise
        return _Stream(stream, self.handle)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _line() -> Line:
    line = this_line()
    assert line is not None, "sockets are used by exchanges only"  # noqa: S101 - for readers and mypy
    return line
