"""No byte of a request goes to a server whose identity cannot be verified."""

from __future__ import annotations

import ssl
import warnings
from datetime import UTC, datetime

import pytest

from oauthmagic.errors import TlsError
from oauthmagic.sandbox.serving import serve as serve_sandbox
from oauthmagic.transport.http import HttpTransport

SECRET = (("Authorization", "Bearer plainly-fake-token"),)


@pytest.fixture
def ask(send, transport_of):
    """Send a request that trusts the authorities in a file only."""
    transports = []

    def ask(url, ca_file):
        transports.append(transport_of(ca_file=ca_file))
        return send(url, headers=SECRET, through=transports[-1], timeout=3)

    yield ask
    for transport in transports:
        transport.close()


def test_a_private_authority_is_accepted_from_its_file(serve, answer, identify, ask):
    """As `ca_file` of a provider says."""
    context, ca_file = identify()
    server = serve(answer(b"trusted"), context=context)

    assert ask(server.url, ca_file).body == b"trusted"
    assert ask(server.url, str(ca_file)).body == b"trusted"


def test_the_served_sandbox_is_accepted(ask):
    """By its address and by its name."""

    def hello(_, start_response):
        start_response("200 OK", [("Content-Length", "5")])
        return [b"hello"]

    with serve_sandbox(hello, clock=lambda: datetime.now(UTC)) as server:
        by_address = ask(server.url, server.ca_file)
        by_name = ask(server.url.replace("127.0.0.1", "localhost"), server.ca_file)

    assert (by_address.body, by_name.body) == (b"hello", b"hello")


@pytest.mark.parametrize(
    ("certificate", "why"),
    [
        ({"names": ("api.example", "localhost")}, "mismatch|not valid for"),
        ({"names": ("127.0.0.2",)}, "mismatch|not valid for"),
        ({"valid_from": -9}, "expired"),
        ({"valid_from": +9}, "not yet valid"),
        ({"self_signed": True}, "self-signed"),
    ],
    ids=["another name", "another address", "expired", "too early", "self-signed"],
)
def test_a_wrong_certificate_is_refused(
    serve, answer, identify, ask, shown, certificate, why
):
    """The message says what is wrong with it; nothing was sent."""
    context, ca_file = identify(**certificate)
    server = serve(answer(), context=context)

    with pytest.raises(TlsError, match=why) as refused:
        ask(server.url, ca_file)

    assert refused.value.sent == "no"
    assert "ca_file" in refused.value.hint
    assert not str(refused.value).endswith("..")
    assert server.requests == []
    assert "plainly-fake-token" not in shown(refused.value)


@pytest.mark.parametrize("trusted", [True, False], ids=["another's", "the system's"])
def test_an_unknown_authority_is_refused(serve, answer, identify, ask, trusted):
    """Neither by the system's authorities nor by somebody else's."""
    context, _ = identify()
    _, another = identify()
    server = serve(answer(), context=context)

    with pytest.raises(TlsError, match="certificate was refused"):
        ask(server.url, another if trusted else None)

    assert server.requests == []


def test_an_authority_of_ones_own_is_the_only_one(identify):
    """With `ca_file`, none of the system's authorities can vouch for the server."""
    _, ca_file = identify()
    transport = HttpTransport(ca_file=ca_file)

    transport._pool("https://127.0.0.1/")

    assert transport._context.cert_store_stats()["x509_ca"] == 1
    transport.close()


def test_old_versions_of_tls_are_refused(serve, answer, identify, ask):
    """RFC 8996: TLS 1.0 and 1.1 must not be used."""
    context, ca_file = identify()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    server = serve(answer(), context=context)

    with pytest.raises(TlsError) as refused:
        ask(server.url, ca_file)

    assert refused.value.sent == "no"
    assert server.requests == []


@pytest.mark.parametrize("content", [None, b"", b"not PEM", b"\x00\xff"])
def test_a_file_without_authorities_is_refused(serve, answer, ask, tmp_path, content):
    """It never falls back to trusting more."""
    server = serve(answer())
    ca_file = tmp_path / "ca.pem"
    if content is not None:
        ca_file.write_bytes(content)

    with pytest.raises(TlsError, match="cannot be read as PEM"):
        ask(server.url, ca_file)

    assert server.connections == 0


def test_the_keys_of_a_session_are_not_written(
    serve, answer, identify, ask, tmp_path, monkeypatch
):
    """`SSLKEYLOGFILE` would let whoever reads the file read the traffic."""
    log = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))
    context, ca_file = identify()
    server = serve(answer(), context=context)

    assert ask(server.url, ca_file).status == 200
    assert not log.exists()
