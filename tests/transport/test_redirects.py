"""A server that leads elsewhere: status x method x where to x what would be told there.

Everything goes over real sockets and real TLS. The names are real as well, for the
proxy of the environment leads each to a server here: those of the provider to one, and
every other name, port and scheme to one that writes down all that it gets.
"""

from __future__ import annotations

import itertools
import select
import socket
import ssl
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest
from scales import scaled
from wires import Server, read_request

from oauthmagic import Session
from oauthmagic.errors import (
    OAuthError,
    OAuthMagicError,
    RequestSyntaxError,
    UrlRefused,
)

STATUSES = (301, 302, 303, 307, 308)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
HERE = "https://api.shop.example"
THERE = {
    "same origin": f"{HERE}/landed",
    "other port": f"{HERE}:8443/landed",
    "other host": "https://evil.example/landed",
    "subdomain": "https://a.api.shop.example/landed",
    "http": "http://api.shop.example/landed",
    "user name": f"{HERE}@evil.example/landed",
    "two slashes": "//evil.example/landed",
    "this machine": "https://127.0.0.1:{port}/landed",
    "there and back": "https://evil.example/back",
}
TOKEN = "plainly-fake-token-0123456789"
CANARY = "plainly-fake-canary-9876543210"
SECRETS = (TOKEN.encode(), CANARY.encode())
PLACES = ("Authorization", "header", "cookie", "query", "body", "certificate")
CASES = list(itertools.product(STATUSES, METHODS, THERE, PLACES))
PROVIDER = f"""
[provider]
name = "shop"
grants = ["client_credentials", "refresh_token"]
token_endpoint_auth_method = "client_secret_basic"
[environments.sandbox]
token_endpoint = "{HERE}/token"
revocation_endpoint = "{HERE}/revoke"
api_base = "{HERE}"
ca_file = "ca.pem"
"""


class Stranger:
    """Another origin: keeps everything that comes, encrypted or not.

    Attributes:
        heard: What came, in clear; a client's certificate, too.
    """

    def __init__(self, context):
        context.verify_mode = ssl.CERT_OPTIONAL
        self._context = context
        self.heard = []

    def talk(self, connection):
        """Keep what a client says, and lead it back."""
        first = connection.recv(1, socket.MSG_PEEK)
        self.heard.append(b"a connection")
        if first == b"\x16":
            with self._context.wrap_socket(connection, server_side=True) as secured:
                if secured.getpeercert(binary_form=True):
                    self.heard.append(CANARY.encode())
                self._listen(secured)
        else:
            self._listen(connection)

    def _listen(self, connection):
        while received := connection.recv(65536):
            self.heard.append(received)
            connection.sendall(
                f"HTTP/1.1 307 Back\r\nLocation: {HERE}/landed\r\n"
                "Content-Length: 0\r\n\r\n".encode()
            )


class Here:
    """The provider: gives tokens, and leads where the path says.

    Attributes:
        landed: The requests that were led to where they were.
        certificates: How many connections showed one.
    """

    def __init__(self):
        self.landed = []
        self.certificates = 0
        self.elsewhere = {}
        self.token_endpoint_leads = None

    def talk(self, connection):
        """Answer request after request."""
        self.certificates += connection.getpeercert(binary_form=True) is not None
        rest = b""
        while True:
            request, rest = read_request(connection, rest)
            if not request:
                return
            method, target = request.decode("latin-1").split(" ", 2)[:2]
            connection.sendall(self._answer(method, target, request))

    def _answer(self, method, target, request):
        parts = target.partition("?")[0].split("/")
        led = self.token_endpoint_leads
        if parts[1] == "go":
            led = (parts[2], parts[3].replace("%20", " "))
        elif parts[1] == "landed":
            self.landed.append(request)
            led = None
        if led is not None:
            status, where = led
            head = f"HTTP/1.1 {status} Go\r\nLocation: {self.elsewhere[where]}\r\n"
            return f"{head}Content-Length: 0\r\n\r\n".encode()
        body = (
            f'{{"access_token": "{TOKEN}", "token_type": "Bearer", "expires_in": 3600}}'
        )
        head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(body)}\r\n\r\n"
        return f"{head}{'' if method == 'HEAD' else body}".encode()


