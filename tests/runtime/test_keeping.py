"""What a keeper holds: tokens, what they came by, and what was refused."""

import threading
from dataclasses import replace

import pytest
from keeping import FailingDisk, make_token
from opened import quick_store

from oauthmagic.errors import (
    EnvironmentRefused,
    InvalidGrant,
    LoginRequired,
    OAuthError,
    StoreWriteFailed,
)
from oauthmagic.oauth.credentials import Credentials
from oauthmagic.redaction import Secret
from oauthmagic.runtime.lifecycle import (
    LEGACY_GRANT,
    MOST_REFUSED,
    TokenKeeper,
    Wish,
    leeway,
)
from oauthmagic.store.memory import FORKED
from tests.runtime.conftest import answer, granted

CLIENT = Wish(grant="client_credentials", scopes=("b", "a"))
PASSWORD = Wish(grant="password", scopes=("a",))


def obtain(stage, wish=PASSWORD, credentials=None, **kwargs):
    """Ask for a token."""
    return stage.keeper.obtain(
        stage.world, wish, credentials or stage.credentials, **kwargs
    )


def with_password(stage, text):
    """Return the credentials with another password."""
    return replace(stage.credentials, password=Secret(text))


@pytest.mark.parametrize(
    ("wish", "subject"),
    [(CLIENT, "me"), (PASSWORD, "jo"), (Wish(grant="adopted"), "")],
    ids=["client_credentials", "password", "another"],
)
def test_a_token_belongs_to_who_asked(stage, wish, subject):
    """Target, client, subject, scopes and name; the rest comes with the answer."""
    stage.script.answers = [granted("fake-token-one", "fake-token-r1", id_token="fake")]

    token = obtain(stage, replace(wish, alias="work"))

    assert (token.target, token.client_id, token.subject) == (
        "acme@sandbox",
        "me",
        subject,
    )
    assert token.scopes == token.scopes_requested == frozenset(wish.scopes)
    assert (token.grant, token.alias) == (wish.grant, "work")
    assert (token.reason, token.generation) == ("asked for", 1)
    assert token.issued_at == stage.clock()
    assert token.clock is stage.clock
    assert stage.store.tokens() == [token]


def test_the_password_grant_is_remarked_upon_once(stage):
    """RFC 9700, section 2.4; and no other is."""
    stage.script.answers = [granted(f"fake-token-{number}") for number in range(3)]

    notes = [
        obtain(stage, wish).note
        for wish in (CLIENT, PASSWORD, replace(PASSWORD, fresh=True))
    ]

    assert notes == ["", LEGACY_GRANT, ""]
    assert LEGACY_GRANT.startswith("RFC 9700 forbids the password grant")


def test_a_wish_is_a_value():
    """A grant; everything else has a meaning when it is left out."""
    wish = Wish(grant="password")

    assert (wish.scopes, wish.alias, wish.fresh) == ((), "", False)
    assert not hasattr(wish, "__dict__")
    with pytest.raises(AttributeError):
        wish.fresh = True
    with pytest.raises(TypeError):
        Wish("password")


def test_a_good_token_is_not_asked_for_twice(stage):
    """Held, with the same credentials, and not near its end."""
    stage.script.answers = [granted("fake-token-one"), granted("fake-token-two")]
    first = obtain(stage)

    stage.clock.advance(269)
    assert obtain(stage) is first
    stage.clock.advance(1)
    second = obtain(stage)

    assert second.access_token.reveal() == "fake-token-two"
    assert second.generation == 2


def test_a_token_that_somebody_found_not_good_enough_is_no_answer(stage):
    """But one that has come since is."""
    stage.script.answers = [granted("fake-token-one"), granted("fake-token-two")]
    first = obtain(stage)

    second = obtain(stage, seen=first)
    third = obtain(stage, seen=first)

    assert second.access_token.reveal() == "fake-token-two"
    assert third is second


def test_a_token_of_other_credentials_is_no_answer(stage):
    """Whoever names another password wants to know whether it is right."""
    stage.script.answers = [granted("fake-token-one"), granted("fake-token-two")]
    obtain(stage)

    again = obtain(stage, credentials=with_password(stage, "fake-other"))

    assert again.access_token.reveal() == "fake-token-two"


