"""The simulator over a real TLS socket, asked with the standard library."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import stat
import threading
import urllib.parse
from datetime import UTC, datetime
from pathlib import Path

import pytest

from oauthmagic.errors import CommandError
from oauthmagic.sandbox.revsto import TOKEN_PATH, RevstoSimulator
from oauthmagic.sandbox.serving import serve

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BODY = urllib.parse.urlencode({"grant_type": "password", **RevstoSimulator.CREDENTIALS})


def real_clock():
    """Return the real time: TLS clients know no other."""
    return datetime.now(UTC)


@pytest.fixture
def server(simulator):
    """Serve the simulator on a free port."""
    with serve(simulator.wsgi_app, clock=real_clock) as server:
        yield server


def port_of(server):
    """Return the port that a server listens on."""
    return urllib.parse.urlsplit(server.url).port


def trusting(server):
    """Return the TLS settings of a client that trusts this server only."""
    context = ssl.create_default_context(cafile=server.ca_file)
    # The default from Python 3.13 on.
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def ask(server, method, path, body=None, headers=None, host="127.0.0.1"):
    """Send one request over a new connection; return status, headers, body."""
    connection = http.client.HTTPSConnection(
        host, port_of(server), context=trusting(server), timeout=5
    )
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def test_the_simulator_answers_over_tls(server):
    """The same answers as in process."""
    status, headers, body = ask(server, "POST", TOKEN_PATH, BODY, FORM)
    held = json.loads(body)
    authorized = {"Authorization": f"Bearer {held['access_token']}"}
    _, _, rows = ask(server, "GET", "/api/distributor/v1/products", None, authorized)

    assert status == 200
    assert headers["Cache-Control"] == "no-store"
    assert json.loads(rows)["items"][0]["id"] == "235"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_it_is_reached_by_its_own_names(server, host):
    """Address and name are both in the certificate and both accepted as Host."""
    status, _, _ = ask(server, "POST", TOKEN_PATH, BODY, FORM, host)

    assert status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "localhost:1", "", "127.0.0.1.evil.example"]
)
def test_a_request_for_another_host_is_misdirected(server, simulator, host):
    """RFC 9110, 15.5.20; a page elsewhere cannot rebind its name to reach us."""
    status, _, body = ask(server, "POST", TOKEN_PATH, BODY, {**FORM, "Host": host})

    assert status == 421
    assert b"access_token" not in body
    assert simulator.requests == []


def test_an_absolute_target_names_the_host(server, simulator):
    """RFC 9112, section 3.2.2: it counts instead of the Host header."""
    status, _, _ = ask(server, "GET", f"https://evil.example{TOKEN_PATH}")

    assert status == 421
    assert simulator.requests == []


def test_a_script_of_another_origin_gets_no_permission(server):
    """There is no CORS header, asked for or not."""
    preflight = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "POST",
    }
    for method in ("OPTIONS", "POST"):
        _, headers, _ = ask(server, method, TOKEN_PATH, None, preflight)

        assert not [name for name in headers if name.lower().startswith("access-")]


def test_a_client_that_does_not_trust_it_is_not_served(server, simulator):
    """The authority is nobody's but this server's; nothing is said about it."""
    strangers = ssl.create_default_context()
    with (
        socket.create_connection(("127.0.0.1", port_of(server)), timeout=5) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        strangers.wrap_socket(plain, server_hostname="127.0.0.1")
    assert simulator.requests == []


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_old_versions_of_tls_are_refused(server):
    """TLS 1.2 is the oldest (RFC 8996)."""
    old = trusting(server)
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", port_of(server)), timeout=5) as plain,
        pytest.raises(ssl.SSLError),
    ):
        old.wrap_socket(plain, server_hostname="127.0.0.1")


def test_plain_http_gets_no_answer(server, simulator):
    """Nothing is sent in the clear."""
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=5) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")

        assert not plain.recv(100).startswith(b"HTTP")
    assert simulator.requests == []


def test_nothing_is_logged(server, capfd, caplog):
    """Neither a good request, nor a bad one, nor one that breaks off."""
    ask(server, "POST", TOKEN_PATH, BODY, FORM)
    ask(server, "GET", "/not-a-secret?token=not-a-secret")
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=5) as plain:
        plain.sendall(b"not TLS at all\r\n\r\n")
        plain.recv(100)
    server.close()

    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_its_files_are_private_and_go_with_it(simulator):
    """The directory is ours alone, the key is gone at once, the rest on close."""
    with serve(simulator.wsgi_app, clock=real_clock) as server:
        ca_file = Path(server.ca_file)

        assert stat.S_IMODE(ca_file.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(ca_file.stat().st_mode) == 0o600
        assert list(ca_file.parent.iterdir()) == [ca_file]
        assert b"PRIVATE" not in ca_file.read_bytes()
    assert not ca_file.parent.exists()


def test_silent_connections_block_neither_others_nor_the_end(server):
    """One says nothing, one stops after its handshake, one amid its request."""
    port = port_of(server)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5),
        socket.create_connection(("127.0.0.1", port), timeout=5) as second,
        socket.create_connection(("127.0.0.1", port), timeout=5) as third,
        trusting(server).wrap_socket(second, server_hostname="127.0.0.1"),
        trusting(server).wrap_socket(third, server_hostname="127.0.0.1") as talking,
    ):
        talking.sendall(b"POST / HTTP/1.1\r\nContent-Le")
        status, _, _ = ask(server, "POST", TOKEN_PATH, BODY, FORM)

        assert status == 200

        closing = threading.Thread(target=server.close)
        closing.start()
        closing.join(5)

        assert not closing.is_alive()


def test_closed_it_no_longer_listens(server):
    """The port is free; closing again does no harm."""
    server.close()
    server.close()

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port_of(server)), timeout=5)


@pytest.mark.parametrize(
    "host",
    [
        "0.0.0.0",  # noqa: S104 - it is refused
        "127.0.0.2",
        "192.0.2.1",
        "example.com",
        "",
    ],
)
def test_it_listens_on_this_machine_only(simulator, host):
    """A simulator is nobody else's business."""
    with pytest.raises(CommandError):
        serve(simulator.wsgi_app, clock=real_clock, host=host)


def test_a_port_that_is_taken_is_said_so(simulator, server):
    """An error with a hint, not the end of the program."""
    with pytest.raises(CommandError, match="cannot listen"):
        serve(simulator.wsgi_app, clock=real_clock, port=port_of(server))
