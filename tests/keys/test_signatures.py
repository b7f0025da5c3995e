from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from hypothesis import given
from hypothesis import strategies as st

from oauthmagic.errors import CommandError, ProtocolError
from oauthmagic.keys.signatures import (
    SIGNED,
    SIGNED_AT_REGISTRATION,
    Signature,
    digest,
    http_date,
    read_signature,
    sign,
    signed_headers,
    signing_string,
    verify,
)
from oauthmagic.keys.synthetic import SyntheticAuthority, published_key

# Appendix C of draft-cavage-http-signatures: key, request and three signatures.
DRAFT_KEY = load_pem_public_key(
    b"""-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDCFENGw33yGihy92pDjZQhl0C3
6rPJj+CvfSC8+q28hxA161QFNUd13wuCTUcq0Qd2qsBe/2hFyc2DCJJg0h1L78+6
Z4UMR7EOcpfdUE9Hf3m/hs+FUR45uBJeDK1HSFHD8bHKD6kv8FPGfJTotc+2xjJw
oYi+1hqp1fIekaxsyQIDAQAB
-----END PUBLIC KEY-----
"""
)
DRAFT_REQUEST = {
    "method": "POST",
    "path_and_query": "/foo?param=value&pet=dog",
    "headers": (
        ("Host", "example.com"),
        ("Date", "Sun, 05 Jan 2014 21:31:40 GMT"),
        ("Content-Type", "application/json"),
        ("Digest", "SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE="),
        ("Content-Length", "18"),
    ),
}
DRAFT = {
    "C.1": 'keyId="Test",algorithm="rsa-sha256",signature="SjWJWbWN7i0wzBvtPl8rbASWz5x'
    "QW6mcJmn+ibttBqtifLN7Sazz6m79cNfwwb8DMJ5cou1s7uEGKKCs+FLEEaDV5lp7q25WqS+lavg7T8hc0G"
    'ppauB6hbgEKTwblDHYGEtbGmtdHgVCk9SuS13F0hZ8FD0k/5OxEPXe5WozsbM="',
    "C.2": 'keyId="Test",algorithm="rsa-sha256",headers="(request-target) host date", '
    'signature="qdx+H7PHHDZgy4y/Ahn9Tny9V3GP6YgBPyUXMmoxWtLbHpUnXS2mg2+SbrQDMCJypxBLSPQR'
    "2aAjn7ndmw2iicw3HMbe8VfEdKFYRqzic+efkb3nndiv/x1xSHDJWeSWkx3ButlYSuBskLu6kd9Fswtemr"
    '3lgdDEmn04swr2Os0="',
    "C.3": 'keyId="Test",algorithm="rsa-sha256",headers="(request-target) host date '
    'content-type digest content-length",signature="vSdrb+dS3EceC9bcwHSo4MlyKS59iFIrhgY'
    "kz8+oVLEEzmYZZvRs8rgOp+63LEM3v+MFHB32NfpB2bEKBIvB1q52LaEUHFv120V01IL+TAD48XaERZFukWg"
    'HoBTLMhYS2Gb51gWxpeIq8knRmPnYePbF5MOkR0Zkly4zKH7s1dE="',
}
EMPTY = "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
KEY = published_key()
REQUEST = {
    "method": "GET",
    "path_and_query": "/stet/psd2/v1.4.2/accounts",
    "headers": (
        ("Date", "Wed, 06 Nov 2019 10:03:13 GMT"),
        ("Digest", EMPTY),
        ("X-Request-ID", "49a17f62-6787-4042-abcd-83e9c41f575b"),
    ),
}
TOKENS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=12)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40)


@pytest.mark.parametrize("name", DRAFT)
def test_the_signatures_of_the_draft_are_verified(name):
    """Appendix C; the first signs the date alone, by default."""
    signature = read_signature(DRAFT[name])

    assert signature.key_id == "Test"
    verify(signature, key=DRAFT_KEY, **DRAFT_REQUEST)


