"""What only libcurl could do wrong: what it does by itself, and what it inherits."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import threading

import pytest
from wires import Server, engine_called, read_request

from oauthmagic.errors import TlsError
from oauthmagic.redaction import Secret
from oauthmagic.transport.engines import engine_for, has_curl
from oauthmagic.transport.http import HttpTransport
from oauthmagic.transport.wire import WireRequest

pytest.importorskip("pycurl")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def kind():
    """Only this library."""
    return "curl"


def run(code, **environ):
    """Run code in a process of its own, with this one's modules."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-500:]
    return done.stdout.strip()


KEYS = """
import sys
{first}
from wires import transport_called
from oauthmagic.transport.engines import has_curl
from oauthmagic.transport.wire import WireRequest
print(has_curl())
if has_curl():
    send = transport_called("curl")(ca_file=sys.argv[2] if sys.argv[2:] else None).send
"""


def test_the_keys_of_a_session_are_not_written_in_a_process_of_its_own(tmp_path):
    """Libcurl opens their file when it is loaded; it is loaded without the variable."""
    keys = str(tmp_path / "keys")

    shown = run(
        KEYS.format(first="") + "import os; print(os.environ['SSLKEYLOGFILE'])",
        SSLKEYLOGFILE=keys,
    )

    assert shown.split() == ["True", keys]
    assert not (tmp_path / "keys").exists()


def test_where_somebody_else_loaded_it_with_that_variable_it_is_not_used(tmp_path):
    """The keys of its sessions would be written: httpx sends instead."""
    shown = run(KEYS.format(first="import pycurl"), SSLKEYLOGFILE=str(tmp_path / "k"))

    assert shown == "False"


def test_the_fast_engine_is_chosen_for_what_goes_over_sockets(transport_of):
    """With its authorities; anything else is sent by threads."""
    transport = HttpTransport()
    engines = [engine_for(each, 2) for each in (transport, transport_of())]
    for engine in engines:
        engine.close()
    transport.close()

    assert has_curl()
    assert [type(each).__name__ for each in engines] == ["CurlEngine", "ThreadedEngine"]


def test_a_retry_of_its_own_is_stopped(serve, answer, transport):
    """Libcurl would send a request again where a kept connection turns out closed.

    An engine does not look at its connections first: whether the request was acted on
    is left open, for whoever knows whether it may be repeated.
    """
    server = serve(answer(), lambda _: [], answer())
    engine = engine_called("curl", 1, transport)
    seen = []
    for number in range(2):
        request = WireRequest(method="POST", url=server.url, body=b"once")
        engine.submit(number, request, timeout=5, limit=1000)
        seen += engine.poll(5)
    engine.close()

    assert seen[0].response.status == 200
    assert seen[1].error.sent == "unknown"
    assert len(server.requests) == 2


def test_a_client_certificate_is_shown(serve, answer, identify, transport_of):
    """As PEM text; and what is none is refused before anything is sent."""
    context, ca_file = identify()
    pem = (ca_file.parent / "server.pem").read_text()
    at = pem.index("-----BEGIN PRIVATE KEY")
    certificate, private_key = Secret(pem[:at]), Secret(pem[at:])
    context.load_verify_locations(ca_file)
    context.verify_mode = ssl.CERT_REQUIRED
    # Under TLS 1.3 what is wrong may be lost with the connection.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    server = serve(answer(b"shown"), context=context)

    def send(**more):
        transport = transport_of(ca_file=ca_file, **more)
        try:
            request = WireRequest(method="GET", url=server.url)
            return transport.send(request, timeout=5, limit=1000).body
        finally:
            transport.close()

    assert send(certificate=certificate, private_key=private_key) == b"shown"
    with pytest.raises(TlsError, match="cannot be used"):
        send(certificate=certificate, private_key=Secret("plainly fake, no key"))
    with pytest.raises(TlsError) as refused:
        send()
    assert "client certificate" in refused.value.hint
    assert len(server.requests) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_leaves_the_connections_of_its_parent_alone(
    identify, transport_of
):
    """It opens its own, and ends without a farewell on those of the parent."""
    context, ca_file = identify()
    opened = []

    def talk(connection):
        opened.append(threading.get_ident())
        rest = b""
        while True:
            request, rest = read_request(connection, rest)
            if not request:
                return
            connection.sendall(OK)

    with Server(talk, context=context) as server:
        transport = transport_of(ca_file=ca_file)
        request = WireRequest(method="GET", url=server.url)

        def send():
            return transport.send(request, timeout=5, limit=1000).status

        assert send() == 200
        child = os.fork()
        if child == 0:
            status = send()
            transport.close()
            del transport
            os._exit(0 if status == 200 else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert send() == 200
        transport.close()

    assert len(opened) == 2
