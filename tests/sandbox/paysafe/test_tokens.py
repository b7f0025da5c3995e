"""The token endpoint: clients, grants, lifetimes."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from oauthmagic.keys.jwts import rfc7515_a2_key, verify_rs256
from oauthmagic.oauth.clients import basic_authorization
from oauthmagic.redaction import Secret
from oauthmagic.sandbox.paysafe_clients import APP, APP_CONFIGURATION

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
SUBJECT = {"subject_token": "demo-partner-session", "subject_token_type": ACCESS_TOKEN}
TOKEN = "/digitalwallets/v1/auth/brands/liberty/token"
FORM = ("Content-Type", "application/x-www-form-urlencoded")


@pytest.mark.parametrize(
    ("registered", "expires_in"), [(None, 36000), (APP_CONFIGURATION, 900)]
)
def test_client_credentials_live_as_the_pages_show(
    client, answers, registered, expires_in
):
    """36000 s for an admin token, 900 s for a configuration token; no refresh token."""
    more = {}
    if registered:
        pair = (registered.client_id, registered.client_secret)
        more["authorization"] = client.basic(*pair)
    answer = answers.members(client.token(**more))

    assert list(answer) == ["access_token", "token_type", "expires_in", "scope"]
    assert answer["expires_in"] == expires_in
    assert answer["token_type"] == "Bearer"
    assert answer["scope"] == "whitelabelWallet"


def test_an_access_token_is_a_signed_jwt(client, answers):
    """With RS256; which claims it has is our invention."""
    access_token = answers.members(client.token())["access_token"]
    claims = verify_rs256(access_token, rfc7515_a2_key())

    assert claims["iss"] == (
        "https://paysafe.demo.invalid/digitalwallets/v1/auth/brands/liberty"
    )
    assert claims["exp"] - claims["iat"] == 36000
    assert claims["scope"] == "whitelabelWallet"


def test_an_answer_is_not_stored(client):
    """RFC 6749, section 5.1; a refusal is not either."""
    for response in (client.token(), client.token("password")):
        assert response.header("Cache-Control") == "no-store"


def test_id_and_secret_are_url_encoded_before_base64(client, answers):
    """The page asks for it; a client that skips it fails where it matters."""
    client_id, secret = APP_CONFIGURATION.client_id, APP_CONFIGURATION.client_secret
    encoded = basic_authorization(client_id, Secret(secret), "form")
    raw = basic_authorization(client_id, Secret(secret), "raw")

    assert client.token(authorization=encoded).status == 200
    assert answers.error(client.token(authorization=raw), 401) == "invalid_client"


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "Basic " + base64.b64encode(b"demo-partner:wrong").decode(),
        "Basic " + base64.b64encode(b"nobody:simulated-client-secret").decode(),
        "Bearer abc",
    ],
)
def test_a_client_that_does_not_authenticate_is_challenged(
    client, answers, authorization
):
    """RFC 6749, section 5.2: 401 and how to do it."""
    response = client.token(authorization=authorization)

    assert answers.error(response, 401) == "invalid_client"
    assert response.header("WWW-Authenticate") == 'Basic realm="Authentication"'


def test_a_client_authenticates_once(client, answers):
    """RFC 6749, section 2.3; naming itself in the body as well is allowed."""
    twice = client.token(client_secret="simulated-client-secret")

    assert answers.error(twice) == "invalid_request"
    assert client.token(client_id="demo-partner").status == 200
    assert answers.error(client.token(client_id="demo-app")) == "invalid_request"


@pytest.mark.parametrize(
    "grant_type",
    ["CLIENT_CREDENTIALS", "TOKEN_EXCHANGE", "PASSWORD", "REFRESH_TOKEN"],
)
def test_the_display_names_are_not_for_the_wire(client, answers, grant_type):
    """The page shows them; what is sent is lower case."""
    answer = answers.members(client.token(grant_type), 400)

    assert answer["error"] == "unsupported_grant_type"
    assert "lower case" in answer["error_description"]


def test_an_unknown_grant_is_refused_without_that_advice(client, answers):
    """Nor with a grant of another standard."""
    answer = answers.members(client.token("device_code"), 400)

    assert answer["error"] == "unsupported_grant_type"
    assert "lower case" not in answer["error_description"]


def test_a_client_has_its_grants(client, answers):
    """Which may do what is our invention; the partner's may do all."""
    app = client.basic(APP.client_id, APP.client_secret)
    configuration = client.basic(
        APP_CONFIGURATION.client_id, APP_CONFIGURATION.client_secret
    )

    assert answers.error(client.token(authorization=app)) == "unauthorized_client"
    assert answers.error(client.password(authorization=configuration)) == (
        "unauthorized_client"
    )


@pytest.mark.parametrize(
    ("scope", "status"), [("whitelabelWallet", 200), ("whitelabelwallet", 400)]
)
def test_there_is_one_scope(client, scope, status):
    """Scopes are case-sensitive (RFC 6749, section 3.3)."""
    assert client.token(scope=scope).status == status


