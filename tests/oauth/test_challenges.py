"""What a 401 asks for, read from `WWW-Authenticate`."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthmagic.oauth.challenges import (
    MAX_LENGTH,
    BearerError,
    Challenge,
    bearer_error,
    parse_challenges,
)

TOKENS = st.text("abcXYZ019-._", min_size=1, max_size=12)
VALUES = st.text(st.characters(max_codepoint=0x2FF), max_size=20)


def read(value):
    """Return the challenges as plain tuples."""
    return [
        (each.scheme, dict(each.parameters), each.token68)
        for each in parse_challenges(value)
    ]


def quoted(text):
    """Return a quoted-string (RFC 9110, section 5.6.4)."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@pytest.mark.parametrize(
    ("value", "challenges"),
    [
        ("", []),
        ("Bearer", [("bearer", {}, "")]),
        ('Basic realm="OAuth"', [("basic", {"realm": "OAuth"}, "")]),
        # RFC 9110, section 11.6.1.
        (
            (
                'Basic realm="simple", Newauth realm="apps", type=1, '
                'title="Login to \\"apps\\""'
            ),
            [
                ("basic", {"realm": "simple"}, ""),
                (
                    "newauth",
                    {"realm": "apps", "type": "1", "title": 'Login to "apps"'},
                    "",
                ),
            ],
        ),
        # RFC 6750, section 3.
        (
            'Bearer realm="example",\r\n error="invalid_token"',
            [("bearer", {"realm": "example", "error": "invalid_token"}, "")],
        ),
        ("Negotiate YIIabc/+==", [("negotiate", {}, "YIIabc/+==")]),
        (
            "Negotiate YIIabc==, Basic realm=x",
            [("negotiate", {}, "YIIabc=="), ("basic", {"realm": "x"}, "")],
        ),
        ("Negotiate, Bearer", [("negotiate", {}, ""), ("bearer", {}, "")]),
        ('DPoP algs = "ES256 PS256"', [("dpop", {"algs": "ES256 PS256"}, "")]),
        (
            ', ,Bearer scope="a,b c", ,',
            [("bearer", {"scope": "a,b c"}, "")],
        ),
    ],
)
def test_a_field_is_read_as_the_standard_writes_it(value, challenges):
    """Several challenges, quoted strings with escapes, token68, empty elements."""
    assert read(value) == challenges


@pytest.mark.parametrize(
    ("value", "challenges"),
    [
        (
            'SCA realm="Authentication" auth-param1="ewog"',
            [("sca", {"realm": "Authentication", "auth-param1": "ewog"}, "")],
        ),
        (
            "SCA auth-param1=ewogIC8r==",
            [("sca", {"auth-param1": "ewogIC8r=="}, "")],
        ),
        ('Bearer error="invalid_token', [("bearer", {}, "")]),
        ('Bearer "nobody\'s" realm="x"', [("bearer", {"realm": "x"}, "")]),
        ('realm="x", Basic', [("basic", {}, "")]),
        ('@ Basic realm="x"', [("basic", {"realm": "x"}, "")]),
        (
            'Bearer realm="x", scope=, error="e"',
            [("bearer", {"realm": "x", "scope": "", "error": "e"}, "")],
        ),
    ],
    ids=[
        "no comma",
        "base64 without quotes",
        "open quotes",
        "quotes of nobody",
        "parameter of nobody",
        "stray character",
        "no value",
    ],
)
def test_a_broken_field_is_read_as_far_as_it_goes(value, challenges):
    """The first is the provider page's own sample."""
    assert read(value) == challenges


def test_of_equal_names_the_first_counts():
    """Names differ by more than their case."""
    assert read('Bearer error="a", ERROR="b"') == [("bearer", {"error": "a"}, "")]


def test_a_long_field_is_not_read():
    """4 KiB by default."""
    value = 'Bearer error="' + "x" * MAX_LENGTH + '"'

    assert parse_challenges(value) == ()
    assert len(parse_challenges(value, max_length=len(value))) == 1


@pytest.mark.parametrize(
    "piece", ['"', "a ", "a=", '\\"', " ", ",", "=", 'a="', "a= ", "@", 'a "\\']
)
def test_the_work_grows_with_the_length_only(piece):
    """300 KB of anything takes no longer than 300 KB take."""
    value = piece * (300_000 // len(piece))
    begun = time.process_time()
    parse_challenges(value, max_length=len(value))

    assert time.process_time() - begun < 10


@given(st.text(max_size=200) | st.text('abc=", \\\t@', max_size=60))
def test_any_text_gives_challenges_or_none(value):
    """Property: nothing is raised, whatever a server writes."""
    for each in parse_challenges(value):
        assert isinstance(each, Challenge)
        assert each.scheme == each.scheme.lower() != ""
    assert isinstance(bearer_error(parse_challenges(value)), BearerError)


@given(
    st.lists(
        st.tuples(TOKENS, st.dictionaries(TOKENS.map(str.lower), VALUES, min_size=1)),
        max_size=4,
    ),
    st.sampled_from([", ", ",", " ", "\t,\t"]),
)
def test_what_was_written_is_read_back(challenges, comma):
    """Property: with commas or without, with any text in quotes."""
    value = ", ".join(
        f"{scheme} "
        + comma.join(f"{name}={quoted(text)}" for name, text in parameters.items())
        for scheme, parameters in challenges
    )

    assert [
        (each.scheme, dict(each.parameters))
        for each in parse_challenges(value, max_length=len(value))
    ] == [(scheme.lower(), parameters) for scheme, parameters in challenges]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ('Basic realm="x"', BearerError()),
        ('Bearer realm="x"', BearerError()),
        (
            (
                'Bearer error="insufficient_scope", scope="a b", '
                'error_description="More is needed"'
            ),
            BearerError(
                error="insufficient_scope",
                error_description="More is needed",
                scope="a b",
            ),
        ),
        # RFC 9470, section 3.
        (
            (
                'Bearer error="insufficient_user_authentication", '
                'error_description="A different authentication level is required", '
                'acr_values="myACR", max_age="5"'
            ),
            BearerError(
                error="insufficient_user_authentication",
                error_description="A different authentication level is required",
                acr_values="myACR",
                max_age=5,
            ),
        ),
        (
            'Bearer realm="x", DPoP error="use_dpop_nonce"',
            BearerError(error="use_dpop_nonce"),
        ),
        ('Bearer error="what a mess", max_age="soon"', BearerError()),
    ],
)
def test_what_is_wrong_with_a_token_is_one_value(value, said):
    """RFC 6750, section 3, and RFC 9470, section 3."""
    assert bearer_error(parse_challenges(value)) == said


def test_a_description_is_fit_to_be_shown():
    """No control characters, and not without end."""
    value = 'Bearer error_description="red\x1b[31m' + "x" * 1000 + '"'
    said = bearer_error(parse_challenges(value)).error_description

    assert "\x1b" not in said
    assert len(said) == 300


def test_a_challenge_shows_its_scheme_only():
    """What else it says may speak of one user."""
    [challenge] = parse_challenges('SCA auth-param1="eventually-a-person"')

    assert repr(challenge) == "Challenge(scheme='sca')"