def test_what_the_user_brought_is_used(stage):
    """A code is good once: a token that is held does not answer it."""
    stage.script.answers = [granted("fake-token-one"), granted("fake-token-two")]
    obtain(stage)

    again = obtain(
        stage,
        parameters={"grant_type": "authorization_code", "code": "fake-code"},
        headers=(("x-proof", "fake-proof"),),
    )

    assert again.access_token.reveal() == "fake-token-two"
    assert stage.script.forms()[1]["code"] == "fake-code"
    assert ("x-proof", "fake-proof") in stage.script.requests[1].headers


def test_the_latest_token_is_the_last(stage):
    """What is obtained or adopted; a renewal keeps its place."""
    stage.script.answers = [granted(f"fake-token-{n}", "fake-r") for n in range(4)]
    by_client, by_password = obtain(stage, CLIENT), obtain(stage)
    stage.keeper.renew(by_client, stage.world, reason="test")
    assert [token.grant for token in stage.store.tokens()] == [
        "client_credentials",
        "password",
    ]

    obtain(stage, replace(CLIENT, fresh=True))
    assert [token.grant for token in stage.store.tokens()] == [
        "password",
        "client_credentials",
    ]
    stage.keeper.adopt(stage.world, by_password, stage.credentials)
    assert [token.grant for token in stage.store.tokens()] == [
        "client_credentials",
        "password",
    ]


@pytest.mark.parametrize(
    "code", ["invalid_grant", "invalid_client", "invalid_credentials"]
)
def test_refused_credentials_are_not_sent_again(stage, code):
    """The account would be locked; who insists asks for a fresh token."""
    stage.script.answers = [answer(400, error=code, error_description="fake no")]
    kind = OAuthError.for_code(code)
    with pytest.raises(kind, match="fake no"):
        obtain(stage)

    with pytest.raises(kind, match="were refused before, and were not sent") as caught:
        obtain(stage)

    assert len(stage.script.requests) == 1
    assert (caught.value.error, caught.value.status) == (code, 400)
    assert caught.value.hint.endswith(
        "To send the same once more, ask for a fresh token: --fresh, in Python "
        "fresh=True."
    )
    stage.script.answers = [granted("fake-token-one"), granted("fake-token-two")]
    assert obtain(stage, replace(PASSWORD, fresh=True)).access_token is not None
    # They were right after all.
    assert obtain(stage, replace(PASSWORD, scopes=("b",))).access_token is not None


def test_other_credentials_are_sent(stage):
    """A password was mistyped; the next one may be right."""
    stage.script.answers = [
        answer(400, error="invalid_grant"),
        granted("fake-token-one"),
    ]
    with pytest.raises(InvalidGrant):
        obtain(stage)

    token = obtain(stage, credentials=with_password(stage, "fake-other"))

    assert token.access_token.reveal() == "fake-token-one"


@pytest.mark.parametrize(
    "refusal",
    [answer(400, error="invalid_scope"), answer(503), answer(400, error="x")],
    ids=["invalid_scope", "503", "x"],
)
def test_what_else_is_refused_may_be_tried_again(stage, refusal):
    """It was not the credentials."""
    stage.script.answers = [refusal, granted("fake-token-one")]
    with pytest.raises(OAuthError):
        obtain(stage)

    assert obtain(stage).access_token.reveal() == "fake-token-one"


@pytest.mark.parametrize("name", ["code", "device_code"])
def test_a_refused_code_says_nothing_of_the_credentials(stage, name):
    """It was used before, or too late."""
    stage.script.answers = [
        answer(400, error="invalid_grant"),
        granted("fake-token-one"),
    ]
    with pytest.raises(InvalidGrant):
        obtain(stage, parameters={"grant_type": "of a code", name: "fake-code"})

    assert obtain(stage).access_token.reveal() == "fake-token-one"