@pytest.mark.parametrize("name", DRAFT)
def test_a_request_that_was_changed_is_not_verified(name):
    """Another day breaks all three."""
    changed = tuple(
        (key, value.replace("05", "06")) for key, value in DRAFT_REQUEST["headers"]
    )
    with pytest.raises(ProtocolError, match="another request"):
        verify(
            read_signature(DRAFT[name]),
            key=DRAFT_KEY,
            **{**DRAFT_REQUEST, "headers": changed},
        )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", EMPTY),
        (None, EMPTY),
        (
            b'{"hello": "world"}',
            "SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=",
        ),
    ],
)
def test_a_digest_is_the_sha_256_of_the_body(body, expected):
    """RFC 3230; the last is the draft's."""
    assert digest(body) == expected


def test_the_signing_string_is_one_line_for_each_header():
    """As a working client of BPCE builds it, but with the real method."""
    assert signing_string(SIGNED, **REQUEST) == (
        "(request-target): get /stet/psd2/v1.4.2/accounts\n"
        "date: Wed, 06 Nov 2019 10:03:13 GMT\n"
        f"digest: {EMPTY}\n"
        "x-request-id: 49a17f62-6787-4042-abcd-83e9c41f575b"
    )


def test_repeated_and_empty_headers_have_a_line_too():
    """Draft 12, section 2.3: joined by a comma and a space; nothing after colon."""
    headers = (("Zero", ""), ("Cache", " max-age=60 "), ("CACHE", "public"))
    written = signing_string(
        ["cache", "zero"], method="GET", path_and_query="/", headers=headers
    )

    assert written == "cache: max-age=60, public\nzero: "


def test_a_signature_says_key_algorithm_headers_and_value():
    """In this order, as the working client writes it."""
    text = sign(key=KEY, key_id="PSDFR-ACPR-13807", **REQUEST)

    assert text.startswith(
        'keyId="PSDFR-ACPR-13807",algorithm="rsa-sha256",'
        'headers="(request-target) date digest x-request-id",signature="'
    )
    verify(read_signature(text), key=KEY.public_key(), must_cover=["digest"], **REQUEST)


def test_post_for_everything_is_a_switch():
    """Then only a bank that expects `post` accepts a GET."""
    odd = read_signature(sign(key=KEY, key_id="id", always_post=True, **REQUEST))

    verify(odd, key=KEY.public_key(), always_post=True, **REQUEST)
    with pytest.raises(ProtocolError):
        verify(odd, key=KEY.public_key(), **REQUEST)


def test_another_key_does_not_verify():
    """Whoever sealed it, it was not this one."""
    stranger = SyntheticAuthority(datetime(2030, 1, 1, tzinfo=UTC))._key
    signature = read_signature(sign(key=stranger, key_id="id", **REQUEST))
    with pytest.raises(ProtocolError, match="another key"):
        verify(signature, key=KEY.public_key(), **REQUEST)


def test_what_must_be_signed_is_signed():
    """A signature of the date alone proves little."""
    signature = read_signature(sign(["date"], key=KEY, key_id="id", **REQUEST))
    with pytest.raises(ProtocolError, match="leaves out digest"):
        verify(signature, key=KEY.public_key(), must_cover=["digest"], **REQUEST)


def test_a_signed_header_must_be_there():
    """Both for who signs and for who verifies."""
    without = {**REQUEST, "headers": REQUEST["headers"][:-1]}
    with pytest.raises(CommandError, match="x-request-id"):
        sign(key=KEY, key_id="id", **without)
    signature = read_signature(sign(key=KEY, key_id="id", **REQUEST))
    with pytest.raises(ProtocolError, match="x-request-id"):
        verify(signature, key=KEY.public_key(), **without)


@pytest.mark.parametrize(
    ("key_id", "value"),
    [('a"b', "x"), ("a\\b", "x"), ("é", "x"), ("", "x"), ("id", "a\nb"), ("id", "é")],
)
def test_what_a_line_cannot_hold_is_not_signed(key_id, value):
    """A line feed would begin a header that nobody sent."""
    with pytest.raises(CommandError):
        sign(
            ["date"],
            key=KEY,
            key_id=key_id,
            method="GET",
            path_and_query="/",
            headers=[("Date", value)],
        )


