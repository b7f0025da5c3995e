"""Whether a byte went out, and how a connection is broken off."""

import queue
import socket
import struct
import time
from types import SimpleNamespace

import httpcore
import pytest
from wires import Server

from oauthmagic.transport.sockets import Backend, Line

REQUEST = {"request": SimpleNamespace(method=b"POST")}
CONNECT = {"request": SimpleNamespace(method=b"CONNECT")}


def hang_up(connection):
    """End a connection without the farewell of TCP."""
    connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def rest(connection):
    """Wait until the client goes."""
    connection.recv(1)
    connection.recv(1)


@pytest.mark.parametrize(
    ("about", "sent"), [(REQUEST, "unknown"), (CONNECT, "no")], ids=["it", "proxy"]
)
def test_the_first_byte_that_goes_out_is_noted(about, sent):
    """What is said to a proxy is not the request."""
    line = Line(5)
    with Server(rest) as server, line.used():
        stream = Backend().connect_tcp("127.0.0.1", server.port)
        assert line.sent == "no"
        line.trace("http11.send_request_headers.started", about)
        stream.write(b"P")
        stream.close()

    assert line.sent == sent


def test_a_byte_that_the_system_refuses_is_not_sent():
    """A connection that went stale after it was looked at: nothing left the machine."""
    line = Line(5)
    with Server(hang_up) as server, line.used():
        stream = Backend().connect_tcp("127.0.0.1", server.port)
        stream.write(b"P")
        end = time.monotonic() + 3
        while not stream.get_extra_info("is_readable") and time.monotonic() < end:
            time.sleep(0.001)

        line.trace("http11.send_request_headers.started", REQUEST)
        with pytest.raises(httpcore.WriteError):
            stream.write(b"POST / HTTP/1.1\r\n\r\n")
        stream.close()

    assert line.sent == "no"


def test_a_line_that_was_broken_before_it_was_there_connects_to_nothing():
    """Ctrl-C during the name lookup: the connection is closed when it comes."""
    line = Line(5)
    seen = queue.Queue()

    def listen(connection):
        seen.put(connection.recv(1))

    class Late(httpcore.SyncBackend):
        def connect_tcp(self, *args, **more):
            stream = super().connect_tcp(*args, **more)
            line.break_off()
            return stream

    with Server(listen) as server, line.used():
        backend = Backend()
        backend._backend = Late()
        with pytest.raises(httpcore.TimeoutException):
            backend.connect_tcp("127.0.0.1", server.port)
        assert seen.get(timeout=3) == b""


def test_a_line_has_an_end():
    """Where no time is left, no step begins."""
    line = Line(0)

    with pytest.raises(httpcore.TimeoutException), line.used():
        Backend().connect_tcp("127.0.0.1", 9)
