"""A server that asks for a second factor, and again, and again."""

from __future__ import annotations

import pytest
from hostile_clients import CHALLENGE, OLD_ACCESS, attempt, credentials, session_at
from hostile_servers import plain

from oauthmagic import UserActionRequired
from oauthmagic.errors import CommandError, StepUpFailed

ASKS = plain(401, WWW_Authenticate=CHALLENGE)
VERIFIED = plain(200, {"status": "VERIFIED"})
OWN = plain(200, {"access_token": "own-token-1", "token_type": "Bearer"})
GOOD = plain(200, {"access_token": "own-token-2", "token_type": "Bearer"})


@pytest.fixture
def session(server, transport):
    """A session whose provider asks for second factors."""
    with session_at(server, step_up="sca", transport=transport) as session:
        yield session


def begin_request(session, server, *answers):
    """Send a request that is answered with a challenge, and answer that."""
    held = {"access_token": OLD_ACCESS}
    session.adopt("acme", held, credentials=credentials())
    server.play(ASKS, VERIFIED, *answers)
    with pytest.raises(UserActionRequired):
        session.api("acme", "POST /transfers")
    return session.resume("acme", answer="1234")


def test_a_second_factor_may_be_asked_for_twice(session, server):
    """Once for the login and once for consent, say; what waited goes on then."""
    with pytest.raises(UserActionRequired, match="asks for a second factor"):
        attempt(session, server, VERIFIED, ASKS, OWN, VERIFIED, GOOD)

    token = session.resume("acme", answer="1234")

    assert token.access_token.reveal() == "own-token-2"


def test_a_server_that_is_never_content_gets_no_third_code_for_a_token(session, server):
    """Its user would give codes for ever."""
    with pytest.raises(UserActionRequired):
        attempt(session, server, VERIFIED, ASKS, OWN, VERIFIED, ASKS)

    with pytest.raises(StepUpFailed, match="again, after 2 of them") as failed:
        session.resume("acme", answer="1234")

    assert "start anew" in failed.value.hint
    with pytest.raises(CommandError, match="Nothing waits"):
        session.pending("acme")


def test_a_server_that_is_never_content_gets_no_third_code_for_a_request(
    session, server
):
    """The request was sent three times, and refused three times."""
    with pytest.raises(UserActionRequired):
        begin_request(session, server, ASKS, VERIFIED, ASKS)

    with pytest.raises(StepUpFailed, match="again, after 2 of them"):
        session.resume("acme", answer="1234")

    sent = [each for each in server.requests if b"/transfers" in each]
    assert len(sent) == 3
