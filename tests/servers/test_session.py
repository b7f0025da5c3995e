"""A `Session` and a provider file against two servers that nobody here wrote."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import subprocess
import sys
import urllib.parse
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

import oauthmagic
from oauthmagic.errors import (
    InvalidClient,
    InvalidGrant,
    LoginRequired,
    OAuthMagicError,
    RevocationFailed,
)

SCOPES = {"django_server": "read", "oidc_server": "api"}
OFFLINE = {"django_server": "read", "oidc_server": "openid offline_access api"}
PROVIDER = """
[provider]
name = "acme"
grants = ["client_credentials", "password", "refresh_token"]
default_grant = "{grant}"
token_endpoint_auth_method = "{method}"
basic_encoding = "{encoding}"

[environments.sandbox]
token_endpoint = "{server.token_endpoint}"
revocation_endpoint = "{server.revocation_endpoint}"
introspection_endpoint = "{server.introspection_endpoint}"
api_base = "{server.api_base}"
"""
METHODS = ["client_secret_basic", "client_secret_post"]

both_servers = pytest.mark.parametrize("fixture", list(SCOPES))
every_method = pytest.mark.parametrize("method", METHODS)


class Clock:
    """Tells the real time, until it is moved."""

    def __init__(self):
        self.ahead = timedelta(0)

    def __call__(self):
        """Return the time."""
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def server(fixture, request):
    """Return the server that the test is run against."""
    return request.getfixturevalue(fixture)


@pytest.fixture
def clock():
    """Move a session's time."""
    return Clock()


@pytest.fixture
def begin(server, tmp_path, clock):
    """Begin sessions that know the server; they end with the test."""
    with contextlib.ExitStack() as stack:

        def begin(method="client_secret_basic", encoding="form", grant=""):
            path = tmp_path / "acme.toml"
            text = PROVIDER.format(
                server=server,
                method=method,
                encoding=encoding,
                grant=grant or "client_credentials",
            )
            path.write_text(text)
            session = oauthmagic.Session(clock=clock)
            stack.callback(session.close)
            session.add(path)
            return session

        yield begin


@pytest.fixture
def login(begin, server, fixture):
    """Begin a session with a token of the user's, for which it has a refresh token."""

    def login(**changes):
        session = begin(grant="password")
        session.token(
            "acme", scopes=OFFLINE[fixture], credentials=user(server, **changes)
        )
        return session

    return login


def client(server, name, **changes):
    """Return the credentials of a client."""
    known = server.clients[name]
    own = {"client_id": known.client_id, "client_secret": known.client_secret}
    return own | changes


def user(server, **changes):
    """Return the credentials of the user, and of the client that may act for it."""
    own = {"username": server.username, "password": server.password}
    return client(server, "password") | own | changes


def revoke(server, name, token):
    """Revoke a token at the server (RFC 7009), behind the session's back."""
    form = client(server, name) | {"token": token.access_token.reveal()}
    parts = urllib.parse.urlsplit(server.revocation_endpoint)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    with contextlib.closing(connection):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", parts.path, urllib.parse.urlencode(form), headers)
        assert connection.getresponse().status == 200


@both_servers
@every_method
@pytest.mark.parametrize("name", ["basic", "odd"])
def test_client_credentials_lead_to_a_frame(begin, server, fixture, method, name):
    """Two lines; client_id and client_secret may hold any character."""
    session = begin(method)

    token = session.token(
        "acme", scopes=SCOPES[fixture], credentials=client(server, name)
    )
    frame = session.api("acme", "GET /items").frame()

    assert token.scopes == {SCOPES[fixture]}
    assert token.expires_at - token.issued_at == timedelta(seconds=300)
    assert token.refresh_token is None
    pd.testing.assert_frame_equal(frame, pd.DataFrame(list(server.items)))


@pytest.mark.parametrize("fixture", ["oidc_server"])
def test_a_client_registered_for_the_body_is_known(begin, server):
    """`client_secret_post`, as it was registered."""
    session = begin("client_secret_post")

    session.token("acme", scopes="api", credentials=client(server, "post"))

    assert session.api("acme", "GET /items").status == 200


