"""A third party registers itself: `/stet/setting/v1/register`."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest

from oauthmagic.keys.qualified import load_private_key, read_certificate
from oauthmagic.keys.signatures import SIGNED_AT_REGISTRATION, digest, sign
from oauthmagic.keys.synthetic import published_key
from oauthmagic.sandbox.stet_registration import active_from

PATH = "/stet/setting/v1/register"
NUMBER = "PSDFR-ACPR-77777"
SANDBOX_ID = "9d8711ec-f1b4-45e4-8072-2b3aa49793f0"


@pytest.fixture
def newcomer(tpp):
    """Show the certificate of a provider that nobody knows yet."""
    issued = tpp.simulator.authority.issue(
        "QWAC", NUMBER, ["PSP_AI", "PSP_PI"], key=published_key()
    )
    return tpp.showing(issued.certificate)


@pytest.fixture
def body(tpp):
    """Describe it, as the page wants it."""
    seal = tpp.simulator.authority.issue(
        "QSealC", NUMBER, ["PSP_AI", "PSP_PI"], key=published_key()
    )
    der = read_certificate(seal.certificate).der
    return {
        "redirect_uris": ["https://new.demo.invalid/callback"],
        "token_endpoint_auth_method": "tls_client_auth",
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "response_types": ["code"],
        "client_name": "Newcomer <b>",
        "scope": "aisp,pisp",
        "contact": {"contact_name": "Nobody", "email": "nobody@demo.invalid"},
        "provider_legal_id": NUMBER,
        "jwks": {
            "keys": [
                {"kty": "RSA", "use": "sig", "x5c": [base64.b64encode(der).decode()]}
            ]
        },
        "software_id": "demo",
    }


def manage(newcomer, members, client_id=SANDBOX_ID):
    """Return the token for registration."""
    answer = newcomer.token(
        grant_type="client_credentials",
        scope="manageRegistration",
        client_id=client_id,
    )
    return members(answer)["access_token"]


def register(newcomer, token, body, method="POST", path=PATH, headers=()):
    """Send a registration."""
    sent = [("Authorization", f"Bearer {token}"), *headers]
    if body is not None:
        sent.append(("Content-Type", "application/json"))
        body = json.dumps(body).encode()
    return newcomer.send(method, path, sent, body)


@pytest.mark.parametrize("client_id", [SANDBOX_ID, "PSD2_TPPRegister"])
def test_a_generic_client_may_ask_for_registration(newcomer, members, client_id):
    """The published identifiers, and no other scope."""
    assert manage(newcomer, members, client_id)
    answer = newcomer.token(
        grant_type="client_credentials", scope="pisp", client_id=client_id
    )
    assert members(answer, 400)["error"] == "invalid_scope"


def test_a_registration_is_answered_as_recorded(newcomer, members, body):
    """Words in upper case, a client_id with the number in it, nulls."""
    token = manage(newcomer, members)
    answer = members(register(newcomer, token, body))

    assert answer["client_id"].startswith(f"1{NUMBER}-0-")
    assert answer["grant_types"][0] == "AUTHORIZATION_CODE"
    assert answer["response_types"] == ["CODE"]
    assert (answer["scope"], answer["client_secret"]) == ("aisp,pisp", None)


def test_it_counts_from_two_in_the_afternoon(newcomer, members, body, clock):
    """Sent at 09:00: of the same day; then the whole login works."""
    token = manage(newcomer, members)
    client_id = members(register(newcomer, token, body))["client_id"]
    asked = {"client_id": client_id, "redirect_uri": body["redirect_uris"][0]}
    url = newcomer.authorize_url(**asked)

    assert "unauthorized_client" in newcomer.simulator.decide(url, "accept")
    early = newcomer.token(grant_type="client_credentials", client_id=client_id)
    assert members(early, 400)["error"] == "unauthorized_client"
    clock.advance(5 * 3600)
    assert b"Newcomer &lt;b&gt;" in newcomer.send("GET", url).body
    code = newcomer.code(**asked)
    held = members(newcomer.exchange(code, **asked))
    assert newcomer.api(held["access_token"], "GET /accounts").status == 200
    # What was registered is the certificate's owner's alone.
    owner = newcomer.simulator.client_certificate
    assert newcomer.showing(owner).exchange(code, **asked).status == 403


@pytest.mark.parametrize(
    ("sent", "counts"),
    [
        ("2030-01-01 09:58", "2030-01-01"),  # a Tuesday
        ("2030-01-01 09:59", "2030-01-02"),
        ("2030-01-04 12:00", "2030-01-07"),  # Friday to Monday
        ("2030-01-05 08:00", "2030-01-07"),  # Saturday
        ("2030-01-06 23:00", "2030-01-07"),
    ],
)
def test_the_next_working_day_is_meant(sent, counts):
    """Or the same one, before 09:59; holidays are not known here."""
    moment = datetime.fromisoformat(sent).replace(tzinfo=UTC)

    assert active_from(moment) == datetime.fromisoformat(f"{counts} 14:00+00:00")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"redirect_uris": []}, 400),
        ({"redirect_uris": "https://new.demo.invalid/"}, 400),
        ({"token_endpoint_auth_method": "client_secret_basic"}, 400),
        ({"client_name": None}, 400),
        ({"client_name": "Synthetic Analytics"}, 400),
        ({"scope": "aisp pisp"}, 400),
        ({"scope": "aisp,cbpii"}, 403),
        ({"provider_legal_id": "PSDFR-ACPR-13807"}, 403),
        ({"jwks": {}}, 400),
        ({"jwks": {"keys": [{"x5c": ["AAAA"]}]}}, 400),
    ],
)
def test_a_registration_that_lacks_something_is_refused(
    newcomer, members, body, change, status
):
    """Scopes have commas and need their roles; the provider is who it says."""
    token = manage(newcomer, members)

    assert register(newcomer, token, {**body, **change}).status == status


def test_a_registration_is_signed_with_the_key_that_it_brings(newcomer, members, body):
    """The keyId is the certificate's address; the date is not signed."""
    token = manage(newcomer, members)
    newcomer.simulator.use(signatures="required")
    assert register(newcomer, token, body).status == 403

    headers = [("Digest", digest(json.dumps(body).encode())), ("X-Request-ID", "1")]
    signature = sign(
        SIGNED_AT_REGISTRATION,
        key=load_private_key(newcomer.credentials["signing_key"].encode()),
        key_id="https://new.demo.invalid/seal.pem",
        method="POST",
        path_and_query=PATH,
        headers=headers,
    )
    headers.append(("Signature", signature))
    assert register(newcomer, token, body, headers=headers).status == 200


