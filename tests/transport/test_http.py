"""What goes over the wire, and what comes back, with a server of raw bytes."""

from __future__ import annotations

import re

import pytest

from oauthmagic.errors import (
    ConnectionFailed,
    ConnectionLost,
    OAuthMagicError,
    ResponseRefused,
    TransportError,
)
from oauthmagic.transport.http import _complete
from oauthmagic.transport.wire import WireRequest


def headers_of(request):
    """Return the header lines of a recorded request, in lower case."""
    head = request.partition(b"\r\n\r\n")[0].decode("latin-1").lower()
    return head.split("\r\n")[1:]


def test_what_is_asked_for_is_sent_and_what_is_answered_is_returned(
    serve, answer, send
):
    """Method, target, headers and body as given; names come back in lower case."""
    server = serve(answer(b"\x00\xff", "X-Odd: \xe9", "x-odd: 2", status="418 Teapot"))

    response = send(
        f"{server.url}/a%2Fb?c=%20d",
        method="POST",
        headers=(("X-One", "1"), ("x-one", "2")),
        body=b"name=\xc3\xa9",
    )

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /a%2Fb?c=%20d HTTP/1.1\r\n")
    assert [line for line in headers_of(head) if line.startswith("x-one")] == [
        "x-one: 1",
        "x-one: 2",
    ]
    assert body == b"name=\xc3\xa9"
    assert (response.status, response.body) == (418, b"\x00\xff")
    assert response.header("X-ODD") == "\xe9"
    assert response.headers[:2] == (("x-odd", "\xe9"), ("x-odd", "2"))
    assert response.elapsed > 0


def test_nothing_but_the_necessary_is_added(serve, answer, send):
    """No library's name, no cookie, no media type that nobody asked for."""
    server = serve(answer())

    send(server.url)

    names = [line.partition(":")[0] for line in headers_of(server.requests[0])]
    assert sorted(names) == ["accept-encoding", "host", "user-agent"]
    assert "accept-encoding: gzip" in headers_of(server.requests[0])
    assert "user-agent: oauthmagic" in headers_of(server.requests[0])


@pytest.mark.parametrize("host", ["[::1]", "localhost"])
def test_the_host_header_is_what_the_url_says(host):
    """RFC 9110, section 7.2: an IPv6 address stands in brackets."""
    request = WireRequest(method="GET", url=f"http://{host}:8080/a")

    assert ("Host", f"{host}:8080") in _complete(request)


@pytest.mark.parametrize(
    ("method", "lengths"), [("GET", 0), ("DELETE", 0), ("POST", 1), ("PATCH", 1)]
)
def test_where_a_body_is_expected_its_absence_is_said(
    serve, answer, send, method, lengths
):
    """RFC 9110, section 8.6: a POST without a body says that its length is 0."""
    server = serve(answer())

    send(server.url, method=method)

    assert headers_of(server.requests[0]).count("content-length: 0") == lengths


def test_a_header_that_is_given_is_not_added_a_second_time(serve, answer, send):
    """RFC 9110, section 5.3: User-Agent is no list."""
    server = serve(answer())

    send(server.url, headers=(("user-agent", "mine"), ("ACCEPT-ENCODING", "identity")))

    assert sorted(headers_of(server.requests[0]))[::2] == [
        "accept-encoding: identity",
        "user-agent: mine",
    ]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("status", [300, 301, 302, 303, 305, 307, 308])
def test_no_redirect_is_followed(serve, answer, send, method, status):
    """The answer is returned as it is; the second origin never hears of it."""
    second = serve(answer())
    first = serve(
        answer(b"", f"Location: {second.url}/token", status=f"{status} Elsewhere")
    )

    response = send(first.url, method=method, body=b"x" if method == "POST" else None)

    assert response.status == status
    assert response.header("location") == f"{second.url}/token"
    assert (len(first.requests), second.connections) == (1, 0)


def test_no_cookie_is_kept(serve, answer, send):
    """The next request to the same server holds nothing of the first's answer."""
    server = serve(answer(b"", "Set-Cookie: session=1; Path=/"))

    send(server.url)
    send(server.url)

    assert b"session" not in server.requests[1]


def test_netrc_is_not_read(serve, answer, send, clean_environ, monkeypatch):
    """Credentials come from where the package says, and from nowhere else."""
    line = "machine 127.0.0.1 login plainly password plainly-fake-netrc\n"
    (clean_environ / ".netrc").write_text(line)
    (clean_environ / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(clean_environ / ".netrc"))
    server = serve(answer())

    send(server.url)

    assert b"authorization" not in server.requests[0].lower()


def test_a_connection_is_used_again(serve, answer, send):
    """Three requests to one server, one connection."""
    server = serve(answer())

    for _ in range(3):
        send(server.url)

    assert (len(server.requests), server.connections) == (3, 1)


def test_a_connection_that_the_server_closed_meanwhile_is_replaced(serve, answer, send):
    """The end of an idle connection is noticed before anything is sent on it."""
    server = serve(lambda _: [answer(b"1")], answer(b"2"))

    first = send(server.url)
    server._threads[-1].join()
    second = send(server.url)

    assert (first.body, second.body) == (b"1", b"2")
    assert (len(server.requests), server.connections) == (2, 2)


