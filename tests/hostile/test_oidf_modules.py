"""What the client modules of the OpenID Foundation's conformance suite look for.

Re-created here, by their names, against a provider of raw bytes: those that a client
of an API can pass or fail. Left out are the modules about ID tokens (this client
shows them and believes nothing in them, so `oidcc-client-test-refresh-token-invalid-
issuer` and `-invalid-sub` have nothing to find), signed requests and responses,
DPoP, dynamic registration, logout and WebFinger. The suite's own runs also want PAR
and keys at the client; what is checked here is the behaviour that the name says.
"""

from __future__ import annotations

import base64
import urllib.parse
from dataclasses import dataclass, field
from typing import Any

import pytest
from hostile_clients import NOW, credentials, redirected
from hostile_servers import plain

from oauthmagic import Session, UserActionRequired
from oauthmagic.errors import DiscoveryFailed, WrongState
from oauthmagic.oauth.pkce import code_challenge
from oauthmagic.redaction import Secret

FAPI2 = "fapi2-security-profile-final-client-test-"
FAPI1 = "fapi1-advanced-final-client-test-"
OIDC = "oidcc-client-test"


@dataclass
class Provider:
    """An OpenID provider on a server, and a client that logs in there.

    Attributes:
        server: The server.
        session: The client.
        metadata: What differs in its metadata from the least.
        token: What differs in its token responses; None leaves a member out.
        response: What differs in its authorization responses; None likewise.
    """

    server: Any
    session: Session
    metadata: dict = field(default_factory=dict)
    token: dict = field(default_factory=dict)
    response: dict = field(default_factory=dict)

    def answer(self, request):
        """Answer a request."""
        path = request.split(b" ")[1].decode()
        url = self.server.url
        if path == "/.well-known/openid-configuration":
            least = {
                "issuer": url,
                "authorization_endpoint": f"{url}/authorize",
                "token_endpoint": f"{url}/token",
                "userinfo_endpoint": f"{url}/userinfo",
                "jwks_uri": f"{url}/jwks",
                "scopes_supported": ["openid", "profile", "accounts"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "authorization_response_iss_parameter_supported": True,
            }
            return plain(200, least | self.metadata)
        if path == "/token":
            members = {
                "access_token": f"fake-token-{len(self.token_requests)}",
                "token_type": "Bearer",
                "expires_in": 300,
                "refresh_token": "fake-refresh-1",
                "scope": "openid accounts",
            } | self.token
            return plain(200, {k: v for k, v in members.items() if v is not None})
        return plain(200, {"sub": "user-1", "accounts": []})

    @property
    def token_requests(self):
        """The forms that came to the token endpoint."""
        return [
            dict(urllib.parse.parse_qsl(each.decode().partition("\r\n\r\n")[2]))
            for each in self.server.requests
            if each.startswith(b"POST /token ")
        ]

    def ask(self):
        """Discover it and begin a login; return the authorization request."""
        self.server.play(self.answer)
        self.session.add(self.server.url, name="op")
        with pytest.raises(UserActionRequired) as asked:
            self.session.token(
                "op",
                grant="authorization_code",
                scopes="openid accounts",
                credentials=credentials(),
            )
        return asked.value.pending.url

    def log_in(self):
        """Log in and return the token."""
        url = self.ask()
        response = {"iss": self.server.url} | self.response
        return self.session.resume("op", answer=redirected(url, **response))

    def request(self, path):
        """Send a request to the API, and return it as it came."""
        reply = self.session.api("op", f"GET {self.server.url}{path}")
        assert reply.ok
        return self.server.requests[-1].decode().lower()

    def stops_at(self, error, *, token_requests=0):
        """Log in, and see the client stop with an error and ask nobody more."""
        with pytest.raises(error):
            self.log_in()
        assert len(self.token_requests) == token_requests
        assert not any(b"GET /accounts" in each for each in self.server.requests)


def happy_path(provider):
    """PKCE with S256, a state, the issuer checked, then the resource."""
    url = provider.ask()
    asked = dict(urllib.parse.parse_qsl(url.partition("?")[2]))
    answer = redirected(url, iss=provider.server.url)
    provider.session.resume("op", answer=answer)

    (form,) = provider.token_requests
    verifier = Secret(form["code_verifier"])
    assert asked["code_challenge_method"] == "S256"
    assert asked["code_challenge"] == code_challenge(verifier)
    assert len(asked["state"]) >= 43
    assert "authorization: bearer fake-token-1\r\n" in provider.request("/accounts")


def discovery_issuer_mismatch(provider):
    """The client does not use metadata of another issuer."""
    provider.metadata["issuer"] = f"{provider.server.url}/INVALID"
    with pytest.raises(DiscoveryFailed, match="another issuer"):
        provider.ask()
    assert all(b"/.well-known/" in each for each in provider.server.requests)


def no_iss(provider):
    """Where answers are announced to have an issuer, one without is none."""
    provider.response["iss"] = None
    provider.stops_at(WrongState)


def another_iss(provider):
    """The answer of another issuer is none."""
    provider.response["iss"] = f"{provider.server.url}/INVALID"
    provider.stops_at(WrongState)


def another_state(provider):
    """The answer to another request is none."""
    provider.response["state"] = "another"
    provider.stops_at(WrongState)


def no_state(provider):
    """An answer without a state is none."""
    provider.response["state"] = None
    provider.stops_at(WrongState)


def no_expires_in(provider):
    """A token that does not say when it ends is used."""
    provider.token["expires_in"] = None
    assert provider.log_in().is_expired() is None
    assert "bearer fake-token-1" in provider.request("/accounts")


def token_type_in_other_case(provider):
    """`bEARER` means Bearer (RFC 6749, section 5.1)."""
    provider.token["token_type"] = "bEARER"
    assert provider.log_in().token_type == "Bearer"
    assert "bearer fake-token-1" in provider.request("/accounts")


def no_aliases(provider):
    """Without `mtls_endpoint_aliases`, the endpoints are those that there are."""
    assert "mtls_endpoint_aliases" not in provider.metadata
    provider.log_in()
    assert len(provider.token_requests) == 1


def no_scope(provider):
    """No scope in the response means the scopes that were asked for."""
    provider.token |= {"scope": None, "expires_in": None}
    assert provider.log_in().scopes == {"openid", "accounts"}
    assert "bearer fake-token-1" in provider.request("/accounts")


def client_secret_basic(provider):
    """Form-encoded, then as Basic (RFC 6749, section 2.3.1); not in the body."""
    provider.log_in()
    (request,) = [each for each in provider.server.requests if b"POST /token" in each]
    head, _, body = request.decode().partition("\r\n\r\n")
    (line,) = [each for each in head.split("\r\n") if each.lower().startswith("autho")]
    pair = base64.b64decode(line.partition("Basic ")[2]).decode()
    known = credentials()
    assert [urllib.parse.unquote_plus(part) for part in pair.split(":")] == [
        known["client_id"],
        known["client_secret"],
    ]
    assert "client_secret" not in body


def openid_config(provider):
    """The endpoints are those of the metadata, whatever they are called."""
    provider.metadata["authorization_endpoint"] = f"{provider.server.url}/elsewhere"
    assert provider.ask().startswith(f"{provider.server.url}/elsewhere?")


def refresh(provider):
    """The refresh token gets a new token, and that one is sent."""
    provider.log_in()
    renewed = provider.session.refresh("op")
    assert renewed.access_token.reveal() == "fake-token-2"
    assert provider.token_requests[1]["refresh_token"] == "fake-refresh-1"
    assert "bearer fake-token-2" in provider.request("/userinfo")


def userinfo_in_the_header(provider):
    """The token is in the Authorization header and nowhere else."""
    provider.log_in()
    request = provider.request("/userinfo")
    assert "\r\nauthorization: bearer fake-token-1\r\n" in request
    assert request.count("fake-token") == 1


def scopes_for_claims(provider):
    """The scopes are asked for, and the claims come from the userinfo endpoint."""
    asked = dict(urllib.parse.parse_qsl(provider.ask().partition("?")[2]))
    assert set(asked["scope"].split()) == {"openid", "accounts"}
    provider.log_in()
    reply = provider.session.api("op", f"GET {provider.server.url}/userinfo")
    assert reply.json()["sub"] == "user-1"


MODULES = {
    f"{FAPI2}happy-path": happy_path,
    f"{FAPI2}happy-path-no-mtls-endpoint-aliases": no_aliases,
    f"{FAPI2}discovery-issuer-mismatch": discovery_issuer_mismatch,
    f"{FAPI2}remove-authorization-response-iss": no_iss,
    f"{FAPI2}invalid-authorization-response-iss": another_iss,
    f"{FAPI2}ensure-authorization-response-with-invalid-state-fails": another_state,
    f"{FAPI2}ensure-authorization-response-with-invalid-missing-state-fails": no_state,
    f"{FAPI2}token-endpoint-response-without-expires_in": no_expires_in,
    f"{FAPI2}token-type-case-insensitivity": token_type_in_other_case,
    f"{FAPI1}no-scope-in-token-endpoint-response": no_scope,
    OIDC: happy_path,
    f"{OIDC}-client-secret-basic": client_secret_basic,
    f"{OIDC}-discovery-openid-config": openid_config,
    f"{OIDC}-discovery-issuer-mismatch": discovery_issuer_mismatch,
    f"{OIDC}-refresh-token": refresh,
    f"{OIDC}-scope-userinfo-claims": scopes_for_claims,
    f"{OIDC}-userinfo-bearer-header": userinfo_in_the_header,
}


@pytest.fixture
def provider(server, transport):
    """An OpenID provider, and a client that knows nobody."""
    with Session(environ={}, transport=transport, clock=lambda: NOW) as session:
        yield Provider(server=server, session=session)


@pytest.mark.parametrize("name", MODULES)
def test_the_client_does_what_the_module_looks_for(name, provider):
    """The name of the module says what; its function says how."""
    MODULES[name](provider)


def test_there_are_enough_modules(figure):
    """At least fifteen."""
    assert len(MODULES) >= 15
    figure("OpenID Foundation client modules re-created", f"{len(MODULES)} by name")
