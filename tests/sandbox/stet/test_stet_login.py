"""The eight steps of the page: consent, code, token, refresh, revocation."""

from __future__ import annotations

import random
import re
import urllib.parse

import pytest

from oauthmagic.errors import CommandError, TlsError, UnknownName
from oauthmagic.keys.synthetic import SyntheticAuthority, published_key
from oauthmagic.oauth import pkce
from oauthmagic.providers.stet_banks import BANKS
from oauthmagic.sandbox.clocks import START, DemoClock
from oauthmagic.sandbox.stet import StetSimulator, create

NUMBER = "PSDFR-ACPR-13807"
OTHER = "PSDFR-ACPR-99999"
PAGE = "https://www.mycallback.com/"


def answer_of(location):
    """Return address and parameters of a redirect."""
    url = urllib.parse.urlsplit(location)
    return f"{url.scheme}://{url.netloc}{url.path}", dict(
        urllib.parse.parse_qsl(url.query)
    )


def issue(simulator, number=NUMBER, roles=("PSP_AI",), **dates):
    """Return a QWAC that the bank's authority issued."""
    key = published_key()
    return simulator.authority.issue(
        "QWAC", number, roles, key=key, **dates
    ).certificate


def test_the_page_asks_and_offers_three_ways_out(tpp):
    """Plain HTML: who asks, what for, where one goes; each way is a button."""
    page = tpp.send("GET", tpp.authorize_url())
    text = page.body.decode()

    assert page.status == 200
    assert page.header("Content-Security-Policy").startswith("default-src 'none'")
    assert '<html lang="en">' in text
    assert text.count("<h1>") == 1
    assert "Synthetic Analytics (PSDFR-ACPR-13807)" in text
    assert re.findall(r'name="decision" value="(\w+)"', text) == [
        "accept",
        "refuse",
        "timeout",
    ]


@pytest.mark.parametrize("decision", ["accept", "refuse", "timeout"])
def test_a_button_leads_back_to_the_third_party(tpp, decision):
    """The browser posts the page's form; `decide` is the same in one call."""
    page = tpp.send("GET", tpp.authorize_url()).body.decode()
    screen = re.search(r'name="screen" value="(\w+)"', page)[1]
    answer = tpp.post("/stet/psd2/oauth/authorize", screen=screen, decision=decision)
    again = tpp.post("/stet/psd2/oauth/authorize", screen=screen, decision=decision)
    played = tpp.simulator.decide(tpp.authorize_url(), decision)

    assert answer.status == 302
    assert again.status == 400
    for location in (answer.header("Location"), played):
        address, found = answer_of(location)
        assert address == tpp.credentials["redirect_uri"]
        assert found["state"] == "simulated-state"
        if decision == "accept":
            assert set(found) == {"code", "state"}
        else:
            assert found["error"] == "access_denied"


def test_a_page_ends_after_four_minutes(tpp, clock):
    """Whoever accepts later has let the time run out."""
    page = tpp.send("GET", tpp.authorize_url()).body.decode()
    screen = re.search(r'name="screen" value="(\w+)"', page)[1]
    clock.advance(241)
    answer = tpp.post("/stet/psd2/oauth/authorize", screen=screen, decision="accept")

    assert "time" in answer_of(answer.header("Location"))[1]["error_description"]


@pytest.mark.parametrize(
    "parameters",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": None},
        {"redirect_uri": PAGE + "more"},
        {"redirect_uri": "http://127.0.0.1:4000/other"},
        {"redirect_uri": "http://127.0.0.1.evil.example/oauthmagic/callback"},
        {"redirect_uri": "http://127.0.0.1:99999/oauthmagic/callback"},
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_registered(tpp, parameters):
    """RFC 6749, 4.1.2.1: a page says so, to the customer."""
    url = tpp.authorize_url(**parameters)

    assert tpp.send("GET", url).status == 400
    assert tpp.simulator.decide(url, "accept") is None


@pytest.mark.parametrize(
    "redirect_uri",
    [
        PAGE,
        "http://127.0.0.1:4000/oauthmagic/callback",
        "http://[::1]:1/oauthmagic/callback",
    ],
)
def test_registered_addresses_are_taken_to_the_letter(tpp, redirect_uri):
    """Only the port of a loopback address is free (RFC 8252, section 7.3)."""
    code = tpp.code(redirect_uri=redirect_uri)

    assert tpp.exchange(code, redirect_uri=redirect_uri).status == 200


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"scope": "aisp extended_transaction_history"}, "invalid_scope"),
        ({"code_challenge": "short"}, "invalid_request"),
        (
            {"code_challenge": "x" * 43, "code_challenge_method": "plain"},
            "invalid_request",
        ),
    ],
)
def test_other_faults_are_told_to_the_third_party(tpp, parameters, error):
    """By redirect, with `error` and `state`."""
    answer = tpp.send("GET", tpp.authorize_url(**parameters))
    _, found = answer_of(answer.header("Location"))

    assert (found["error"], found["state"]) == (error, "simulated-state")


