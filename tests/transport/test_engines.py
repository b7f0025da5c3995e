"""Many requests at once, from one thread: what every engine does."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest
from wires import engine_called

from oauthmagic.errors import DeadlineExceeded, TransportError
from oauthmagic.transport.engines import engine_for
from oauthmagic.transport.wire import WireRequest, WireResponse

LIMIT = 1 << 20


@pytest.fixture
def engine(kind, transport):
    """An engine with room for four, over sockets."""
    engine = engine_called(kind, 4, transport)
    yield engine
    engine.close()


def submit(engine, tag, url, *, timeout=5, limit=LIMIT, **request):
    """Begin to send a request."""
    request = WireRequest(**{"method": "GET", "url": url, **request})
    engine.submit(tag, request, timeout=timeout, limit=limit)


def arrivals_of(engine, count, *, within=5):
    """Return so many arrivals by their tags."""
    arrived = {}
    end = time.monotonic() + within
    while len(arrived) < count and time.monotonic() < end:
        arrived |= {each.tag: each for each in engine.poll(0.5)}
    return arrived


def silent(server):
    """Say nothing."""
    yield from server.silence()


def test_each_answer_arrives_once_under_the_tag_of_its_request(serve, engine):
    """A hundred requests, never more than four at a time."""
    server = serve(lambda _: [])
    server._answers = [
        lambda server: [
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\n"
            + server.requests[-1][:9]
        ]
    ]
    waiting, bodies = list(range(100)), {}

    while waiting or len(bodies) < 100:
        while waiting and engine.room():
            submit(engine, waiting[0], f"{server.url}/{waiting.pop(0)}")
        for arrival in engine.poll(5):
            assert arrival.tag not in bodies
            bodies[arrival.tag] = arrival.response.body

    assert engine.room() == 4
    assert len(server.requests) == 100


def test_room_is_what_is_not_in_flight(serve, engine, answer):
    """It comes back when the arrival is handed over."""
    quick, slow = serve(answer()), serve(silent)

    assert engine.room() == 4
    submit(engine, 1, slow.url, timeout=30)
    submit(engine, 2, quick.url)
    assert engine.room() == 2
    assert [each.tag for each in engine.poll(5)] == [2]
    assert engine.room() == 3


def test_a_slow_answer_holds_up_nobody_else(serve, engine, answer):
    """What ends first arrives first, and each ends at its own deadline."""
    quick, slow = serve(answer(b"quick")), serve(silent)

    begun = time.monotonic()
    submit(engine, 1, slow.url, timeout=0.5)
    submit(engine, 2, quick.url)
    first = engine.poll(5)
    second = arrivals_of(engine, 1)[1]

    assert first[0].response.body == b"quick"
    assert isinstance(second.error, DeadlineExceeded)
    assert second.error.sent == "unknown"
    assert second.error.__traceback__ is None
    assert time.monotonic() - begun < 1.5


def test_where_nothing_arrives_in_time_nothing_is_returned(serve, engine):
    """Nor where nothing is in flight, and then at once."""
    slow = serve(silent)

    assert engine.poll(60) == []
    submit(engine, 1, slow.url, timeout=30)
    begun = time.monotonic()
    assert engine.poll(0.3) == []
    assert 0.25 < time.monotonic() - begun < 1


def test_closing_breaks_off_what_is_in_flight(serve, engine):
    """The server sees that nobody waits any more, and no thread is left behind."""
    before = set(threading.enumerate())
    slow = serve(silent)
    begun = time.monotonic()
    submit(engine, 1, slow.url, timeout=30)
    while not slow.requests and time.monotonic() < begun + 3:
        engine.poll(0.01)

    engine.close()

    assert slow.hung_up.wait(1)
    for thread in set(threading.enumerate()) - before - set(slow._threads):
        thread.join(2)
        assert not thread.is_alive()
    assert engine.poll(0.1) == []


def test_a_request_that_cannot_be_sent_is_an_arrival_as_well(engine):
    """An engine raises nothing for one row of many."""
    submit(engine, 7, "http://127.0.0.1:9/", headers=(("X-A", "b\r\nX-B: c"),))
    submit(engine, 8, "https://evil.example@127.0.0.1/")

    errors = arrivals_of(engine, 2)

    assert errors[7].error.sent == "no"
    assert "Nothing was sent" in str(errors[8].error)


def test_any_transport_will_do_for_threads():
    """Also one that raises what it should not."""

    class Odd:
        def send(self, request, *, timeout, limit):
            if request.url.endswith("bad"):
                raise ValueError(request.url)
            return WireResponse(status=204, body=b"%d %d" % (timeout, limit))

    engine = engine_for(Odd(), 2)
    submit(engine, 1, "https://a.example/good")
    submit(engine, 2, "https://a.example/bad")
    arrived = arrivals_of(engine, 2)
    engine.close()

    assert arrived[1].response.body == b"5 %d" % LIMIT
    assert type(arrived[2].error) is TransportError
    assert arrived[2].error.__context__ is None


CHILD = """
import os, signal, sys, threading, time
from wires import engine_called, transport_called
from oauthmagic.transport.wire import WireRequest

interrupted = 0.0

def interrupt():
    global interrupted
    sys.stdin.readline()
    interrupted = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=interrupt, daemon=True).start()
engine = engine_called(sys.argv[2], 2, transport_called(sys.argv[2])())
try:
    request = WireRequest(method="GET", url=sys.argv[1])
    engine.submit(1, request, timeout=30, limit=1000)
    engine.poll(30)
except KeyboardInterrupt:
    engine.close()
    print(time.monotonic() - interrupted)
"""


def test_an_interrupt_ends_the_waiting(serve, kind):
    """Ctrl-C within half a second, and the connections are broken off."""
    server = serve(silent)
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, server.url, kind],
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
