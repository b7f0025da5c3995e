"""Discovery: what is sent, what is believed, and what is said of the rest."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from oauthmagic import errors
from oauthmagic.errors import ConnectionFailed, DiscoveryFailed, UrlRefused
from oauthmagic.flows.discovery import discover, elsewhere
from oauthmagic.transport.wire import WireResponse

ISSUER = "https://id.acme.example"
CASES = tomllib.loads(
    Path(__file__).with_name("hostile_metadata.toml").read_text(encoding="utf-8")
)["case"]
NOT_FOUND = WireResponse(status=404)


class Issuer:
    """A transport with an answer for each path; others are not found."""

    def __init__(self, **answers):
        self.answers = answers
        self.requests = []
        self.timeouts = []

    def send(self, request, *, timeout, limit):
        """Answer, or raise what stands in the answer's place."""
        self.requests.append(request)
        self.timeouts.append(timeout)
        assert limit == 64 * 1024
        kind = "oidc" if "openid-configuration" in request.url else "rfc8414"
        answer = self.answers.get(kind, NOT_FOUND)
        if isinstance(answer, Exception):
            raise answer
        return answer


def document(**members):
    """Return an answer with metadata."""
    least = {"issuer": ISSUER, "token_endpoint": f"{ISSUER}/token"}
    return WireResponse(status=200, body=json.dumps(least | members).encode())


def ask(issuer=ISSUER, **answers):
    """Ask an issuer that answers this."""
    return discover(Issuer(**answers), issuer, timeout=8)


def test_there_are_many_cases():
    """At least thirty."""
    assert len(CASES) >= 30
    assert len({case["name"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_hostile_metadata_are_refused(case):
    """With the reason, in a text that can be shown, and without a third request."""
    text, times = case.get("repeat", ["", 0])
    body = case["body"].replace("@ISSUER@", ISSUER).replace("@MANY@", text * times)
    answer = WireResponse(
        status=case.get("status", 200),
        headers=tuple(case.get("headers", {}).items()),
        body=body.encode(),
    )
    issuer = Issuer(oidc=answer, rfc8414=answer)

    with pytest.raises(getattr(errors, case.get("error", "DiscoveryFailed"))) as failed:
        discover(issuer, ISSUER, timeout=8)

    assert case["said"] in str(failed.value)
    assert failed.value.hint
    assert str(failed.value).isprintable()
    assert all(
        request.url.startswith(f"{ISSUER}/.well-known/") for request in issuer.requests
    )


def test_one_request_is_enough():
    """A GET without anything of the user's."""
    issuer = Issuer(oidc=document())

    metadata = discover(issuer, ISSUER, timeout=8)

    (request,) = issuer.requests
    assert metadata.endpoints == {"token_endpoint": f"{ISSUER}/token"}
    assert (request.method, request.body) == ("GET", None)
    assert request.headers == (("accept", "application/json"),)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410])
def test_the_second_place_is_asked_where_the_first_is_none(status):
    """Not every server says 404 for a path that it does not have."""
    assert ask(oidc=WireResponse(status=status), rfc8414=document())


def test_a_page_for_everything_is_no_metadata():
    """Sites answer 200 and their own page for a path that they do not have."""
    page = WireResponse(
        status=200, headers=(("content-type", "text/html"),), body=b"<html>"
    )

    assert ask(oidc=page, rfc8414=document())


def test_a_refused_document_is_not_looked_past():
    """A second document cannot vouch for an issuer that contradicts itself."""
    with pytest.raises(DiscoveryFailed, match="another issuer"):
        ask(oidc=document(issuer="https://evil.example"), rfc8414=document())


def test_nothing_at_both_places():
    """The way on is a file."""
    with pytest.raises(DiscoveryFailed, match="There is no metadata at") as failed:
        ask()

    assert "Describe the provider in a file" in failed.value.hint


def test_an_issuer_with_a_slash_is_told_so():
    """The one letter that is most often wrong."""
    with pytest.raises(DiscoveryFailed) as failed:
        ask(oidc=document(issuer=f"{ISSUER}/"))

    assert f"'{ISSUER}/'" in str(failed.value)
    assert "ask for it as it is written there" in failed.value.hint


@pytest.mark.parametrize(
    "issuer",
    [
        "http://id.acme.example",
        "https://id.acme.example/?a=b",
        "https://id.acme.example?",
        "https://id.acme.example/#a",
        "https://me:pw@id.acme.example",
        "https://id.acme.example/../x",
        "https://{tenant}.acme.example",
    ],
)
def test_what_is_no_issuer_is_not_asked(issuer):
    """RFC 8414, section 2: https, no query, no fragment."""
    asked = Issuer(oidc=document())

    with pytest.raises(UrlRefused):
        discover(asked, issuer, timeout=8)

    assert asked.requests == []


def test_what_the_transport_says_goes_through():
    """Nothing is asked twice."""
    with pytest.raises(ConnectionFailed):
        ask(oidc=ConnectionFailed("No connection.", sent="no"), rfc8414=document())


def test_both_requests_share_one_deadline():
    """What the first took, the second has no more."""
    issuer = Issuer(oidc=WireResponse(status=404, elapsed=5.5), rfc8414=document())

    discover(issuer, ISSUER, timeout=8)

    assert issuer.timeouts == [8, 2.5]


def test_endpoints_on_other_hosts_are_told_apart():
    """Another port or path is the same host; another name is not."""
    metadata = ask(
        oidc=document(
            authorization_endpoint=f"{ISSUER}:8443/login",
            revocation_endpoint="https://oauth.acme.example/revoke",
        )
    )

    assert elsewhere(metadata) == {
        "revocation_endpoint": "https://oauth.acme.example/revoke"
    }


def test_this_machine_has_two_names():
    """A server under development may use either."""
    issuer = "http://localhost:8000"
    metadata = ask(
        issuer, oidc=document(issuer=issuer, token_endpoint="http://127.0.0.1:8000/t")
    )

    assert elsewhere(metadata) == {}
