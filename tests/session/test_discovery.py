"""Providers by their issuer: `add("https://...")`, and `issuer` in a file."""

from __future__ import annotations

import json
import urllib.parse
from dataclasses import replace

import pytest

import oauthmagic
from oauthmagic.errors import (
    CommandError,
    DiscoveryFailed,
    EnvironmentRefused,
    UnknownName,
    UserActionRequired,
    WrongState,
)
from oauthmagic.providers.oidc import name_for
from oauthmagic.transport.wire import WireResponse
from oauthmagic.views.providers import added_text

ISSUER = "https://id.acme.example"
CLIENT = {"client_id": "me", "client_secret": "plainly-fake-secret"}
LOGIN = {"client_id": "me", "client_secret": "plainly-fake-secret"} | {
    "redirect_uri": "https://me.example/callback"
}
FILE = """
[provider]
name = "acme"
grants = ["client_credentials", "authorization_code", "refresh_token"]

[environments.sandbox]
issuer = "https://id.acme.example"
api_base = "https://api.acme.example"
"""
SHOWN = """\
Added acme. Next: %token acme
  token_endpoint: https://oauth.acme.example/token   <- another host: oauth.acme.example
  authorization_endpoint: https://id.acme.example/login
  revocation_endpoint: https://id.acme.example/revoke
  introspection_endpoint: https://id.acme.example/introspect
  API base: https://id.acme.example (the issuer's origin; a file names another)
  grants: client_credentials, authorization_code, refresh_token; \
without --grant, client_credentials
  client authentication: client_secret_basic"""


class Server:
    """An issuer, its token endpoint and its API, as one transport."""

    def __init__(self):
        self.document = {
            "issuer": ISSUER,
            "token_endpoint": f"{ISSUER}/token",
            "authorization_endpoint": f"{ISSUER}/login",
            "revocation_endpoint": f"{ISSUER}/revoke",
            "introspection_endpoint": f"{ISSUER}/introspect",
            "grant_types_supported": ["client_credentials", "authorization_code"],
        }
        self.asked = []

    def send(self, request, *, timeout, limit):
        """Answer by the path."""
        self.asked.append(request.url.removeprefix(ISSUER))
        assert 0 < timeout <= 30
        assert limit
        if "/.well-known/" in request.url:
            found = "openid-configuration" in request.url and self.document
            return json_answer(200 if found else 404, found or {})
        return json_answer(
            200, {"access_token": "plainly-fake", "token_type": "Bearer"}
        )


def json_answer(status, value):
    """Return an answer with a JSON body."""
    headers = (("content-type", "application/json"),)
    body = json.dumps(value).encode()
    return WireResponse(status=status, headers=headers, body=body)


@pytest.fixture
def server():
    """Answer as an issuer does."""
    return Server()


@pytest.fixture
def session(server):
    """Begin a session whose network is the server."""
    return oauthmagic.Session(transport=server)


@pytest.fixture
def path(tmp_path):
    """Write a provider file that names an issuer only."""
    (tmp_path / "acme.toml").write_text(FILE)
    return tmp_path / "acme.toml"


def test_an_issuer_is_asked_at_once_and_never_again(session, server):
    """Its first meaningful label names it; its origin is the API base."""
    name = session.add(ISSUER)
    session.token("acme", credentials=CLIENT)
    session.token("acme", credentials=CLIENT, fresh=True)
    session.revoke("acme")

    sandbox = session.provider(name).environment("sandbox")
    assert name == "acme"
    assert sandbox.api_base == ISSUER
    assert sandbox.token_endpoint == f"{ISSUER}/token"
    assert server.asked == [
        "/.well-known/openid-configuration",
        "/token",
        "/token",
        "/revoke",
    ]


def test_name_environment_and_api_base_can_be_given(session):
    """Nothing is production unless somebody says so."""
    session.add(ISSUER, name="bank@production", api_base="https://api.acme.example/v1/")

    bank = session.provider("bank")
    assert list(bank.environments) == ["production"]
    assert bank.environment("production").api_base == "https://api.acme.example/v1"