def test_the_latest_refusals_are_remembered(stage):
    """Sixteen of one user; others have their own."""
    stage.script.answers = [answer(400, error="invalid_grant") for _ in range(18)]
    given = [with_password(stage, f"fake-{number}") for number in range(17)]
    for credentials in given:
        with pytest.raises(InvalidGrant):
            obtain(stage, credentials=credentials)
    assert MOST_REFUSED == 16

    for credentials in given[1:]:
        with pytest.raises(InvalidGrant, match="were refused before"):
            obtain(stage, credentials=credentials)
    assert len(stage.script.requests) == 17
    with pytest.raises(InvalidGrant):
        obtain(stage, credentials=given[0])
    assert len(stage.script.requests) == 18

    stage.script.answers = [granted("fake-token-one")]
    assert obtain(stage, credentials=replace(given[5], username="ann")).subject == "ann"


def test_somebody_who_does_not_share_the_lock_may_be_faster(stage):
    """On another host: the server refuses our refresh token, and theirs is there."""
    stage.script.answers = [
        granted("fake-token-one", "fake-token-r1"),
        answer(400, error="invalid_grant"),
    ]
    token = obtain(stage)
    theirs = token.replace(access_token=Secret("fake-token-theirs"), generation=9)
    send = stage.script.send

    def slow(request, **kwargs):
        stage.store._tokens[token.key] = theirs
        return send(request, **kwargs)

    stage.script.send = slow

    assert stage.keeper.renew(token, stage.world, reason="test") is theirs
    assert len(stage.script.requests) == 2


def test_a_refused_refresh_token_is_kept_no_longer(stage):
    """After a 401, the access token with it counts as over, too."""
    for doubted in (False, True):
        stage.script.answers = [
            granted("fake-token-one", "fake-token-r1"),
            answer(400, error="invalid_grant"),
            answer(400, error="invalid_grant"),
        ]
        token = obtain(stage, replace(PASSWORD, fresh=True))
        with pytest.raises(InvalidGrant):
            stage.keeper.renew(token, stage.world, reason="test", doubted=doubted)

        held = stage.store.tokens()[0]
        assert held.refresh_token is None
        assert held.generation > token.generation
        assert held.is_expired() is doubted


def test_a_renewal_that_did_not_help_is_not_tried_again(stage):
    """A token that came after a 401 is doubted until something accepts it."""
    stage.script.answers = [
        granted("fake-token-one", "fake-token-r1"),
        granted("fake-token-two", "fake-token-r2"),
        granted("fake-token-three", "fake-token-r3"),
    ]
    first = obtain(stage)
    assert stage.keeper.can_renew(first)
    second = stage.keeper.renew(first, stage.world, reason="401", doubted=True)
    assert not stage.keeper.can_renew(second)

    stage.keeper.accepted(second)
    assert stage.keeper.can_renew(second)
    third = stage.keeper.renew(second, stage.world, reason="near its end")
    assert stage.keeper.can_renew(third)
    assert (third.reason, third.note) == ("near its end", "")


def test_what_can_be_renewed(stage):
    """With a refresh token, or by a grant that needs nobody and was not refused."""
    stage.script.answers = [granted(f"fake-token-{number}") for number in range(3)]
    by_client, by_password = obtain(stage, CLIENT), obtain(stage)
    by_code = obtain(stage, Wish(grant="authorization_code"))
    elsewhere = make_token(refresh_token=None, grant="client_credentials")

    can = stage.keeper.can_renew
    assert (can(by_client), can(by_password)) == (True, True)
    assert (can(by_code), can(elsewhere)) == (False, False)
    assert can(make_token(grant="adopted"))

    stage.script.answers = [answer(400, error="invalid_grant")]
    with pytest.raises(InvalidGrant):
        stage.keeper.renew(by_password, stage.world, reason="test")
    assert (can(by_client), can(by_password)) == (True, False)


def test_the_grant_is_run_again_with_what_was_asked_for(stage):
    """All the scopes, in order; the reason says that it was."""
    stage.script.answers = [granted("fake-token-one"), granted("fake-token-two")]
    token = obtain(stage, CLIENT)

    renewed = stage.keeper.renew(token, stage.world, reason="test")

    assert renewed.reason == "test; granted again"
    assert stage.script.forms()[1] == {
        "grant_type": "client_credentials",
        "scope": "a b",
    }


