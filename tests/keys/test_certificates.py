from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.x509.verification import (
    PolicyBuilder,
    Store,
    VerificationError,
)

from oauthmagic.keys.certificates import LIFETIME, issue_loopback_certificate

NOW = datetime(2030, 1, 1, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def issued():
    """Make one for all tests here."""
    return issue_loopback_certificate(NOW)


def verify(issued, subject, at=NOW):
    """Verify the server's certificate as a strict client would."""
    store = Store([x509.load_pem_x509_certificate(issued.authority)])
    verifier = PolicyBuilder().store(store).time(at).build_server_verifier(subject)
    return verifier.verify(x509.load_pem_x509_certificate(issued.certificate), [])


@pytest.mark.parametrize(
    "subject",
    [
        x509.DNSName("localhost"),
        x509.IPAddress(ip_address("127.0.0.1")),
        x509.IPAddress(ip_address("::1")),
    ],
)
def test_it_is_valid_for_this_machine(issued, subject):
    """RFC 5280, section 6: the path is valid for every name of the loopback."""
    assert len(verify(issued, subject)) == 2


@pytest.mark.parametrize(
    "subject",
    [x509.DNSName("bank.example"), x509.IPAddress(ip_address("127.0.0.2"))],
)
def test_it_is_valid_for_nothing_else(issued, subject):
    """A certificate for the loopback vouches for no other host."""
    with pytest.raises(VerificationError):
        verify(issued, subject)


@pytest.mark.parametrize("at", [NOW - timedelta(days=1), NOW + LIFETIME * 2])
def test_it_is_valid_for_a_week(issued, at):
    """The validity begins at the time given."""
    with pytest.raises(VerificationError):
        verify(issued, x509.DNSName("localhost"), at)


def test_it_says_that_it_is_a_simulation(issued):
    """Nobody takes one of these for the real thing."""
    for pem in (issued.authority, issued.certificate):
        subject = x509.load_pem_x509_certificate(pem).subject.rfc4514_string()

        assert "SIMULATION ONLY" in subject


def test_the_authority_may_vouch_for_this_machine_only(issued):
    """RFC 5280, section 4.2.1.10: trusting it by mistake trusts nothing more."""
    authority = x509.load_pem_x509_certificate(issued.authority)
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints)
    permitted = {str(name.value) for name in constraints.value.permitted_subtrees}

    assert constraints.critical
    assert permitted == {"localhost", "127.0.0.1/32", "::1/128"}


def test_the_private_key_is_not_shown(issued):
    """A value does not show its secrets."""
    assert b"PRIVATE KEY" in issued.private_key
    assert "PRIVATE KEY" not in repr(issued)