def test_a_request_that_meets_the_closing_of_its_connection_is_not_repeated(
    serve, answer, send
):
    """RFC 9110, section 9.2.2: whether it was processed cannot be known here."""
    server = serve(answer(), lambda _: [], answer())

    send(server.url)
    with pytest.raises(ConnectionLost) as lost:
        send(server.url, method="POST", body=b"once")

    assert lost.value.sent == "unknown"
    assert len(server.requests) == 2
    assert send(server.url).status == 200


def test_a_refused_connection_sent_nothing(serve, answer, send):
    """Whoever repeats the request repeats nothing."""
    server = serve(answer())
    server.close()

    with pytest.raises(ConnectionFailed) as failed:
        send(server.url, timeout=2)

    assert failed.value.sent == "no"


def test_a_reset_before_the_answer_leaves_open_what_happened(serve, send, reset):
    """The server may have acted on the request."""
    server = serve(reset)

    with pytest.raises(ConnectionLost) as lost:
        send(server.url, method="POST", body=b"pay")

    assert lost.value.sent == "unknown"
    assert len(server.requests) == 1


def test_an_answer_cut_at_any_byte_is_no_answer(serve, answer, send):
    """Half an answer is never returned as a whole one; the request is sent once."""
    whole = answer(b'{"a": 1}', "Content-Type: application/json", "X-A: b")
    cuts = range(len(whole))
    server = serve(*([lambda _, cut=cut: [whole[:cut]] for cut in cuts]))
    body_begins = whole.index(b"\r\n\r\n") + 4

    for cut in cuts:
        with pytest.raises(ConnectionLost) as lost:
            send(server.url)
        assert lost.value.sent == ("unknown" if cut < body_begins else "yes")

    assert len(server.requests) == len(whole)


@pytest.mark.parametrize(
    "part",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
    ],
    ids=["in a chunk", "between chunks"],
)
def test_a_chunked_answer_without_its_end_is_no_answer(serve, send, part):
    """RFC 9112, section 8: it is incomplete."""
    server = serve(lambda _: [part])

    with pytest.raises(ConnectionLost) as lost:
        send(server.url)

    assert lost.value.sent == "yes"


@pytest.mark.parametrize(
    "garbage",
    [
        b'{"access_token": "plainly-fake-token", "token_type": "Bearer"}\r\n\r\n',
        b"<html>plainly-fake-token</html>\r\n\r\n",
        b"SSH-2.0-plainly-fake-token\r\n\r\n",
        b"HTTP/1.1 abc plainly-fake-token\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nplainly-fake-token\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA B: plainly-fake-token\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n\r\n0123456789",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46" * 8 + b"\r\n\r\n",
        b"\x00" * 200_000,
    ],
    ids=range(14),
)
def test_what_is_not_http_is_refused_and_not_quoted(serve, send, shown, garbage):
    """An HTTP/0.9 answer, another protocol, lengths that contradict each other."""
    server = serve(lambda _: [garbage])

    with pytest.raises(ResponseRefused) as refused:
        send(server.url)

    assert refused.value.sent == "yes"
    assert "plainly-fake-token" not in shown(refused.value)


@pytest.mark.parametrize(
    "change",
    [
        {"headers": (("X-A", "b\r\nX-Injected: 1"),)},
        {"headers": (("X-A", "b\nX-Injected: 1"),)},
        {"headers": (("X-A", "b\rX-Injected: 1"),)},
        {"headers": (("X-A", "b\x00"),)},
        {"headers": (("X-A\r\nX-Injected: 1\r\nX-B", "b"),)},
        {"headers": (("X-A: 1\r\nX-Injected", "b"),)},
        {"headers": (("", "b"),)},
        {"headers": (("X-A", "\u20ac"),)},
        {"method": "GET / HTTP/1.1\r\nX-Injected: 1\r\n\r\nGET"},
        {"method": "GE T"},
        {"method": ""},
        {"path": "a\r\nX-Injected: 1"},
        {"path": "a b"},
        {"path": "\u20ac"},
    ],
    ids=ascii,
)
def test_no_header_can_be_smuggled_in(serve, answer, send, shown, change):
    """RFC 9110, section 5.5; refused before anything is sent, and never quoted."""
    server = serve(answer())
    token = (("Authorization", "Bearer plainly-fake-token"),)
    request = {"url": f"{server.url}/", "headers": token, **change}

    with pytest.raises(OAuthMagicError) as refused:
        send(request.pop("url") + request.pop("path", ""), **request)

    assert getattr(refused.value, "sent", "no") == "no"
    assert "plainly-fake-token" not in shown(refused.value)
    assert not any(re.search(b"(?i)\nx-injected", each) for each in server.requests)
    assert server.requests == []


def test_a_body_longer_than_it_says_is_not_sent_as_one_that_is_not(serve, answer, send):
    """Its headers may be on their way when that is noticed."""
    server = serve(answer())

    with pytest.raises(TransportError, match="cannot be sent as HTTP") as refused:
        send(
            server.url, method="POST", body=b"1234", headers=(("Content-Length", "3"),)
        )

    assert refused.value.sent in ("no", "unknown")


def test_a_closed_transport_can_be_used_again(serve, answer, send, transport_of):
    """`close` lets go of connections, not of the transport."""
    server = serve(answer())
    transport = transport_of()

    send(server.url, through=transport)
    transport.close()
    send(server.url, through=transport)
    transport.close()

    assert server.connections == 2
