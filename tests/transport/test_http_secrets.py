"""What was sent is in no log and no traceback, and goes through no stranger's proxy."""

from __future__ import annotations

import base64
import logging
import select
import socket

import pytest
from wires import Server, read_request

from oauthmagic.errors import ConnectionFailed, OAuthMagicError
from oauthmagic.redaction import Secret

CANARY = "plainly-fake-canary-0123456789"
NEW = "plainly-fake-new-token-9876543210"
PROXIES = ("http_proxy", "https_proxy", "all_proxy")


@pytest.fixture
def everything_logged(caplog):
    """Catch every record of every logger."""
    caplog.set_level(1)
    for name in ("httpcore", "httpx", "httpcore.http11", "httpcore.connection"):
        assert logging.getLogger(name).isEnabledFor(logging.DEBUG)
    return lambda: "\n".join(
        [caplog.text, *(f"{vars(record)}" for record in caplog.records)]
    )


def no_answer(_):
    """Hang up."""
    return []


def garbage(_):
    """Quote what came, as no HTTP server would."""
    return [f"you sent {CANARY}\r\n\r\n".encode()]


def half(_):
    """Quote what came, and hang up half-way."""
    return [f"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{CANARY}".encode()]


def undone(_):
    """Name a coding that is not there."""
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 30\r\n\r\n"
    return [head + CANARY.encode()]


def foreign(_):
    """Quote what came as a coding."""
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {CANARY}\r\n"
    return [f"{head}Content-Length: 2\r\n\r\n{{}}".encode()]


def silent(server):
    """Say nothing."""
    yield from server.silence()


@pytest.mark.parametrize("play", [no_answer, garbage, half, undone, foreign, silent])
def test_an_error_shows_nothing_of_the_request(
    serve, send, shown, everything_logged, play
):
    """Message, hint, notes, causes, every frame's variables, every log."""
    secret = Secret(CANARY)
    server = serve(play)

    with pytest.raises(OAuthMagicError) as raised:
        send(
            server.url,
            method="POST",
            headers=(("Authorization", f"Bearer {CANARY}"), ("X-Api-Key", CANARY)),
            body=f"password={CANARY}".encode(),
            timeout=0.5,
        )

    assert CANARY.encode() in server.requests[0]
    assert CANARY not in shown(raised.value)
    assert CANARY not in everything_logged()
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
    del secret


def test_the_log_of_a_good_exchange_names_events_only(
    serve, answer, send, everything_logged, kind
):
    """A server's header may hold a token that no `Secret` knows yet."""
    server = serve(
        answer(
            f'{{"access_token": "{NEW}"}}'.encode(),
            f"Set-Cookie: token={NEW}; Secure",
            f"X-Access-Token: {NEW}",
        )
    )

    response = send(server.url, headers=(("Authorization", f"Bearer {CANARY}"),))

    assert response.header("x-access-token") == NEW
    if kind == "httpx":
        assert "receive_response_headers.complete" in everything_logged()
    assert NEW not in everything_logged()
    assert CANARY not in everything_logged()


