"""Wallets: whose token it is, the second factor, and the same request once more."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from oauthmagic import Session, UserActionRequired
from oauthmagic.errors import (
    CommandError,
    OAuthError,
    StepUpFailed,
    WrongAnswer,
)
from oauthmagic.providers.environments import SandboxEnvironment
from oauthmagic.providers.paysafe import PROVIDER
from oauthmagic.sandbox.clocks import DemoClock
from oauthmagic.sandbox.in_process import InProcessTransport
from oauthmagic.sandbox.paysafe import create

WALLETS = "paysafe/liberty@demo"
TRANSFER = """POST /v1/transactions/transfers
Content-Type: application/json
Idempotency-Key: {{$guid}}

{"sourceAccountId": "300101", "destinationAccountId": "300103", "amount": 1250,
 "currencyCode": "EUR", "description": "Shared lunch"}
"""


@pytest.fixture
def session():
    """A session that knows nobody."""
    return Session(environ={})


@pytest.fixture
def demo(session):
    """The provider's side."""
    return session.demo(WALLETS)


def log_in(session):
    """Ask with the user's password, up to the second factor."""
    with pytest.raises(UserActionRequired) as asked:
        session.token(WALLETS, grant="password")
    return asked.value.pending


def transfer(session):
    """Ask for a transfer, up to the second factor."""
    with pytest.raises(UserActionRequired) as asked:
        session.api(WALLETS, TRANSFER)
    return asked.value.pending


def test_the_back_office_sees_the_brand_and_a_user_one_wallet(session):
    """Client credentials and password give tokens for different eyes."""
    brand = session.api(WALLETS, "GET /v1/customers").frame("customers")
    log_in(session)
    session.resume(WALLETS, answer="123456")
    own = session.api(WALLETS, "GET /v1/customers").frame("customers")

    assert (len(brand), len(own)) == (3, 1)
    assert session.show(WALLETS).refresh_expires_at is not None


def test_a_wrong_code_twice_and_the_right_one(session):
    """What is left is counted; the token is there when the code is right."""
    pending = log_in(session)
    assert pending.kind == "sca"

    hints = []
    for _ in range(2):
        with pytest.raises(WrongAnswer) as wrong:
            session.resume(WALLETS, answer="000000")
        hints.append(wrong.value.hint)

    assert hints == ["Try again: 2 more allowed.", "Try again: 1 more allowed."]
    assert session.resume(WALLETS, answer="123456").grant == "password"


def test_an_action_waits_under_the_name_that_the_token_will_have(session):
    """There is no token of that name yet."""
    with pytest.raises(UserActionRequired) as asked:
        session.token(WALLETS, grant="password", alias="anna")
    assert asked.value.pending.target == "anna"

    assert session.resume("anna", answer="123456").alias == "anna"


def test_when_the_attempts_are_exhausted_it_begins_anew(session):
    """Nothing waits any more; the next call is a new event."""
    log_in(session)
    for _ in range(2):
        with pytest.raises(WrongAnswer):
            session.resume(WALLETS, answer="000000")

    with pytest.raises(StepUpFailed) as over:
        session.resume(WALLETS, answer="000000")

    assert "start anew" in over.value.hint
    with pytest.raises(CommandError, match="Nothing waits"):
        session.resume(WALLETS, answer="123456")
    log_in(session)
    assert session.resume(WALLETS, answer="123456")


def test_an_event_lives_fifteen_minutes(session, demo):
    """A code that comes later is not sent at all."""
    log_in(session)
    demo.advance(16 * 60)
    count = len(demo.simulator.requests)

    with pytest.raises(CommandError, match="time for this is over") as over:
        session.resume(WALLETS, answer="123456")

    assert "Run the cell again" in over.value.hint
    assert len(demo.simulator.requests) == count


def test_a_code_is_sent_where_it_is_asked_for(session):
    """The first way is a PIN; the card says how to have a code sent instead."""
    pending = log_in(session)
    assert "answer OTP/EMAIL to have a code sent" in pending.describe()

    with pytest.raises(CommandError, match="A code was sent: OTP by EMAIL") as sent:
        session.resume(WALLETS, answer="OTP/EMAIL")

    assert "--answer OTP/EMAIL:CODE" in sent.value.hint
    assert session.resume(WALLETS, answer="OTP/EMAIL:123456")