def test_credentials_are_held_for_renewals_until_they_are_forgotten(stage):
    """One token's, or all."""
    stage.script.answers = [granted("fake-token-one"), granted("fake-token-two")]
    one, two = obtain(stage), obtain(stage, CLIENT)
    assert stage.keeper.credentials(one) is stage.credentials

    stage.keeper.forget(one)
    assert not stage.keeper.credentials(one)
    assert stage.keeper.credentials(two)
    stage.keeper.remember(one, Credentials(client_id="you"))
    assert stage.keeper.credentials(one).client_id == "you"

    assert stage.keeper.clear() == 1
    assert not stage.keeper.credentials(one)
    assert not stage.keeper.credentials(two)
    assert stage.store.tokens() == []


def test_what_a_fork_left_behind_is_said_where_it_is_missed(stage):
    """The refresh token stayed with the parent; a shared store is the way out."""
    stage.script.answers = [granted("fake-token-one", "fake-token-r1")]
    token = obtain(stage, Wish(grant="authorization_code"))
    child = token.replace(refresh_token=None, note=FORKED)
    stage.store._tokens[token.key] = child

    with pytest.raises(LoginRequired) as caught:
        stage.keeper.renew(child, stage.world, reason="test")

    assert caught.value.hint == (f"{FORKED} Log in again: %token acme@sandbox --fresh.")


def test_who_fails_while_forgetting_forgets_nothing(stage):
    """The server could not be told; the token may still be revoked."""
    stage.script.answers = [granted("fake-token-one")]
    token = obtain(stage)

    with (
        pytest.raises(ZeroDivisionError),
        stage.keeper.forgetting(token) as entry,
    ):
        1 / (entry.token is not token)

    assert stage.store.tokens() == [token]
    assert stage.keeper.credentials(token)


def test_the_trouble_of_a_token_that_still_serves_is_told(stage):
    """Until it is renewed, obtained anew or forgotten."""
    stage.script.answers = [granted("fake-token-one", "fake-token-r1"), answer(503)]
    token = obtain(stage)
    stage.clock.advance(280)
    assert stage.keeper.trouble(token) == ""

    assert stage.keeper.usable(token, stage.world) is token
    assert "could not be renewed yet: The server answered" in stage.keeper.trouble(
        token
    )

    stage.script.answers = [granted("fake-token-two", "fake-token-r2")]
    stage.keeper.usable(token, stage.world)
    assert stage.keeper.trouble(token) == ""

    for end in (
        stage.keeper.forget,
        lambda _: stage.keeper.clear(),
        lambda _: obtain(stage, replace(PASSWORD, fresh=True)),
    ):
        stage.script.answers = [granted("fake-token-one", "fake-token-r1"), answer(503)]
        token = obtain(stage, replace(PASSWORD, fresh=True))
        stage.clock.advance(280)
        stage.keeper.usable(token, stage.world)
        assert stage.keeper.trouble(token)
        stage.script.answers = [granted("fake-token-three")]
        end(token)
        assert stage.keeper.trouble(token) == ""


def test_a_token_that_cannot_be_saved_serves(stage, tmp_path):
    """It is the only copy; its note says so, and what to do."""
    disk = FailingDisk(1, ever_after=True)
    store = quick_store(tmp_path / "tokens", disk=disk, clock=stage.clock)
    stage.keeper = TokenKeeper(store)
    stage.script.answers = [granted("fake-token-one", "fake-token-r1")]

    token = obtain(stage, CLIENT)

    assert token.access_token.reveal() == "fake-token-one"
    assert token.note.startswith("The token was NOT saved (No space left on device).")
    assert len(token.note) > len("The token was NOT saved (No space left on device). ")
    assert "NOT saved" in stage.keeper.trouble(token)
    with pytest.raises(StoreWriteFailed, match="NOT saved"):
        stage.keeper.adopt(stage.world, token, stage.credentials)
    disk.at = 0
    assert stage.keeper.adopt(stage.world, token, stage.credentials).note == token.note
    assert stage.keeper.trouble(token) == ""


