"""Asking the server what it knows of a token, beside what is held here (RFC 7662)."""

import html
import json
import traceback
import urllib.parse
from datetime import UTC, datetime, timedelta

import pytest

from oauthmagic import Session
from oauthmagic.errors import (
    AccessDenied,
    CommandError,
    ConnectionFailed,
    InvalidIntrospectionResponse,
    OAuthMagicError,
    RateLimited,
    SecretRefused,
    ServerError,
    UnexpectedRedirect,
    UnknownName,
)
from oauthmagic.transport.wire import WireResponse
from oauthmagic.views.tables import INTROSPECTION_DTYPES

NOW = datetime(2030, 1, 1, 9, tzinfo=UTC)
ASK = "https://id.acme.example/introspect"
PROVIDER = """
[provider]
name = "acme"
title = "Acme Bank"
grants = ["client_credentials", "refresh_token"]

[environments.sandbox]
token_endpoint = "https://id.acme.example/token"
introspection_endpoint = "https://id.acme.example/introspect"
api_base = "https://api.acme.example"
"""
CLIENT = {"client_id": "me", "client_secret": "plainly-fake-secret"}
TOKENS = {
    "access_token": "plainly-fake-access",
    "refresh_token": "plainly-fake-refresh",
    "expires_in": 300,
    "scope": "accounts payments",
}
SHOWN = """\
The access token of acme@sandbox is active
              at the server             here
  active      yes                       valid for 5 min 0 s, until 09:05:00 UTC
  scope       accounts                  accounts, payments
  client_id   me                        me
  username    jo
  token_type  Bearer                    Bearer
  exp         2030-01-01 09:02:00 UTC   2030-01-01 09:05:00 UTC
  iat         2030-01-01 09:00:00 UTC   2030-01-01 09:00:00 UTC
  aud         https://api.acme.example
It ends sooner than is known here; a 401 then renews it. \
It lacks scopes that are counted on here: payments."""


class Server:
    """Answers from a list, and keeps what it was asked."""

    def __init__(self):
        self.answers = []
        self.requests = []
        self.limits = []

    def send(self, request, *, timeout, limit):
        """Give the next answer, or raise it."""
        assert timeout == 8
        self.limits.append(limit)
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Clock:
    """Time that is moved by hand."""

    def __init__(self):
        self.now = NOW

    def __call__(self):
        """Return the time."""
        return self.now

    def sleep(self, seconds):
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


def says(status=200, headers=(), **members):
    """Return a JSON answer."""
    return WireResponse(
        status=status,
        headers=(("content-type", "application/json"), *headers),
        body=json.dumps(members).encode(),
    )


@pytest.fixture
def server():
    """Answer as an authorization server does."""
    return Server()


@pytest.fixture
def clock():
    """Stand still."""
    return Clock()


@pytest.fixture
def session(server, clock, tmp_path):
    """A session that holds a token."""
    path = tmp_path / "acme.toml"
    path.write_text(PROVIDER)
    session = Session(environ={}, transport=server, clock=clock, sleep=clock.sleep)
    session.add(path)
    session.adopt("acme", TOKENS, credentials=CLIENT)
    return session


def test_the_client_asks_about_the_access_token(session, server):
    """Section 2.1: a form with the token and its kind, the client authenticated."""
    server.answers = [says(active=True)]

    assert session.introspect("acme").active

    (request,) = server.requests
    assert server.limits == [64 * 1024]
    assert (request.method, request.url) == ("POST", ASK)
    assert dict(urllib.parse.parse_qsl(request.body.decode())) == {
        "token": "plainly-fake-access",
        "token_type_hint": "access_token",
    }
    headers = dict(request.headers)
    assert headers["accept"] == "application/json"
    assert headers["authorization"].startswith("Basic ")


