"""What is done when the answer to a refresh is lost, and what is said of it."""

import base64
import json
from dataclasses import replace

import pytest

from oauthmagic.errors import (
    ConnectionLost,
    DeadlineExceeded,
    InvalidClient,
    LoginRequired,
    MissingCredentials,
)
from oauthmagic.oauth.adoption import read_adopted
from oauthmagic.oauth.credentials import Credentials
from tests.runtime.conftest import answer, granted


def cut():
    """Return what is raised when a connection breaks."""
    return ConnectionLost("cut", sent="unknown")


def late():
    """Return what is raised when no answer comes."""
    return DeadlineExceeded("late", sent="yes")


DETAILS = {
    "eventId": "event-1",
    "walletOperationId": "operation-1",
    "authenticationMode": "HYBRID",
}
SCA = base64.b64encode(json.dumps({"scaDetails": DETAILS}).encode()).decode()
CHALLENGE = answer(
    401, headers=[("www-authenticate", f'SCA realm="x", auth-param1="{SCA}"')]
)


def adopt(stage, credentials=None, **members):
    """Hold a token from elsewhere that is over."""
    members = {"refresh_token": "fake-token-r1", "expires_in": 0} | members
    adopted = read_adopted(members).token(
        target="acme@sandbox", client_id="me", alias="", clock=stage.clock
    )
    return stage.keeper.adopt(stage.world, adopted, credentials or Credentials())


@pytest.mark.parametrize("lost", [cut, late])
def test_what_was_lost_is_sent_once_more(stage, lost):
    """At once, the same: servers that forgive it do so for seconds."""
    token = adopt(stage)
    stage.script.answers = [lost(), granted("fake-token-two", "fake-token-r2")]

    renewed = stage.keeper.renew(token, stage.world, reason="test")

    assert renewed.access_token.reveal() == "fake-token-two"
    assert [form["refresh_token"] for form in stage.script.forms()] == [
        "fake-token-r1"
    ] * 2


@pytest.mark.parametrize("lost", [cut, late])
def test_what_was_lost_twice_is_said(stage, lost):
    """The old token is kept, and the next try may succeed."""
    token = adopt(stage)
    stage.script.answers = [lost(), lost(), granted("fake-token-two")]

    with pytest.raises(type(lost())) as caught:
        stage.keeper.renew(token, stage.world, reason="test")

    assert "is not known. The old one is kept" in caught.value.hint
    assert len(stage.script.requests) == 2
    renewed = stage.keeper.renew(token, stage.world, reason="test")
    assert renewed.access_token.reveal() == "fake-token-two"


@pytest.mark.parametrize(("seconds", "requests"), [(5, 2), (5.5, 1)])
def test_after_five_seconds_nothing_is_sent_once_more(stage, seconds, requests):
    """By then a server that replaces refresh tokens takes it for theft."""
    token = adopt(stage)
    send = stage.script.send

    def slow(request, **kwargs):
        stage.clock.advance(seconds)
        return send(request, **kwargs)

    stage.script.send = slow
    stage.script.answers = [late(), granted("fake-token-two")]

    if requests == 2:
        stage.keeper.renew(token, stage.world, reason="test")
    else:
        with pytest.raises(DeadlineExceeded, match="late") as caught:
            stage.keeper.renew(token, stage.world, reason="test")
        assert "is not known" in caught.value.hint
    assert len(stage.script.requests) == requests


def test_what_was_never_sent_is_not_lost(stage):
    """The server knows nothing of it; the error is as it was."""
    token = adopt(stage)
    stage.script.answers = [
        ConnectionLost("refused", sent="no"),
        answer(400, error="invalid_grant"),
    ]

    with pytest.raises(ConnectionLost) as caught:
        stage.keeper.renew(token, stage.world, reason="test")
    assert "is not known. The old" not in caught.value.hint
    with pytest.raises(LoginRequired) as ended:
        stage.keeper.renew(token, stage.world, reason="test")

    assert "(test, refresh token refused)" in str(ended.value)
    assert len(stage.script.requests) == 2


def test_a_refusal_after_a_loss_says_why(stage):
    """The token was replaced by one that nobody knows."""
    token = adopt(stage)
    stage.script.answers = [cut(), answer(400, error="invalid_grant")]

    with pytest.raises(LoginRequired, match="answer to a refresh was lost, and the"):
        stage.keeper.renew(token, stage.world, reason="test")


def test_a_loss_is_over_with_the_next_token(stage):
    """What is refused later was refused for another reason."""
    token = adopt(stage)
    stage.script.answers = [
        cut(),
        granted("fake-token-two", "fake-token-r2"),
        answer(400, error="invalid_grant"),
    ]
    token = stage.keeper.renew(token, stage.world, reason="test")

    with pytest.raises(LoginRequired, match="test, refresh token refused"):
        stage.keeper.renew(token, stage.world, reason="test")
    assert stage.keeper._refreshes._lost == {}


def test_a_client_without_its_secret_is_asked_for_it(stage):
    """Who adopted a token may have left it out; the server only says invalid_client."""
    token = adopt(stage)
    stage.script.answers = [answer(401, error="invalid_client")] * 2

    with pytest.raises(MissingCredentials, match="client_secret"):
        stage.keeper.renew(token, stage.world, reason="test")

    token = adopt(stage, stage.credentials)
    with pytest.raises(InvalidClient):
        stage.keeper.renew(token, stage.world, reason="test")


def test_a_second_factor_at_a_refresh_is_a_login(stage):
    """Nobody is there to answer it."""
    provider = replace(stage.world.provider, step_up="sca")
    stage.world = replace(stage.world, provider=provider)
    token = adopt(stage)
    stage.script.answers = [CHALLENGE]

    with pytest.raises(LoginRequired, match="second factor before it renews") as caught:
        stage.keeper.renew(token, stage.world, reason="test")

    assert caught.value.hint == "Log in again: %token acme@sandbox --fresh."


def test_a_public_client_says_who_it_is(stage):
    """Whoever adopted a token gave its client_id, and nothing else is needed."""
    provider = replace(stage.world.provider, token_endpoint_auth_method="none")
    stage.world = replace(stage.world, provider=provider)
    token = adopt(stage)
    stage.script.answers = [granted("fake-token-two")]

    stage.keeper.renew(token, stage.world, reason="test")

    assert stage.script.forms() == [
        {
            "grant_type": "refresh_token",
            "refresh_token": "fake-token-r1",
            "client_id": "me",
        }
    ]


def test_who_forgets_a_token_while_it_is_refused_has_to_log_in(stage):
    """On another host, which does not share the lock."""
    token = adopt(stage)
    send = stage.script.send

    def slow(request, **kwargs):
        stage.store._tokens.clear()
        return send(request, **kwargs)

    stage.script.send = slow
    stage.script.answers = [answer(400, error="invalid_grant")]

    with pytest.raises(LoginRequired, match="refresh token refused"):
        stage.keeper.renew(token, stage.world, reason="test")
