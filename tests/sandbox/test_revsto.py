from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from oauthmagic.errors import CommandError, UnknownName
from oauthmagic.providers.revsto import PROVIDER, SCOPES
from oauthmagic.sandbox.clocks import DemoClock
from oauthmagic.sandbox.revsto import BASE, TOKEN_PATH, RevstoSimulator, create

PROFILES = "GET /users/profiles"
FORM = "application/x-www-form-urlencoded"


def members(response, status=200):
    """Return the members of a JSON answer of that status."""
    assert response.status == status, response.body
    assert response.header("Content-Type").startswith("application/json")
    return json.loads(response.body)


def test_the_provider_finds_its_simulator():
    """The provider names it as "module:function"; all its scopes exist there."""
    clock = DemoClock()
    simulator = create(clock, random.Random(1))  # noqa: S311 - reproducible

    assert PROVIDER.simulator == f"{create.__module__}:{create.__name__}"
    assert isinstance(simulator, RevstoSimulator)


def test_without_scope_all_documented_scopes_are_granted(client):
    """Our invention: every endpoint answers a token that was asked for plainly."""
    access_token = members(client.token())["access_token"]
    for line in (PROFILES, "GET /products", "GET /transactions"):
        assert client.api(access_token, line).status == 200

    assert members(client.token(scope=" ".join(SCOPES)))


def test_a_wrong_password_is_401_as_the_page_says(client):
    """The page's status table: 401 for user name, password and client."""
    answer = members(client.token(password="wrong"), 401)

    assert answer["error"] == "invalid_credentials"
    assert members(client.token(client_secret="wrong"), 401)["error"] == (
        "invalid_client"
    )


@pytest.mark.parametrize(
    ("method", "query", "headers", "body"),
    [
        ("GET", "?grant_type=password", [], None),
        ("POST", "?grant_type=password", [("Content-Type", FORM)], b""),
        (
            "POST",
            "",
            [("Content-Type", "application/json")],
            json.dumps({"grant_type": "password"}).encode(),
        ),
        ("PUT", "", [("Content-Type", FORM)], b"grant_type=password"),
        ("POST", "", [], b"grant_type=password"),
    ],
    ids=["GET", "query", "JSON", "PUT", "no type"],
)
def test_only_a_posted_form_is_read(client, method, query, headers, body):
    """As recorded: anything else looks like a form without `grant_type`."""
    answer = members(client.send(method, TOKEN_PATH + query, headers, body), 400)

    assert answer["error"] == "unsupported_grant_type"


def test_the_last_of_equal_parameters_counts(client):
    """As recorded (`scope` twice): PHP keeps the last."""
    form = (
        b"grant_type=password&client_id=demo-distributor"
        b"&client_secret=simulated-client-secret&username=nobody"
        b"&username=demo-analyst&password=simulated-password"
    )
    answer = client.send("POST", TOKEN_PATH, [("Content-Type", FORM)], form)

    assert members(answer)["token_type"] == "Bearer"


@pytest.mark.parametrize(
    ("line", "scope"),
    [
        (PROFILES, "profile_view"),
        ("GET /products", "account_view"),
        ("GET /transactions", "transaction_view"),
        ("GET /transactions/51001", "transaction_view"),
        ("POST /users/1001/accounts", "account_creation"),
        ("POST /transactions/distributorPosting", "posting"),
        ("POST /hooks", "event_management"),
    ],
)
def test_a_missing_scope_is_named(client, line, scope):
    """403; that the body names the scope is our invention."""
    access_token = members(client.token(scope="kyc_view"))["access_token"]
    answer = members(client.api(access_token, line, b"{}"), 403)

    assert answer["error"] == "insufficient_scope"
    assert answer["scope"] == scope


def test_a_request_without_token_is_refused_without_challenge(client):
    """`access_denied`, as the library's resource server says it."""
    response = client.send("GET", f"{BASE}/products")

    assert members(response, 401)["hint"] == 'Missing "Authorization" header'
    assert response.header("WWW-Authenticate") is None


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/api/distributor/v1/nothing", 404),
        ("GET", "/api/distributor/v1/transactions/51001/more", 404),
        ("GET", "/api//distributor/v1/products", 404),
        ("DELETE", "/api/distributor/v1/products", 405),
        ("OPTIONS", "/api/distributor/v1/products", 405),
        ("GET", "/api/distributor/v1/hooks", 405),
    ],
)
def test_what_does_not_exist_is_said_in_json(client, method, path, status):
    """There is no redirect and no page in HTML."""
    members(client.send(method, path), status)


