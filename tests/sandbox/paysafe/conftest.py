from __future__ import annotations

import base64
import hashlib
import json
import random
import urllib.parse

import pytest
from simulated import InProcessClient, encoded

from oauthmagic.oauth import sca
from oauthmagic.sandbox.paysafe import PaysafeSimulator

HOST = "https://paysafe.demo.invalid"
AUTH = "/digitalwallets/v1/auth"
CREDENTIALS = PaysafeSimulator.CREDENTIALS
VERIFIER = "simulated-code-verifier-of-fortyfive-letters."


def basic(client_id, client_secret):
    """Return Basic as RFC 6749, section 2.3.1, writes it."""
    pair = ":".join(map(urllib.parse.quote_plus, (client_id, client_secret)))
    return "Basic " + base64.b64encode(pair.encode()).decode()


PARTNER = basic(CREDENTIALS["client_id"], CREDENTIALS["client_secret"])


class Client(InProcessClient):
    """Asks Paysafe."""

    origin = HOST
    basic = staticmethod(basic)
    verifier = VERIFIER

    def token(
        self,
        grant_type="client_credentials",
        *,
        brand="liberty",
        authorization=PARTNER,
        proof=None,
        **form,
    ):
        """Send a token request with the demo's client, or another."""
        headers = {"Authorization": authorization, "SCA-Authorization": proof}
        given = [(name, value) for name, value in headers.items() if value]
        path = f"{AUTH}/brands/{brand}/token"
        return self.post(path, *given, grant_type=grant_type, **form)

    def password(self, **more):
        """Send a token request with the demo's user name and password."""
        user = {name: CREDENTIALS[name] for name in ("username", "password")}
        return self.token("password", **{**user, **more})

    def api(self, access_token, line, body=None, proof=None):
        """Send an authorized request: "GET /v1/customers"."""
        method, path = line.split(" ")
        headers = [("SCA-Authorization", proof)] if proof else []
        path = f"/digitalwallets{path}"
        return self.authorized(access_token, method, path, headers, body)

    def event(self, response):
        """Return the SCA event of a 401."""
        assert response.status == 401, response.body
        event = sca.read_challenge(response.header("WWW-Authenticate"))
        assert event is not None
        return event

    def challenge(self, access_token, event, method="OTP", channel="SMS"):
        """Ask for a one-time code."""
        line = f"POST /v1/auth/sca/events/{event.path_segment}/challenges"
        return self.api(access_token, line, sca.challenge_body(event, method, channel))

    def attempt(
        self, access_token, event, answer="123456", method="OTP", channel="SMS"
    ):
        """Give the one-time code."""
        line = f"POST /v1/auth/sca/events/{event.path_segment}/attempts"
        body = sca.attempt_body(event, method, channel, answer)
        return self.api(access_token, line, body)

    def proof(self, access_token, response):
        """Authenticate for what was refused; return what the next request needs."""
        event = self.event(response)
        assert self.challenge(access_token, event).status == 201
        assert self.attempt(access_token, event).status == 201
        return sca.authorization(event)

    def authorization_url(self, brand="liberty", **changed):
        """Return an authorization request with PKCE."""
        digest = hashlib.sha256(VERIFIER.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": CREDENTIALS["client_id"],
            "redirect_uri": CREDENTIALS["redirect_uri"],
            "scope": "whitelabelWallet",
            "state": "simulated-state",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **changed,
        }
        return f"{HOST}{AUTH}/brands/{brand}/authorize?{encoded(asked)}"

    def redeem(self, location, **form):
        """Send the token request for the code in a redirected URL."""
        asked = {
            "code": self.answered(location)["code"],
            "redirect_uri": CREDENTIALS["redirect_uri"],
            "code_verifier": VERIFIER,
        }
        return self.token("authorization_code", **{**asked, **form})

    @staticmethod
    def answered(location):
        """Return the parameters of a redirected URL."""
        assert location.startswith(CREDENTIALS["redirect_uri"] + "?")
        return dict(urllib.parse.parse_qsl(location.partition("?")[2]))


class Answers:
    """Reads answers."""

    @staticmethod
    def members(response, status=200):
        """Return the members of a JSON answer of that status."""
        assert response.status == status, response.body
        assert response.header("Content-Type") == "application/json"
        return json.loads(response.body)

    def error(self, response, status=400):
        """Return `error` of RFC 6749, or the code in Paysafe's wrapper."""
        error = self.members(response, status)["error"]
        return error["code"] if isinstance(error, dict) else error

    @staticmethod
    def claims(token):
        """Return what a JWT says."""
        part = token.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@pytest.fixture
def simulator(clock):
    """Simulate Paysafe, always in the same way."""
    return PaysafeSimulator(clock=clock, randomness=random.Random(1))  # noqa: S311 - reproducible


@pytest.fixture
def client(simulator):
    """Ask the simulator."""
    return Client(simulator)


@pytest.fixture
def answers():
    """Read what it answers."""
    return Answers()


@pytest.fixture
def access_token(client, answers):
    """Hold the partner's own access token."""
    return answers.members(client.token())["access_token"]


@pytest.fixture
def user(client, answers, access_token):
    """Hold what a user's tokens came with, after the one-time code."""
    proof = client.proof(access_token, client.password())
    return answers.members(client.password(proof=proof))
