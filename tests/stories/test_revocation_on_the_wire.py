"""Revocation and introspection over sockets: no redirect, no network, a slow server."""

from __future__ import annotations

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import oauthmagic
from oauthmagic.errors import (
    ConnectionFailed,
    DeadlineExceeded,
    RevocationFailed,
    UnexpectedRedirect,
)

PROVIDER = """
[provider]
name = "acme"
grants = ["client_credentials", "refresh_token"]

[environments.sandbox]
token_endpoint = "{url}/token"
revocation_endpoint = "{url}/revoke"
introspection_endpoint = "{url}/introspect"
api_base = "{url}/api"
"""
TOKENS = {
    "access_token": "plainly-fake-access",
    "refresh_token": "plainly-fake-refresh",
    "expires_in": 300,
}
CLIENT = {"client_id": "me", "client_secret": "plainly-fake-secret"}


class Handler(BaseHTTPRequestHandler):
    """Sends everything on to another origin."""

    def do_POST(self):
        """Answer with the redirect, or count what came."""
        self.server.came.append(self.path)
        if self.server.hangs:
            self.server.end.wait(3)
            return
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.server.status)
        self.send_header("Location", f"{self.server.elsewhere}{self.path}")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "16")
        self.end_headers()
        self.wfile.write(b'{"active": true}')

    do_GET = do_POST  # noqa: N815 - the library's name

    def log_message(self, *_):
        """Log nothing."""


@contextlib.contextmanager
def serving():
    """Serve on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{server.server_port}"
    server.came, server.status, server.elsewhere = [], 200, ""
    server.hangs, server.end = False, threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.end.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def evil():
    """Be the origin that nothing may reach."""
    with serving() as server:
        yield server


@pytest.fixture
def server(evil):
    """Be the provider, and lead there."""
    with serving() as server:
        server.elsewhere = evil.url
        yield server


@pytest.fixture
def session(server, tmp_path):
    """Hold a token of the provider's."""
    path = tmp_path / "acme.toml"
    path.write_text(PROVIDER.format(url=server.url))
    with contextlib.closing(oauthmagic.Session()) as session:
        session.add(path)
        session.adopt("acme", TOKENS, credentials=CLIENT)
        yield session


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_revocation_and_introspection_follow_no_redirect(session, server, evil, status):
    """The other origin hears nothing, and the user is told."""
    server.status = status

    with pytest.raises(UnexpectedRedirect):
        session.introspect("acme")
    with pytest.raises(RevocationFailed) as failed:
        session.revoke("acme")

    assert evil.came == []
    assert server.came == ["/introspect", "/revoke", "/revoke"]
    kinds = {type(error) for error in failed.value.not_revoked.values()}
    assert kinds == {UnexpectedRedirect}
    assert "plainly-fake" not in f"{failed.value} {failed.value.hint}"


def test_without_a_network_the_report_is_the_same(session, server, evil):
    """Nothing listens any more: both were tried, and the token is forgotten."""
    server.shutdown()
    server.server_close()

    with pytest.raises(RevocationFailed) as failed:
        session.revoke("acme")

    kinds = {kind: type(error) for kind, error in failed.value.not_revoked.items()}
    assert kinds == {
        "refresh_token": ConnectionFailed,
        "access_token": ConnectionFailed,
    }
    assert "access token ends at" in failed.value.hint
    assert session.tokens().empty
    assert evil.came == []


def test_a_server_that_never_answers_has_a_deadline(session, server):
    """One for each token; then it is said that nobody knows what became of it."""
    server.hangs = True
    session.configure(timeout=0.3)

    with pytest.raises(RevocationFailed) as failed:
        session.revoke("acme")

    reasons = [*failed.value.not_revoked.values()]
    assert [type(error) for error in reasons] == [DeadlineExceeded] * 2
    assert {error.sent for error in reasons} == {"unknown"}
    assert server.came == ["/revoke", "/revoke"]
