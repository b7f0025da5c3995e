"""The texts of errors are clean, whoever wrote their parts."""

import pytest

from oauthmagic.errors import OAuthError, ReplyError, UnknownName
from oauthmagic.redaction import MASK, Secret


def test_an_error_says_no_secret():
    """Message, hint and note: a kernel saves the text of every error."""
    secret = Secret("canary-in-an-error")

    error = ReplyError("No canary-in-an-error.", hint="See canary%2Din%2Dan%2Derror.")

    assert str(error) == error.args[0] == f"No {MASK}."
    assert error.hint == f"See {MASK}."
    assert error.__notes__ == [f"Hint: See {MASK}."]
    assert error.with_hint("canary-in-an-error").hint == MASK
    assert secret


@pytest.mark.parametrize(
    "sign",
    [
        *("\x1b", "\x9b", "\u202e", "\u2066", "\x00", "\ud800", "\ufff9"),
        *("\U000e0041", "\U000e0101"),
    ],
)
def test_an_error_has_no_character_that_does_not_show(sign):
    """Nothing in it moves the cursor or turns the text around."""
    error = ReplyError(f"a{sign}b", hint=f"c{sign}d\ne")

    assert (str(error), error.hint) == ("a b", "c d\ne")


def test_an_error_is_of_bounded_length():
    """However much a server says, no half of a secret is left at the end."""
    secret = Secret("canary-at-the-end-of-it")
    error = OAuthError("x" * 440 + "canary-at-the-end-of-it" * 1000, hint="y" * 10_000)
    unknown = UnknownName("member", "z" * 10_000, ["w" * 10_000] * 12)

    assert len(str(error)) <= 500
    assert "canary" not in str(error)
    assert len(error.hint) == 1000
    assert len(str(unknown)) <= 500
    assert len(unknown.hint) <= 1000
    assert secret
