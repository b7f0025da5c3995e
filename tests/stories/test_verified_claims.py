"""Claims of a token: read, unverified; or verified with the keys of the provider."""

import json
from datetime import UTC, datetime

import pytest

from oauthmagic import Session
from oauthmagic.errors import (
    CommandError,
    ProtocolError,
    RateLimited,
    SignatureRefused,
    UnexpectedRedirect,
)
from oauthmagic.keys.jwts import rfc7515_a2_key, sign_rs256
from oauthmagic.transport.wire import WireResponse
from oauthmagic.views.tokens import claim_rows, token_html, token_text

NOW = datetime(2030, 1, 1, 9, tzinfo=UTC)
JWKS = "https://id.acme.example/jwks"
PROVIDER = """
[provider]
name = "acme"
title = "Acme Bank"
grants = ["client_credentials"]

[environments.sandbox]
token_endpoint = "https://id.acme.example/token"
jwks_uri = "https://id.acme.example/jwks"
api_base = "https://api.acme.example"

[environments.production]
token_endpoint = "https://id.acme.com/token"
api_base = "https://api.acme.com"
"""
HEADER = {"alg": "RS256", "kid": "k1"}
CLAIMS = {"iss": "https://id.acme.example", "exp": 1893488700, "roles": ["a", "b"]}
KEY = {**rfc7515_a2_key().as_dict(private=False), "kid": "k1"}


def keys(*found, status=200, headers=()):
    """Return an answer with keys."""
    body = json.dumps({"keys": found}).encode()
    return WireResponse(status=status, headers=headers, body=body)


class Server:
    """Publishes keys, and keeps what it was asked."""

    def __init__(self):
        self.answer = keys(KEY)
        self.requests = []

    def send(self, request, *, timeout, limit):
        """Answer."""
        assert timeout == 8
        assert limit == 256 * 1024
        self.requests.append(request)
        return self.answer


@pytest.fixture
def server():
    """A server with one key."""
    return Server()


@pytest.fixture
def session(server, tmp_path):
    """A session that holds a JWT of it."""
    session = Session(transport=server, clock=lambda: NOW, environ={})
    path = tmp_path / "acme.toml"
    path.write_text(PROVIDER)
    session.add(path)
    text = sign_rs256(CLAIMS, HEADER, rfc7515_a2_key())
    session.adopt("acme", {"access_token": text, "expires_in": 300})
    return session


def test_claims_are_shown_unverified_and_nobody_is_asked(session, server):
    """A time is a time of day, too; `exp` decides nothing."""
    token = session.show("acme")

    (claims,) = token.claims
    assert claims.values == CLAIMS
    assert claims.verified_by == ""
    assert claim_rows(claims) == [
        ("(alg)", "RS256"),
        ("(kid)", "k1"),
        ("iss", "https://id.acme.example"),
        ("exp", "1893488700 (2030-01-01 09:05:00 UTC)"),
        ("roles", "a b"),
    ]
    for shown in (token_text(token), token_html(token)):
        assert "laims of the access token, unverified" in shown
        assert token.access_token.reveal()[:60] not in shown
    assert server.requests == []


def test_claims_are_verified_with_the_keys_of_the_provider(session, server):
    """One GET, without the token."""
    token = session.show("acme", verify=True)

    (request,) = server.requests
    assert (request.method, request.url) == ("GET", JWKS)
    assert [name for name, _ in request.headers] == ["accept"]
    (claims,) = token.claims
    assert claims.verified_by == f"RS256, key 'k1' of {JWKS}"
    for shown in (token_text(token), token_html(token)):
        assert "unverified" not in shown
        assert "verified: RS256" in shown


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (keys(), SignatureRefused, "no key called 'k1'"),
        (keys({**KEY, "kid": "k2"}), SignatureRefused, "no key called 'k1'"),
        (keys(KEY, status=302), UnexpectedRedirect, "was not followed"),
        (keys(KEY, status=503), ProtocolError, "HTTP 503"),
        (keys(KEY, status=429), RateLimited, "too many requests"),
        (
            WireResponse(status=200, headers=(), body=b"<html>"),
            SignatureRefused,
            "it is not JSON",
        ),
    ],
    ids=["none", "another", "redirect", "down", "busy", "page"],
)
def test_what_is_not_verified_is_an_error(session, server, answer, kind, said):
    """`verify=True` never gives claims that are not verified."""
    server.answer = answer

    with pytest.raises(kind) as caught:
        session.show("acme", verify=True)

    assert said in str(caught.value)
    assert caught.value.hint


def test_another_issuer_is_said(session, server, tmp_path):
    """The keys are the provider's; whose words they are is the reader's to judge."""
    other = PROVIDER.replace('"acme"', '"other"').replace(
        "jwks_uri", 'issuer = "https://id.other.example"\njwks_uri', 1
    )
    (tmp_path / "other.toml").write_text(other)
    session.add(tmp_path / "other.toml")
    text = sign_rs256(CLAIMS, HEADER, rfc7515_a2_key())
    session.adopt("other", {"access_token": text})

    (claims,) = session.show("other", verify=True).claims

    assert claims.verified_by.endswith(
        "; its iss is not the issuer that the provider is known by"
    )
    assert len(server.requests) == 1


@pytest.mark.parametrize("target", ["acme@production", "revsto@demo"])
def test_without_published_keys_nothing_can_be_verified(session, target):
    """Said before anything is sent; what it says can still be read."""
    if target == "revsto@demo":
        session.token(target)
    else:
        text = sign_rs256(CLAIMS, {"alg": "RS256"}, rfc7515_a2_key())
        session.adopt(target, {"access_token": text})

    with pytest.raises(CommandError) as caught:
        session.show(target, verify=True)

    assert "names no keys" in str(caught.value)
    assert "jwks_uri" in caught.value.hint
    assert session.show(target).claims


def test_an_opaque_token_has_no_claims(session):
    """And nothing to verify."""
    session.adopt("acme", {"access_token": "plainly-fake-opaque"}, alias="mine")

    assert session.show("mine").claims == ()
    with pytest.raises(CommandError) as caught:
        session.show("mine", verify=True)
    assert "is a JWT" in str(caught.value)
    assert "%token introspect" in caught.value.hint


def test_claims_are_escaped_cut_and_masked(session):
    """Whoever writes a token writes what he likes."""
    evil = "<img src=x onerror=alert(1)>"
    claims = {
        evil: evil,
        "sub": "\x1b[31m\u202e$x$",
        "long": "y" * 1000,
        "access_token": "plainly-fake-inner",
        "in": {"password": "plainly-fake-password"},
        **{f"c{number}": number for number in range(200)},
    }
    text = sign_rs256(claims, {"alg": "RS256"}, rfc7515_a2_key())
    session.adopt("acme", {"access_token": text}, alias="evil")

    token = session.show("evil")
    page, plain = token_html(token), token_text(token)

    assert "<img" not in page
    assert "mathjax_ignore" in page
    for shown in (page, plain):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "plainly-fake" not in shown
        assert "y" * 400 not in shown
        assert "more" in shown