def test_a_parameter_is_there_once(tpp):
    """RFC 6749, section 3.1."""
    assert tpp.send("GET", tpp.authorize_url() + "&scope=pisp").status == 400


def test_a_decision_is_one_of_three(tpp):
    """Neither a method nor a form takes another word; other pages are none."""
    with pytest.raises(UnknownName, match="accept"):
        tpp.simulator.decide(tpp.authorize_url(), "acept")
    for url in (tpp.origin + "/stet/psd2/oauth/token", "https://evil.example/"):
        with pytest.raises(CommandError, match="no page"):
            tpp.simulator.decide(url, "accept")
    answer = tpp.post("/stet/psd2/oauth/authorize", screen="x", decision="acept")
    assert answer.status == 400


def test_a_code_becomes_tokens(tpp):
    """Steps 5 to 7; members as recorded, access tokens of 140 characters."""
    held = tpp.login()

    assert list(held) == [
        "access_token",
        "token_type",
        "expires_in",
        "refresh_token",
        "scope",
    ]
    assert len(held["access_token"]) == 140
    assert (held["expires_in"], held["scope"]) == (300, "aisp offline_access")


def test_a_code_is_good_once_and_its_tokens_die_with_the_second_use(tpp, members):
    """RFC 6749, section 4.1.2."""
    code = tpp.code()
    held = members(tpp.exchange(code))
    again = members(tpp.exchange(code), 400)

    assert again["error"] == "invalid_grant"
    assert tpp.api(held["access_token"], "GET /accounts").status == 401
    assert tpp.refresh(held["refresh_token"]).status == 400


@pytest.mark.parametrize(("seconds", "status"), [(59, 200), (60, 400)])
def test_a_code_is_good_for_sixty_seconds(tpp, clock, seconds, status):
    """The page: a one-time token with a short life period; 60 is ours."""
    code = tpp.code()
    clock.advance(seconds)

    assert tpp.exchange(code).status == status


def test_a_code_belongs_to_address_client_and_bank(tpp):
    """Each is compared."""
    assert tpp.exchange(tpp.code(), redirect_uri=PAGE).status == 400
    assert tpp.at("17515").exchange(tpp.code()).status == 400
    assert tpp.exchange("nonsense").status == 400


def test_a_challenge_that_was_sent_is_verified(tpp):
    """RFC 7636, section 4.6; and a verifier without one is a downgrade."""
    verifier = pkce.code_verifier(b"x" * 32)
    asked = {
        "code_challenge": pkce.code_challenge(verifier),
        "code_challenge_method": "S256",
    }
    right = verifier.reveal()

    assert tpp.exchange(tpp.code(**asked), code_verifier=right).status == 200
    assert tpp.exchange(tpp.code(**asked)).status == 400
    assert tpp.exchange(tpp.code(**asked), code_verifier="y" * 43).status == 400
    assert tpp.exchange(tpp.code(), code_verifier=right).status == 400
    assert tpp.exchange(tpp.code(), code_verifier="short").status == 400


def test_a_strict_bank_wants_no_scope_with_a_code(tpp, simulator):
    """The page: it must be sent without scope. Only some banks mind."""
    assert tpp.exchange(tpp.code(), scope="aisp").status == 200

    simulator.use(strict=True)
    held = tpp.login()
    assert tpp.exchange(tpp.code(), scope="aisp").status == 400
    assert tpp.refresh(held["refresh_token"], scope="aisp").status == 400
    assert tpp.token(grant_type="client_credentials", scope="pisp").status == 200


def test_a_refresh_replaces_both_tokens(tpp, members):
    """The new one works, the one that was used does not."""
    held = tpp.login()
    renewed = members(tpp.refresh(held["refresh_token"]))

    assert renewed["refresh_token"] != held["refresh_token"]
    assert tpp.api(renewed["access_token"], "GET /accounts").status == 200
    assert members(tpp.refresh(held["refresh_token"]), 400)["error"] == "invalid_grant"