def test_headers_get_a_new_digest_and_signature():
    """What a provider's page needs in one call; old ones do not survive."""
    headers = signed_headers(
        (
            ("Digest", "SHA-256=old"),
            ("Date", http_date(datetime(2019, 11, 6, 10, 3, 13, tzinfo=UTC))),
            ("X-Request-ID", "49a17f62-6787-4042-abcd-83e9c41f575b"),
            ("Signature", "old"),
        ),
        key=KEY,
        key_id="id",
        method="GET",
        path_and_query=REQUEST["path_and_query"],
        body=None,
    )

    assert [name for name, _ in headers] == [
        "Date",
        "X-Request-ID",
        "Digest",
        "Signature",
    ]
    assert dict(headers)["Digest"] == EMPTY
    assert dict(headers)["Signature"] == sign(key=KEY, key_id="id", **REQUEST)


def test_registration_signs_less():
    """Without the date, as the page has it."""
    assert SIGNED_AT_REGISTRATION == ("(request-target)", "digest", "x-request-id")


@given(
    names=st.lists(TOKENS, min_size=1, max_size=5, unique=True),
    values=st.lists(VALUES, min_size=5, max_size=5),
    key_id=st.text("abcXYZ019 -_:/.,=", min_size=1, max_size=40),
)
def test_every_signature_is_read_and_verified(names, values, key_id):
    """Reading undoes writing, whatever the headers hold."""
    request = {
        "method": "PUT",
        "path_and_query": "/a?b=c%20d",
        "headers": tuple(zip(names, values, strict=False)),
    }
    signature = read_signature(sign(names, key=KEY, key_id=key_id, **request))

    assert (signature.key_id, signature.headers) == (key_id, tuple(names))
    verify(signature, key=KEY.public_key(), **request)


@given(st.one_of(st.text(), st.text('keyIdsgnatur="(),= \\\t', max_size=60)))
def test_any_text_is_a_signature_or_one_kind_of_error(text):
    """From the wire comes anything."""
    with contextlib.suppress(ProtocolError):
        assert isinstance(read_signature(text), Signature)


@given(st.integers(0, len(DRAFT["C.2"]) - 1), st.characters())
def test_a_changed_character_verifies_nothing_else(position, character):
    """It is refused, or says the same as before."""
    text = DRAFT["C.2"][:position] + character + DRAFT["C.2"][position + 1 :]
    with contextlib.suppress(ProtocolError):
        signature = read_signature(text)
        verify(signature, key=DRAFT_KEY, **DRAFT_REQUEST)
        assert signature.value == read_signature(DRAFT["C.2"]).value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "list of parameters"),
        ('keyId="a"', "no signature"),
        ('signature="aa=="', "no keyId"),
        ('keyId="a",keyId="b",signature="aa=="', "twice"),
        ('keyId="a",signature="a*=="', "base64"),
        ('keyId="a",signature="aa==",', "list of parameters"),
        ('keyId="a" signature="aa=="', "list of parameters"),
        ('keyId="a\\"b",signature="aa=="', "list of parameters"),
        ('keyId=a,signature="aa=="', "list of parameters"),
        ('keyId="a",algorithm="hs2019",signature="aa=="', "rsa-sha256"),
        ('keyId="a",algorithm="none",signature="aa=="', "rsa-sha256"),
        ('keyId="a",created=1,signature="aa=="', "created"),
        ('keyId="a",headers="",signature="aa=="', "list of headers"),
        ('keyId="a",headers="Date",signature="aa=="', "list of headers"),
        ('keyId="a",headers="date date",signature="aa=="', "header twice"),
        ('keyId="a",headers="(created)",signature="aa=="', "list of headers"),
        ('keyId="' + "a" * 9000 + '",signature="aa=="', "too long"),
    ],
)
def test_a_malformed_signature_is_refused_with_its_reason(text, why):
    """Draft 12, section 2.1, read strictly."""
    with pytest.raises(ProtocolError, match=why):
        read_signature(text)


def test_an_unknown_parameter_is_passed_over():
    """Draft 12, section 2.1."""
    assert read_signature('keyId="a",new="b",signature="aa=="').key_id == "a"
