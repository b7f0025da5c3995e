"""The simulator as a whole, and its server side."""

from __future__ import annotations

import random

import pytest

from oauthmagic.errors import CommandError, UnknownName
from oauthmagic.sandbox.clocks import DemoClock
from oauthmagic.sandbox.paysafe import PaysafeSimulator, create

CUSTOMERS = "GET /v1/customers"
TOKEN = "/digitalwallets/v1/auth/brands/liberty/token"


def test_it_is_made_by_a_function():
    """So that a provider can name it."""
    simulator = create(DemoClock(), random.Random(1))  # noqa: S311 - reproducible

    assert isinstance(simulator, PaysafeSimulator)


def test_an_unknown_brand_is_not_found(client, answers):
    """For tokens, the redirect and the consent page."""
    assert answers.error(client.token(brand="unknown"), 404) == "DW-BRAND-NOT-FOUND"
    for end in ("authorize", "consent"):
        path = f"/digitalwallets/v1/auth/brands/unknown/{end}"
        assert client.send("GET", path).status == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/digitalwallets/v3/customers", 404),
        ("GET", "/digitalwallets//v1/customers", 404),
        ("GET", TOKEN, 405),
        ("OPTIONS", "/digitalwallets/v1/customers", 405),
        ("GET", "/digitalwallets/v1/auth/sca/events/x/challenges", 405),
        ("GET", "/digitalwallets/v1/customers", 401),
    ],
)
def test_what_cannot_be_is_said_in_the_wrapper(client, answers, method, path, status):
    """There is no redirect and no page in HTML."""
    assert answers.error(client.send(method, path), status).startswith("DW-")


def test_a_body_that_is_too_large_is_refused(client):
    """Nobody fills the memory of the machine."""
    assert client.token("x" * 1_000_001).status == 413


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (None, 'Bearer realm="Authentication"'),
        (
            "Bearer unknown",
            (
                'Bearer realm="Authentication", error="invalid_token", '
                'error_description="The access token is invalid."'
            ),
        ),
    ],
)
def test_a_request_without_a_good_token_is_401(client, header, said):
    """RFC 6750, section 3.1: no code where no token was sent."""
    headers = [("Authorization", header)] if header else []
    response = client.send("GET", "/digitalwallets/v1/customers", headers)

    assert response.status == 401
    assert response.header("WWW-Authenticate") == said


def test_time_ends_an_access_token(client, clock, access_token):
    """36000 seconds, by the simulator's clock."""
    clock.advance(35999)
    assert client.api(access_token, CUSTOMERS).status == 200

    clock.advance(1)
    assert client.api(access_token, CUSTOMERS).status == 401


def test_revoking_ends_access_tokens_and_no_refresh_token(
    client, simulator, answers, user
):
    """`--revoke` plays what a refresh can mend."""
    simulator.revoke()
    assert client.api(user["access_token"], CUSTOMERS).status == 401

    form = {"refresh_token": user["refresh_token"]}
    renewed = answers.members(client.token("refresh_token", **form))
    assert client.api(renewed["access_token"], CUSTOMERS).status == 200


def test_throttling_answers_429_until_time_has_passed(
    client, simulator, clock, access_token
):
    """Everything waits, and `Retry-After` says how long: whole seconds, rounded up."""
    simulator.throttle(5)
    clock.advance(1.5)

    for response in (client.token(), client.api(access_token, CUSTOMERS)):
        assert response.status == 429
        assert response.header("Retry-After") == "4"

    clock.sleep(4)
    assert client.api(access_token, CUSTOMERS).status == 200


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), 1e300])
def test_a_throttle_has_a_length(simulator, client, seconds):
    """What is no length is refused and changes nothing."""
    with pytest.raises(CommandError):
        simulator.throttle(seconds)
    assert client.token().status == 200


def test_refusing_concerns_token_requests_only(
    client, simulator, answers, access_token
):
    """As for credentials of another environment: 401."""
    simulator.refuse()

    assert answers.error(client.token(), 401) == "invalid_client"
    assert client.api(access_token, CUSTOMERS).status == 200

    simulator.refuse(on=False)
    assert client.token().status == 200


def test_the_error_family_is_one_of_two(simulator):
    """A misprint says so."""
    with pytest.raises(UnknownName):
        simulator.use_errors("oauht")


def test_a_reset_forgets_everything(client, simulator, answers, access_token):
    """Afterwards the simulator is as new; old tokens stay dead."""
    simulator.use_errors("wrapper")
    simulator.use_sca("OFF")
    simulator.refuse()
    simulator.throttle(60)
    simulator.reset()

    assert simulator.requests == []
    assert client.api(access_token, CUSTOMERS).status == 401
    assert answers.error(client.password(), 401) == "sca_required"


def test_what_was_asked_can_be_counted(client, simulator):
    """The counters hold no query, header or body."""
    client.token()
    client.send("GET", "/digitalwallets/v1/customers?access_token=not-a-secret")

    assert simulator.requests == [
        ("POST", TOKEN, 200),
        ("GET", "/digitalwallets/v1/customers", 401),
    ]


def test_the_same_calls_give_the_same_bytes(client):
    """A tutorial's outputs are the same every day."""

    def run():
        seeded = random.Random(42)  # noqa: S311 - reproducible
        again = type(client)(PaysafeSimulator(clock=DemoClock(), randomness=seeded))
        return [again.token(), again.password()]

    assert run() == run()