@pytest.mark.parametrize("days", [90, 180])
def test_refreshing_ends_so_many_days_after_the_authentication(
    tpp, simulator, clock, members, days
):
    """A refresh does not prolong it: the whole redirect is due again."""
    simulator.use(refresh_days=days)
    token = tpp.login()["refresh_token"]
    clock.advance((days - 1) * 86400)
    token = members(tpp.refresh(token))["refresh_token"]
    clock.advance(86400)

    assert members(tpp.refresh(token), 400)["error"] == "invalid_grant"
    assert tpp.login()["refresh_token"]


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_revoking_either_token_revokes_the_other(tpp, which):
    """RFC 7009, and the provider's page; a second time changes nothing."""
    held = tpp.login()
    for _ in range(2):
        assert tpp.post("/stet/psd2/oauth/revoke", token=held[which]).status == 200

    assert tpp.api(held["access_token"], "GET /accounts").status == 401
    assert tpp.refresh(held["refresh_token"]).status == 400
    assert tpp.post("/stet/psd2/oauth/revoke").status == 400


@pytest.mark.parametrize(
    ("scope", "status", "granted"),
    [
        ("pisp", 200, "pisp"),
        (None, 200, "pisp"),
        ("cbpii", 200, "cbpii"),
        ("aisp", 400, None),
        ("manageRegistration", 400, None),
    ],
)
def test_a_client_may_come_by_itself_for_some_scopes(
    tpp, members, scope, status, granted
):
    """client_credentials: pisp by default, an hour, no refresh token."""
    answer = members(tpp.token(grant_type="client_credentials", scope=scope), status)

    assert answer.get("scope") == granted
    assert "refresh_token" not in answer
    if granted:
        assert answer["expires_in"] == 3600


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "client_id": "nobody"}, "invalid_client"),
        ({"grant_type": "refresh_token", "client_id": None}, "invalid_client"),
        ({"grant_type": "refresh_token"}, "invalid_grant"),
    ],
)
def test_a_token_request_says_what_is_wrong(tpp, members, form, error):
    """RFC 6749, section 5.2."""
    answer = tpp.token(**form)

    assert members(answer, answer.status)["error"] == error
    assert answer.header("Cache-Control") == "no-store"


def test_without_a_certificate_there_is_no_conversation(tpp):
    """As TLS 1.3 says it, late; the pages for customers are open to browsers."""
    nobody = tpp.showing(None)
    for send in (
        lambda: nobody.exchange("x"),
        lambda: nobody.api("x", "GET /accounts"),
        lambda: nobody.post("/stet/psd2/oauth/revoke"),
        lambda: nobody.send("POST", "/stet/setting/v1/register"),
    ):
        with pytest.raises(TlsError, match="CERTIFICATE_REQUIRED") as caught:
            send()
        assert caught.value.sent == "unknown"
        assert "QWAC" in caught.value.hint
    assert nobody.send("GET", tpp.authorize_url()).status == 200


def test_a_certificate_of_nobody_or_of_yesterday_is_refused_by_tls(tpp, simulator):
    """Another authority; one that has ended; bytes that are none."""
    ended = issue(
        simulator,
        not_before=START.replace(year=2028),
        not_after=START.replace(year=2029),
    )
    stranger = SyntheticAuthority(START).issue("QWAC", NUMBER, ["PSP_AI"]).certificate
    for certificate, alert in ((ended, "EXPIRED"), (stranger, "UNKNOWN_CA")):
        with pytest.raises(TlsError, match=alert):
            tpp.showing(certificate).exchange("x")


def test_another_providers_certificate_is_not_mine(tpp, simulator, members):
    """Steps 6 and 8: refused for the token and for what is done with it."""
    held = tpp.login()
    other = tpp.showing(issue(simulator, OTHER))

    assert members(other.exchange(tpp.code()), 403)["error"] == "invalid_client"
    assert other.refresh(held["refresh_token"]).status == 403
    assert (
        members(other.api(held["access_token"], "GET /accounts"), 403)["status"] == 403
    )

    simulator.use_errors("rfc")
    assert members(other.exchange(tpp.code()), 401)["error"] == "invalid_client"
    assert other.api(held["access_token"], "GET /accounts").status == 401