@pytest.mark.parametrize("name", ["show", "bank@demo", "bank/x", "Bank", "bank@live"])
def test_a_name_that_is_none_is_refused_before_anything_is_sent(session, server, name):
    """A verb, a demo, a tenant."""
    with pytest.raises(CommandError):
        session.add(ISSUER, name=name)

    assert server.asked == []


def test_production_is_not_on_this_machine(session, server):
    """As in a file."""
    issuer = "http://localhost:8000"
    server.document |= {"issuer": issuer, "token_endpoint": f"{issuer}/token"}
    del server.document["revocation_endpoint"]
    del server.document["introspection_endpoint"]
    del server.document["authorization_endpoint"]

    with pytest.raises(EnvironmentRefused):
        session.add(issuer, name="acme@production")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (ISSUER, "acme"),
        ("https://accounts.google.com", "google"),
        ("https://login.microsoftonline.com/x/v2.0", "microsoftonline"),
        ("https://sso.acme.co.uk/realms/a", "acme"),
        ("https://35702.tagpay.fr", "tagpay"),
        ("https://demo.acme.example", "acme"),
        ("https://acme.example", "acme"),
        ("http://localhost:8000/o", "localhost"),
    ],
)
def test_the_name_is_the_first_label_that_says_whose_it_is(url, name):
    """Not what the host does, not the top-level domain, and no verb of `%token`."""
    assert name_for(url) == name


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:80", "http://[::1]/", "https://id.com"]
)
def test_a_host_without_such_a_label_needs_a_name(url):
    """Told with the option that gives it."""
    with pytest.raises(CommandError) as failed:
        name_for(url)

    # As it was given: a slash more would be another issuer.
    assert failed.value.hint.endswith(f"%token add {url} --as NAME.")


def test_an_added_file_is_not_asked_about(session, server, path):
    """`add` reads files only, a preview sends nothing, an adopted token needs none."""
    session.add(path)
    session.preview("acme", "GET /accounts")
    session.adopt("acme", {"access_token": "plainly-fake", "expires_in": 300})
    session.api("acme", "GET /accounts")

    assert server.asked == ["https://api.acme.example/accounts"]


def test_a_file_asks_when_an_endpoint_is_first_needed(session, server, path):
    """Once; what was said then stays."""
    session.add(path)

    session.token("acme", credentials=CLIENT)
    server.document["token_endpoint"] = "https://evil.example/token"
    session.token("acme", credentials=CLIENT, fresh=True)

    assert server.asked == ["/.well-known/openid-configuration", "/token", "/token"]


def test_what_the_file_says_wins(session, server, path):
    """Of two words about one endpoint, the user's own counts."""
    own = f'revocation_endpoint = "{ISSUER}/own"\nissuer'
    path.write_text(FILE.replace("issuer", own, 1))
    session.add(path)
    session.token("acme", credentials=CLIENT)

    session.revoke("acme")

    assert server.asked[-1] == "/own"


def test_a_file_does_not_follow_an_issuer_to_another_host(session, server, path):
    """Nobody sees where it leads; the lines that accept it are in the hint."""
    server.document["token_endpoint"] = "https://oauth.acme.example/token"
    session.add(path)

    with pytest.raises(DiscoveryFailed, match="other hosts than its own") as failed:
        session.token("acme", credentials=CLIENT)
    lines = failed.value.hint.partition("\n")[2]
    path.write_text(f"{FILE}{lines}")
    session.add(path)
    session.token("acme", credentials=CLIENT)

    assert server.asked == [
        "/.well-known/openid-configuration",
        "https://oauth.acme.example/token",
    ]


def test_whoever_adds_an_issuer_is_shown_its_other_hosts(session, server):
    """Client secrets will go there."""
    server.document["token_endpoint"] = "https://oauth.acme.example/token"
    session.add(ISSUER)

    shown = added_text(session.provider("acme"), is_discovered=True)

    assert shown == SHOWN


def test_a_file_that_will_ask_says_so(session, path):
    """And nothing else has changed."""
    provider = session.provider(session.add(path))

    assert added_text(provider, is_discovered=False).splitlines()[1:] == [
        "  https://id.acme.example is asked for its endpoints when first needed."
    ]