def test_a_user_gets_every_token(user, answers):
    """Access token, refresh token with its end, ID token, effective scope."""
    assert list(user) == [
        "access_token",
        "token_type",
        "expires_in",
        "refresh_token",
        "refresh_expires_in",
        "id_token",
        "scope",
    ]
    assert user["refresh_expires_in"] == 86400
    assert answers.claims(user["id_token"])["sub"] == "200101"
    assert answers.claims(user["access_token"])["sub"] == "200101"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"password": "wrong"}, "invalid_grant"),
        ({"username": "nobody"}, "invalid_grant"),
        ({"password": None}, "invalid_request"),
        ({"username": ""}, "invalid_request"),
    ],
)
def test_a_wrong_user_is_refused_before_any_challenge(client, answers, form, error):
    """An empty parameter counts as none (RFC 6749, section 3.2)."""
    assert answers.error(client.password(**form)) == error


def test_a_refresh_token_is_used_once(client, answers, user):
    """It is rotated: the old one dies with its use."""
    refresh_token = user["refresh_token"]
    renewed = answers.members(
        client.token("refresh_token", refresh_token=refresh_token)
    )
    again = client.token("refresh_token", refresh_token=refresh_token)

    assert renewed["refresh_token"] != refresh_token
    assert answers.error(again) == "invalid_grant"
    assert client.api(renewed["access_token"], "GET /v1/customers").status == 200


def test_threads_may_share_a_simulator(client, simulator, user):
    """Of ten who use one refresh token at once, one gets the new tokens."""
    before = len(simulator.requests)
    with ThreadPoolExecutor(10) as pool:
        found = list(
            pool.map(
                lambda text: client.token("refresh_token", refresh_token=text),
                [user["refresh_token"]] * 10,
            )
        )

    assert sorted(each.status for each in found) == [200] + [400] * 9
    assert len(simulator.requests) == before + 10


def test_a_refresh_token_ends(client, answers, clock, user):
    """After the seconds that `refresh_expires_in` said."""
    clock.advance(user["refresh_expires_in"])
    response = client.token("refresh_token", refresh_token=user["refresh_token"])

    assert answers.error(response) == "invalid_grant"


def test_a_refresh_token_stays_with_brand_and_client(client, answers, user):
    """Elsewhere it is unknown, and it stays good where it belongs."""
    token = {"refresh_token": user["refresh_token"]}
    app = client.basic(APP.client_id, APP.client_secret)

    for more in ({"brand": "aurora"}, {"authorization": app}):
        response = client.token("refresh_token", **token, **more)
        assert answers.error(response) == "invalid_grant"
    assert client.token("refresh_token", **token).status == 200


def test_a_partners_session_is_exchanged(client, answers, access_token):
    """RFC 8693, section 2; the user is asked for the one-time code as well."""
    first = client.token(EXCHANGE, **SUBJECT)
    proof = client.proof(access_token, first)
    answer = answers.members(client.token(EXCHANGE, **SUBJECT, proof=proof))

    assert answer["issued_token_type"] == ACCESS_TOKEN
    assert answers.claims(answer["access_token"])["sub"] == "200101"


@pytest.mark.parametrize("kind", ["access_token", "id_token"])
def test_a_users_token_can_be_exchanged(client, simulator, user, kind):
    """While it is valid."""
    simulator.use_sca("OFF")
    subject = {
        "subject_token": user[kind],
        "subject_token_type": f"urn:ietf:params:oauth:token-type:{kind}",
    }

    assert client.token(EXCHANGE, **subject).status == 200
    assert client.token(EXCHANGE, **subject, brand="aurora").status == 400


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"subject_token": None}, "invalid_request"),
        ({"subject_token": "unknown"}, "invalid_request"),
        ({"subject_token_type": None}, "invalid_request"),
        (
            {"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"},
            "invalid_request",
        ),
        ({"actor_token": "somebody"}, "invalid_request"),
        ({"audience": "elsewhere"}, "invalid_target"),
    ],
)
def test_an_exchange_that_cannot_be_is_refused(client, answers, form, error):
    """RFC 8693, section 2.2.2."""
    assert answers.error(client.token(EXCHANGE, **{**SUBJECT, **form})) == error


def test_a_partners_own_token_has_no_user_to_exchange(client, answers, access_token):
    """It speaks for the brand."""
    subject = {**SUBJECT, "subject_token": access_token}

    assert answers.error(client.token(EXCHANGE, **subject)) == "invalid_request"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ([("Content-Type", "application/json")], b'{"grant_type":"password"}'),
        ([], b"grant_type=client_credentials"),
        ([FORM], b"grant_type=client_credentials&grant_type=client_credentials"),
        ([FORM], b""),
        ([FORM], b"grant_type="),
    ],
    ids=["JSON", "no type", "twice", "nothing", "empty"],
)
def test_a_body_that_is_no_proper_form_is_refused(client, answers, headers, body):
    """RFC 6749, section 3.2: a form, and no parameter twice."""
    authorization = client.basic("demo-partner", "simulated-client-secret")
    headers = [*headers, ("Authorization", authorization)]

    assert answers.error(client.send("POST", TOKEN, headers, body)) == "invalid_request"


def test_errors_can_come_in_the_wrapper(client, simulator):
    """Which shape the token endpoint has is not documented; a client must bear both."""
    simulator.use_errors("wrapper")
    response = client.password(password="wrong")

    assert response.status == 400
    assert json.loads(response.body) == {
        "error": {
            "code": "DW-INVALID-GRANT",
            "message": "The user name or the password is wrong.",
            "details": [],
            "fieldErrors": [],
        }
    }