def test_a_token_got_elsewhere_is_marked_as_ours_are(stage):
    """Eight digits of a keyed hash, and the next generation."""
    token = stage.keeper.adopt(stage.world, make_token(7), stage.credentials)

    assert token.fingerprint not in ("", "c907d15f")
    assert len(token.fingerprint) == 8
    assert token.generation == 1
    assert stage.keeper.credentials(token) is stage.credentials
    assert stage.store.tokens() == [token]


def test_the_reason_of_a_renewal_can_be_read(stage):
    """How long was left, from when on; or that there was nothing to use."""
    answers = [granted(f"fake-token-{number}", "fake-token-r") for number in range(4)]
    stage.script.answers = answers
    token = obtain(stage)
    stage.clock.advance(271)
    token = stage.keeper.usable(token, stage.world)
    assert token.reason == "29 s left, renewed from 30 s on"

    stage.clock.advance(300)
    token = stage.keeper.usable(token, stage.world)
    assert token.reason == "the access token had expired"

    adopted = token.replace(access_token=None, expires_at=None)
    adopted = stage.keeper.adopt(stage.world, adopted, stage.credentials)
    token = stage.keeper.usable(adopted, stage.world)
    assert token.reason == "there is no access token yet"


def test_a_life_that_ran_backwards_has_no_leeway():
    """A clock was set; a token without an end has none, either."""
    token = make_token()

    assert leeway(token) == 30
    assert leeway(token.replace(issued_at=token.expires_at.replace(year=2031))) == 0
    assert leeway(token.replace(expires_at=None)) == 0


def test_a_newer_token_that_is_over_is_renewed_all_the_same(stage):
    """Somebody renewed it, and that was long ago."""
    stage.script.answers = [
        granted(f"fake-token-{number}", f"fake-token-r{number}") for number in range(3)
    ]
    stale = obtain(stage)
    newer = stage.keeper.renew(stale, stage.world, reason="test")
    assert stage.keeper.renew(stale, stage.world, reason="test") is newer

    stage.clock.advance(400)
    newest = stage.keeper.renew(stale, stage.world, reason="test")

    assert newest.access_token.reveal() == "fake-token-2"
    assert stage.script.forms()[2]["refresh_token"] == "fake-token-r1"


def test_a_forgotten_token_is_a_login(stage):
    """By its name, where it has one."""
    stage.script.answers = [granted("fake-token-one", "fake-token-r1")]
    token = obtain(stage, replace(PASSWORD, alias="work"))
    stage.keeper.forget(token)

    with pytest.raises(LoginRequired) as caught:
        stage.keeper.renew(token, stage.world, reason="test")

    assert str(caught.value) == "The token of acme@sandbox was forgotten."
    assert caught.value.hint == "Log in again: %token work --fresh."


def test_a_token_of_another_target_is_neither_kept_nor_sent(stage):
    """Production's token is not for the sandbox, whichever way it gets here."""
    other = make_token(target="acme@production")

    with pytest.raises(EnvironmentRefused, match="of acme@production, not of acme@san"):
        stage.keeper.adopt(stage.world, other, stage.credentials)
    with stage.store.exclusive(other.key) as entry:
        entry.write(other)
    with pytest.raises(EnvironmentRefused, match="Nothing was sent"):
        stage.keeper.renew(other, stage.world, reason="test")

    assert stage.script.requests == []
    assert stage.store.tokens() == [other]


def test_nobody_renews_while_somebody_forgets(stage):
    """The lock is held to the end, and who waits finds nothing."""
    stage.script.answers = [granted("fake-token-one", "fake-token-r1")]
    token = obtain(stage)
    outcome = []

    def renew():
        try:
            stage.keeper.renew(token, stage.world, reason="test")
        except LoginRequired as error:
            outcome.append(str(error))

    thread = threading.Thread(target=renew, daemon=True)
    with stage.keeper.forgetting(token):
        thread.start()
        thread.join(0.1)
        assert outcome == []
    thread.join(30)

    assert outcome == ["The token of acme@sandbox was forgotten."]
    assert len(stage.script.requests) == 1