def test_a_registration_can_be_read_changed_and_ended(newcomer, members, body, tpp):
    """By its owner only."""
    token = manage(newcomer, members)
    client_id = members(register(newcomer, token, body))["client_id"]
    path = f"{PATH}/{client_id}"
    changed = {**body, "client_name": "Old hand"}

    assert register(tpp, manage(tpp, members), None, "GET", path).status == 404
    assert register(tpp, manage(tpp, members), None, "DELETE", path).status == 404
    answer = register(newcomer, token, changed, "PUT", path)
    assert members(answer)["client_name"] == "Old hand"
    answer = register(newcomer, token, None, "GET", path)
    assert members(answer)["client_name"] == "Old hand"
    assert register(newcomer, token, None, "DELETE", path).status == 204
    assert register(newcomer, token, None, "GET", path).status == 404


def test_another_token_registers_nothing(tpp, body):
    """A customer's token is for accounts."""
    token = tpp.login()["access_token"]

    assert register(tpp, token, body).status == 403


@pytest.mark.parametrize(
    ("kind", "number"), [("QSealC", "PSDFR-ACPR-13807"), ("QWAC", NUMBER)]
)
def test_the_seal_is_one_and_the_providers_own(newcomer, members, body, kind, number):
    """Else anybody's signatures, or a certificate for TLS, would count as its own."""
    issued = newcomer.simulator.authority.issue(
        kind, number, ["PSP_AI"], key=published_key()
    )
    encoded = base64.b64encode(read_certificate(issued.certificate).der).decode()
    body["jwks"]["keys"][0]["x5c"] = [encoded]

    assert register(newcomer, manage(newcomer, members), body).status == 403


def test_nobody_revokes_anothers_token(newcomer, members, body, tpp, clock):
    """RFC 7009, section 2.2: the answer is 200, and nothing happens."""
    token = manage(newcomer, members)
    client_id = members(register(newcomer, token, body))["client_id"]
    clock.advance(5 * 3600)
    held = tpp.login()
    answer = newcomer.post(
        "/stet/psd2/oauth/revoke", token=held["access_token"], client_id=client_id
    )

    assert answer.status == 200
    assert tpp.api(held["access_token"], "GET /accounts").status == 200
