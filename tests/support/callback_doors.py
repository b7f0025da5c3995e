"""Logins that wait behind both doors, and requests as they may come to them."""

from __future__ import annotations

import json
import socket
import threading
import tomllib
import urllib.parse
from pathlib import Path

import pytest

from oauthmagic import Session, UserActionRequired
from oauthmagic.oauth.callbacks import key_of
from oauthmagic.providers.environments import SandboxEnvironment
from oauthmagic.providers.provider import Provider
from oauthmagic.transport.wire import WireResponse

ISSUER = "https://id.acme.example"
CASES = tomllib.loads(
    Path(__file__).with_name("callback_requests.toml").read_text(encoding="utf-8")
)["case"]
ACME = Provider(
    name="acme",
    title="Acme",
    grants=("authorization_code", "refresh_token"),
    default_grant="authorization_code",
    token_endpoint_auth_method="none",
    environments={
        "sandbox": SandboxEnvironment(
            token_endpoint=f"{ISSUER}/token",
            api_base="https://api.acme.example",
            endpoints={
                "issuer": ISSUER,
                "authorization_endpoint": f"{ISSUER}/authorize",
            },
        )
    },
)


class TokenEndpoint:
    """A transport that gives a token to whoever asks, and keeps what it was sent."""

    def __init__(self):
        self.forms = []

    def send(self, request, *, timeout, limit):  # noqa: ARG002
        """Answer one token request."""
        self.forms.append(dict(urllib.parse.parse_qsl(request.body.decode())))
        body = {"access_token": "fake-token-1", "token_type": "Bearer"}
        return WireResponse(
            status=200,
            headers=(("content-type", "application/json"),),
            body=json.dumps(body).encode(),
        )


class Login:
    """A login that waits, and what was told of it."""

    def __init__(self, redirect_uri, environ):
        self.endpoint = TokenEndpoint()
        self.session = Session(environ=environ, transport=self.endpoint)
        self.session.add(ACME)
        credentials = {"client_id": "me", "redirect_uri": redirect_uri}
        with pytest.raises(UserActionRequired) as asked:
            self.session.token("acme", credentials=credentials)
        self.pending = asked.value.pending
        query = urllib.parse.urlsplit(self.pending.url).query
        self.asked = dict(urllib.parse.parse_qsl(query))
        self.told, self.over = [], threading.Event()
        self.session.watch(self.pending.target, self._tell)

    def _tell(self, outcome, goes_on):
        self.told.append((outcome, goes_on))
        if not goes_on:
            self.over.set()

    def filled(self, text, path):
        """Return a request with the values of this login in its places."""
        state = self.asked["state"]
        names = {
            "STATE_ENCODED": f"%{ord(state[0]):02X}{state[1:]}",
            "STATE_CUT": state[:-1],
            "STATE_SWAPPED": state.swapcase(),
            "STATE": state,
            "KEY": key_of(state),
            "ISSUER": ISSUER,
            "PATH_ENCODED": f"{path[:-1]}%{ord(path[-1]):02X}",
            "PATH": path,
            "LONG": "a" * 9000,
            "PARAMETERS": "".join(f"&p{number}=1" for number in range(60)),
        }
        for name, value in names.items():
            text = text.replace(f"@{name}@", value)
        return text

    def good(self, **more):
        """Return the target of the right answer."""
        path = urllib.parse.urlsplit(self.asked["redirect_uri"]).path
        given = {"state": self.asked["state"], "code": "c0de", "iss": ISSUER} | more
        return f"{path}?{urllib.parse.urlencode(given)}"


def send(port, request, *, host=None, headers=()):
    """Send one request as it is; return status line, headers and body as they came."""
    host = f"127.0.0.1:{port}" if host is None else host
    lines = [f"{request} HTTP/1.1", *([f"Host: {host}"] if host else []), *headers]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        text = "\r\n".join([*lines, "Connection: close", "", ""])
        connection.sendall(text.encode())
        got = b""
        while not whole(got):
            try:
                more = connection.recv(65536)
            except ConnectionResetError:
                break
            if not more:
                break
            got += more
    head, _, body = got.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    return first, [tuple(line.split(": ", 1)) for line in lines], body


def whole(got):
    """Return whether a response with a Content-Length is there."""
    head, blank, body = got.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if blank and line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
    return False