@both_servers
@every_method
def test_user_name_and_password_lead_to_a_frame(begin, server, fixture, method):
    """RFC 6749, section 4.3; `:`, `+`, `%` and `é` reach the server as they are."""
    session = begin(method, grant="password")
    before = server.token_requests()

    token = session.token("acme", scopes=OFFLINE[fixture], credentials=user(server))
    frame = session.api("acme", "GET /items").frame()

    assert token.subject == server.username
    assert token.refresh_token
    assert len(frame) == len(server.items)
    assert server.token_requests() == before + 1


@both_servers
def test_a_refresh_rotates_both_tokens(login, server):
    """The old refresh token is not sent again: the server would end them all."""
    session = login()
    first = session.show("acme")
    before = server.token_requests()

    second = session.refresh("acme")
    third = session.refresh("acme")

    assert len({each.fingerprint for each in (first, second, third)}) == 3
    refresh_tokens = {each.refresh_token.reveal() for each in (first, second, third)}
    assert len(refresh_tokens) == 3
    assert server.token_requests() == before + 2
    assert session.api("acme", "GET /items").status == 200
    assert len(session.tokens()) == 1


@both_servers
def test_a_token_is_renewed_shortly_before_its_end(login, server, clock):
    """At 270 of 300 seconds, once, by the request that needs it."""
    session = login()
    first = session.show("acme")
    before = server.token_requests()

    clock.ahead = timedelta(seconds=260)
    early = session.api("acme", "GET /items")
    untouched = session.show("acme")
    clock.ahead = timedelta(seconds=271)
    late = session.api("acme", "GET /items")
    session.api("acme", "GET /items")

    assert untouched.fingerprint == first.fingerprint
    assert session.show("acme").fingerprint != first.fingerprint
    assert (early.status, late.status) == (200, 200)
    assert "token refreshed first" in late.note
    assert server.token_requests() == before + 1


@both_servers
def test_a_token_that_the_api_refuses_is_renewed_and_the_request_sent_once_more(
    begin, login, server
):
    """One 401, one refresh, one replay."""
    refresh_token = login().show("acme").refresh_token
    session = begin()
    session.adopt(
        "acme",
        {
            "access_token": "plainly-fake-and-unknown-there",
            "refresh_token": refresh_token,
            "expires_in": 300,
        },
        credentials=client(server, "password"),
    )
    before = server.token_requests()
    asked = server.requests_to(f"{server.api_base}/items")

    reply = session.api("acme", "GET /items")

    assert reply.status == 200
    assert "401" in reply.note
    assert server.token_requests() == before + 1
    assert server.requests_to(f"{server.api_base}/items") == asked + 2


@both_servers
def test_a_revoked_login_is_granted_again_where_nobody_has_to_be_asked(login, server):
    """Both servers revoke the refresh token, too (RFC 7009, section 2.1).

    One 401, one refresh that is refused, one grant, one replay.
    """
    session = login()
    before = server.token_requests()
    asked = server.requests_to(f"{server.api_base}/items")

    revoke(server, "password", session.show("acme"))
    reply = session.api("acme", "GET /items")

    assert reply.status == 200
    assert session.show("acme").reason.endswith("granted again")
    assert server.token_requests() == before + 2
    assert server.requests_to(f"{server.api_base}/items") == asked + 2


@both_servers
def test_client_credentials_are_granted_again_after_a_401(begin, server, fixture):
    """There is no refresh token, and nobody has to be asked."""
    session = begin()
    first = session.token(
        "acme", scopes=SCOPES[fixture], credentials=client(server, "basic")
    )
    before = server.token_requests()

    revoke(server, "basic", first)
    reply = session.api("acme", "GET /items")

    assert reply.status == 200
    assert session.show("acme").fingerprint != first.fingerprint
    assert server.token_requests() == before + 1


@both_servers
def test_a_refresh_token_that_is_refused_ends_in_log_in_again(login, server):
    """Told once, and not sent a second time."""
    session = login()
    stolen = session.show("acme")
    session.refresh("acme")
    other = login()
    other.forget("acme")
    other.adopt(
        "acme",
        {"refresh_token": stolen.refresh_token, "expires_in": 0},
        credentials=client(server, "password"),
    )
    before = server.token_requests()

    for _ in range(2):
        with pytest.raises(LoginRequired):
            other.refresh("acme")

    assert server.token_requests() == before + 1