def test_what_the_server_says_stands_beside_what_is_held(session, server):
    """Where they differ, a sentence says what follows from it."""
    server.answers = [
        says(
            active=True,
            scope="accounts",
            client_id="me",
            username="jo",
            token_type="Bearer",
            exp=int(NOW.timestamp()) + 120,
            iat=int(NOW.timestamp()),
            aud=["https://api.acme.example"],
        )
    ]

    asked = session.introspect("acme")

    assert repr(asked) == SHOWN
    page = html.unescape(asked._repr_html_())
    for name, there, here in asked.facts():
        assert f">{name}</th>" in page
        assert f">{there}</td>" in page
        assert f">{here}</td>" in page
    frame = asked.frame()
    assert {name: str(frame[name].dtype) for name in frame} == INTROSPECTION_DTYPES
    assert list(frame["member"])[:3] == ["active", "scope", "client_id"]


@pytest.mark.parametrize(
    ("members", "remark"),
    [
        ({}, ""),
        ({"client_id": "somebody"}, "It was issued to another client."),
        (
            {"nbf": int(NOW.timestamp()) + 3600},
            "It is not good before 2030-01-01 10:00:00 UTC.",
        ),
        ({"nbf": int(NOW.timestamp()) + 30}, ""),
        ({"exp": int(NOW.timestamp()) + 290}, ""),
        ({"exp": int(NOW.timestamp()) + 3000}, ""),
        (
            {"scope": ""},
            "It lacks scopes that are counted on here: accounts, payments.",
        ),
        ({"scope": "payments accounts more"}, ""),
    ],
)
def test_what_differs_is_remarked_upon(session, server, members, remark):
    """And what does not, is not."""
    server.answers = [says(active=True, **members)]

    assert session.introspect("acme").advice() == remark


def test_a_token_that_is_over_here_may_be_good_there(session, server, clock):
    """The next use renews it all the same."""
    clock.sleep(400)
    server.answers = [says(active=True)]

    asked = session.introspect("acme")

    assert asked.advice() == "Here it counts as over: the next use renews it."


@pytest.mark.parametrize(
    ("kinds", "passed", "asked_about", "said"),
    [
        (
            ("access_token", "refresh_token"),
            0,
            "access_token",
            "section 2.2). Next: %token refresh acme@sandbox.",
        ),
        (
            ("access_token",),
            0,
            "access_token",
            "section 2.2). Next: %token acme@sandbox --fresh.",
        ),
        (
            ("access_token", "refresh_token"),
            400,
            "access_token",
            "It is over, as is known here. Next: %token refresh acme@sandbox.",
        ),
        (
            ("access_token", "refresh_token"),
            0,
            "refresh_token",
            "a refresh shows which. Next: %token refresh acme@sandbox.",
        ),
    ],
)
def test_a_token_that_is_not_active_has_a_next_step(
    session, server, clock, kinds, passed, asked_about, said
):
    """By what is held beside it."""
    session.forget("acme")
    own = {kind: TOKENS[kind] for kind in kinds} | {"expires_in": 300}
    session.adopt("acme", own, credentials=CLIENT)
    clock.sleep(passed)
    server.answers = [says(active=False, username="jo", scope=1)]

    asked = session.introspect("acme", token_type_hint=asked_about)

    assert not asked.active
    assert [name for name, _, _ in asked.facts()] == ["active"]
    assert asked.advice().endswith(said)
    assert repr(asked).startswith(f"The {asked_about.replace('_', ' ')} of acme@")


@pytest.mark.parametrize(
    ("answer", "error", "hint"),
    [
        (says(403, error="access_denied"), AccessDenied, "ask Acme Bank whether yours"),
        (says(401), OAuthMagicError, "%token show acme@sandbox shows what is known"),
        (says(500, error="server_error"), ServerError, "Try again in a moment."),
        (says(201, active=True), InvalidIntrospectionResponse, "was not changed"),
        (says(active="yes"), InvalidIntrospectionResponse, "was not changed"),
        (
            says(307, [("location", "https://evil.example")]),
            UnexpectedRedirect,
            "Redirects are not followed",
        ),
        (says(429), RateLimited, "Wait"),
        (ConnectionFailed("No connection.", sent="no"), ConnectionFailed, "network"),
    ],
)
def test_what_is_no_answer_is_an_error_and_changes_nothing(
    session, server, answer, error, hint
):
    """One request, a typed error, a hint; the token is kept."""
    server.answers = [answer]

    with pytest.raises(error) as failed:
        session.introspect("acme")

    assert hint in failed.value.hint
    assert len(server.requests) == 1
    assert "plainly-fake" not in f"{failed.value} {failed.value.hint}"
    assert session.show("acme").refresh_token


