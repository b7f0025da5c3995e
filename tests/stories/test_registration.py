"""Registering a client at a bank, as far as that is documented."""

import base64
import json
import ssl

from oauthmagic import Session

BANK = "stet/17515@demo"
REGISTER = "https://www.17515.stet.demo.invalid/stet/setting/v1/register"
#: The generic client_id of the sandbox, as the page publishes it.
GENERIC = "9d8711ec-f1b4-45e4-8072-2b3aa49793f0"


def test_a_client_is_registered_with_a_token_of_its_own():
    """A token for manageRegistration by the QWAC; then the client is there."""
    session = Session(environ={})
    demo = session.demo(BANK).credentials
    seal = ssl.PEM_cert_to_DER_cert(demo["signing_certificate"])
    key = {
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": "seal-1",
        "x5c": [base64.b64encode(seal).decode()],
    }
    registration = {
        "redirect_uris": ["https://tpp.demo.invalid/oauthmagic/callback"],
        "token_endpoint_auth_method": "tls_client_auth",
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "response_types": ["code"],
        "client_name": "Story TPP",
        "scope": "aisp,pisp",
        "contact": {
            "contact_name": "A. Nalyst",
            "email": "analyst@demo.invalid",
            "phone_number": "+33100000000",
        },
        "provider_legal_id": "PSDFR-ACPR-13807",
        "jwks": {"keys": [key]},
    }
    token = session.token(
        BANK,
        grant="client_credentials",
        scopes="manageRegistration",
        credentials={**demo, "client_id": GENERIC},
        alias="registration",
    )

    made = session.api("registration", f"POST {REGISTER}\n\n{json.dumps(registration)}")
    client_id = made.json().get("client_id", "")
    found = session.api("registration", f"GET {REGISTER}/{client_id}")

    assert token.scopes == {"manageRegistration"}
    assert made.status == 200, made.text
    assert found.json()["client_name"] == "Story TPP"