@both_servers
@every_method
def test_a_wrong_client_secret_is_told_once(begin, server, method):
    """RFC 6749, section 5.2: `invalid_client`, after exactly one request."""
    session = begin(method)
    before = server.token_requests()

    with pytest.raises(InvalidClient) as refused:
        session.token(
            "acme",
            credentials=client(server, "odd", client_secret="plainly-fake-wrong"),
        )

    assert server.token_requests() == before + 1
    assert "plainly-fake" not in f"{refused.value} {refused.value.hint}"
    assert session.tokens().empty


@both_servers
def test_a_wrong_password_is_told_once(begin, server):
    """RFC 6749, section 5.2: `invalid_grant`; a second try would count, too."""
    session = begin(grant="password")
    before = server.token_requests()

    with pytest.raises(InvalidGrant) as refused:
        session.token("acme", credentials=user(server, password="plainly-fake-wrong"))

    assert server.token_requests() == before + 1
    assert "plainly-fake" not in f"{refused.value} {refused.value.hint}"
    assert session.tokens().empty


@both_servers
def test_odd_characters_written_raw_are_refused_by_servers_that_decode(begin, server):
    """`basic_encoding = "raw"` is for others; without odd characters, both are one."""
    session = begin(encoding="raw")
    before = server.token_requests()

    with pytest.raises(InvalidClient):
        session.token("acme", credentials=client(server, "odd"))
    session.token("acme", credentials=client(server, "basic"))

    assert server.token_requests() == before + 2


@both_servers
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_both_tokens_are_dead_after_a_revocation(login, begin, server, kind):
    """RFC 7009, section 2: two requests; what was held opens nothing any more."""
    session = login()
    token = session.show("acme")
    before = server.requests_to(server.revocation_endpoint)

    session.revoke("acme")

    assert server.requests_to(server.revocation_endpoint) == before + 2
    assert session.tokens().empty
    thief = begin()
    own = {kind: getattr(token, kind), "expires_in": 300}
    thief.adopt("acme", own, credentials=client(server, "password"))
    if kind == "refresh_token":
        with pytest.raises(LoginRequired):
            thief.refresh("acme")
    else:
        assert thief.api("acme", "GET /items").status == 401


@both_servers
@every_method
def test_a_client_s_own_token_is_revoked(begin, server, fixture, method):
    """It has no refresh token; the client authenticates in either way."""
    session = begin(method)
    session.token("acme", scopes=SCOPES[fixture], credentials=client(server, "basic"))
    before = server.requests_to(server.revocation_endpoint)

    session.revoke("acme")

    assert server.requests_to(server.revocation_endpoint) == before + 1
    assert session.tokens().empty


@both_servers
def test_what_a_server_refuses_to_revoke_is_told(begin, login, server):
    """A wrong client secret: both requests are refused, and both tokens live on."""
    token = login().show("acme")
    session = begin()
    secret = "plainly-fake-wrong"
    session.adopt(
        "acme", token, credentials=client(server, "password", client_secret=secret)
    )

    with pytest.raises(RevocationFailed) as failed:
        session.revoke("acme")

    why = failed.value.not_revoked
    assert [*why] == ["refresh_token", "access_token"]
    assert all(isinstance(error, InvalidClient) for error in why.values())
    assert "access token ends at" in failed.value.hint
    assert secret not in f"{failed.value} {failed.value.hint}"
    assert session.tokens().empty
    owner = begin()
    owner.adopt("acme", token, credentials=client(server, "password"))
    assert owner.api("acme", "GET /items").status == 200


@both_servers
def test_a_server_says_what_it_knows_of_a_token(login, server):
    """RFC 7662, beside what is held here; nothing of the token changes."""
    session = login()
    before = session.show("acme")

    asked = session.introspect("acme")

    assert asked.active
    assert asked.said.client_id == server.clients["password"].client_id
    assert set(asked.said.scopes) == before.scopes
    assert abs(asked.said.expires_at - before.expires_at) <= timedelta(seconds=5)
    assert asked.advice() == ""
    assert session.show("acme").fingerprint == before.fingerprint
    text = f"{asked!r} {asked._repr_html_()} {asked.frame().to_csv()} {asked.said}"
    for token in (before.access_token, before.refresh_token):
        assert token.reveal() not in text


