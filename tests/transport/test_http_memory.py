"""Bodies that would fill the memory, measured from outside: resident size and time."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import zlib
from contextlib import ExitStack
from pathlib import Path

import pytest
from scales import scaled
from wires import Server, read_request

MIB = 1 << 20
#: What may be held above an idle process, and after the deadline, at most.
MOST_MB, GRACE = 64, 1.0
DEADLINE = 1.5
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
GZIP = b"Content-Encoding: gzip\r\n"

CHILD = """
import json, re, sys, time
from oauthmagic.errors import OAuthMagicError
from wires import transport_called
from oauthmagic.transport.wire import WireRequest

def held(name):
    return int(re.search(name + r":\\s+(\\d+)", open("/proc/self/status").read())[1])

transport = transport_called(sys.argv[1])()
idle, cases, results = None, json.load(sys.stdin), {}
for name, url, limit, deadline in cases:
    open("/proc/self/clear_refs", "w").write("5")  # the peak begins anew
    begun = time.monotonic()
    try:
        request = WireRequest(method="GET", url=url)
        response = transport.send(request, timeout=deadline, limit=limit)
        outcome = len(response.body)
        del response
    except OAuthMagicError as error:
        outcome = type(error).__name__
    seconds = time.monotonic() - begun
    idle = idle or held("VmRSS")
    results[name] = outcome, seconds, (held("VmHWM") - idle) / 1000
print(json.dumps(results))
"""


def chunk(content):
    """Return one chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(content), content)


def squeezed(mebibytes):
    """Return so many MiB of zeros as gzip, one KiB for each."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, 31)
    first = deflate.compress(bytes(MIB)) + deflate.flush(zlib.Z_FULL_FLUSH)
    block = deflate.compress(bytes(MIB)) + deflate.flush(zlib.Z_FULL_FLUSH)
    return first + block * (mebibytes - 1)


def whole(body, headers=GZIP):
    """Return a handler that gives a body at once."""

    def handler(connection):
        while read_request(connection)[0]:
            head = CHUNKED + headers + b"\r\n"
            connection.sendall(head + chunk(body) + b"0\r\n\r\n")

    return handler


def repeated(content, headers=b"", *, times=None, every=0.0):
    """Return a handler that gives a part again and again."""

    def handler(connection):
        read_request(connection)
        connection.sendall(CHUNKED + headers + b"\r\n")
        done = 0
        while times is None or done < times:
            connection.sendall(chunk(content))
            done += 1
            if every:
                connection.settimeout(every)
                try:
                    if not connection.recv(1):
                        return
                except TimeoutError:
                    connection.settimeout(10)

    return handler


BOMB = squeezed(scaled(256, 1024))
#: Handler, and how a token request and an API request end.
CASES = {
    "warm up": (whole(b"{}", b""), 2),
    "gzip bomb": (whole(BOMB), "ResponseRefused"),
    "gzip in gzip in gzip, said": (
        whole(
            gzip.compress(gzip.compress(BOMB)),
            b"Content-Encoding: gzip, gzip, gzip\r\n",
        ),
        "ResponseRefused",
    ),
    "gzip in gzip, half said": (whole(gzip.compress(BOMB)), None),
    "deflate bomb": (
        whole(zlib.compress(bytes(16 * MIB)), b"Content-Encoding: deflate\r\n"),
        "ResponseRefused",
    ),
    "600 MiB": (repeated(bytes(MIB), times=600), "ResponseRefused"),
    "endless": (repeated(bytes(65536)), "ResponseRefused"),
    "endless gzip of nothing": (
        repeated(gzip.compress(b"") * 1000, GZIP),
        "DeadlineExceeded",
    ),
    "endless small members": (
        repeated(gzip.compress(bytes(100)) * 100, GZIP),
        ("ResponseRefused", "DeadlineExceeded"),
    ),
    "endless members of two bytes": (
        repeated(gzip.compress(b"ab") * 5000, GZIP),
        ("ResponseRefused", "DeadlineExceeded"),
    ),
    "dripping": (repeated(b"x", every=0.05), "DeadlineExceeded"),
    "dripping bomb": (
        repeated(BOMB[: len(BOMB) // 1024], GZIP, every=0.05),
        ("ResponseRefused", "DeadlineExceeded"),
    ),
}


@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="measures by Linux's /proc"
)
@pytest.mark.parametrize("limit", [MIB, 32 * MIB], ids=["a token's", "an API's"])
def test_no_body_takes_more_than_its_bound(figure, limit, kind):
    """Refused at the limit or left at the deadline, in a process of its own."""
    with ExitStack() as stack:
        cases = [
            (name, stack.enter_context(Server(handler)).url, limit, DEADLINE)
            for name, (handler, _) in CASES.items()
        ]
        done = subprocess.run(
            [sys.executable, "-c", CHILD, kind],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            input=json.dumps(cases),
            capture_output=True,
            text=True,
            check=True,
        )
    results = json.loads(done.stdout)

    for name, (_, expected) in CASES.items():
        outcome, seconds, megabytes = results[name]
        if expected is not None:
            allowed = expected if isinstance(expected, tuple) else (expected,)
            assert outcome in allowed, (name, outcome)
        assert seconds < DEADLINE + GRACE, (name, seconds)
        assert megabytes < MOST_MB, (name, megabytes)
    largest = max(results, key=lambda name: results[name][2])
    slowest = max(results, key=lambda name: results[name][1])
    figure(
        f"{len(CASES)} hostile bodies, {kind}, {limit // MIB} MiB allowed: at most",
        f"{results[largest][2]:.0f} MB above idle ({largest}), "
        f"{results[slowest][1]:.1f} s of {DEADLINE} s ({slowest})",
    )
