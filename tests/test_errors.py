"""The tree of errors."""

import inspect

import pytest

from oauthmagic import errors
from oauthmagic.errors import OAuthError, OAuthMagicError, UnknownName

#: Every `error` code of the RFCs that this package speaks.
CODES = {
    "RFC 6749, 5.2": [
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    ],
    "RFC 6749, 4.1.2.1": [
        "access_denied",
        "unsupported_response_type",
        "server_error",
        "temporarily_unavailable",
    ],
    "RFC 6750, 3.1": ["invalid_request", "invalid_token", "insufficient_scope"],
    "RFC 8628, 3.5": ["authorization_pending", "slow_down", "expired_token"],
    "RFC 7009, 2.2.1": ["unsupported_token_type"],
    "RFC 8693, 2.2.2": ["invalid_target"],
    "RFC 9449": ["use_dpop_nonce", "invalid_dpop_proof"],
    "RFC 9470, 3": ["insufficient_user_authentication"],
}


@pytest.mark.parametrize(
    "code", sorted({each for many in CODES.values() for each in many})
)
def test_every_code_of_the_standard_has_a_class_of_its_own(code):
    """`invalid_grant` is an `InvalidGrant`, and says so."""
    kind = OAuthError.for_code(code)

    assert kind is not OAuthError
    assert kind.__name__ == "".join(
        {"dpop": "DPoP"}.get(part, part.title()) for part in code.split("_")
    )
    assert kind().error == code


def test_a_code_without_a_class_keeps_its_name():
    """A provider's own code stays readable."""
    error = OAuthError.for_code("acme_is_closed")(
        "Come back later", error="acme_is_closed"
    )

    assert type(error) is OAuthError
    assert str(error) == "The server answered acme_is_closed: Come back later."


def test_the_drawn_tree_names_every_class():
    """The docstring is the map: no class is missing from it."""
    names = [
        name
        for name, each in inspect.getmembers(errors, inspect.isclass)
        if issubclass(each, OAuthMagicError)
    ]

    assert [name for name in names if name not in (errors.__doc__ or "")] == []


@pytest.mark.parametrize(
    ("typed", "known", "suggestion"),
    [
        ("revst", ["revsto", "acme"], " Did you mean 'revsto'?"),
        ("REVSTO", ["revsto"], " Did you mean 'revsto'?"),
        ("zzz", ["revsto", "acme"], ""),
    ],
)
def test_a_near_miss_is_suggested(typed, known, suggestion):
    """The sentence itself holds the suggestion."""
    error = UnknownName("provider", typed, known)

    assert str(error) == f"Unknown provider {typed!r}.{suggestion}"
    assert error.hint == f"Known: {', '.join(known)}."


def test_a_plain_traceback_shows_the_hint():
    """Outside a notebook the hint is a note of the exception."""
    assert OAuthMagicError("No.", hint="Ask again.").__notes__ == ["Hint: Ask again."]


def test_a_hint_is_replaced_not_doubled():
    """The provider's own cause takes the place of the general one."""
    error = errors.InvalidClient("no").with_hint("Ask Revsto.")

    assert error.hint == "Ask Revsto."
    assert error.__notes__ == ["Hint: Ask Revsto."]
    assert errors.InvalidClient("no").with_hint("").hint == errors.InvalidClient.hint
