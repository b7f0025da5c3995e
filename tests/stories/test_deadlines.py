"""A call ends by its deadline whatever the server does, and at once by Ctrl-C."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from scales import scaled
from wires import Server, read_request

from oauthmagic import Session
from oauthmagic.errors import TransportError

TIMEOUT, GRACE = 0.7, 1.0
PROVIDER = """
[provider]
name = "slow"
[environments.sandbox]
token_endpoint = "{url}/token"
api_base = "{url}"
"""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BUSY = b"HTTP/1.1 503 Busy\r\nRetry-After: %b\r\nContent-Length: 0\r\n\r\n"
#: The beginning of a handshake record of TLS that says to be 16 KiB long.
HELLO = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc"


def rest(connection):
    """Wait until the client goes."""
    while connection.recv(65536):
        pass


def drip(connection, content, every=0.05):
    """Say a byte at a time, until the client goes."""
    for at in range(len(content)):
        connection.sendall(content[at : at + 1])
        connection.settimeout(every)
        try:
            if not connection.recv(65536):
                return
        except TimeoutError:
            continue


def silent(connection):
    """Say nothing."""
    rest(connection)


def dripping_head(connection):
    """Say one byte of the headers at a time."""
    read_request(connection)
    drip(connection, HEAD + b"x" * 9999)


def dripping_body(connection):
    """Say one byte of the body at a time."""
    read_request(connection)
    connection.sendall(HEAD)
    drip(connection, b"x" * 9999)


def endless_head(connection):
    """Say `100 Continue` for ever."""
    read_request(connection)
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.005)


def endless_body(connection):
    """Give chunks of one byte for ever."""
    read_request(connection)
    connection.sendall(CHUNKED)
    while True:
        connection.sendall(b"1\r\nx\r\n")
        time.sleep(0.005)


def slow_tls(connection):
    """Answer the first message of TLS by drops."""
    connection.recv(65536)
    drip(connection, HELLO + bytes(9999))


def silent_tls(connection):
    """Accept, and say nothing of TLS."""
    rest(connection)


def late_and_lost(connection):
    """Hang up when most of the time has gone; the second try drips."""
    read_request(connection)
    time.sleep(TIMEOUT * 0.6)


def too_busy(connection):
    """Ask to wait for longer than there is time, and answer nothing else."""
    while read_request(connection)[0]:
        connection.sendall(BUSY % b"1")


PLAYS = (
    silent,
    dripping_head,
    dripping_body,
    endless_head,
    endless_body,
    slow_tls,
    silent_tls,
    late_and_lost,
    too_busy,
)


def url_of(server, play):
    """Return what a client is to ask."""
    return (
        server.url.replace("http:", "https:") if "tls" in play.__name__ else server.url
    )


def call(play, method, folder):
    """Send a request to a server; return how long that took and how it ended."""
    file = folder / f"{play.__name__}-{method}.toml"
    with Server(play) as server, Session(environ={}, timeout=TIMEOUT) as session:
        file.write_text(PROVIDER.format(url=url_of(server, play)))
        session.add(file)
        session.adopt("slow", {"access_token": "plainly-fake-token"})
        begun = time.monotonic()
        try:
            outcome = session.api("slow", f"{method} /").status
        except TransportError as error:
            outcome = type(error).__name__
        return time.monotonic() - begun, outcome


def test_a_call_ends_by_its_deadline(tmp_path, figure):
    """Its second try and its waiting included, whatever keeps it busy."""
    cases = list(itertools.product(PLAYS, ("GET", "POST")))
    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(lambda case: call(*case, tmp_path), cases))

    for (play, method), (taken, outcome) in zip(cases, ended, strict=True):
        assert taken < TIMEOUT + GRACE, play
        # On a busy machine even what is answered in time may come too late.
        allowed = {"DeadlineExceeded"}
        if play is too_busy:
            allowed.add(503)
        if play is late_and_lost and method == "POST":
            allowed.add("ConnectionLost")
        assert outcome in allowed, play
    latest = max(taken for taken, _ in ended) - TIMEOUT
    figure(
        f"{len(cases)} calls to slow servers: the latest ended",
        f"{latest:.2f} s after its deadline of {TIMEOUT} s",
    )


CHILD = """
import json, os, random, signal, sys, threading, time
from oauthmagic import Session

chance = random.Random(1)
session = Session(environ={}, timeout=30, max_wait=20)
urls, count, folder = json.load(sys.stdin)
for name, url in urls:
    path = os.path.join(folder, name + ".toml")
    with open(path, "w") as file:
        file.write(open(os.path.join(folder, "form")).read().format(name=name, url=url))
    session.add(path)
    session.adopt(name, {"access_token": "plainly-fake-token"})
idle = threading.active_count()
results = []
for number in range(count):
    name = urls[number % len(urls)][0]
    pressed = []

    def press():
        time.sleep(chance.uniform(0.05, 0.2))
        pressed.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press).start()
    try:
        # A POST is not repeated after a 503: there would be nothing to interrupt.
        session.api(name, "GET /" if name == "busy" else "POST /")
        results.append((name, None))
    except KeyboardInterrupt:
        results.append((name, time.monotonic() - pressed[0]))
end = time.monotonic() + 2
while threading.active_count() > idle and time.monotonic() < end:
    time.sleep(0.01)
print(json.dumps([results, threading.active_count() - idle]))
"""


def busy(connection):
    """Ask everybody to wait for ten seconds."""
    while read_request(connection)[0]:
        connection.sendall(BUSY % b"10")


def test_an_interrupt_ends_a_call_at_once(tmp_path, figure):
    """Ctrl-C in whatever state a call is; no thread of it is left behind."""
    (tmp_path / "form").write_text(PROVIDER.replace('"slow"', '"{name}"'))
    count = scaled(16, 200)
    plays = (*PLAYS[:7], busy)
    names = [play.__name__.replace("_", "-") for play in plays]
    with ExitStack() as stack:
        servers = [stack.enter_context(Server(play)) for play in plays]
        urls = [
            (name, url_of(server, play))
            for name, server, play in zip(names, servers, plays, strict=True)
        ]
        done = subprocess.run(
            [sys.executable, "-c", CHILD],
            input=json.dumps([urls, count, str(tmp_path)]),
            capture_output=True,
            text=True,
            check=False,
            timeout=60 + 2 * count,
        )
    assert done.stderr == ""
    results, threads = json.loads(done.stdout)
    taken = [seconds for _, seconds in results]

    assert None not in taken
    assert max(taken) < 0.5
    assert threads == 0
    figure(
        f"Ctrl-C in {len(taken)} of {len(taken)} calls: the latest ended",
        f"{max(taken):.2f} s after it",
    )
