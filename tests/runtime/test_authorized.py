"""An authorized request: one refresh, one replay, bounded waiting."""

import pytest

from oauthmagic.errors import LoginRequired
from oauthmagic.oauth.adoption import read_adopted
from oauthmagic.oauth.credentials import Credentials
from oauthmagic.runtime.authorized import send_authorized
from oauthmagic.runtime.lifecycle import Wish
from oauthmagic.transport.wire import WireRequest
from tests.runtime.conftest import answer, granted


def send(stage, token, method="GET", body=None):
    """Send a request with a token."""
    request = WireRequest(
        method=method, url="https://api.acme.example/items", body=body
    )
    return send_authorized(request, token, keeper=stage.keeper, world=stage.world)


def obtain(stage):
    """Get the first token."""
    return stage.keeper.obtain(stage.world, Wish(grant="password"), stage.credentials)


def test_the_token_is_sent_as_bearer(stage):
    """RFC 6750, section 2.1."""
    stage.script.answers = [granted("fake-token-one"), answer(items=[])]

    assert send(stage, obtain(stage)).attempts == 1
    assert stage.script.bearers() == ["fake-token-one"]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_401_leads_to_one_refresh_and_one_replay(stage, method):
    """Any method: the server refused it, so nothing was done."""
    stage.script.answers = [
        granted("fake-token-one", "fake-token-r1"),
        answer(401),
        granted("fake-token-two", "fake-token-r2"),
        answer(200),
    ]

    result = send(stage, obtain(stage), method, b"{}")

    assert (result.response.status, result.replayed, result.attempts) == (200, True, 2)
    assert stage.script.bearers() == ["fake-token-one", "fake-token-two"]
    assert [each.body for each in stage.script.requests if each.method == method][
        -1
    ] == b"{}"


def test_a_second_401_is_the_answer(stage):
    """Never a loop."""
    stage.script.answers = [
        granted("fake-token-one", "fake-token-r1"),
        answer(401),
        granted("fake-token-two", "fake-token-r2"),
        answer(401),
    ]

    assert send(stage, obtain(stage)).response.status == 401
    assert len(stage.script.requests) == 4


def test_a_401_without_a_way_to_renew_is_the_answer(stage):
    """An adopted access token alone: the reply tells, no grant is tried."""
    adopted = read_adopted({"access_token": "fake-token-at"}).token(
        target="acme@sandbox", client_id="", alias="", clock=stage.clock
    )
    token = stage.keeper.adopt(stage.world, adopted, Credentials())
    stage.script.answers = [answer(401)]

    assert send(stage, token).response.status == 401
    assert len(stage.script.requests) == 1


def test_a_401_with_a_dead_refresh_token_asks_to_log_in(stage):
    """The token is over, and nobody here can get another."""
    adopted = read_adopted(
        {"access_token": "fake-token-at", "refresh_token": "fake-token-r1"}
    ).token(target="acme@sandbox", client_id="me", alias="", clock=stage.clock)
    token = stage.keeper.adopt(stage.world, adopted, Credentials())
    stage.script.answers = [answer(401), answer(400, error="invalid_grant")]

    with pytest.raises(LoginRequired):
        send(stage, token)
