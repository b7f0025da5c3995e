"""The redirect: authorization endpoint, consent page, codes."""

from __future__ import annotations

import urllib.parse

import pytest

from oauthmagic.errors import UnknownName
from oauthmagic.sandbox.paysafe_clients import APP

CONSENT = "/digitalwallets/v1/auth/brands/liberty/consent"


def path_of(url):
    """Return path and query."""
    split = urllib.parse.urlsplit(url)
    return f"{split.path}?{split.query}"


def test_the_user_accepts_and_the_client_gets_tokens(client, simulator, answers):
    """302 back with code and state; then PKCE's verifier opens it."""
    location = simulator.decide(client.authorization_url(nonce="n-1"), "accept")
    held = answers.members(client.redeem(location))

    assert client.answered(location)["state"] == "simulated-state"
    assert answers.claims(held["id_token"])["nonce"] == "n-1"
    assert client.api(held["access_token"], "GET /v1/customers").status == 200


def test_a_browser_gets_a_page_with_two_buttons(client, answers):
    """The same by HTTP: 302 to the page, a posted form, 302 to the client."""
    found = client.send("GET", path_of(client.authorization_url()))
    page = client.send("GET", found.header("Location"))
    request = found.header("Location").partition("request=")[2]
    body = f"request={request}&decision=accept".encode()
    headers = [("Content-Type", "application/x-www-form-urlencoded")]
    decided = client.send("POST", CONSENT, headers, body)

    assert (found.status, page.status, decided.status) == (302, 200, 302)
    assert page.body.count(b"<button") == 2
    assert b"Anna Kask" in page.body
    assert b'lang="en"' in page.body
    assert page.header("Content-Security-Policy") == (
        "default-src 'none'; frame-ancestors 'none'"
    )
    assert answers.members(client.redeem(decided.header("Location")))["refresh_token"]
    assert answers.error(client.send("POST", CONSENT, headers, body)) == (
        "invalid_request"
    )


@pytest.mark.parametrize(
    ("decision", "description"),
    [
        ("refuse", "The user refused."),
        ("timeout", "The user did not decide in time."),
    ],
)
def test_a_user_who_does_not_accept_is_access_denied(
    client, simulator, decision, description
):
    """RFC 6749, section 4.1.2.1."""
    location = simulator.decide(client.authorization_url(), decision)

    assert client.answered(location) == {
        "error": "access_denied",
        "error_description": description,
        "state": "simulated-state",
    }


def test_the_page_ends(client, clock):
    """Whoever presses the button after ten minutes is too late."""
    found = client.send("GET", path_of(client.authorization_url()))
    clock.advance(600)
    request = found.header("Location").partition("request=")[2]
    headers = [("Content-Type", "application/x-www-form-urlencoded")]
    body = f"request={request}&decision=accept".encode()
    decided = client.send("POST", CONSENT, headers, body)

    assert client.answered(decided.header("Location"))["error"] == "access_denied"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"scope": "everything"}, "invalid_scope"),
    ],
)
def test_a_wrong_request_is_sent_back_to_the_client(client, simulator, changed, error):
    """PKCE with S256 is mandatory; `state` comes back with the error."""
    location = simulator.decide(client.authorization_url(**changed), "accept")
    answered = client.answered(location)

    assert answered["error"] == error
    assert answered["state"] == "simulated-state"


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": "https://notebook.demo.invalid/oauthmagic/callback/"},
        {"redirect_uri": "https://notebook.demo.invalid/oauthmagic/callback?a=b"},
    ],
)
def test_nobody_is_redirected_to_a_stranger(client, simulator, answers, changed):
    """RFC 6749, section 4.1.2.1; redirect URIs match exactly."""
    url = client.authorization_url(**changed)

    assert answers.error(client.send("GET", path_of(url))) == "invalid_request"
    assert simulator.decide(url, "accept") is None


def test_a_doubled_parameter_is_refused_without_redirect(client, simulator, answers):
    """RFC 6749, section 3.1."""
    url = client.authorization_url() + "&state=another"

    assert answers.error(client.send("GET", path_of(url))) == "invalid_request"
    assert simulator.decide(url, "accept") is None


@pytest.mark.parametrize(
    "url",
    [
        "https://paysafe.demo.invalid/",
        "https://paysafe.demo.invalid/digitalwallets/v1/auth/brands/liberty/token",
        "https://[",
        "",
    ],
)
def test_another_url_leads_nowhere(simulator, url):
    """There is nobody to ask."""
    assert simulator.decide(url, "accept") is None


def test_a_decision_is_one_of_three(client, simulator):
    """And a misprint says so."""
    with pytest.raises(UnknownName, match="accept"):
        simulator.decide(client.authorization_url(), "acept")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"code": "unknown"}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_grant"),
        ({"redirect_uri": "https://evil.example/"}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_grant"),
        ({"code_verifier": "x" * 43}, "invalid_grant"),
        ({"code_verifier": "short"}, "invalid_grant"),
        ({"brand": "aurora"}, "invalid_grant"),
    ],
)
def test_a_code_needs_everything_it_came_with(client, simulator, answers, form, error):
    """RFC 6749, section 4.1.3; RFC 7636, section 4.6."""
    location = simulator.decide(client.authorization_url(), "accept")

    assert answers.error(client.redeem(location, **form)) == error


def test_a_code_stays_with_its_client(client, simulator, answers):
    """Another client cannot use it, and does not spend it."""
    location = simulator.decide(client.authorization_url(), "accept")
    app = client.basic(APP.client_id, APP.client_secret)

    assert answers.error(client.redeem(location, authorization=app)) == "invalid_grant"
    assert client.redeem(location).status == 200


def test_a_code_is_used_once(client, simulator, answers):
    """A second use ends what came of the first (RFC 6749, section 4.1.2)."""
    location = simulator.decide(client.authorization_url(), "accept")
    held = answers.members(client.redeem(location))
    assert answers.error(client.redeem(location)) == "invalid_grant"

    assert client.api(held["access_token"], "GET /v1/customers").status == 401
    refreshed = client.token("refresh_token", refresh_token=held["refresh_token"])
    assert answers.error(refreshed) == "invalid_grant"


def test_a_code_ends(client, simulator, clock, answers):
    """60 seconds: our invention."""
    location = simulator.decide(client.authorization_url(), "accept")
    clock.advance(60)

    assert answers.error(client.redeem(location)) == "invalid_grant"
