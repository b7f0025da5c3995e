"""A world whose server is a list of answers, and whose time is moved by hand."""

import json
import urllib.parse
from datetime import UTC, datetime, timedelta

import pytest

from oauthmagic.oauth.credentials import read_credentials
from oauthmagic.oauth.outcomes import settled
from oauthmagic.oauth.targets import Target
from oauthmagic.providers.environments import SandboxEnvironment
from oauthmagic.providers.provider import Provider
from oauthmagic.runtime.lifecycle import TokenKeeper
from oauthmagic.runtime.world import World
from oauthmagic.store.memory import MemoryStore
from oauthmagic.transport.wire import WireResponse

CREDENTIALS = {
    "client_id": "me",
    "client_secret": "fake-client-secret",
    "username": "jo",
    "password": "fake-password",
}


class Clock:
    """Time that is moved by hand; sleeping moves it too."""

    def __init__(self):
        self.now = datetime(2030, 1, 1, tzinfo=UTC)
        self.slept = []

    def __call__(self):
        """Return the time."""
        return self.now

    def monotonic(self):
        """Return the time in seconds."""
        return self.now.timestamp()

    def advance(self, seconds):
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def sleep(self, seconds):
        """Let time pass, and remember that somebody waited."""
        self.slept.append(seconds)
        self.advance(seconds)


class Script:
    """A transport that answers from a list; an exception in it is raised."""

    def __init__(self):
        self.answers = []
        self.requests = []

    def send(self, request, *, timeout, limit):
        """Give the next answer."""
        self.requests.append(request)
        assert timeout > 0
        assert limit > 0
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def forms(self):
        """Return the parameters of the token requests, in order."""
        return [
            dict(urllib.parse.parse_qsl(request.body.decode()))
            for request in self.requests
            if request.url.endswith("/token")
        ]

    def bearers(self):
        """Return the tokens of the API requests, in order."""
        return [
            dict(request.headers)["authorization"].removeprefix("Bearer ")
            for request in self.requests
            if not request.url.endswith("/token")
        ]


def answer(status=200, headers=(), **members):
    """Return a JSON response."""
    return WireResponse(
        status=status,
        headers=(("content-type", "application/json"), *headers),
        body=json.dumps(members).encode(),
    )


def granted(access_token, refresh_token=None, **members):
    """Return a token response of 300 seconds."""
    if refresh_token:
        members["refresh_token"] = refresh_token
    return answer(
        **{"access_token": access_token, "token_type": "Bearer", "expires_in": 300}
        | members
    )


class Stage:
    """Everything that a runtime test plays with."""

    def __init__(self):
        self.clock = Clock()
        self.script = Script()
        self.store = MemoryStore()
        self.keeper = TokenKeeper(self.store)
        environment = SandboxEnvironment(
            token_endpoint="https://id.acme.example/token",
            api_base="https://api.acme.example",
        )
        self.world = World(
            target=Target("acme", "", "sandbox"),
            provider=Provider(
                name="acme",
                title="Acme",
                environments={"sandbox": environment},
                grants=("client_credentials", "password", "refresh_token"),
                default_grant="client_credentials",
            ),
            environment=environment,
            transport=self.script,
            clock=self.clock,
            sleep=self.clock.sleep,
            monotonic=self.clock.monotonic,
            randomness=bytes,
            fingerprint_key=b"test",
        )
        self.credentials = settled(read_credentials(CREDENTIALS))


@pytest.fixture
def stage():
    """A keeper with nothing in it."""
    return Stage()
