"""A deadline is kept whatever the server does, and so is Ctrl-C."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time

import pytest
from wires import Server

from oauthmagic.errors import DeadlineExceeded

#: How long after the deadline a send may return, in seconds.
GRACE = 1.0
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"


def dripping(server):
    """Answer one byte every tenth of a second."""
    yield from server.drip(HEAD + b"x" * 100)


def dripping_body(server):
    """Give the headers at once, the body one byte every tenth of a second."""
    yield HEAD
    yield from server.drip(b"x" * 100)


def dripping_chunks(server):
    """Give one chunk every tenth of a second, for ever."""
    yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    while not server.stopped.wait(0.1):
        yield b"1\r\nx\r\n"


def interim(server):
    """Say `100 Continue` every tenth of a second, for ever."""
    while not server.stopped.wait(0.1):
        yield b"HTTP/1.1 100 Continue\r\n\r\n"


def silent(server):
    """Say nothing."""
    yield from server.silence()


def silent_body(server):
    """Say nothing after the headers."""
    yield HEAD
    yield from server.silence()


@pytest.mark.parametrize(
    ("play", "sent"),
    [
        (silent, "unknown"),
        (dripping, "unknown"),
        (interim, "unknown"),
        (silent_body, "yes"),
        (dripping_body, "yes"),
        (dripping_chunks, "yes"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_slow_answer_ends_at_the_deadline(serve, send, play, sent):
    """It covers everything to the last byte, and each byte does not begin it anew."""
    server = serve(play)

    begun = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"within 0\.7 seconds") as exceeded:
        send(server.url, method="POST", body=b"x", timeout=0.7)
    taken = time.monotonic() - begun

    assert 0.65 < taken < 0.7 + GRACE
    assert exceeded.value.sent == sent
    assert len(server.requests) == 1


def test_a_server_that_says_nothing_of_tls_is_left_at_the_deadline(serve, send):
    """The handshake has no end of its own; no byte of the request was sent."""
    server = serve(silent)

    begun = time.monotonic()
    with pytest.raises(DeadlineExceeded) as exceeded:
        send(server.url.replace("http:", "https:"), timeout=0.5)
    taken = time.monotonic() - begun

    assert taken < 0.5 + GRACE
    assert exceeded.value.sent == "no"


@pytest.mark.parametrize("play", [silent, dripping, dripping_body, interim])
def test_at_the_deadline_the_connection_is_broken(serve, send, play):
    """The server sees that nobody waits any more, however busy it keeps us."""
    server = serve(play)

    with pytest.raises(DeadlineExceeded):
        send(server.url, timeout=0.3)

    assert server.hung_up.wait(1)


def test_a_connection_used_again_has_its_deadline_too(serve, answer, send):
    """One good answer, then silence."""
    server = serve(answer(), silent)
    send(server.url)

    begun = time.monotonic()
    with pytest.raises(DeadlineExceeded) as exceeded:
        send(server.url, timeout=0.5)
    taken = time.monotonic() - begun

    assert taken < 0.5 + GRACE
    assert exceeded.value.sent == "unknown"
    assert server.connections == 1


@pytest.mark.parametrize("play", [silent, dripping, dripping_body, interim])
def test_at_the_deadline_a_connection_used_again_is_broken_as_well(
    serve, answer, send, play
):
    """The library tells nobody which socket it took; the socket itself knows."""
    server = serve(answer(), play)
    send(server.url)

    with pytest.raises(DeadlineExceeded):
        send(server.url, timeout=0.3)

    assert server.connections == 1
    assert server.hung_up.wait(1)
    for thread in threading.enumerate():
        if thread.name.endswith("(run)"):
            thread.join(1)
            assert not thread.is_alive()


def test_a_server_that_takes_the_body_by_drops_is_left_at_the_deadline(send):
    """A write has no more time than a read, however many parts it has."""

    def sip(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        while connection.recv(65536):
            server.stopped.wait(0.02)

    with Server(sip) as server:
        begun = time.monotonic()
        with pytest.raises(DeadlineExceeded) as exceeded:
            send(server.url, method="POST", body=bytes(64 << 20), timeout=0.5)
        taken = time.monotonic() - begun

    assert 0.45 < taken < 0.5 + GRACE
    assert exceeded.value.sent == "unknown"


def test_the_next_request_does_not_meet_the_late_answer(serve, answer, send):
    """The connection of an answer that never came is not used again."""
    server = serve(answer(b"first"), silent, answer(b"third"))
    send(server.url)
    with pytest.raises(DeadlineExceeded):
        send(server.url, timeout=0.3)

    assert send(server.url).body == b"third"


def test_two_requests_do_not_wait_for_each_other(serve, answer, send):
    """A slow server holds up its own caller only."""
    slow, quick = serve(silent), serve(answer(b"quick"))
    ended = []

    def wait_for_the_slow_one():
        with pytest.raises(DeadlineExceeded):
            send(slow.url, timeout=1)
        ended.append("slow")

    thread = threading.Thread(target=wait_for_the_slow_one)
    thread.start()
    body = send(quick.url).body
    ended.append("quick")
    thread.join()

    assert body == b"quick"
    assert ended == ["quick", "slow"]


CHILD = """
import _thread, os, signal, sys, threading, time
from wires import transport_called
from oauthmagic.transport.wire import WireRequest

interrupted = 0.0

def interrupt():
    global interrupted
    sys.stdin.readline()
    interrupted = time.monotonic()
    if sys.argv[2] == "signal":
        os.kill(os.getpid(), signal.SIGINT)
    else:
        _thread.interrupt_main()

threading.Thread(target=interrupt, daemon=True).start()
try:
    transport_called(sys.argv[3])().send(
        WireRequest(method="GET", url=sys.argv[1]), timeout=30, limit=1000
    )
except KeyboardInterrupt:
    print(time.monotonic() - interrupted)
"""


@pytest.mark.parametrize("way", ["signal", "interrupt_main"])
def test_an_interrupt_ends_the_waiting(serve, way, kind):
    """Ctrl-C within half a second, where it comes as a signal and where it does not."""
    server = serve(silent)
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, server.url, way, kind],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        until = time.monotonic() + 10
        while not server.requests and time.monotonic() < until:
            server.stopped.wait(0.01)
        seconds, _ = child.communicate("now\n", timeout=10)

    assert float(seconds) < 0.5
    assert server.hung_up.wait(1)
