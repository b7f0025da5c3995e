"""A device login at a server that nobody here wrote (RFC 8628)."""

from __future__ import annotations

import html
import http.cookiejar
import re
import threading
import urllib.parse
import urllib.request

import pytest

from oauthmagic import Session, UserActionRequired
from oauthmagic.errors import AccessDenied, AuthorizationPending, CommandError
from oauthmagic.oauth import device_authorization
from oauthmagic.oauth.grants import DEVICE_CODE

SECONDS = 20
TIMEOUT = 10


@pytest.fixture(autouse=True)
def _one_second(monkeypatch):
    """The server names no interval, and this test has no five seconds to spare."""
    monkeypatch.setattr(device_authorization, "INTERVAL", 1)


class Stage:
    """A session with the server, and a login that waits."""

    def __init__(self, server):
        client = server.clients["device"]
        self.session = Session(environ={})
        self.name = self.session.add(server.issuer, name="acme")
        self.credentials = {
            "client_id": client.client_id,
            "client_secret": client.client_secret,
        }
        self.told, self.over = [], threading.Event()

    def ask(self):
        """Ask for a token by a device login; return what waits."""
        with pytest.raises(UserActionRequired) as asked:
            self.session.token(
                "acme",
                grant="device_code",
                scopes=["openid", "offline_access", "api"],
                credentials=self.credentials,
            )
        self.session.watch(asked.value.pending.target, self._tell)
        return asked.value.pending

    def _tell(self, outcome, goes_on):
        self.told.append((outcome, goes_on))
        if not goes_on:
            self.over.set()


@pytest.fixture
def stage(oidc_server):
    """A session that knows the server by its metadata."""
    stage = Stage(oidc_server)
    yield stage
    stage.session.close()


class Browser:
    """The user's other device: follows the server's own forms."""

    def __init__(self):
        jar = http.cookiejar.CookieJar()
        # The pages are on loopback without TLS, as the server is.
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(jar)
        )

    def open(self, url, data=None):
        """Open a page; keep where it led and what it shows."""
        with self._opener.open(url, data, timeout=TIMEOUT) as page:
            self.url, self.text = page.geturl(), page.read().decode()

    def submit(self, **more):
        """Submit the form of the page, with its hidden fields."""
        form = re.search(r"<form.*?</form>", self.text, re.DOTALL)[0]
        action = re.search(r'action="([^"]*)"', form)
        fields = {}
        for field in re.findall(r"<input[^>]*>", form):
            name = re.search(r'name="([^"]*)"', field)
            value = re.search(r'value="([^"]*)"', field)
            if name:
                fields[name[1]] = html.unescape(value[1]) if value else ""
        place = urllib.parse.urljoin(self.url, html.unescape(action[1]))
        self.open(place, urllib.parse.urlencode({**fields, **more}).encode())


def log_in(pending):
    """Do on the other device what the server asks for."""
    browser = Browser()
    browser.open(pending.complete_url or pending.url)
    while "form" in browser.text and "Sign-in Success" not in browser.text:
        browser.submit(
            **({"user_code": pending.user_code} if "user_code" in browser.text else {}),
            **({"login": "zoe", "password": "x"} if "password" in browser.text else {}),
        )
    return browser


def test_a_login_on_another_device_ends_by_itself(stage, oidc_server):
    """Nobody answers anything in the notebook; the token is there, and is renewed."""
    pending = stage.ask()
    before = oidc_server.token_requests()
    log_in(pending)

    assert stage.over.wait(SECONDS)

    (token, goes_on) = stage.told[-1]
    assert not goes_on
    assert token.grant == DEVICE_CODE
    assert token is stage.session.token("acme")
    assert 1 <= oidc_server.token_requests() - before <= 8
    assert pending.kind == "device"
    assert re.fullmatch(r"[A-Z]{4}-[A-Z]{4}", pending.user_code)
    assert pending.user_code in pending.complete_url
    reply = stage.session.api("acme", f"GET {oidc_server.api_base}/items")
    assert reply.status == 200
    assert stage.session.refresh("acme").generation > token.generation


def test_asking_at_once_asks_no_sooner_than_allowed(stage):
    """`resume` asks once; before the interval is over it says when."""
    pending = stage.ask()
    with pytest.raises((CommandError, AuthorizationPending)) as early:
        stage.session.resume("acme")

    assert early.value.hint
    assert stage.session.pending("acme") == pending


def test_a_refusal_on_the_other_device_is_said(stage):
    """access_denied ends it."""
    pending = stage.ask()
    browser = Browser()
    browser.open(pending.complete_url)
    browser.submit(abort="yes")

    assert stage.over.wait(SECONDS)

    assert isinstance(stage.told[-1][0], AccessDenied)
    with pytest.raises(CommandError, match="Nothing waits"):
        stage.session.resume("acme")


def test_a_forgotten_login_is_asked_about_no_more(stage, oidc_server):
    """Even if the user finishes it on the other device."""
    pending = stage.ask()
    stage.session.forget("acme")
    before = oidc_server.token_requests()
    log_in(pending)
    threading.Event().wait(1.5)

    assert oidc_server.token_requests() - before <= 1
    assert stage.session.tokens().empty


def test_asking_again_is_the_same_login(stage):
    """Running the cell twice gives the same code."""
    first = stage.ask()

    with pytest.raises(UserActionRequired) as again:
        stage.session.token("acme")

    assert again.value.pending == first
