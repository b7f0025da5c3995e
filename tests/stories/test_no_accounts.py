"""A customer without an available account has an empty list, not an error."""

import pytest

from oauthmagic import Session, UserActionRequired


def test_naac_is_an_empty_list():
    """The bank answers 404 with NAAC; the frame has no rows."""
    session = Session(environ={})
    with pytest.raises(UserActionRequired):
        session.api("stet/30007@demo", "GET /accounts")

    reply = session.resume(answer="accept")

    assert reply.status == 404
    assert reply.json()["message"] == "NAAC"
    assert len(reply.frame()) == 0


def test_another_404_is_still_an_error():
    """A path that is wrong does not look like an empty list."""
    session = Session(environ={})
    with pytest.raises(UserActionRequired):
        session.token("stet/17515@demo")
    session.resume(answer="accept")

    reply = session.api("stet/17515@demo", "GET /acounts")

    assert reply.status == 404
    assert not reply.is_empty_list