@pytest.mark.parametrize("mode", ["EMBEDDED", "HYBRID"])
@pytest.mark.parametrize("comma", [True, False])
def test_the_challenge_is_read_with_and_without_its_comma(session, demo, mode, comma):
    """As RFC 9110 wants it, and as the provider's page prints it."""
    demo.simulator.use_sca(mode, comma=comma, base64url=comma)
    log_in(session)

    assert session.resume(WALLETS, answer="123456")


def test_an_outsourced_event_takes_the_partners_verdict(session, demo):
    """The partner authenticates the user itself; the card says which words."""
    session.token(WALLETS)
    demo.simulator.use_sca("OUTSOURCED")
    pending = transfer(session)
    assert pending.answers == ("verified", "rejected")

    with pytest.raises(WrongAnswer):
        session.resume(WALLETS, answer="rejected")
    reply = session.resume(WALLETS, answer="verified")

    assert reply.status == 201


def test_a_proof_is_good_for_one_transfer(session):
    """The next one asks again."""
    log_in(session)
    session.resume(WALLETS, answer="123456")
    transfer(session)
    first = session.resume(WALLETS, answer="123456")
    transfer(session)
    second = session.resume(WALLETS, answer="123456")

    assert first.status == second.status == 201
    assert first.json()["id"] != second.json()["id"]


class Recorder:
    """Passes requests on, and keeps them; a transport."""

    def __init__(self, transport):
        self.transport = transport
        self.requests = []

    def send(self, request, **limits):
        """Send."""
        self.requests.append(request)
        return self.transport.send(request, **limits)


def test_the_second_request_is_the_first_with_a_proof():
    """To the byte, the values of `{{$guid}}` included; the proof goes nowhere else."""
    clock = DemoClock()
    simulator = create(clock, random.Random(1))  # noqa: S311 - reproducible
    recorder = Recorder(InProcessTransport(simulator.wsgi_app))
    session = Session(environ={}, transport=recorder, clock=clock)
    demo = PROVIDER.environments["demo"]
    served = SandboxEnvironment(
        token_endpoint=demo.token_endpoint,
        api_base=demo.api_base,
        endpoints=demo.endpoints,
    )
    session._worlds.catalogue.add(
        replace(PROVIDER, name="wallets", environments={"sandbox": served})
    )
    target = "wallets/liberty@sandbox"
    session.token(target, credentials=simulator.CREDENTIALS)

    with pytest.raises(UserActionRequired):
        session.api(target, TRANSFER)
    reply = session.resume(target, answer="123456")
    session.api(target, "GET /v1/customers")

    first, second = (each for each in recorder.requests if "transfers" in each.url)
    added = set(second.headers) - set(first.headers)
    assert reply.status == 201
    assert second.body == first.body
    assert [name for name, _ in added] == ["SCA-Authorization"]
    assert set(first.headers) < set(second.headers)
    proven = [each for each in recorder.requests if added & set(each.headers)]
    assert proven == [second]


def test_what_is_wrong_with_a_transfer_comes_before_the_second_factor(session):
    """In the provider's wrapper, field by field."""
    reply = session.api(WALLETS, TRANSFER.replace("1250", "0"))

    assert reply.status == 400
    assert reply.json()["error"]["fieldErrors"] == [
        {"field": "amount", "error": "Whole minor units, more than 0, are expected."}
    ]


@pytest.mark.parametrize("family", ["oauth", "wrapper"])
def test_both_shapes_of_a_refused_client_are_understood(session, demo, family):
    """`error` is a text or an object; the hint is the page's either way."""
    demo.use_errors(family)
    demo.refuse()

    with pytest.raises(OAuthError, match="another environment") as refused:
        session.token(WALLETS)

    assert "test environment" in refused.value.hint


def test_lists_come_with_what_there_is_in_all(session):
    """`limit` and `offset`, and `meta` beside the rows."""
    reply = session.api(WALLETS, "GET /v1/transactions?limit=5&offset=10")

    assert reply.json()["meta"] == {"limit": 5, "offset": 10, "total": 60}
    assert len(reply.frame("transactions")) == 5