def test_the_issuer_of_a_login_is_checked(session, server):
    """RFC 9207: an answer of another server, and one without `iss` where it is due."""
    server.document["authorization_response_iss_parameter_supported"] = True
    server.document["scopes_supported"] = ["openid"]
    session.add(ISSUER)
    with pytest.raises(UserActionRequired) as asked:
        session.token("acme", grant="authorization_code", credentials=LOGIN)
    url = asked.value.pending.url
    state = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["state"][0]
    answer = f"{LOGIN['redirect_uri']}?state={state}&code=plainly-fake"

    for wrong in (answer, f"{answer}&iss=https://evil.example", f"{answer}&iss="):
        with pytest.raises(WrongState):
            session.resume("acme", answer=wrong)
    token = session.resume("acme", answer=f"{answer}&iss={ISSUER}")

    assert url.startswith(f"{ISSUER}/login?")
    assert token.access_token


def test_iss_may_be_missing_where_it_was_not_announced(session):
    """Older servers do not send it."""
    session.add(ISSUER)
    with pytest.raises(UserActionRequired) as asked:
        session.token("acme", grant="authorization_code", credentials=LOGIN)
    url = asked.value.pending.url
    state = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["state"][0]

    session.resume("acme", answer=f"{LOGIN['redirect_uri']}?state={state}&code=fake")


@pytest.mark.parametrize(
    ("said", "grants", "default"),
    [
        ({}, ("client_credentials", "authorization_code"), "client_credentials"),
        (
            {"grant_types_supported": None},
            ("authorization_code",),
            "authorization_code",
        ),
        (
            {"grant_types_supported": ["implicit", "password", "x", "password"]},
            ("password",),
            "password",
        ),
        (
            {"code_challenge_methods_supported": ["plain"]},
            ("client_credentials",),
            "client_credentials",
        ),
        (
            {"authorization_endpoint": None},
            ("client_credentials",),
            "client_credentials",
        ),
    ],
)
def test_the_grants_are_those_that_both_perform(session, server, said, grants, default):
    """RFC 8414, section 2, with its defaults; machines come before people."""
    server.document |= said
    session.add(ISSUER)

    provider = session.provider("acme")
    assert provider.grants == (*grants, "refresh_token")
    assert provider.default_grant == default


@pytest.mark.parametrize(
    ("said", "method"),
    [
        (None, "client_secret_basic"),
        (["private_key_jwt", "client_secret_post"], "client_secret_post"),
        (["none", "client_secret_post", "client_secret_basic"], "client_secret_basic"),
        (["none"], "none"),
    ],
)
def test_the_client_authenticates_as_the_server_takes_it(session, server, said, method):
    """In the first way of ours."""
    server.document["token_endpoint_auth_methods_supported"] = said
    session.add(ISSUER)

    assert session.provider("acme").token_endpoint_auth_method == method


@pytest.mark.parametrize(
    "said",
    [
        {"grant_types_supported": ["implicit"]},
        {"token_endpoint_auth_methods_supported": ["private_key_jwt"]},
    ],
)
def test_a_server_that_takes_nothing_of_ours_is_told_at_once(session, server, said):
    """With what it does take, and nothing is added."""
    server.document |= said

    with pytest.raises(DiscoveryFailed) as failed:
        session.add(ISSUER)

    assert next(iter(said.values()))[0] in failed.value.hint
    with pytest.raises(UnknownName):
        session.provider("acme")


def test_an_issuer_that_cannot_be_asked_leaves_the_token(session, server, path):
    """The token is not forgotten, nor is the login over."""
    session.add(path)
    session.adopt(
        "acme",
        {"refresh_token": "plainly-fake-rt", "expires_in": 0},
        credentials=CLIENT,
    )
    document, server.document = server.document, None

    with pytest.raises(DiscoveryFailed):
        session.refresh("acme")
    server.document = document

    assert session.refresh("acme").access_token


def test_a_provider_object_is_added_like_a_file(session, path):
    """With another name, if one is given."""
    acme = session.provider(session.add(path))

    assert session.add(replace(acme, title="Two"), name="two") == "two"
    assert session.provider("two").title == "Two"
    with pytest.raises(CommandError, match="api_base is for an issuer"):
        session.add(acme, api_base="https://api.acme.example")
