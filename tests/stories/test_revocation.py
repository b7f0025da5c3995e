"""Revoking: the server is told first, and nothing is forgotten silently."""

import pytest

from oauthmagic import Session
from oauthmagic.errors import (
    CommandError,
    LoginRequired,
    OAuthMagicError,
    RateLimited,
    RevocationFailed,
    UserActionRequired,
)

BANK = "stet/17515@demo"


@pytest.fixture
def session():
    """A session with a bank's token."""
    session = Session(environ={})
    with pytest.raises(OAuthMagicError):
        session.token(BANK)
    session.resume(BANK, answer="accept")
    return session


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_a_revoked_token_is_dead_at_the_server_and_gone_here(session, kind):
    """Its refresh token too: adopting either again helps nobody."""
    token = session.show(BANK)

    session.revoke(BANK)

    with pytest.raises(CommandError, match="No token is held"):
        session.show(BANK)
    session.adopt(BANK, {kind: getattr(token, kind)})
    if kind == "refresh_token":
        with pytest.raises(LoginRequired):
            session.refresh(BANK)
    else:
        assert session.api(BANK, "GET /accounts").status == 401


def test_what_the_server_does_not_revoke_is_told_after_it_is_forgotten(session):
    """Whoever revokes wants it gone; what is left at the server has an end."""
    session.demo(BANK).throttle(60)

    with pytest.raises(RevocationFailed) as failed:
        session.revoke(BANK)

    why = failed.value.not_revoked
    assert failed.value.revoked == ()
    assert {kind: type(error) for kind, error in why.items()} == {
        "refresh_token": RateLimited,
        "access_token": RateLimited,
    }
    assert "access token ends at 2030-01-01" in failed.value.hint
    with pytest.raises(CommandError, match="No token is held"):
        session.show(BANK)


def test_a_server_that_is_busy_for_a_moment_is_waited_for(session):
    """As for any other request, and no longer than `max_wait`."""
    demo = session.demo(BANK)
    demo.throttle(5)
    before = demo.now()

    session.revoke(BANK)

    assert (demo.now() - before).total_seconds() == 5
    assert session.tokens().empty


def test_what_waited_with_the_token_waits_no_longer(session):
    """Whether or not the server did what it was told."""
    session.demo(BANK).throttle(60)
    with pytest.raises(UserActionRequired):
        session.token(BANK, fresh=True)

    with pytest.raises(RevocationFailed):
        session.revoke(BANK)

    with pytest.raises(CommandError, match="Nothing waits"):
        session.resume(BANK, answer="accept")


def test_a_provider_without_revocation_says_what_there_is():
    """Revsto's page advises to revoke and names no endpoint."""
    session = Session(environ={})
    session.token("revsto@demo")

    with pytest.raises(CommandError, match="documents no way") as caught:
        session.revoke("revsto@demo")

    assert "%token forget revsto@demo" in caught.value.hint
    assert session.show("revsto@demo")


def test_a_stolen_refresh_token_ends_the_login_where_the_server_looks():
    """The switch is ours: Revsto's kind of server does not look."""
    session = Session(environ={})
    session.demo("revsto@demo").simulator.use_reuse_detection()
    stolen = session.token("revsto@demo").refresh_token.reveal()
    newest = session.refresh("revsto@demo")

    session.adopt("revsto@demo", {"refresh_token": stolen}, alias="thief")
    with pytest.raises(OAuthMagicError):
        session.api("thief", "GET /distributor/v1/products")

    # The owner's password is known here, so that a new token takes its place.
    reply = session.api("revsto@demo", "GET /distributor/v1/products")
    assert reply.ok
    assert session.show("revsto@demo").fingerprint != newest.fingerprint
