"""The loopback listener: for one login, on one address, and then gone."""

from __future__ import annotations

import contextlib
import queue
import socket
import sys
import threading
import time

import pytest
from callback_doors import Login, send

from oauthmagic import Session
from oauthmagic.errors import ListenerUnavailable
from oauthmagic.transport import listeners
from oauthmagic.transport.listeners import LoopbackListener

SECONDS = 10


def listening(port):
    """Return the addresses on which somebody listens at a port, as Linux says."""
    found = []
    for name in ("tcp", "tcp6"):
        with open(f"/proc/net/{name}", encoding="ascii") as file:  # noqa: PTH123
            for line in file.readlines()[1:]:
                _, local, _, state, *_ = line.split()
                address, _, number = local.partition(":")
                if state == "0A" and int(number, 16) == port:
                    found.append(address)
    return found


@pytest.fixture
def listener():
    """A listener at /cb, and the queries that came."""
    listener = LoopbackListener(0, "/cb", page=b"page", headers=[("X-One", "1")])
    listener.queries = queue.Queue()
    listener.start(listener.queries.put)
    yield listener
    listener.close()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_is_on_127_0_0_1_alone_and_gone_afterwards():
    """RFC 8252, section 8.3; and a fixed port can be used again at once."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for _ in range(2):
        login = Login(f"http://127.0.0.1:{port}/cb", {})
        assert listening(port) == ["0100007F"]

        send(port, f"GET {login.good()}")

        assert login.over.wait(SECONDS)
        assert listening(port) == []


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("end", ["forget", "stop_waiting", "close", "another wish"])
def test_whatever_ends_a_login_ends_its_listener(end):
    """Forgetting it, unloading, the end of the session, another login in its place."""
    login = Login("http://127.0.0.1:0/cb", {})
    port = int(login.asked["redirect_uri"].split(":")[2].partition("/")[0])
    assert listening(port)

    if end == "another wish":
        with pytest.raises(Exception, match="asks you"):
            login.session.token(
                "acme",
                scopes=["more"],
                credentials={"client_id": "me", "redirect_uri": "https://me.example/"},
            )
    else:
        getattr(login.session, end)(*["acme"] * (end == "forget"))

    assert listening(port) == []


def test_a_taken_port_is_said_before_any_browser_opens():
    """Whoever holds it would be sent the code; nothing waits."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ListenerUnavailable, match=f"Port {port}") as refused:
            Login(f"http://127.0.0.1:{port}/cb", {})

    assert "%token forget" in refused.value.hint


def test_nobody_else_can_take_the_port_while_it_listens(listener):
    """Not even with the options by which programs share ports."""
    for option in ("SO_REUSEADDR", "SO_REUSEPORT"):
        with contextlib.closing(socket.socket()) as other:
            if hasattr(socket, option):
                other.setsockopt(socket.SOL_SOCKET, getattr(socket, option), 1)
            with pytest.raises(OSError, match="in use"):
                other.bind(("127.0.0.1", listener.port))


def test_a_large_request_is_not_read_to_its_end(listener):
    """8 KiB, then the same page, and nothing of it is used."""
    header = f"X: {'a' * 9000}"
    send(listener.port, "GET /cb?code=1&state=2", headers=[header])
    send(listener.port, "GET /cb?code=1&state=3")

    assert listener.queries.get(timeout=SECONDS) == "code=1&state=3"


def test_who_says_nothing_holds_up_nobody(listener, monkeypatch):
    """A connection has its seconds, and there are so many at a time."""
    monkeypatch.setattr(listeners, "PATIENCE", 0.5)
    silent = [
        socket.create_connection(("127.0.0.1", listener.port))
        for _ in range(listeners.MOST_CONNECTIONS - 1)
    ]
    send(listener.port, "GET /cb?code=1&state=2")
    assert listener.queries.get(timeout=SECONDS) == "code=1&state=2"

    for each in silent:
        each.settimeout(3)
        assert each.recv(100)[:12] in (b"", b"HTTP/1.1 200")
        each.close()


def test_the_seventeenth_connection_is_closed(listener):
    """It is answered nothing; the others go on."""
    held = [
        socket.create_connection(("127.0.0.1", listener.port))
        for _ in range(listeners.MOST_CONNECTIONS)
    ]
    end = time.monotonic() + 3
    while listener._slots._value and time.monotonic() < end:
        time.sleep(0.01)
    with socket.create_connection(("127.0.0.1", listener.port), timeout=3) as late:
        assert late.recv(100) == b""

    for each in held:
        each.close()


def test_it_ends_by_itself():
    """At most as long as it was told."""
    listener = LoopbackListener(0, "/cb", page=b"", headers=[], seconds=0.1)
    listener.start(lambda _: None)

    listener._thread.join(3)

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", listener.port))


def test_a_session_that_asks_for_no_login_listens_nowhere():
    """No thread and no file before it is needed."""
    before = set(threading.enumerate())
    with Session(environ={}) as session:
        session.token("revsto@demo")
    names = {each.name for each in set(threading.enumerate()) - before}
    assert not {name for name in names if "listener" in name or "callback" in name}