@pytest.mark.parametrize("fixture", ["oidc_server"])
def test_a_server_tells_the_end_of_a_refresh_token(login):
    """Its token response does not have it."""
    session = login()
    held = session.show("acme")

    asked = session.introspect("acme", token_type_hint="refresh_token")

    assert asked.active
    assert held.refresh_expires_at is None
    assert asked.said.expires_at - held.issued_at > timedelta(hours=23)
    assert asked.advice() == "Its end was not known here."


@pytest.mark.parametrize("fixture", ["django_server"])
def test_a_server_may_tell_of_access_tokens_only(login):
    """A refresh token that is good is not active there: the refresh is the proof."""
    session = login()

    asked = session.introspect("acme", token_type_hint="refresh_token")

    assert not asked.active
    assert "a refresh shows which. Next: %token refresh acme@sandbox." in asked.advice()
    assert session.refresh("acme").refresh_token


@both_servers
@every_method
def test_a_client_asks_about_its_own_token(begin, server, fixture, method):
    """It authenticates as for a token; here and there agree."""
    session = begin(method)
    token = session.token(
        "acme", scopes=SCOPES[fixture], credentials=client(server, "odd")
    )

    asked = session.introspect("acme")

    facts = {name: (there, here) for name, there, here in asked.facts()}
    assert facts["active"][0] == "yes"
    assert facts["scope"] == (SCOPES[fixture], SCOPES[fixture])
    assert facts["client_id"] == (token.client_id, token.client_id)
    assert abs(asked.said.expires_at - token.expires_at) <= timedelta(seconds=5)


@both_servers
def test_a_server_says_that_a_token_was_revoked(login, server):
    """What it does not know is not active, and nothing else is said."""
    session = login()
    revoke(server, "password", session.show("acme"))

    asked = session.introspect("acme")

    assert not asked.active
    assert [name for name, _, _ in asked.facts()] == ["active"]
    assert "Next: %token refresh acme@sandbox." in asked.advice()
    assert "valid for" in repr(asked)


@both_servers
def test_a_stranger_is_told_nothing(begin, login, server):
    """RFC 7662, section 2.1: the client has to authenticate."""
    token = login().show("acme")
    session = begin()
    secret = "plainly-fake-wrong"
    session.adopt(
        "acme", token, credentials=client(server, "password", client_secret=secret)
    )

    with pytest.raises(OAuthMagicError) as failed:
        session.introspect("acme")

    assert failed.value.status in (401, 403)
    assert "ask acme whether yours may" in failed.value.hint
    assert secret not in f"{failed.value} {failed.value.hint}"
    assert session.show("acme").refresh_token


CELLS = """\
%load_ext oauthmagic
%token add "{path}"
%token acme --scope {scope} -q
asked = %token introspect acme --of access_token
print(asked)
print(asked.active, len(asked.frame()) > 3)
%token revoke acme
%token introspect acme
"""


@both_servers
def test_the_magic_asks_a_real_server(begin, server, fixture, tmp_path):
    """From a line in IPython to the wire and back, in a process of its own."""
    begin()
    script = tmp_path / "cells.ipy"
    path = tmp_path / "acme.toml"
    script.write_text(CELLS.format(path=path, scope=SCOPES[fixture]))
    known = server.clients["basic"]
    environ = {
        **os.environ,
        "OAUTHMAGIC_ACME_SANDBOX_CLIENT_ID": known.client_id,
        "OAUTHMAGIC_ACME_SANDBOX_CLIENT_SECRET": known.client_secret,
    }

    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--colors=NoColor", str(script)],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env=environ,
        timeout=120,
    )

    lines = done.stdout.splitlines()
    assert "The access token of acme@sandbox is active" in lines
    assert any(re.match(r"  scope +\S+ +\S+$", line) for line in lines)
    assert "True True" in lines
    assert "Revoked at the server and forgotten here: acme." in lines
    assert "CommandError: No token is held for acme@sandbox." in done.stdout
    assert known.client_secret not in done.stdout + done.stderr
