from __future__ import annotations

import json
import random
import urllib.parse

import pytest

from oauthmagic.sandbox.clocks import DemoClock
from oauthmagic.sandbox.in_process import InProcessTransport
from oauthmagic.sandbox.revsto import BASE, TOKEN_PATH, RevstoSimulator
from oauthmagic.transport.wire import WireRequest

HOST = "https://revsto.demo.invalid"
CREDENTIALS = RevstoSimulator.CREDENTIALS


class Client:
    """Asks a simulator in process; as small as a client can be."""

    def __init__(self, simulator):
        self.transport = InProcessTransport(simulator.wsgi_app)

    def send(self, method, path, headers=(), body=None):
        """Send a request to a path of the host."""
        request = WireRequest(
            method=method, url=HOST + path, headers=tuple(headers), body=body
        )
        return self.transport.send(request, timeout=1, limit=1_000_000)

    def token(self, **form):
        """Ask for tokens with the demo's credentials, changed by `form`."""
        asked = {"grant_type": "password", **CREDENTIALS, **form}
        asked = {name: value for name, value in asked.items() if value is not None}
        return self.send(
            "POST",
            TOKEN_PATH,
            [("Content-Type", "application/x-www-form-urlencoded")],
            urllib.parse.urlencode(asked).encode(),
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
        headers = [("Authorization", f"Bearer {access_token}")]
        if body is not None:
            headers.append(("Content-Type", "application/json"))
        return self.send(
            method, BASE + path, headers, None if body is None else encode(body)
        )


def encode(body):
    """Return a JSON body, or the bytes as they are."""
    return body if isinstance(body, bytes) else json.dumps(body).encode()


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