def test_a_known_secret_is_redacted_from_the_logs_of_others(everything_logged):
    """Another user of the library logs through the same loggers."""
    secret = Secret(CANARY)

    logging.getLogger("httpcore.http11").debug("headers=%r", {"x": CANARY})
    logging.getLogger("httpx").info("GET https://api.example/?token=%s", CANARY)

    assert "headers=" in everything_logged()
    assert CANARY not in everything_logged()
    del secret


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("names", [str.lower, str.upper])
def test_loopback_traffic_uses_no_proxy(serve, answer, send, monkeypatch, names, host):
    """What stays on this machine is nobody else's business."""
    proxy = serve(answer(status="502 Bad Gateway"))
    server = serve(answer(b"direct"))
    for name in PROXIES:
        monkeypatch.setenv(names(name), proxy.url)

    response = send(server.url.replace("127.0.0.1", host))

    assert response.body == b"direct"
    assert proxy.connections == 0


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_other_traffic_goes_through_the_proxy_that_the_environment_names(
    serve, answer, send, monkeypatch, name, scheme
):
    """It learns the host and nothing more; a refusal means that nothing was sent."""
    proxy = serve(answer(status="403 Forbidden"))
    monkeypatch.setenv(name, f"{scheme}127.0.0.1:{proxy.port}")

    with pytest.raises(ConnectionFailed) as failed:
        send("https://api.example/a?b", headers=(("Authorization", CANARY),))

    assert failed.value.sent == "no"
    assert len(proxy.requests) == 1
    assert proxy.requests[0].startswith(b"CONNECT api.example:443 ")
    assert CANARY.encode() not in proxy.requests[0]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_what_is_for_the_proxy_and_what_is_for_the_server_are_two_things(
    serve, answer, send, identify, monkeypatch, tmp_path, scheme, transport_of
):
    """The proxy's password stays there; the token is inside the tunnel, encrypted."""
    context, ca_file = identify(("api.example",))
    server = serve(answer(b"through"), context=context)
    proxy_context, proxy_ca = identify()
    # The proxy's own TLS: the system's authorities, and no file of session keys.
    monkeypatch.setenv("SSL_CERT_FILE", str(proxy_ca))
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    asked, passed_on = [], []

    def tunnel(client):
        asked.append(read_request(client)[0])
        client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        with socket.create_connection(("127.0.0.1", server.port)) as upstream:
            while True:
                for side in select.select([client, upstream], [], [])[0]:
                    data = side.recv(65536)
                    if not data:
                        return
                    passed_on.append(data)
                    (upstream if side is client else client).sendall(data)

    with Server(tunnel, context=proxy_context if scheme == "https" else None) as proxy:
        monkeypatch.setenv(
            "HTTPS_PROXY", f"{scheme}://me:plainly%40fake@127.0.0.1:{proxy.port}"
        )
        transport = transport_of(ca_file=ca_file)
        for _ in range(2):
            response = send(
                "https://api.example/a",
                headers=(("Authorization", CANARY),),
                method="POST",
                body=bytes(100_000),
                through=transport,
            )
        transport.close()

    assert response.body == b"through"
    assert not (tmp_path / "keys").exists()
    assert len(asked) == 1
    credentials = base64.b64encode(b"me:plainly@fake")
    assert b"Proxy-Authorization: Basic " + credentials in asked[0]
    assert CANARY.encode() not in asked[0] + b"".join(passed_on)
    assert len(server.requests) == 2
    assert b"proxy" not in server.requests[0].lower()
    assert b"Host: api.example\r\n" in server.requests[0]


@pytest.mark.parametrize("exception", ["192.0.2.1", "*", "a.example,192.0.2.1"])
def test_no_proxy_is_honoured(serve, answer, send, monkeypatch, exception):
    """A host of `NO_PROXY` is reached directly, or not at all."""
    proxy = serve(answer())
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", exception)

    with pytest.raises(OAuthMagicError):
        send("https://192.0.2.1/", timeout=0.3)

    assert proxy.connections == 0


@pytest.mark.parametrize(
    "proxy",
    [
        f"ftp://user:{CANARY}@127.0.0.1:9",
        f"http://user:{CANARY}@[::1",
        f"http://user:{CANARY}@127.0.0.1:port",
        f"socks5://user:{CANARY}@127.0.0.1:9",
        f"://{CANARY}",
    ],
)
def test_a_proxy_that_cannot_be_used_is_not_passed_by(send, shown, monkeypatch, proxy):
    """An error, for it is there for a reason; its password is not shown."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)

    with pytest.raises(ConnectionFailed) as failed:
        send("https://api.example/", timeout=0.5)

    assert failed.value.sent == "no"
    assert CANARY not in shown(failed.value)
