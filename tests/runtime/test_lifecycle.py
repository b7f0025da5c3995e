"""A token is renewed in time, once, and never in a loop."""

import threading
from dataclasses import replace

import pytest

from oauthmagic.errors import (
    ConnectionLost,
    InvalidClient,
    InvalidGrant,
    LoginRequired,
    OAuthError,
    RateLimited,
)
from oauthmagic.oauth.adoption import read_adopted
from oauthmagic.oauth.credentials import Credentials
from oauthmagic.runtime.lifecycle import Wish, leeway
from tests.runtime.conftest import answer, granted

CLIENT = Wish(grant="client_credentials", scopes=("a",))
PASSWORD = Wish(grant="password")


def obtain(stage, wish=PASSWORD, **kwargs):
    """Get the first token."""
    return stage.keeper.obtain(stage.world, wish, stage.credentials, **kwargs)


@pytest.mark.parametrize(
    ("life", "expected"), [(300, 30), (3600, 60), (10, 1), (7776000, 60), (None, 0)]
)
def test_the_leeway_is_a_tenth_of_the_life_and_a_minute_at_most(stage, life, expected):
    """A 300 s token must not be refreshed at every call."""
    stage.script.answers = [granted("fake-token-at", expires_in=life)]

    assert leeway(obtain(stage)) == expected


def test_a_token_is_used_until_its_leeway_begins(stage):
    """At 269 s the token held is good; at 270 s it is refreshed, once."""
    stage.script.answers = [
        granted("fake-token-one", "fake-token-r1"),
        granted("fake-token-two", "fake-token-r2"),
    ]
    first = obtain(stage)

    stage.clock.advance(269)
    assert stage.keeper.usable(first, stage.world) is first
    stage.clock.advance(1)
    second = stage.keeper.usable(first, stage.world)

    assert second.access_token.reveal() == "fake-token-two"
    assert second.refresh_token.reveal() == "fake-token-r2"
    assert second.reason == "30 s left, renewed from 30 s on"
    assert [form["grant_type"] for form in stage.script.forms()] == [
        "password",
        "refresh_token",
    ]
    assert first.access_token.reveal() == "fake-token-one"


def test_whoever_comes_second_finds_the_new_token(stage):
    """The store is read again under the lock: one refresh for two stale snapshots."""
    stage.script.answers = [
        granted("fake-token-one", "fake-token-r1"),
        granted("fake-token-two", "fake-token-r2"),
    ]
    stale = obtain(stage)
    stage.clock.advance(400)

    first = stage.keeper.usable(stale, stage.world)
    second = stage.keeper.usable(stale, stage.world)

    assert first is second
    assert len(stage.script.requests) == 2


