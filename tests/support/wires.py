"""Servers and proxies of raw bytes, for what no web server does by itself.

with Server(handler) as server: ...            handler(connection), one thread each
with Shop() as shop: ...                       counts what each request did
with CuttingProxy(shop.port, cuts) as proxy:   resets connections where it is told
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import struct
import threading
from collections import Counter

#: Closes a connection without the farewell of TCP.
_AT_ONCE = struct.pack("ii", 1, 0)


class Server:
    """Gives each connection to a handler, in a thread of its own.

    Args:
        handler: Is given the connected socket; what the client does to it is no error.
        context: Makes it a TLS server.

    Attributes:
        connections: How many there were.
        stopped: Set when the test is over.
    """

    def __init__(self, handler, *, context=None):
        self.connections = 0
        self.stopped = threading.Event()
        self._handler = handler
        self._context = context
        self._open = set()
        self._threads = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self._listener.getsockname()[1]
        scheme = "https" if context else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}"

    def __enter__(self):
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _listen(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(10)
            self.connections += 1
            self._threads = [each for each in self._threads if each.is_alive()]
            thread = threading.Thread(
                target=self._serve, args=(connection,), daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection):
        self._open.add(connection)
        with contextlib.suppress(OSError), connection:
            if self._context is None:
                self._handler(connection)
            else:
                with self._context.wrap_socket(connection, server_side=True) as secured:
                    self._handler(secured)
        self._open.discard(connection)


def read_request(connection, rest=b""):
    """Return one request and what came behind it; nothing where the client has gone."""
    request = rest
    while b"\r\n\r\n" not in request:
        received = connection.recv(65536)
        if not received:
            return b"", b""
        request += received
    head = request.partition(b"\r\n\r\n")[0]
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    end = len(head) + 4 + (int(length[1]) if length else 0)
    while len(request) < end:
        received = connection.recv(65536)
        if not received:
            return b"", b""
        request += received
    return request[:end], request[end:]


class Shop(Server):
    """Does what it is asked, once for each whole request, and counts it.

    An order is named by the path of its request. With an `Idempotency-Key` that it
    has seen, an order is answered and not done again.

    Args:
        size: How many bytes an answer is long.

    Attributes:
        done: How often each order was done.
        arrived: How many whole requests came for each order.
    """

    def __init__(self, size=100):
        super().__init__(self._talk)
        self.done = Counter()
        self.arrived = Counter()
        self._keys = set()
        self._lock = threading.Lock()
        head = "HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\n"
        head += f"Content-Length: {{:0{len(str(size))}d}}\r\n\r\n"
        body = size - len(head.format(0))
        self.answer = head.format(body).encode() + b"x" * body

    def _talk(self, connection):
        rest = b""
        while True:
            request, rest = read_request(connection, rest)
            if not request:
                return
            order = request.split(b" ", 2)[1].decode()
            key = re.search(rb"(?i)\r\nidempotency-key: *([^\r]+)", request)
            with self._lock:
                self.arrived[order] += 1
                if key is None or key[1] not in self._keys:
                    self.done[order] += 1
                    self._keys.add(key and key[1])
                    self._keys.discard(None)
            connection.sendall(self.answer)


class CuttingProxy(Server):
    """Passes bytes on, and resets both sides after so many of them.

    Args:
        port: Where to.
        cuts: Returns, for a new connection, the byte to the server and the byte to
            the client before which it is cut; None for never.

    Attributes:
        cut: How many connections were cut.
        received: All bytes that clients sent, passed on or not.
    """

    def __init__(self, port, cuts):
        super().__init__(self._pass_on)
        self.cut = 0
        self.received = 0
        self._to = port
        self._cuts = cuts

    def _pass_on(self, client):
        up, down = self._cuts()
        if up == 0:
            self._reset(client)
            return
        with socket.create_connection(("127.0.0.1", self._to)) as server:
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            left = {client: up, server: down}
            while True:
                ready, _, _ = select.select([client, server], [], [], 10)
                if not ready:
                    return
                for side in ready:
                    other = server if side is client else client
                    data = side.recv(65536)
                    if side is client:
                        self.received += len(data)
                    if not data:
                        return
                    limit = left[side]
                    if limit is not None and len(data) >= limit:
                        if limit:
                            other.sendall(data[:limit])
                        self._reset(client, server)
                        return
                    other.sendall(data)
                    if limit is not None:
                        left[side] = limit - len(data)

    def _reset(self, *sides):
        self.cut += 1
        for side in sides:
            side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            side.close()


def transport_called(kind):
    """Return what makes a transport over sockets, on one of the two libraries."""
    if kind == "httpx":
        from oauthmagic.transport.http import HttpTransport  # noqa: PLC0415 - one of the two

        return HttpTransport
    from oauthmagic.transport.curl import CurlTransport  # noqa: PLC0415 - an extra

    def make(*, ca_file=None, certificate=None, private_key=None):
        return CurlTransport((ca_file, certificate, private_key))

    return make


def engine_called(kind, concurrency, transport):
    """Return an engine over sockets, on one of the two libraries."""
    if kind == "httpx":
        from oauthmagic.transport.engines import ThreadedEngine  # noqa: PLC0415 - one of the two

        return ThreadedEngine(transport, concurrency)
    from oauthmagic.transport.curl import CurlEngine, Settings  # noqa: PLC0415 - an extra

    return CurlEngine(Settings((None, None, None)), concurrency)
