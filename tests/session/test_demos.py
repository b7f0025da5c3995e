"""The server's side of a demo: what is played can be taken back."""

from __future__ import annotations

import pytest

from oauthmagic import Session, UserActionRequired
from oauthmagic.errors import OAuthError, RateLimited

#: A target of each built-in provider, and one of its error families.
TARGETS = [
    ("revsto@demo", "league9"),
    ("paysafe/liberty@demo", "wrapper"),
    ("stet/17515@demo", "rfc"),
]


def get_token(session, target):
    """Return a token, with the user's help where that is needed."""
    try:
        return session.token(target, fresh=True)
    except UserActionRequired:
        return session.resume(target, answer="accept")


@pytest.mark.parametrize(("target", "errors"), TARGETS)
def test_every_demo_refuses_throttles_and_forgives(target, errors):
    """`reset` ends refusals and waits, and takes back the family of errors."""
    session = Session(environ={})
    demo = session.demo(target)
    demo.use_errors(errors)

    demo.refuse()
    with pytest.raises(OAuthError):
        get_token(session, target)
    demo.throttle(60)
    with pytest.raises(RateLimited):
        get_token(session, target)
    demo.reset()

    assert get_token(session, target)
    assert errors != demo.simulator.ERRORS
