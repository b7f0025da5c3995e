"""Revoking: the server is told first, and nothing is forgotten silently."""

import pytest

from oauthmagic import Session
from oauthmagic.errors import CommandError, OAuthMagicError

BANK = "stet/17515@demo"


@pytest.fixture
def session():
    """A session with a bank's token."""
    session = Session(environ={})
    with pytest.raises(OAuthMagicError):
        session.token(BANK)
    session.resume(BANK, answer="accept")
    return session


def test_a_revoked_token_is_dead_at_the_server_and_gone_here(session):
    """Its refresh token too: adopting both again helps nobody."""
    token = session.show(BANK)

    session.revoke(BANK)

    with pytest.raises(CommandError, match="No token is held"):
        session.show(BANK)
    session.adopt(BANK, token)
    with pytest.raises(OAuthMagicError):
        session.api(BANK, "GET /accounts")


def test_what_the_server_does_not_revoke_is_not_forgotten(session):
    """The user is told, and can try again."""
    session.demo(BANK).throttle(60)

    with pytest.raises(OAuthMagicError):
        session.revoke(BANK)

    assert session.show(BANK)


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
