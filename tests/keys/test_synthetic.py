from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.verification import (
    PolicyBuilder,
    Store,
    VerificationError,
)

from oauthmagic.keys.qualified import SYNTHETIC, read_certificate, read_certified_key
from oauthmagic.keys.synthetic import (
    BACKDATED,
    LIFETIME,
    SyntheticAuthority,
    published_key,
)

NOW = datetime(2030, 1, 1, 9, tzinfo=UTC)
NUMBER = "PSDFR-ACPR-13807"
ROLES = ("PSP_AI", "PSP_PI")


@pytest.fixture(scope="module")
def authority():
    """Make one with the published key: it takes no time."""
    return SyntheticAuthority(NOW, published_key())


@pytest.fixture(scope="module")
def issued(authority):
    """Issue one of each kind."""
    return {
        kind: authority.issue(kind, NUMBER, ROLES, key=published_key())
        for kind in ("QWAC", "QSealC")
    }


@pytest.mark.parametrize(
    ("kind", "usage", "extended", "qc_type"),
    [
        ("QWAC", {"digital_signature"}, {"client_auth", "server_auth"}, "web"),
        ("QSealC", {"digital_signature", "content_commitment"}, set(), "eseal"),
    ],
)
def test_it_has_the_profile_of_a_real_one(issued, kind, usage, extended, qc_type):
    """EN 319 412 and TS 119 495: usages, type, roles, authority, identifier."""
    read = read_certificate(issued[kind].certificate)

    assert read.organization_identifier == NUMBER
    assert read.key_usage == usage
    assert read.extended_key_usage == extended
    assert (read.qc.types, read.qc.roles) == ((qc_type,), ROLES)
    assert read.qc.nca_id == "FR-ACPR"
    assert (read.not_before, read.not_after - read.not_before) == (
        NOW - BACKDATED,
        LIFETIME,
    )
    assert read.public_key.key_size == 2048


def test_nobody_takes_it_for_a_qualified_one(issued, authority):
    """Every subject and issuer says what it is, in capital letters."""
    for pem in (authority.certificate, *(each.certificate for each in issued.values())):
        certificate = x509.load_pem_x509_certificate(pem)
        for name in (certificate.subject, certificate.issuer):
            assert SYNTHETIC in name.rfc4514_string()
    assert read_certificate(issued["QWAC"].certificate).is_synthetic


def test_the_subject_is_in_the_order_of_the_profile(issued):
    """C, O, 2.5.4.97, CN."""
    subject = x509.load_pem_x509_certificate(issued["QWAC"].certificate).subject

    assert [each.oid.dotted_string for each in subject] == [
        "2.5.4.6",
        "2.5.4.10",
        "2.5.4.97",
        "2.5.4.3",
    ]


def test_the_same_key_and_time_give_the_same_bytes(issued, authority):
    """A tutorial's outputs are the same every day."""
    again = SyntheticAuthority(NOW, published_key())

    assert again.certificate == authority.certificate
    assert again.issue("QWAC", NUMBER, ROLES, key=published_key()) == issued["QWAC"]


def test_without_a_key_each_has_its_own():
    """For a server that others can reach, nobody knows the private key."""
    authority = SyntheticAuthority(NOW)
    issued = authority.issue("QWAC", NUMBER, ROLES)
    pair = read_certified_key(issued.certificate, issued.private_key)

    assert pair.belong_together
    own = x509.load_pem_x509_certificate(authority.certificate).public_key()
    keys = {
        each.public_numbers().n
        for each in (own, pair.certificate.public_key, published_key().public_key())
    }
    assert len(keys) == 3


def test_an_authority_vouches_for_its_own_only(issued, authority):
    """Not for the same words under another key."""
    other = SyntheticAuthority(NOW)
    certificate = read_certificate(issued["QWAC"].certificate)

    assert authority.vouches_for(certificate)
    assert not other.vouches_for(certificate)


def test_tls_accepts_the_chain_as_a_client(issued, authority):
    """RFC 5280, section 6, as strictly as the library verifies."""
    store = Store([x509.load_pem_x509_certificate(authority.certificate)])
    verifier = PolicyBuilder().store(store).time(NOW).build_client_verifier()
    leaf = x509.load_pem_x509_certificate(issued["QWAC"].certificate)

    assert len(verifier.verify(leaf, []).chain) == 2
    late = PolicyBuilder().store(store).time(NOW + LIFETIME).build_client_verifier()
    with pytest.raises(VerificationError):
        late.verify(leaf, [])


def test_whoever_trusts_the_authority_trusts_no_server(authority):
    """It is constrained to `.invalid` names and to no address at all."""
    certificate = x509.load_pem_x509_certificate(authority.certificate)
    found = certificate.extensions.get_extension_for_class(x509.NameConstraints)

    assert found.critical
    assert found.value.permitted_subtrees == [x509.DNSName("invalid")]
    assert len(found.value.excluded_subtrees) == 2


def test_dates_can_be_chosen(authority):
    """For the certificate that has expired."""
    issued = authority.issue(
        "QWAC",
        NUMBER,
        ROLES,
        key=published_key(),
        not_before=NOW - timedelta(days=9),
        not_after=NOW - timedelta(days=2),
    )

    assert not read_certificate(issued.certificate).is_valid_at(NOW)


def test_a_private_key_does_not_show(issued):
    """Not in the representation."""
    assert "PRIVATE" not in repr(issued)
    assert "PRIVATE" not in repr(read_certified_key(*_pair(issued["QWAC"])))


def _pair(issued):
    return issued.certificate, issued.private_key