def switchboard(here, there):
    """Return a proxy's handler: the provider's name leads here, all others there."""

    def connect(client):
        first = client.recv(65536, socket.MSG_PEEK)
        if not first.startswith(b"CONNECT "):
            there.talk(client)
            return
        named = read_request(client)[0].split(b" ")[1]
        client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        if named != b"api.shop.example:443":
            there.talk(client)
            return
        with socket.create_connection(("127.0.0.1", here.port)) as upstream:
            upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                for side in select.select([client, upstream], [], [])[0]:
                    data = side.recv(65536)
                    if not data:
                        return
                    (upstream if side is client else client).sendall(data)

    return connect


class World:
    """Both origins, and sessions that know the provider."""

    def __init__(self, folder, identify, monkeypatch):
        names = ("api.shop.example", "a.api.shop.example", "evil.example", "127.0.0.1")
        context, ca_file = identify(names)
        _, client_ca = identify(("client",))
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_OPTIONAL
        (folder / "ca.pem").write_text(Path(ca_file).read_text())
        (folder / "shop.toml").write_text(PROVIDER)
        self._file = folder / "shop.toml"
        self._certificate = Path(client_ca).with_name("server.pem").read_text()
        self.here, self.there = Here(), Stranger(context)
        self._servers = [
            Server(self.here.talk, context=context).__enter__(),
            Server(self.there.talk).__enter__(),
        ]
        self._servers.append(
            Server(switchboard(self._servers[0], self.there)).__enter__()
        )
        self.here.elsewhere = {
            name: url.format(port=self._servers[1].port) for name, url in THERE.items()
        }
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, self._servers[2].url)
        self.plain = self._session()
        self.certified = self._session(
            certificate=self._certificate, private_key=self._certificate
        )

    def _session(self, **more):
        session = Session(environ={})
        session.add(self._file)
        credentials = {"client_id": "me", "client_secret": CANARY, **more}
        session.token("shop", credentials=credentials)
        return session

    def session(self, place):
        """Return the session for a place of the credential."""
        return self.certified if place == "certificate" else self.plain

    def close(self):
        """End everything."""
        for session in (self.plain, self.certified):
            session.close()
        for server in reversed(self._servers):
            server.__exit__()

    def check_nothing_told(self):
        """Nobody but the provider was even connected to."""
        heard = b"\n".join(self.there.heard)
        assert not any(secret in heard for secret in SECRETS)
        assert self.there.heard == []


@pytest.fixture
def world(tmp_path, identify, monkeypatch):
    """Two origins."""
    world = World(tmp_path, identify, monkeypatch)
    yield world
    world.close()


def parts_of(case):
    """Return path, headers and body of a case's request."""
    status, method, where, place = case
    path = f"/go/{status}/{where.replace(' ', '%20')}"
    path += f"?key={CANARY}" if place == "query" else ""
    headers = {"X-API-Key": CANARY} if place == "header" else {}
    body = f"key={CANARY}".encode() if place == "body" and method != "HEAD" else b""
    return path, headers, body


def test_the_session_follows_nothing(world, figure):
    """The answer is the redirect, with a hint; whatever the method and the place."""
    for case in CASES:
        status, method, _, place = case
        path, headers, body = parts_of(case)
        lines = [f"{name}: {value}" for name, value in headers.items()]
        text = "\n".join([f"{method} {path}", *lines, "", body.decode()])
        if place == "cookie":
            # Refused before anything is sent; the rest of the case goes without.
            with pytest.raises(RequestSyntaxError, match="header Cookie"):
                world.plain.api("shop", f"{method} {path}\nCookie: key={CANARY}")
        reply = world.session(place).api("shop", text)
        assert reply.status == status
        assert "Redirects are not followed" in reply.hint

    world.check_nothing_told()
    assert world.here.landed == []
    assert world.here.certificates == 1
    figure(
        f"session.api, {len(CASES)} redirects: secrets elsewhere",
        f"0 ({len(world.there.heard)} connections)",
    )


