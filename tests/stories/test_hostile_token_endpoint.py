"""A token endpoint may answer what it wants: nothing of it is kept, nothing shown.

Through a `Session`, with a provider of one's own, over sockets.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import gzip
import html
import json
import threading
import traceback
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

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
NEW = {
    "access_token": "plainly-fake-new-access.0123456789/+=",
    "refresh_token": "plainly-fake-new-refresh.9876543210/+=",
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
HTML = {"Content-Type": "text/html"}


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


def shown(error):
    """Return all that an error shows, with the variables of the package's frames."""
    frames = error.__traceback__
    while not frames.tb_frame.f_code.co_filename.startswith(oauthmagic.__path__[0]):
        frames = frames.tb_next
    parts = [str(error), repr(error), error.hint, *getattr(error, "__notes__", ())]
    parts += [repr(vars(error)), repr(error.args)]
    seen = error
    while seen is not None:
        tb = frames if seen is error else seen.__traceback__
        parts += traceback.TracebackException(
            type(seen), seen, tb, capture_locals=True
        ).format()
        seen = seen.__cause__ or seen.__context__
    return "\n".join(parts)


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
OUTCOMES = {
    "a login page": (200, HTML, b"<html>Log in", "InvalidTokenResponse"),
    "nothing": (200, JSON, b"", "InvalidTokenResponse"),
    "null": (200, JSON, b"null", "InvalidTokenResponse"),
    "a list": (200, JSON, json.dumps([NEW]).encode(), "InvalidTokenResponse"),
    "half": (200, JSON, json.dumps(NEW).encode()[:60], "InvalidTokenResponse"),
    "no access_token": (
        *(200, JSON),
        json.dumps({"refresh_token": NEW["refresh_token"]}).encode(),
        "InvalidTokenResponse",
    ),
    "no token_type": (200, JSON, json.dumps(NEW).encode(), "InvalidTokenResponse"),
    "expires_in true": (
        *(200, JSON),
        json.dumps(NEW | {"token_type": "Bearer", "expires_in": True}).encode(),
        "InvalidTokenResponse",
    ),
    "a token with a line break": (
        *(200, JSON),
        json.dumps(
            NEW | {"access_token": "plainly-fake\r\nX: 1", "token_type": "Bearer"}
        ).encode(),
        "InvalidTokenResponse",
    ),
    "5 MB": (
        *(200, JSON),
        json.dumps(NEW | {"token_type": "Bearer", "more": "a" * 5_000_000}).encode(),
        "ResponseRefused",
    ),
    "100 MB as gzip": (
        *(200, JSON | {"Content-Encoding": "gzip"}),
        gzip.compress(bytes(100_000_000), 1),
        "ResponseRefused",
    ),
    "two codings": (
        *(200, JSON | {"Content-Encoding": "gzip, gzip"}),
        gzip.compress(gzip.compress(json.dumps(NEW).encode())),
        "ResponseRefused",
    ),
    "a redirect": (307, {"Location": "/elsewhere"}, b"", "UnexpectedRedirect"),
    "a redirect with a token": (
        *(302, JSON | {"Location": "/elsewhere"}),
        json.dumps(NEW | {"token_type": "Bearer"}).encode(),
        "UnexpectedRedirect",
    ),
    "a page for a broken server": (500, HTML, b"<html>Traceback", "OAuthError"),
    "a token with 500": (
        *(500, JSON),
        json.dumps(NEW | {"token_type": "Bearer"}).encode(),
        "OAuthError",
    ),
    "too many requests": (429, HTML | {"Retry-After": "1"}, b"", "RateLimited"),
    "the client is not known": (
        *(401, JSON),
        b'{"error": "invalid_client"}',
        "InvalidClient",
    ),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_what_is_no_token_response_is_an_error_and_nothing_is_kept(
    endpoint, perform, name
):
    """One request, a typed error; no new token anywhere, and the old one is kept."""
    *answer, expected = OUTCOMES[name]
    endpoint.answer = tuple(answer)

    error, text = perform()

    assert type(error) is getattr(errors, expected)
    assert error.hint or expected in ("OAuthError", "ResponseRefused")
    assert len(endpoint.requests) == 1
    assert "plainly-fake" not in text
    assert "<html>" not in str(error) + error.hint


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
