from __future__ import annotations

import contextlib
import io
import os
import subprocess
import urllib.parse

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from programs import KeepingServer
from scales import scaled

from oauthmagic.transport.http import HttpTransport
from oauthmagic.transport.wire import WireRequest
from oauthmagic.views import curl, javascript, python
from oauthmagic.views.programs import (
    Call,
    Env,
    Local,
    Program,
    TokenStep,
    write_program,
)

TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"))
    | st.sampled_from("'\"\\$`!&|;<>(){}[]#*?~%=@ \t\n"),
    max_size=30,
)
# A URL with line breaks or dot segments does not pass the gate.
SHOWN = TEXT.map(lambda text: text.translate({9: None, 10: None}).strip("."))
LINE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=30)
NAMES = st.sampled_from(["X-A", "X-B", "Accept", "Content-Type", "Idempotency-Key"])
CALLS = st.builds(
    lambda method, path, query, headers, body: (method, path, query, headers, body),
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
    SHOWN.map(lambda text: urllib.parse.quote(text, safe="!$&'()*+,;=:@")),
    SHOWN.map(lambda text: urllib.parse.quote(text, safe="!$&'()*+,;=:@/?")),
    st.dictionaries(NAMES, LINE.map(str.strip), max_size=3),
    st.none() | TEXT.map(str.encode),
)
PROPERTY = settings(
    max_examples=scaled(40, 400),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def server():
    """A server that keeps what came."""
    with KeepingServer() as server:
        yield server


@pytest.fixture(scope="module")
def transport():
    """Our own client."""
    transport = HttpTransport()
    yield transport
    transport.close()


def both(server, transport, drawn):
    """Return a call, and how the server saw it from our own client."""
    method, path, query, headers, body = drawn
    url = f"{server.url}/{path}?{query}" if query else f"{server.url}/{path}"
    transport.send(
        WireRequest(
            method=method,
            url=url,
            headers=(*headers.items(), ("authorization", "Bearer fake-token-1")),
            body=body or None,
        ),
        timeout=10,
        limit=1 << 20,
    )
    call = Call(
        method=method,
        url=(url,),
        headers=tuple((name, (value,)) for name, value in headers.items()),
        body=(body,) if body else None,
    )
    return call, server.last()


@pytest.mark.needs("curl")
@PROPERTY
@given(drawn=CALLS.filter(lambda drawn: "Accept" in drawn[3]))
def test_curl_sends_the_bytes_that_were_meant(server, transport, drawn):
    """Whatever stands in a URL, a header or a body, a shell changes nothing of it."""
    call, ours = both(server, transport, drawn)

    environ = {"PATH": os.environ["PATH"], "ACCESS_TOKEN": "fake-token-1"}
    done = subprocess.run(
        ["sh", "-c", curl.call(call)],  # noqa: S607 - the shell of this machine
        env=environ,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert server.last() == ours


@PROPERTY
@given(drawn=CALLS.filter(lambda drawn: "Accept" in drawn[3]))
def test_httpx_sends_the_bytes_that_were_meant(server, transport, drawn):
    """The same for Python, token step included."""
    call, ours = both(server, transport, drawn)
    step = TokenStep(url=(server.url,), parameters=(("grant_type", "none"),))
    text = python.write(Program(title="x", token=step, calls=(call,)))

    with contextlib.redirect_stdout(io.StringIO()):
        names = {}
        exec(text, names)  # noqa: S102 - a program is there to be run
        names["client"].close()

    assert server.last() == ours


@given(text=TEXT)
def test_no_value_leaves_its_literal_in_javascript(text):
    """What is written is JSON, which JavaScript reads as it stands (ECMA-262)."""
    call = Call(method="GET", url=(text,))

    written = javascript._text(call.url)

    assert written.isascii()
    assert "\n" not in written


@given(title=TEXT, note=TEXT)
def test_no_comment_becomes_code(title, note):
    """A provider's title is a stranger's text; it stays behind its mark."""
    step = TokenStep(url=("https://id.example/token",), parameters=())
    program = Program(title=title, notes=(note,), token=step)

    for language, mark in (("curl", "#"), ("python", "#"), ("javascript", "//")):
        head = write_program(program, language).partition("From the environment:")[0]
        assert all(line.startswith(mark) for line in head.split("\n")[:-1])


def test_a_name_ends_where_it_was_meant_to():
    """`$NAME` is not followed by what would be read as more of it."""
    text = curl._text((Env("NAME"), "more", Local("code"), "/x"))

    assert text == '"$NAME"more"$CODE"/x'