@pytest.mark.parametrize("follow", [False, True], ids=["as it is", "told to follow"])
def test_the_httpx_client_follows_within_the_origin_at_most(world, figure, follow):
    """Where it is told to follow, the gate decides about each step."""
    cases = CASES[:: scaled(1 if follow else 3, 1)]
    outcomes = Counter()
    clients = {
        place: world.session(place).client("shop")
        for place in ("Authorization", "certificate")
    }
    for case in cases:
        status, method, where, place = case
        path, headers, body = parts_of(case)
        if place == "cookie":
            headers["Cookie"] = f"key={CANARY}"
        client = clients.get(place, clients["Authorization"])
        send = {"headers": headers, "content": body, "follow_redirects": follow}
        if follow and where != "same origin":
            with pytest.raises(UrlRefused):
                client.request(method, path, **send)
            outcomes["refused"] += 1
        else:
            reply = client.request(method, path, **send)
            assert reply.status_code == (200 if follow else status)
            outcomes[reply.status_code // 100 * 100] += 1
    for client in clients.values():
        client.close()

    world.check_nothing_told()
    assert len(world.here.landed) == (len(cases) // 9 if follow else 0)
    figure(
        f"session.client, {len(cases)} of {len(CASES)} redirects"
        f"{', told to follow' if follow else ''}: secrets elsewhere",
        f"0 ({len(world.there.heard)} connections)",
    )


def test_a_token_request_follows_nothing(world, figure):
    """Nor does a refresh or a revocation: a 307 would carry the client secret along."""
    session = world.plain
    outcomes = Counter()
    for led in itertools.product(STATUSES, THERE):
        world.here.token_endpoint_leads = None
        held = session.adopt(
            "shop",
            {"access_token": TOKEN, "refresh_token": CANARY},
            credentials={"client_id": "me", "client_secret": CANARY},
        )
        world.here.token_endpoint_leads = led
        credentials = {"client_id": "me", "client_secret": CANARY}
        for step in (
            lambda: session.token("shop", credentials=credentials, fresh=True),  # noqa: B023 - called here
            lambda: session.refresh("shop"),
            lambda: session.revoke("shop"),
        ):
            with pytest.raises(OAuthMagicError) as raised:
                step()
            assert not isinstance(raised.value, OAuthError)
            outcomes[type(raised.value).__name__] += 1
        assert held.access_token.reveal() == TOKEN

    world.check_nothing_told()
    assert world.here.landed == []
    figure(
        f"token, refresh and revocation, {outcomes.total()} redirects: "
        "secrets elsewhere",
        f"0 ({', '.join(outcomes)})",
    )


def test_the_recorder_would_have_heard(world, tmp_path):
    """The harness itself: what a careless client tells the stranger is found."""
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    with httpx.Client(verify=context, follow_redirects=True) as client:
        for where in THERE:
            if where in ("same origin", "user name"):
                continue
            world.there.heard.clear()
            path = f"{HERE}/go/307/{where}"
            client.post(path, headers={"X-API-Key": CANARY}, content=TOKEN.encode())
            assert _comes_to_hear(world.there.heard), where
        world.there.heard.clear()


def _comes_to_hear(heard):
    """Return whether every secret is heard; the stranger listens in its own thread."""
    end = time.monotonic() + 3
    while time.monotonic() < end:
        said = b"\n".join(heard)
        if all(secret in said for secret in SECRETS):
            return True
        time.sleep(0.01)
    return False
