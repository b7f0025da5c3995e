from __future__ import annotations

import json
import random
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthmagic.sandbox.league_tokens import (
    issue_access_token,
    numeric_date,
    structure_fault,
)

NOW = datetime(2030, 1, 1, 9, tzinfo=UTC)


def encode(text):
    """Return base64url without padding."""
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.fixture
def token():
    """Issue one, always the same."""
    randomness = random.Random(3)  # noqa: S311 - reproducible
    return issue_access_token("client", "1", ("basic",), now=NOW, randomness=randomness)


def test_the_claims_are_the_librarys_in_its_order(token):
    """No `iss`, scopes as an array, 80 hexadecimal digits, dates with fractions."""
    header, claims, _ = token.sign().split(".")
    claims = json.loads(urlsafe_b64decode(claims + "=="))

    assert header == encode('{"typ":"JWT","alg":"RS256"}')
    assert list(claims) == ["aud", "jti", "iat", "nbf", "exp", "sub", "scopes"]
    assert claims["aud"] == "client"
    assert len(bytes.fromhex(claims["jti"])) == 40
    assert claims["sub"] == "1"
    assert claims["scopes"] == ["basic"]
    assert all(claims[name] % 1 for name in ("iat", "nbf", "exp"))


def test_a_token_is_valid_at_once_and_for_300_seconds(token):
    """A clock that stands still never shows a token from the future."""
    lifetime = token.expires_at - token.issued_at

    assert token.is_valid_at(NOW)
    assert 299.9 < lifetime.total_seconds() < 300


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001
def test_a_numeric_date_keeps_the_microseconds(moment):
    """Whole seconds are integers, as the library writes them."""
    moment = moment.replace(tzinfo=UTC)
    date = numeric_date(moment)

    assert isinstance(date, float) is bool(moment.microsecond)
    assert json.dumps(date) == json.dumps(json.loads(json.dumps(date)))
    assert abs(date - moment.timestamp()) < 1e-6


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("garbage", "The JWT string must have two dots"),
        ("a.b.c.d", "The JWT string must have two dots"),
        (".b.c", "The JWT string is missing the Header part"),
        ("a..c", "The JWT string is missing the Claim part"),
        ("a.b.", "The JWT string is missing the Signature part"),
        (f"{encode('{')}.b.c", "Error while decoding from JSON"),
        (f"{encode('1')}.b.c", "headers must be an array"),
        (f"{encode('{}')}.{encode('1')}.c", "claims must be an array"),
        (
            f"{encode('{}')}.{encode('{}')}.*",
            "Error while decoding from Base64Url, invalid base64 characters detected",
        ),
        (f"{encode('{}')}.{encode('{}')}.{encode('signature')}", ""),
    ],
)
def test_the_parser_says_what_is_wrong(text, fault):
    """The hints are those of the library's parser."""
    assert structure_fault(text) == fault


@given(st.text())
def test_the_parser_survives_anything(text):
    """Whatever is sent, there is an answer."""
    assert isinstance(structure_fault(text), str)
