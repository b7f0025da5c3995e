"""A token endpoint may repeat what it was sent, in any form: it is not shown.

Through a `Session`, with a provider of one's own, over sockets. What else a token
endpoint may answer is in `tests/hostile`.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import html
import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from leaks import shown

import oauthmagic
from oauthmagic import errors

# Each encoding writes these in its own way.
CLIENT_SECRET = 'plainly-fake-secret/+%41 &é"\\<:'
PASSWORD = 'plainly-fake-password/+%41 &é"\\<:'
OLD = {
    "access_token": "plainly-fake-old-access.0123456789/+=",
    "refresh_token": "plainly-fake-old-refresh.9876543210/+=",
    "expires_in": 300,
}
SECRETS = {
    "client_credentials": [CLIENT_SECRET],
    "password": [CLIENT_SECRET, PASSWORD],
    "refresh_token": [CLIENT_SECRET, OLD["refresh_token"]],
}
PROVIDER = """
[provider]
name = "acme"
grants = ["client_credentials", "password", "refresh_token"]
default_grant = "{grant}"
token_endpoint_auth_method = "{method}"

[environments.sandbox]
token_endpoint = "{url}/token"
api_base = "{url}/api"
"""
JSON = {"Content-Type": "application/json"}


class Endpoint(ThreadingHTTPServer):
    """Gives every request the same answer: status, headers, and a body or its maker."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.answer = (200, JSON, b"")
        self.requests = []


class Handler(BaseHTTPRequestHandler):
    """Keeps what came and gives the answer."""

    def do_POST(self):
        """Answer."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.headers.get("Authorization", ""), body))
        status, headers, content = self.server.answer
        if callable(content):
            content = content(*self.server.requests[-1])
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        # The client may have seen enough.
        with contextlib.suppress(OSError):
            self.wfile.write(content)

    do_GET = do_POST  # noqa: N815 - the library's name

    def log_message(self, *_):
        """Log nothing."""


@pytest.fixture
def endpoint():
    """Serve on a free port."""
    server = Endpoint()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=SECRETS)
def grant(request):
    """Perform each grant."""
    return request.param


@pytest.fixture
def method():
    """Authenticate the client in the way that the standard prefers."""
    return "client_secret_basic"


@pytest.fixture
def session(endpoint, tmp_path, grant, method):
    """Know the provider; for a refresh, hold a token already."""
    path = tmp_path / "acme.toml"
    default = "client_credentials" if grant == "refresh_token" else grant
    path.write_text(PROVIDER.format(grant=default, method=method, url=endpoint.url))
    session = oauthmagic.Session()
    with contextlib.closing(session):
        session.add(path)
        if grant == "refresh_token":
            session.adopt("acme", OLD, credentials=credentials())
        yield session


def credentials():
    """Return credentials that no frame of a test keeps."""
    return {
        "client_id": "analyst",
        "client_secret": CLIENT_SECRET,
        "username": "zoé",
        "password": PASSWORD,
    }


@pytest.fixture
def perform(session, grant, caplog):
    """Ask for a token, and return the error with all that it and the logs show."""
    caplog.set_level(1)

    def perform():
        before = session.tokens()
        if grant == "refresh_token":
            ask = functools.partial(session.refresh, "acme")
        else:
            ask = functools.partial(session.token, "acme", credentials=credentials())
        with pytest.raises(errors.OAuthMagicError) as raised:
            ask()
        columns = ["target", "grant", "scopes", "issued", "expires", "fingerprint"]
        after = session.tokens()
        assert after[columns].equals(before[columns])
        assert len(after) == (grant == "refresh_token")
        logged = [f"{vars(record)}" for record in caplog.records]
        return raised.value, "\n".join([shown(raised.value), caplog.text, *logged])

    return perform


def forms_of(secret):
    """Return a secret in the forms that a server may echo, by name."""
    raw = secret.encode()
    return {
        "plain": secret,
        "quoted": json.dumps(secret),
        "quoted, not ASCII": json.dumps(secret, ensure_ascii=False),
        "quoted by PHP": json.dumps(secret).replace("/", "\\/"),
        "percent": urllib.parse.quote(secret, safe=""),
        "percent, lower case": urllib.parse.quote(secret, safe="").lower(),
        "form": urllib.parse.quote_plus(secret),
        "markup": html.escape(secret),
        "base64": base64.b64encode(raw).decode(),
        "base64url": base64.urlsafe_b64encode(raw).decode().rstrip("="),
        "base64 of a pair": base64.b64encode(b"analyst:" + raw).decode(),
        "base64 of a user": base64.b64encode(b"user=" + raw + b";").decode(),
        "hexadecimal": raw.hex(),
        "reversed": secret[::-1],
        "repr": repr(secret),
    }


FORMS = list(forms_of(""))


@pytest.mark.parametrize("form", FORMS)
def test_an_error_that_echoes_a_secret_does_not_show_it(endpoint, perform, grant, form):
    """In whatever form it is written, and wherever in the answer it stands."""
    echoes = [forms_of(secret)[form] for secret in SECRETS[grant]]
    said = f"You sent {' and '.join(echoes)}, which is wrong"
    members = {
        "error": "invalid_request",
        "error_description": said,
        "error_uri": f"https://id.example/?about={echoes[0]}",
        "hint": said,
    }
    headers = JSON | {"X-Echo": urllib.parse.quote(said)}
    endpoint.answer = (400, headers, json.dumps(members).encode())

    error, text = perform()

    assert isinstance(error, errors.InvalidRequest | errors.LoginRequired)
    assert len(endpoint.requests) == 1
    for echo in echoes:
        assert echo not in text
        # Most of it would be enough.
        assert echo[4:-4] not in text


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_an_error_that_echoes_the_whole_request_does_not_show_it(
    endpoint, perform, grant
):
    """Its Authorization header and its body, as a debugging proxy would."""

    def echo(authorization, body):
        said = f"{authorization.partition(' ')[2]} {authorization} {body.decode()}"
        return json.dumps(
            {"error": "invalid_grant", "error_description": said}
        ).encode()

    endpoint.answer = (400, JSON, echo)

    error, text = perform()

    ((authorization, _),) = endpoint.requests
    basic = authorization.partition(" ")[2]
    assert isinstance(error, errors.InvalidGrant | errors.LoginRequired)
    assert not basic or basic[8:] not in text
    for secret in SECRETS[grant]:
        assert urllib.parse.quote_plus(secret)[4:] not in text
        assert secret[4:] not in text


def test_the_search_finds_what_it_looks_for(session):
    """A test that finds nothing must be able to find something."""
    for place in ("message", "hint", "a frame's variable"):
        with pytest.raises(errors.OAuthMagicError) as raised:
            session.show(f"{PASSWORD}" if place == "a frame's variable" else "nobody")
        if place == "message":
            raised.value.args = (PASSWORD,)
        elif place == "hint":
            raised.value.hint = PASSWORD

        assert PASSWORD in shown(raised.value) or repr(PASSWORD) in shown(raised.value)
