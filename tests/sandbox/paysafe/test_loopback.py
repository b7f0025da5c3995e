"""The simulator over a real TLS socket: the documented requests, host changed."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import urllib.parse
from datetime import UTC, datetime

import pytest

from oauthmagic.oauth import sca
from oauthmagic.sandbox.paysafe import PaysafeSimulator
from oauthmagic.sandbox.serving import serve

CREDENTIALS = PaysafeSimulator.CREDENTIALS
TOKEN = "/digitalwallets/v1/auth/brands/liberty/token"
BASIC = "Basic " + base64.b64encode(b"demo-partner:simulated-client-secret").decode()
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def server(simulator):
    """Serve the simulator on a free port."""
    with serve(simulator.wsgi_app, clock=lambda: datetime.now(UTC)) as server:
        yield server


@pytest.fixture
def post(server):
    """Send a POST over a new connection; return status, headers, body."""

    def send(path, body, **headers):
        port = urllib.parse.urlsplit(server.url).port
        context = ssl.create_default_context(cafile=server.ca_file)
        connection = http.client.HTTPSConnection(
            "127.0.0.1", port, context=context, timeout=5
        )
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request("POST", path, body, named)
            response = connection.getresponse()
            return response.status, response.headers, json.loads(response.read())
        finally:
            connection.close()

    return send


def test_the_pages_request_is_answered(server, post):
    """`POST .../token` with Basic and the form, as the page describes it."""
    status, headers, held = post(
        TOKEN, "grant_type=client_credentials", Authorization=BASIC, Content_Type=FORM
    )

    assert status == 200
    assert headers["Cache-Control"] == "no-store"
    assert (held["expires_in"], held["scope"]) == (36000, "whitelabelWallet")
    payload = held["access_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["iss"].startswith(server.url)


def test_the_step_up_goes_over_the_wire(post):
    """401 with the challenge, challenge, attempt, and the same request once more."""
    signed = {"Authorization": BASIC, "Content_Type": FORM}
    _, _, own = post(TOKEN, "grant_type=client_credentials", **signed)
    bearer = {
        "Authorization": f"Bearer {own['access_token']}",
        "Content_Type": "application/json",
    }
    body = urllib.parse.urlencode(
        {
            "grant_type": "password",
            "username": CREDENTIALS["username"],
            "password": CREDENTIALS["password"],
        }
    )
    status, headers, _ = post(TOKEN, body, **signed)
    event = sca.read_challenge(headers["WWW-Authenticate"])
    assert status == 401
    assert event is not None

    events = f"/digitalwallets/v1/auth/sca/events/{event.path_segment}"
    asked = json.dumps(sca.challenge_body(event, "OTP", "SMS"))
    answered = json.dumps(sca.attempt_body(event, "OTP", "SMS", "123456"))
    assert post(f"{events}/challenges", asked, **bearer)[0] == 201
    assert post(f"{events}/attempts", answered, **bearer)[2]["status"] == "VERIFIED"

    proof = sca.authorization(event)
    status, _, held = post(TOKEN, body, **signed, SCA_Authorization=proof)
    assert status == 200
    assert held["refresh_token"]
