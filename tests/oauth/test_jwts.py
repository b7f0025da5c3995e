"""JWTs read for display: what can be read is, whatever it says; nothing is believed."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthmagic.oauth.jwts import MAX_BYTES, read_claims
from oauthmagic.redaction import Secret


def encoded(members):
    """Return a part of a JWT."""
    body = members if isinstance(members, bytes) else json.dumps(members).encode()
    return base64.urlsafe_b64encode(body).rstrip(b"=").decode()


def a_jwt(values, header=None, signature="c2ln"):
    """Return a JWT that nobody has signed."""
    return f"{encoded(header or {'alg': 'RS256'})}.{encoded(values)}.{signature}"


@pytest.mark.parametrize(
    "text",
    [
        a_jwt({"sub": "jo", "n": 1}),
        a_jwt({"sub": "jo", "n": 1}, {"alg": "none"}, ""),
        a_jwt({"sub": "jo", "n": 1}, {"alg": "HS256", "crit": ["x"], "jku": "//evil"}),
    ],
    ids=["signed", "alg none", "strange header"],
)
def test_the_claims_of_a_jwt_are_read_and_unverified(text):
    """Display only: nothing of the header is followed."""
    claims = read_claims(Secret(text), "access_token")

    assert claims.values == {"sub": "jo", "n": 1}
    assert claims.kind == "access_token"
    assert claims.verified_by == ""


@pytest.mark.parametrize(
    "text",
    [
        "opaque-plainly-fake",
        "plainly.fake.token",
        f"{a_jwt({})}.x.y",
        a_jwt([1]),
        a_jwt({}, {"typ": "JWT"}),
        a_jwt(b'{"a":1,"a":2}'),
        a_jwt({"x": "y" * MAX_BYTES}),
        a_jwt(b'{"a":' + b"[" * 40 + b"]" * 40 + b"}"),
        a_jwt(b"\xff\xfe"),
        f" {a_jwt({})}",
        a_jwt({}).replace("e", "é", 1),
    ],
    ids=[
        *("opaque", "no base64", "encrypted", "a list", "no alg", "duplicates"),
        *("large", "deep", "not UTF-8", "blank", "not ASCII"),
    ],
)
def test_what_is_none_is_not_read(text):
    """An opaque token is nothing special, and neither is a broken one."""
    assert read_claims(Secret(text), "access_token") is None
    assert read_claims(None, "id_token") is None


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*"))
def test_no_text_is_an_error(text):
    """Read or not read; never an exception."""
    assert read_claims(Secret(text), "id_token") is None


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.text()))
def test_every_object_is_read_back(values):
    """Any claims, with any names."""
    assert read_claims(Secret(a_jwt(values)), "id_token").values == values
