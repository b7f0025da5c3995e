"""RFC 8628: what a server may answer, and how often it is asked."""

from __future__ import annotations

import itertools
import json
import threading
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthmagic import errors
from oauthmagic.flows.device_logins import Polling, authorize_device, poll
from oauthmagic.flows.token_requests import Endpoint
from oauthmagic.oauth.device_authorization import DeviceAuthorization
from oauthmagic.redaction import Secret
from oauthmagic.transport.wire import WireResponse

FILE = tomllib.loads(
    (Path(__file__).parents[1] / "oauth" / "device_responses.toml").read_text(
        encoding="utf-8"
    )
)
ENDPOINT = Endpoint(
    url="https://id.example/device_authorization",
    client_id="me",
    token_endpoint_auth_method="none",
)


class Answering:
    """A transport with one answer."""

    def __init__(self, status, body):
        self.requests = []
        self._response = WireResponse(
            status=status,
            headers=(("content-type", "application/json"),),
            body=body.encode(),
        )

    def send(self, request, *, timeout, limit):  # noqa: ARG002
        """Answer it."""
        self.requests.append(request)
        return self._response


@pytest.mark.parametrize("case", FILE["case"], ids=lambda case: case["name"])
def test_every_device_response_has_its_outcome(case):
    """It is read, or refused with a typed error that shows no code."""
    members = {**FILE["good"], **case.get("members", {})}
    members = {name: value for name, value in members.items() if value != "REMOVED"}
    body = case.get("body", json.dumps(members))
    transport = Answering(case.get("status", 200), body)

    if "accepted" in case:
        given = authorize_device(transport, ENDPOINT, ("read",))
        found = {name: getattr(given, name) for name in case["accepted"]}
        assert found == case["accepted"]
        assert "fake-device-code-1" not in repr(given)
    else:
        with pytest.raises(errors.OAuthMagicError) as refused:
            authorize_device(transport, ENDPOINT, ("read",))
        assert type(refused.value).__name__ == case["refused"]
        assert case["says"] in str(refused.value)
        assert "fake-device-code-1" not in str(refused.value)
    (request,) = transport.requests
    assert request.body == b"scope=read&client_id=me"


class Server:
    """A token endpoint with its answers in order; and the time."""

    def __init__(self, *answers, interval=5, expires_in=1800):
        self.now = datetime(2030, 1, 1, tzinfo=UTC)
        self.asked_at = []
        self._answers = list(answers)
        self.polling = Polling(
            DeviceAuthorization(
                device_code=Secret("fake-device-code-1"),
                user_code="A",
                verification_uri="https://id.example",
                expires_in=expires_in,
                interval=interval,
            ),
            self._answer,
            lambda: self.now,
        )

    def _answer(self):
        self.asked_at.append((self.now - datetime(2030, 1, 1, tzinfo=UTC)).seconds)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def sleep(self, seconds):
        """Let time pass, and never stop."""
        self.now += timedelta(seconds=seconds)
        return False


PENDING = errors.AuthorizationPending()


@pytest.mark.parametrize(
    ("answers", "asked_at"),
    [
        ([PENDING, PENDING, "token"], [5, 10, 15]),
        ([errors.SlowDown(), PENDING, "token"], [5, 15, 25]),
        ([errors.SlowDown(), errors.SlowDown(), "token"], [5, 15, 30]),
        ([errors.RateLimited("no"), "token"], [5, 15]),
        ([errors.ConnectionFailed("no"), errors.ConnectionLost("no"), "token"],
         [5, 15, 35]),
    ],
    ids=["pending", "slow_down", "twice", "429", "no connection"],
)  # fmt: skip
def test_a_server_is_asked_no_sooner_than_it_allows(answers, asked_at):
    """Section 3.5: the interval, five seconds more, twice as long without an answer."""
    server = Server(*answers)

    poll(server.polling, server.sleep)

    assert server.polling.ask() == "token"
    assert server.asked_at == asked_at


@pytest.mark.parametrize(
    "refusal",
    [errors.AccessDenied(), errors.ExpiredToken(), errors.InvalidGrant(),
     errors.InvalidTokenResponse("no")],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_a_refusal_is_the_end(refusal):
    """Nothing is asked any more, and everybody is told the same."""
    server = Server(PENDING, refusal)
    poll(server.polling, server.sleep)

    for _ in range(3):
        with pytest.raises(type(refusal)):
            server.polling.ask()

    assert server.asked_at == [5, 10]


def test_it_ends_with_the_codes():
    """Without a last question to a server that would only say so."""
    server = Server(PENDING, expires_in=12)

    poll(server.polling, server.sleep)

    with pytest.raises(errors.ExpiredToken):
        server.polling.ask()
    assert server.asked_at == [5, 10]


def test_it_can_be_stopped():
    """At once, between two questions."""
    server, stop = Server(PENDING), threading.Event()
    thread = threading.Thread(target=poll, args=(server.polling, stop.wait))
    thread.start()
    stop.set()
    thread.join(3)

    assert not thread.is_alive()
    assert server.asked_at == []


def test_whoever_is_impatient_asks_no_sooner_either():
    """What is said instead names the seconds that are left."""
    server = Server(PENDING)
    with pytest.raises(errors.CommandError) as refused:
        server.polling.ask()
    server.sleep(5)
    with pytest.raises(errors.AuthorizationPending):
        server.polling.ask()

    assert "5 s" in refused.value.hint
    assert server.asked_at == [5]


@given(
    st.lists(
        st.sampled_from(
            [PENDING, errors.SlowDown(), errors.RateLimited("no"),
             errors.ConnectionLost("no")]
        ),
        max_size=30,
    ),
    st.integers(1, 60),
    st.integers(61, 4000),
)  # fmt: skip
def test_property_the_pauses_never_shrink(answers, interval, expires_in):
    """Nor is anything asked after the end."""
    server = Server(*answers, "token", interval=interval, expires_in=expires_in)

    poll(server.polling, server.sleep)

    asked = [0, *server.asked_at]
    pauses = [b - a for a, b in itertools.pairwise(asked)]
    assert all(pause >= interval for pause in pauses)
    assert pauses == sorted(pauses)
    assert all(at < expires_in for at in server.asked_at)
