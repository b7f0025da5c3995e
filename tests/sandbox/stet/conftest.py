from __future__ import annotations

import json
import random
import urllib.parse

import pytest
from simulated import InProcessClient, encoded

from oauthmagic.keys.qualified import read_certificate
from oauthmagic.sandbox.stet import StetSimulator

OWN = object()


class Tpp(InProcessClient):
    """A third party that asks a simulated bank.

    `scope` and so on given as None are left out of a request.
    """

    def __init__(self, simulator, bank="13807", certificate=OWN):
        self.simulator = simulator
        self.bank = bank
        self.credentials = simulator.CREDENTIALS
        self.origin = f"https://www.{bank}.stet.demo.invalid"
        if certificate is OWN:
            certificate = simulator.client_certificate
        super().__init__(simulator, certificate)

    def showing(self, certificate):
        """Return the same third party with another certificate (PEM, DER, None)."""
        if certificate is not None:
            certificate = read_certificate(certificate).der
        return Tpp(self.simulator, self.bank, certificate)

    def at(self, bank):
        """Return the same third party at another bank."""
        return Tpp(self.simulator, bank)

    def authorize_url(self, **parameters):
        """Return an authorization request."""
        asked = {
            "response_type": "code",
            "client_id": self.credentials["client_id"],
            "redirect_uri": self.credentials["redirect_uri"],
            "scope": "aisp",
            "state": "simulated-state",
            **parameters,
        }
        return f"{self.origin}/stet/psd2/oauth/authorize?{encoded(asked)}"

    def code(self, **parameters):
        """Return a code of a customer who accepts."""
        location = self.simulator.decide(self.authorize_url(**parameters), "accept")
        query = urllib.parse.urlsplit(location).query
        return urllib.parse.parse_qs(query)["code"][0]

    def token(self, **form):
        """Send a token request."""
        return self.post("/stet/psd2/oauth/token", **form)

    def post(self, path, *headers, **form):
        """Send a form with the `client_id`."""
        asked = {"client_id": self.credentials["client_id"], **form}
        return super().post(path, *headers, **asked)

    def exchange(self, code, **form):
        """Exchange a code."""
        return self.token(
            grant_type="authorization_code",
            code=code,
            **{"redirect_uri": self.credentials["redirect_uri"], **form},
        )

    def refresh(self, refresh_token, **form):
        """Ask for new tokens."""
        return self.token(
            grant_type="refresh_token", refresh_token=refresh_token, **form
        )

    def login(self, **parameters):
        """Return the tokens of a customer who accepts."""
        return read(self.exchange(self.code(**parameters)))

    def api(self, token, line, body=None, headers=(), version="v1.4.2"):
        """Send an authorized request: "GET /accounts", or an address from a link."""
        method, path = line.split(" ")
        if not path.startswith("/stet/"):
            path = f"/stet/psd2/{version}{path}"
        return self.authorized(token, method, path, headers, body)

    def consent(self, token, *ibans, **more):
        """Send the customer's choice: everything of these accounts."""
        rows = [{"iban": iban} for iban in ibans]
        body = {"balances": rows, "transactions": rows, "psuIdentity": True, **more}
        return self.api(token, "PUT /consents", body)

    def ibans(self, token):
        """Return the IBANs of the customer's accounts."""
        rows = read(self.api(token, "GET /accounts"))["accounts"]
        return [
            each["accountId"]["iban"] for each in rows if "iban" in each["accountId"]
        ]


def read(response, status=200):
    """Return the JSON of an answer of that status."""
    assert response.status == status, (response.status, response.body)
    assert response.header("Content-Type").startswith("application/json")
    return json.loads(response.body)


@pytest.fixture
def members():
    """Hand out `read`."""
    return read


@pytest.fixture
def simulator(clock):
    """Simulate the banks, always in the same way."""
    return StetSimulator(clock=clock, randomness=random.Random(1))  # noqa: S311 - reproducible


@pytest.fixture
def tpp(simulator):
    """Ask a Banque Populaire."""
    return Tpp(simulator)


@pytest.fixture
def access_token(tpp):
    """Hold an access token for account information."""
    return tpp.login()["access_token"]


@pytest.fixture
def consented(tpp, access_token):
    """Hold one whose customer chose both accounts."""
    assert tpp.consent(access_token, *tpp.ibans(access_token)).status == 200
    return access_token
