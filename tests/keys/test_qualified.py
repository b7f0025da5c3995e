from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from oauthmagic.errors import CommandError
from oauthmagic.keys.certificates import issue_loopback_certificate
from oauthmagic.keys.qualified import (
    load_private_key,
    match_client_id,
    read_authorization_number,
    read_certificate,
    read_certified_key,
)
from oauthmagic.keys.synthetic import SyntheticAuthority, published_key
from oauthmagic.redaction import Secret

NOW = datetime(2030, 1, 1, 9, tzinfo=UTC)
ISSUED = SyntheticAuthority(NOW, published_key()).issue(
    "QWAC", "PSDFR-ACPR-13807", ["PSP_AI"], key=published_key()
)
READ = read_certificate(ISSUED.certificate)
# RFC 8705, appendix A: how a certificate begins.
RFC8705 = "MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAx"


def pem_key(phrase=None, key=None):
    """Return a private key as PEM, encrypted or not."""
    return (key or published_key()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(phrase)
        if phrase
        else serialization.NoEncryption(),
    )


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("PSDFR-ACPR-13807", ("FR", "ACPR", "13807")),
        ("PSDES-BDE-3DFD21", ("ES", "BDE", "3DFD21")),
        ("PSDPL-PFSA-1234567890", ("PL", "PFSA", "1234567890")),
        ("PSDBE-NBB-1234.567.890", ("BE", "NBB", "1234.567.890")),
        ("PSDFI-FINFSA-1234567-8", ("FI", "FINFSA", "1234567-8")),
        ("PSDMT-MFSA-A 12345", ("MT", "MFSA", "A 12345")),
    ],
)
def test_an_authorization_number_is_free_in_its_last_part(text, parts):
    """TS 119 495, section 5.2.1, and its examples: points, a hyphen, a space."""
    assert read_authorization_number(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "",
        "13807",
        "PSDFR-ACPR-",
        "PSDfr-ACPR-1",
        "PSDFR-A-1",
        "PSDFR-TOOLONGNAME-1",
        "VATFR-123",
        "PSDFR-ACPR-1\n",
    ],
)
def test_what_is_no_authorization_number_is_none(text):
    """Neither are other identifiers of EN 319 412-1."""
    assert read_authorization_number(text) is None


@pytest.mark.parametrize(
    ("identifier", "client_id", "how"),
    [
        ("PSDFR-ACPR-13807", "PSDFR-ACPR-13807", "direct"),
        ("PSDFR-ACPR-13807", "1PSDFR-ACPR-13807-0-ABCDE", "indirect"),
        ("PSDFR-ACPR-13807", "AGTFR-ACPR-13807001", "indirect"),
        ("PSDFR-ACPR-13807", "PSDFR-ACPR-413807", ""),
        ("PSDFR-ACPR-13807", "PSDFR-ACPR-99999", ""),
        ("PSDFR-ACPR-13807", "", ""),
        ("PSDMT-MFSA-A.1", "PSDMT-MFSA-AB1", ""),
        ("", "", ""),
        ("not one", "not one", ""),
    ],
)
def test_a_number_matches_a_client_id_directly_or_indirectly(
    identifier, client_id, how
):
    """Provider page, step 6; the second is how a registration answered."""
    assert match_client_id(identifier, client_id) == how


def test_pem_and_der_say_the_same():
    """A text, bytes, or the binary form that TLS hands over."""
    assert read_certificate(ISSUED.certificate.decode()) == READ
    assert read_certificate(READ.der) == READ


def test_the_first_of_a_chain_counts():
    """An issuer's certificate behind it does not matter."""
    other = issue_loopback_certificate(NOW).certificate

    assert read_certificate(ISSUED.certificate + other) == READ


def test_a_certificate_of_another_kind_has_no_statements():
    """It is read all the same: preflight says what it lacks."""
    read = read_certificate(issue_loopback_certificate(NOW).certificate)

    assert read.organization_identifier == ""
    assert read.public_key is None
    assert (read.qc.roles, read.qc.types) == ((), ())
    assert not read.is_synthetic


def test_a_thumbprint_is_that_of_the_der():
    """RFC 8705, section 3.1: SHA-256, base64url, no padding: 43 characters."""
    assert len(READ.thumbprint) == 43
    assert READ.thumbprint.rstrip("=") == READ.thumbprint


@given(st.binary(max_size=300))
def test_any_bytes_are_a_certificate_or_one_kind_of_error(data):
    """From the wire comes anything."""
    with contextlib.suppress(CommandError):
        read_certificate(data)


@given(st.integers(0, len(READ.der) - 1), st.integers(0, 255))
def test_a_changed_byte_is_a_certificate_or_one_kind_of_error(position, byte):
    """The same for what is almost right."""
    data = bytearray(READ.der)
    data[position] = byte
    with contextlib.suppress(CommandError):
        read_certificate(bytes(data))


@pytest.mark.parametrize(
    "data", [b"", "-----BEGIN CERTIFICATE-----", RFC8705, b"x" * 200_000]
)
def test_what_is_no_certificate_is_said_so(data):
    """One sentence, and how to give one."""
    with pytest.raises(CommandError, match="certificate"):
        read_certificate(data)


def test_a_key_belongs_to_its_certificate():
    """The published key was certified; another one was not."""
    other = pem_key(key=SyntheticAuthority(NOW)._key)

    assert read_certified_key(ISSUED.certificate, ISSUED.private_key).belong_together
    assert not read_certified_key(ISSUED.certificate, other).belong_together
    assert not read_certified_key(ISSUED.certificate).belong_together


def test_an_encrypted_key_needs_its_passphrase():
    """Three ways to fail, each with its own sentence."""
    secret = Secret(pem_key(b"simulated-phrase").decode())

    assert load_private_key(secret, Secret("simulated-phrase")).key_size == 2048
    with pytest.raises(CommandError, match="no passphrase"):
        load_private_key(secret)
    with pytest.raises(CommandError, match="check the passphrase"):
        load_private_key(secret, Secret("wrong-phrase"))
    with pytest.raises(CommandError, match="not encrypted"):
        load_private_key(pem_key(), Secret("simulated-phrase"))


@pytest.mark.parametrize(
    "data",
    [b"", b"nonsense", pem_key(key=ec.generate_private_key(ec.SECP256R1()))],
    ids=["empty", "nonsense", "P-256"],
)
def test_a_key_that_cannot_sign_here_is_refused(data):
    """Only RSA: the banks' one algorithm is rsa-sha256."""
    with pytest.raises(CommandError, match="private key"):
        load_private_key(data)


def test_no_frame_of_the_error_holds_the_key():
    """A debugger shows locals; the key is in none of ours."""
    secret = Secret(pem_key(b"simulated-phrase").decode())
    with pytest.raises(CommandError) as caught:
        load_private_key(secret, Secret("wrong-phrase"))

    own = [each for each in caught.traceback if "qualified" in str(each.path)]
    assert own
    for entry in own:
        shown = repr(entry.frame.f_locals)
        assert "PRIVATE" not in shown
        assert "wrong-phrase" not in shown
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