def test_a_busy_server_is_waited_for(session, server, clock):
    """Asking twice is asking."""
    server.answers = [says(503, [("retry-after", "3")]), says(active=True)]

    assert session.introspect("acme").active
    assert clock.now == NOW + timedelta(seconds=3)


def test_a_provider_that_has_no_way_says_what_there_is():
    """League's server has none; nothing is invented for its simulator."""
    session = Session(environ={})
    session.token("revsto@demo")

    with pytest.raises(CommandError, match="documents no way") as failed:
        session.introspect("revsto@demo")

    assert "%token show revsto@demo" in failed.value.hint
    assert len(session.demo("revsto@demo").simulator.requests) == 1


def test_only_what_is_held_can_be_asked_about(session, server):
    """Nothing is sent for what there is not."""
    session.forget("acme")
    with pytest.raises(CommandError, match="No token is held"):
        session.introspect("acme")
    own = {"access_token": "plainly-fake-access"}
    session.adopt("acme", own, credentials=CLIENT)
    with pytest.raises(CommandError, match="no refresh token held"):
        session.introspect("acme", token_type_hint="refresh_token")
    with pytest.raises(UnknownName, match="Did you mean 'refresh_token'"):
        session.introspect("acme", token_type_hint="refresh-token")

    assert server.requests == []


def test_an_echo_of_the_token_is_not_shown_and_cannot_be_stored(session, server):
    """Wherever the server puts it, whatever is made of the answer."""
    echo = TOKENS["access_token"]
    server.answers = [
        says(
            active=True,
            scope=f"a {echo}",
            aud=[echo, TOKENS["refresh_token"]],
            **dict.fromkeys(("client_id", "username", "sub", "iss", "jti"), echo),
        )
    ]

    asked = session.introspect("acme")

    shown = f"{asked} {asked!r} {asked._repr_html_()} {asked.frame().to_html()}"
    shown += f"{asked.facts()} {asked.said} {asked.token} {asked.advice()}"
    assert "plainly-fake" not in shown
    assert "[secret]" in shown
    with pytest.raises(SecretRefused):
        asked.token.__reduce_ex__(2)


def test_markup_of_the_server_is_text(session, server):
    """Escaped where it is shown as HTML."""
    server.answers = [says(active=True, username="<script>alert(1)</script>")]

    asked = session.introspect("acme")

    assert "<script" not in asked._repr_html_()
    assert "&lt;script&gt;" in asked._repr_html_()


@pytest.mark.parametrize("verb", ["introspect", "revoke"])
def test_no_frame_of_a_refusal_shows_a_secret(session, server, tmp_path, verb):
    """Error reporters read the variables of every frame, and servers echo."""
    path = tmp_path / "acme.toml"
    path.write_text(PROVIDER + f'revocation_endpoint = "{ASK}"\n')
    session.add(path)
    said = f"not about {TOKENS['access_token']} for {CLIENT['client_secret']}"
    server.answers = [
        says(403, error="access_denied", error_description=said) for _ in range(2)
    ]
    del said

    with pytest.raises(OAuthMagicError) as failed:
        getattr(session, verb)("acme")

    told = traceback.TracebackException.from_exception(
        failed.value, capture_locals=True
    )
    text = "".join(told.format())
    assert "not about [secret] for [secret]" in text
    assert "plainly-fake" not in text + f"{vars(failed.value)}{failed.value.args}"