def test_a_body_that_is_too_large_is_refused(client):
    """Nobody fills the memory of the machine."""
    body = b"grant_type=" + b"x" * 1_000_001
    response = client.send("POST", TOKEN_PATH, [("Content-Type", FORM)], body)

    assert response.status == 413


def test_time_ends_an_access_token(client, clock, access_token):
    """300 seconds, by the simulator's clock."""
    clock.advance(299)
    assert client.api(access_token, PROFILES).status == 200

    clock.advance(1)
    assert members(client.api(access_token, PROFILES), 401)["hint"] == (
        "Access token could not be verified"
    )


def test_revoking_ends_all_access_tokens_and_no_refresh_token(client, simulator):
    """`--revoke` plays what a refresh can mend."""
    held = members(client.token())
    simulator.revoke()

    assert members(client.api(held["access_token"], PROFILES), 401)["hint"] == (
        "Access token has been revoked"
    )
    renewed = members(client.refresh(held["refresh_token"]))
    assert client.api(renewed["access_token"], PROFILES).status == 200


def test_throttling_answers_429_until_time_has_passed(
    client, simulator, clock, access_token
):
    """Everything waits, and `Retry-After` says how long: whole seconds, rounded up."""
    simulator.throttle(5)
    clock.advance(1.5)

    for response in (client.token(), client.api(access_token, PROFILES)):
        assert members(response, 429)["error"] == "too_many_requests"
        assert response.header("Retry-After") == "4"

    clock.sleep(4)
    assert client.api(access_token, PROFILES).status == 200


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), 1e300])
def test_a_throttle_has_a_length(simulator, client, seconds):
    """What is no length is refused and changes nothing."""
    with pytest.raises(CommandError):
        simulator.throttle(seconds)
    assert client.token().status == 200


def test_throttling_for_no_time_ends_it(simulator, client):
    """The other way out is to let time pass."""
    simulator.throttle()
    simulator.throttle(0)

    assert client.token().status == 200


def test_refusing_concerns_token_requests_only(simulator, client, access_token):
    """The FAQ: 400 on authentication, whatever the credentials."""
    simulator.refuse()

    assert members(client.token(), 400)["error"] == "invalid_request"
    assert client.api(access_token, PROFILES).status == 200

    simulator.refuse(on=False)
    assert client.token().status == 200


def test_the_rate_limit_is_counted_per_token(client, clock, access_token):
    """300 requests in 60 seconds: our invention, so that 429 can be met."""
    for _ in range(300):
        assert client.api(access_token, "GET /products?limit=1").status == 200
    response = client.api(access_token, "GET /products")

    assert response.status == 429
    assert response.header("Retry-After") == "60"

    other = members(client.token())["access_token"]
    assert client.api(other, "GET /products").status == 200

    clock.sleep(60)
    assert client.api(access_token, "GET /products").status == 200


def test_the_error_family_can_be_chosen(client, simulator):
    """Which version Revsto runs is unknown; a client must bear all."""
    simulator.use_errors("league9")
    answer = members(client.token(password="wrong"), 400)

    assert answer["error"] == "invalid_grant"
    assert "message" not in answer
    with pytest.raises(UnknownName):
        simulator.use_errors("league10")


def test_a_reset_forgets_everything(client, simulator, access_token):
    """Afterwards the simulator is as new; old tokens stay dead."""
    simulator.use_errors("league9")
    simulator.refuse()
    simulator.throttle(60)
    simulator.reset()

    assert simulator.requests == []
    assert client.api(access_token, PROFILES).status == 401
    assert members(client.token(password="wrong"), 401)["error"] == (
        "invalid_credentials"
    )


def test_what_was_asked_can_be_counted(client, simulator):
    """The counters hold no query, header or body."""
    members(client.token())
    client.send("GET", f"{BASE}/products?access_token=not-a-secret")

    assert simulator.requests == [
        ("POST", TOKEN_PATH, 200),
        ("GET", f"{BASE}/products", 401),
    ]


def test_the_same_calls_give_the_same_bytes(client):
    """A tutorial's outputs are the same every day."""

    def run():
        seeded = random.Random(42)  # noqa: S311 - reproducible
        simulator = RevstoSimulator(clock=DemoClock(), randomness=seeded)
        again = type(client)(simulator)
        first = again.token()
        held = members(first)
        rows = again.api(held["access_token"], "GET /transactions?limit=100")
        return [first, rows, again.refresh(held["refresh_token"])]

    assert run() == run()


def test_threads_may_share_a_simulator(client, simulator):
    """Of ten who use one refresh token at once, one gets the new tokens."""
    held = members(client.token())
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(client.refresh, [held["refresh_token"]] * 10))

    assert sorted(answer.status for answer in answers) == [200] + [401] * 9
    assert len(simulator.requests) == 11