def test_many_threads_refresh_once(stage):
    """Sixteen threads on one expired token: one refresh, sixteen good tokens."""
    stage.script.answers = [
        granted("fake-token-one", "fake-token-r1"),
        granted("fake-token-two", "fake-token-r2"),
    ]
    stale = obtain(stage)
    stage.clock.advance(400)
    barrier = threading.Barrier(16)
    got = []

    def use():
        barrier.wait()
        got.append(stage.keeper.usable(stale, stage.world).access_token.reveal())

    threads = [threading.Thread(target=use) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert got == ["fake-token-two"] * 16
    assert len(stage.script.requests) == 2


def test_many_threads_obtain_once(stage):
    """Without a token, the first thread gets one and the others use it."""
    stage.script.answers = [granted("fake-token-one")]
    barrier = threading.Barrier(8)
    got = []

    def use():
        barrier.wait()
        got.append(obtain(stage, CLIENT).access_token.reveal())

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert got == ["fake-token-one"] * 8


def test_fresh_means_fresh(stage):
    """Even where a good one is held."""
    stage.script.answers = [granted("fake-token-one"), granted("fake-token-two")]
    obtain(stage, CLIENT)

    again = obtain(stage, replace(CLIENT, fresh=True))

    assert again.access_token.reveal() == "fake-token-two"
    assert again.generation == 2


def test_a_refresh_answer_without_refresh_token_keeps_the_old_one(stage):
    """RFC 6749, section 6: only a new one replaces it."""
    stage.script.answers = [
        granted("fake-token-one", "fake-token-r1"),
        granted("fake-token-two"),
        granted("fake-token-three"),
    ]
    token = obtain(stage)

    token = stage.keeper.renew(token, stage.world, reason="test")
    token = stage.keeper.renew(token, stage.world, reason="test")

    assert token.refresh_token.reveal() == "fake-token-r1"
    assert [form.get("refresh_token") for form in stage.script.forms()] == [
        None,
        "fake-token-r1",
        "fake-token-r1",
    ]


@pytest.mark.parametrize(
    "refusal",
    [
        answer(400, error="invalid_grant"),
        # League up to 8.5 answers so; the code alone does not tell.
        answer(401, error="invalid_request", hint="Token has been revoked"),
    ],
    ids=["invalid_grant", "league8"],
)
def test_a_refused_refresh_token_leads_to_the_grant_once(stage, refusal):
    """The password is known: it is sent once, the dead refresh token never again."""
    stage.script.answers = [
        granted("fake-token-one", "fake-token-r1"),
        refusal,
        granted("fake-token-two", "fake-token-r2"),
    ]
    token = obtain(stage)
    stage.clock.advance(400)

    renewed = stage.keeper.usable(token, stage.world)

    assert renewed.access_token.reveal() == "fake-token-two"
    assert renewed.refresh_token.reveal() == "fake-token-r2"
    assert renewed.reason == (
        "the access token had expired, refresh token refused; granted again"
    )
    assert [form["grant_type"] for form in stage.script.forms()] == [
        "password",
        "refresh_token",
        "password",
    ]


def test_a_refused_refresh_token_without_credentials_ends_in_log_in_again(stage):
    """Twice asked, once sent: a refused refresh token stays refused."""
    adopted = read_adopted({"refresh_token": "fake-token-r1"}).token(
        target="acme@sandbox", client_id="me", alias="", clock=stage.clock
    )
    token = stage.keeper.adopt(stage.world, adopted, Credentials())
    stage.script.answers = [answer(400, error="invalid_grant")]

    with pytest.raises(LoginRequired, match="no refresh token that works") as caught:
        stage.keeper.usable(token, stage.world)
    with pytest.raises(LoginRequired):
        stage.keeper.usable(stage.store.tokens()[0], stage.world)

    assert caught.value.hint == "Log in again: %token acme@sandbox --fresh."
    assert len(stage.script.requests) == 1


def test_a_refused_password_is_not_sent_again(stage):
    """The account would be locked; the credentials are dropped instead."""
    stage.script.answers = [
        granted("fake-token-one"),
        answer(400, error="invalid_grant"),
    ]
    token = obtain(stage)
    stage.clock.advance(400)

    with pytest.raises(InvalidGrant):
        stage.keeper.usable(token, stage.world)
    with pytest.raises(LoginRequired):
        stage.keeper.usable(token, stage.world)

    assert len(stage.script.requests) == 2


@pytest.mark.parametrize(
    ("trouble", "raised"),
    [
        (answer(503), OAuthError),
        (answer(400, error="server_error"), OAuthError),
        (answer(401, error="invalid_client"), InvalidClient),
        (answer(429), RateLimited),
        (ConnectionLost("cut", sent="no"), ConnectionLost),
    ],
    ids=["503", "server_error", "invalid_client", "429", "not sent"],
)
def test_trouble_at_the_server_keeps_the_refresh_token(stage, trouble, raised):
    """Nothing was refused for good: the next try may succeed."""
    stage.script.answers = [
        granted("fake-token-one", "fake-token-r1"),
        trouble,
        granted("fake-token-two", "fake-token-r2"),
    ]
    token = obtain(stage)
    stage.clock.advance(400)

    with pytest.raises(raised):
        stage.keeper.usable(token, stage.world)
    renewed = stage.keeper.usable(token, stage.world)

    assert renewed.access_token.reveal() == "fake-token-two"


def test_inside_the_leeway_trouble_is_no_error(stage):
    """The old token still serves for half a minute."""
    stage.script.answers = [granted("fake-token-one", "fake-token-r1"), answer(503)]
    token = obtain(stage)
    stage.clock.advance(280)

    assert stage.keeper.usable(token, stage.world) is token


def test_without_refresh_token_the_grant_is_run_again(stage):
    """Client credentials need no user."""
    stage.script.answers = [granted("fake-token-one"), granted("fake-token-two")]
    token = obtain(stage, CLIENT)
    stage.clock.advance(400)

    renewed = stage.keeper.usable(token, stage.world)

    assert renewed.access_token.reveal() == "fake-token-two"
    assert stage.script.forms()[1] == {"grant_type": "client_credentials", "scope": "a"}


def test_a_failed_grant_keeps_nothing(stage):
    """No half token in the store."""
    stage.script.answers = [answer(200, access_token="fake-token-at")]

    with pytest.raises(Exception, match="no token_type"):
        obtain(stage)

    assert stage.store.tokens() == []


def test_a_forgotten_token_is_not_renewed(stage):
    """Somebody else may hold a snapshot of it."""
    stage.script.answers = [granted("fake-token-one", "fake-token-r1")]
    token = obtain(stage)
    stage.keeper.forget(token)

    with pytest.raises(LoginRequired, match="was forgotten"):
        stage.keeper.renew(token, stage.world, reason="test")


def test_scopes_granted_are_what_the_server_says_or_what_was_asked(stage):
    """RFC 6749, section 5.1."""
    stage.script.answers = [
        granted("fake-token-one"),
        granted("fake-token-two", scope="b"),
    ]

    assert obtain(stage, CLIENT).scopes == {"a"}
    narrower = obtain(stage, replace(CLIENT, fresh=True))
    assert narrower.scopes == {"b"}
    assert narrower.scopes_requested == {"a"}