def test_a_role_is_needed_for_the_token_and_for_each_call(tpp, simulator, members):
    """A certificate for payments sees no accounts."""
    payer = tpp.showing(issue(simulator, roles=["PSP_PI"]))
    held = tpp.login()
    refused = members(payer.exchange(tpp.code()), 403)

    assert refused["error"] == "unauthorized_client"
    assert "PSP_AI" in refused["error_description"]
    call = members(payer.api(held["access_token"], "GET /accounts"), 403)
    assert "PSP_AI" in call["message"]


def test_a_seal_is_no_certificate_for_tls(tpp, simulator):
    """It has the same number, and another purpose."""
    key = published_key()
    seal = simulator.authority.issue("QSealC", NUMBER, ["PSP_AI"], key=key)

    assert tpp.showing(seal.certificate).exchange(tpp.code()).status == 403


def test_a_token_belongs_to_one_bank(tpp, access_token):
    """A customer of two banks consents twice."""
    assert tpp.api(access_token, "GET /accounts").status == 200
    assert tpp.at("17515").api(access_token, "GET /accounts").status == 401


@pytest.mark.parametrize("bank", sorted(BANKS))
def test_every_bank_of_the_catalogue_answers(tpp, bank):
    """One simulator is all of them."""
    assert tpp.at(bank).login()["token_type"] == "Bearer"


def test_a_bank_that_does_not_exist_is_404(tpp):
    """The real one would not even have an address."""
    assert tpp.at("99999").token(grant_type="password").status == 404


def test_a_401_is_as_a_bank_of_bpce_says_it(
    tpp, simulator, members, clock, access_token
):
    """No challenge, no `invalid_token`; the page promises both words."""
    clock.advance(300)
    refused = tpp.api(access_token, "GET /accounts")

    assert members(refused, 401) == {
        "errorMessage": "Invalid token in authorization header"
    }
    assert refused.header("WWW-Authenticate") is None

    simulator.use_errors("rfc")
    refused = tpp.api(access_token, "GET /accounts")
    assert members(refused, 401)["error"] == "invalid_token"
    assert refused.header("WWW-Authenticate") == 'Bearer error="invalid_token"'


def test_the_servers_side_can_be_played(tpp, simulator, members, clock):
    """Revoke, throttle, refuse, reset."""
    held = tpp.login()
    simulator.revoke()
    assert tpp.api(held["access_token"], "GET /accounts").status == 401
    held = members(tpp.refresh(held["refresh_token"]))

    simulator.throttle(5)
    throttled = tpp.api(held["access_token"], "GET /accounts")
    assert (throttled.status, throttled.header("Retry-After")) == (429, "5")
    clock.advance(5)

    simulator.refuse()
    refused = members(tpp.refresh(held["refresh_token"]), 403)
    assert refused["error"] == "unauthorized_client"
    assert tpp.api(held["access_token"], "GET /accounts").status == 200

    simulator.reset()
    assert simulator.requests == []
    assert tpp.api(held["access_token"], "GET /accounts").status == 401
    assert tpp.login()


def test_settings_are_known_by_name_and_value(simulator):
    """A slip is an error, and changes nothing."""
    for changes in (
        {"sgnatures": "required"},
        {"signatures": "maybe"},
        {"errors": "x"},
    ):
        with pytest.raises(UnknownName):
            simulator.use(**changes)
    with pytest.raises(CommandError):
        simulator.throttle(-1)
    assert simulator.settings.signatures == "checked"


def test_what_was_asked_can_be_counted(tpp, simulator):
    """The counters hold no query, header or body; a played customer counts."""
    tpp.login()

    assert simulator.requests == [
        ("POST", "/stet/psd2/oauth/authorize", 302),
        ("POST", "/stet/psd2/oauth/token", 200),
    ]


def test_the_same_calls_give_the_same_bytes(tpp):
    """A tutorial's outputs are the same every day."""

    def run():
        simulator = create(DemoClock(), random.Random(42))  # noqa: S311 - reproducible
        again = type(tpp)(simulator)
        held = again.login()
        return held, again.api(held["access_token"], "GET /accounts")

    assert run() == run()


def test_credentials_are_what_a_client_needs(simulator):
    """The QWAC and the seal, in PEM; they are plainly synthetic."""
    credentials = StetSimulator(
        clock=DemoClock(),
        randomness=random.Random(1),  # noqa: S311 - reproducible
    ).CREDENTIALS

    assert credentials == simulator.CREDENTIALS
    assert set(credentials) == {
        "client_id",
        "redirect_uri",
        "certificate",
        "private_key",
        "signing_certificate",
        "signing_key",
    }
