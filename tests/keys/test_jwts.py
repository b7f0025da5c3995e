from __future__ import annotations

import json
from base64 import urlsafe_b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthmagic.errors import ProtocolError
from oauthmagic.keys.jwts import (
    rfc7515_a2_key,
    sign_payload,
    sign_rs256,
    verify_rs256,
)

HEADER = {"typ": "JWT", "alg": "RS256"}
RFC7515_A2_PAYLOAD = (
    b'{"iss":"joe",\r\n "exp":1300819380,\r\n "http://example.com/is_root":true}'
)
RFC7515_A2_SIGNATURE = (
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_"
    "lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75"
    "vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHW"
    "EsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlV"
    "mtVrBp0igcN_IoypGlUPQGe77Rw"
)


def part(token, index):
    """Return a decoded part of a JWT."""
    text = token.split(".")[index]
    return urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()


def test_the_published_key_makes_the_published_signature():
    """RFC 7515, appendix A.2: same key, header and payload, same signature."""
    token = sign_payload(RFC7515_A2_PAYLOAD, {"alg": "RS256"}, rfc7515_a2_key())

    assert token.split(".")[0] == "eyJhbGciOiJSUzI1NiJ9"
    assert token.split(".")[2] == RFC7515_A2_SIGNATURE


def test_members_keep_their_order_and_numbers_their_type():
    """A simulated JWT has the shape of the real one, to the byte."""
    claims = {"aud": "a", "jti": "0f", "iat": 1893488399.999958, "exp": 1893488700}
    token = sign_rs256(claims, HEADER, rfc7515_a2_key())

    assert part(token, 0) == '{"typ":"JWT","alg":"RS256"}'
    assert (
        part(token, 1)
        == '{"aud":"a","jti":"0f","iat":1893488399.999958,"exp":1893488700}'
    )


@given(
    st.dictionaries(
        st.text(),
        st.one_of(st.text(), st.booleans(), st.integers(), st.lists(st.text())),
    )
)
def test_what_was_signed_is_verified(claims):
    """Verification returns the claims that were signed."""
    token = sign_rs256(claims, HEADER, rfc7515_a2_key())

    assert verify_rs256(token, rfc7515_a2_key()) == claims


SPOILS = {
    "nothing": lambda _: "",
    "words": lambda _: "not a token",
    "four parts": lambda token: token.replace(".", "..", 1),
    "another signature": lambda token: token[:-8] + "AAAAAAAA",
    "another header": lambda token: "e" + token,
    "no signature": lambda token: token.rpartition(".")[0] + ".",
    "not ASCII": lambda token: "\u00e9" + token[1:],
}


@pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS)
def test_anything_else_is_refused(spoil):
    """A token that was changed anywhere is not verified."""
    token = sign_rs256({"sub": "1"}, HEADER, rfc7515_a2_key())

    with pytest.raises(ProtocolError):
        verify_rs256(spoil(token), rfc7515_a2_key())


def test_a_payload_that_is_no_object_is_refused():
    """RFC 7519, section 7.2: the claims are a JSON object."""
    for payload in (json.dumps(["sub"]).encode(), b"sub", b"\xff"):
        token = sign_payload(payload, HEADER, rfc7515_a2_key())

        with pytest.raises(ProtocolError):
            verify_rs256(token, rfc7515_a2_key())


def test_a_token_without_signature_is_refused():
    """RFC 8725, section 3.1: only the algorithm that is expected, never `none`."""
    unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."

    with pytest.raises(ProtocolError):
        verify_rs256(unsigned, rfc7515_a2_key())
