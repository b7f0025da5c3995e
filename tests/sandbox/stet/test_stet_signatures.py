"""Digest and Signature on resources, as the settings want them."""

from __future__ import annotations

import pytest

from oauthmagic.keys.qualified import load_private_key
from oauthmagic.keys.signatures import http_date, signed_headers
from oauthmagic.keys.synthetic import SyntheticAuthority
from oauthmagic.sandbox.clocks import START

PATH = "/stet/psd2/v1.4.2/accounts"
GOOD = "PSDFR-ACPR-13807"


def signed(tpp, path=PATH, *, key=None, key_id=GOOD, method="GET", always_post=False):
    """Return the headers that sign a request without a body."""
    return signed_headers(
        [("Date", http_date(START)), ("X-Request-ID", "1")],
        key=key or load_private_key(tpp.credentials["signing_key"].encode()),
        key_id=key_id,
        method=method,
        path_and_query=path,
        body=None,
        always_post=always_post,
    )


@pytest.mark.parametrize("signatures", ["required", "checked", "ignored"])
def test_a_good_signature_is_always_welcome(tpp, simulator, access_token, signatures):
    """With a query too, as it was sent: encoded."""
    simulator.use(signatures=signatures)
    path = "/stet/psd2/v1.4.2/accounts?a=b%20c"

    answer = tpp.api(access_token, f"GET {path}", headers=signed(tpp, path))
    assert answer.status == 200


@pytest.mark.parametrize(
    ("signatures", "status"), [("required", 403), ("checked", 200), ("ignored", 200)]
)
def test_none_is_welcome_unless_required(
    tpp, simulator, access_token, signatures, status
):
    """What the bank's policy is, is not documented."""
    simulator.use(signatures=signatures)

    assert tpp.api(access_token, "GET /accounts").status == status


def test_a_bad_signature_is_worse_than_none(tpp, simulator, members, access_token):
    """Another path, key, keyId, or nonsense: 403, and the reason."""
    stranger = SyntheticAuthority(START)._key
    bad = {
        "another request": signed(tpp, "/stet/psd2/v1.4.2/consents"),
        "another key": signed(tpp, key=stranger),
        "keyId": signed(tpp, key_id="somebody"),
        "parameters": [("Signature", "nonsense")],
    }
    for why, headers in bad.items():
        answer = members(tpp.api(access_token, "GET /accounts", headers=headers), 403)
        assert why in answer["message"]

    simulator.use(signatures="ignored")
    for headers in bad.values():
        assert tpp.api(access_token, "GET /accounts", headers=headers).status == 200


def test_a_digest_is_that_of_the_body(tpp, members, access_token):
    """Checked by itself too, without a signature."""
    wrong = [("Digest", "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")]
    answer = tpp.api(access_token, "PUT /consents", {}, headers=wrong)

    assert "Digest" in members(answer, 403)["message"]
    assert tpp.api(access_token, "GET /accounts", headers=wrong).status == 200


def test_a_bank_may_expect_post_whatever_the_method(tpp, simulator, access_token):
    """The oddity of one working client, as a setting."""
    odd = signed(tpp, always_post=True)
    assert tpp.api(access_token, "GET /accounts", headers=odd).status == 403

    simulator.use(signed_method="post")
    assert tpp.api(access_token, "GET /accounts", headers=odd).status == 200
    assert tpp.api(access_token, "GET /accounts", headers=signed(tpp)).status == 403
