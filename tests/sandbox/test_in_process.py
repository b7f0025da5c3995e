from __future__ import annotations

import pytest

from oauthmagic.errors import ResponseRefused
from oauthmagic.sandbox.in_process import InProcessTransport
from oauthmagic.transport.wire import WireRequest

URL = "https://api.demo.invalid/caf%C3%A9%2F?q=%2B+"


def echo(environ, start_response):
    """Answer with what was asked."""
    start_response("202 Accepted", [("X-Method", environ["REQUEST_METHOD"])])
    shown = (
        "PATH_INFO",
        "QUERY_STRING",
        "HTTP_HOST",
        "wsgi.url_scheme",
        "CONTENT_TYPE",
        "CONTENT_LENGTH",
        "HTTP_X_TWICE",
    )
    lines = [str(environ.get(name)) for name in shown]
    return [
        *(f"{line}\n".encode("latin-1") for line in lines),
        environ["wsgi.input"].read(),
    ]


def send(app, limit=1000, **request):
    """Send a request to an application."""
    complete = {"method": "POST", "url": URL, **request}
    return InProcessTransport(app).send(WireRequest(**complete), timeout=1, limit=limit)


def test_a_request_arrives_as_it_was_sent():
    """PEP 3333: decoded path, raw query, headers joined, body and its length."""
    response = send(
        echo,
        headers=(
            ("Content-Type", "text/plain"),
            ("Content-Length", "999"),
            ("X-Twice", "1"),
            ("x-twice", "2"),
        ),
        body=b"body",
    )

    assert response.status == 202
    assert response.headers == (("x-method", "POST"),)
    assert response.body.decode().splitlines() == [
        "/caf\u00e9/",
        "q=%2B+",
        "api.demo.invalid",
        "https",
        "text/plain",
        "4",
        "1,2",
        "body",
    ]


def test_a_request_without_body_has_no_length():
    """And the path is never empty."""
    response = send(echo, method="GET", url="https://api.demo.invalid:8443")
    lines = response.body.decode().splitlines()

    assert lines[0] == "/"
    assert lines[2] == "api.demo.invalid:8443"
    assert lines[5] == "None"


def test_an_answer_beyond_the_limit_is_refused_and_closed():
    """The rest is not read; the server has seen the request."""
    closed = []

    class Endless:
        def __iter__(self):
            while True:
                yield b"x" * 100

        def close(self):
            closed.append(True)

    def app(environ, start_response):  # noqa: ARG001
        start_response("200 OK", [])
        return Endless()

    with pytest.raises(ResponseRefused) as caught:
        send(app, limit=1000)
    assert caught.value.sent == "yes"
    assert closed == [True]


def test_an_answer_of_exactly_the_limit_is_accepted():
    """The limit is the most that is accepted."""

    def app(environ, start_response):  # noqa: ARG001
        write = start_response("200 OK", [])
        write(b"x" * 400)
        return [b"x" * 600]

    assert len(send(app, limit=1000).body) == 1000


def test_a_transport_shows_no_secret():
    """Neither what was sent nor what came back is in a `repr`."""
    response = send(echo, body=b"not-a-secret")

    assert b"not-a-secret" in response.body
    assert "not-a-secret" not in repr(response)
