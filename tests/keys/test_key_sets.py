"""Signatures of JWTs, verified with published keys: only theirs, only by good means."""

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey
from scales import scaled

from oauthmagic.errors import SignatureRefused
from oauthmagic.keys.jwts import rfc7515_a2_key
from oauthmagic.keys.key_sets import ALGORITHMS, verified_claims
from oauthmagic.redaction import Secret

RSA = rfc7515_a2_key()
OTHER = RSAKey.generate_key(2048)
CURVES = {
    "ES256": ECKey.generate_key("P-256"),
    "ES384": ECKey.generate_key("P-384"),
    "ES512": ECKey.generate_key("P-521"),
    "EdDSA": OKPKey.generate_key("Ed25519"),
}
CURVES["Ed25519"] = CURVES["EdDSA"]


def key_for(algorithm):
    """Return a key that signs by an algorithm."""
    return CURVES.get(algorithm, RSA)


def public(key, **members):
    """Return a key as it is published."""
    return {**key.as_dict(private=False), **members}


def key_set(*keys):
    """Return the body of a JWK Set."""
    return json.dumps({"keys": keys}).encode()


def signed(algorithm="RS256", key=None, claims=None, **header):
    """Return a JWT."""
    key = key or key_for(algorithm)
    text = jws.serialize_compact(
        {"alg": algorithm, **header},
        json.dumps(claims or {"sub": "jo"}),
        key,
        registry=jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False),
    )
    return Secret(text)


def judged(token, *keys):
    """Return what comes of a token and keys."""
    return verified_claims(token, "access_token", key_set(*keys))


# Signing, not verifying, warns here.
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_signature_by_a_published_key_is_verified(algorithm):
    """Each algorithm of the list; algorithm and key are said."""
    key = key_for(algorithm)

    claims = judged(
        signed(algorithm, kid="k1"), public(OTHER, kid="k0"), public(key, kid="k1")
    )

    assert claims.values == {"sub": "jo"}
    assert claims.verified_by == f"{algorithm}, key 'k1'"


def with_hmac_of(key):
    """Return a JWT that takes a public key for a shared secret (RFC 8725, 2.1)."""
    head = base64.urlsafe_b64encode(b'{"alg":"HS256"}').rstrip(b"=")
    text = head + b"." + base64.urlsafe_b64encode(b'{"sub":"jo"}').rstrip(b"=")
    mac = hmac.new(key.as_pem(private=False), text, hashlib.sha256).digest()
    return Secret((text + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode())


def unsigned():
    """Return a JWT without a signature."""
    head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    return Secret(f"{head}.eyJzdWIiOiJqbyJ9.")


SMALL = {**public(RSA), "n": public(RSA)["n"][:170]}
FOREIGN = public(OTHER)
ATTACKS = {
    "another key's": (signed(key=OTHER), [public(RSA)], "no key that the provider"),
    "alg none": (unsigned(), [public(RSA)], "'none', not a public key's"),
    "HMAC with the public key": (with_hmac_of(RSA), [public(RSA)], "'HS256', not"),
    "its own jwk": (signed(key=OTHER, jwk=FOREIGN), [public(RSA)], "no key that the"),
    "its own jku": (signed(key=OTHER, jku="https://evil.example/"), [], "no key for"),
    "an unknown kid": (signed(kid="k9"), [public(RSA, kid="k1")], "no key called 'k9'"),
    "no kid there": (signed(kid="k1"), [public(RSA)], "no key called 'k1'"),
    "a kid that is none": (signed(), [], "no key for RS256"),
    "a key to encrypt with": (signed(), [public(RSA, use="enc")], "no key for RS256"),
    "a key to sign with": (signed(), [public(RSA, key_ops=["sign"])], "no key for"),
    "key_ops that are none": (signed(), [public(RSA, key_ops=5)], "no key for RS256"),
    "another alg's key": (signed(), [public(RSA, alg="PS256")], "no key for RS256"),
    "another curve": (signed("ES256"), [public(CURVES["ES384"])], "no key for ES256"),
    "a small key": (signed(), [SMALL], "no key for RS256"),
    "a shared secret": (signed(), [{"kty": "oct", "k": "AAAA"}], "no key for RS256"),
    "a broken key": (signed(), [public(RSA, n="!" * 400)], "no key that the provider"),
    "crit": (signed(crit=["b64"], b64=True), [public(RSA)], "demands an ext"),
    "no JWT": (Secret("plainly-fake-opaque"), [public(RSA)], "is no JWT"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_else_verifies_a_token(name):
    """The provider's keys, a public key's algorithm, a key made for it."""
    token, keys, said = ATTACKS[name]

    outcome = judged(token, *keys)

    assert isinstance(outcome, SignatureRefused)
    assert said in str(outcome)
    assert token.reveal() not in str(outcome) + outcome.hint


def test_without_a_name_each_key_of_the_kind_is_tried():
    """`kid` is optional (RFC 7515, section 4.1.4)."""
    claims = judged(signed(), public(OTHER), public(RSA), public(CURVES["ES256"]))

    assert claims.verified_by == "RS256, a key without a name"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"keys":{}}', b'{"keys":[1]}', b'{"keys":[]}x']
)
def test_a_key_set_that_is_none_verifies_nothing(body):
    """A page in its place, for example."""
    assert isinstance(verified_claims(signed(), "id_token", body), SignatureRefused)


@settings(max_examples=scaled(40, 2000))
@given(data=st.data())
def test_no_changed_token_is_verified(data):
    """Wherever a character is another."""
    text = signed(kid="k1").reveal()
    place = data.draw(st.integers(0, len(text) - 1))
    # The last character of a part may hold bits that nobody reads.
    letters = "ABCDEFGHabcdefgh0123.-_"
    changed = text[:place] + data.draw(st.sampled_from(letters)) + text[place + 1 :]

    outcome = judged(Secret(changed), public(RSA, kid="k1"))

    assert changed == text or is_refused_or_the_same(outcome)


def is_refused_or_the_same(outcome):
    """Say whether a change was noticed, or changes nothing that is signed."""
    if isinstance(outcome, SignatureRefused):
        return True
    return outcome.values == {"sub": "jo"} and outcome.header["alg"] == "RS256"
