from __future__ import annotations

import json
import random

import pytest
from simulated import InProcessClient

from oauthmagic.sandbox.clocks import DemoClock
from oauthmagic.sandbox.revsto import BASE, TOKEN_PATH, RevstoSimulator

HOST = "https://revsto.demo.invalid"
CREDENTIALS = RevstoSimulator.CREDENTIALS


class Client(InProcessClient):
    """Asks Revsto."""

    origin = HOST

    def token(self, **form):
        """Ask for tokens with the demo's credentials, changed by `form`."""
        return self.post(
            TOKEN_PATH, **{"grant_type": "password", **CREDENTIALS, **form}
        )

    def refresh(self, refresh_token, **form):
        """Ask for new tokens."""
        return self.token(
            grant_type="refresh_token",
            refresh_token=refresh_token,
            username=None,
            password=None,
            **form,
        )

    def api(self, access_token, line, body=None):
        """Send an authorized request: "GET /products"."""
        method, path = line.split(" ")
        return self.authorized(access_token, method, BASE + path, body=body)


@pytest.fixture
def clock():
    """Stand still until a test moves it."""
    return DemoClock()


@pytest.fixture
def simulator(clock):
    """Simulate Revsto, always in the same way."""
    return RevstoSimulator(clock=clock, randomness=random.Random(1))  # noqa: S311 - reproducible


@pytest.fixture
def client(simulator):
    """Ask the simulator."""
    return Client(simulator)


@pytest.fixture
def access_token(client):
    """Hold an access token with all scopes."""
    return json.loads(client.token().body)["access_token"]
