from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from oauthmagic.keys.certificates import issue_loopback_certificate
from oauthmagic.keys.preflight import preflight
from oauthmagic.keys.qualified import read_certified_key
from oauthmagic.keys.synthetic import LIFETIME, SyntheticAuthority, published_key

NOW = datetime(2030, 1, 1, 9, tzinfo=UTC)
NUMBER = "PSDFR-ACPR-13807"
AUTHORITY = SyntheticAuthority(NOW, published_key())


def pair(kind, number=NUMBER, roles=("PSP_AI",), **dates):
    """Issue a certificate and read it with its key."""
    issued = AUTHORITY.issue(kind, number, roles, key=published_key(), **dates)
    return read_certified_key(issued.certificate, issued.private_key)


def failed(qwac, qsealc=None, *, client_id=NUMBER, scopes=("aisp",), now=NOW, **more):
    """Return what will not do: name to (found, advice)."""
    checks = preflight(
        qwac, qsealc, client_id=client_id, scopes=scopes, now=now, **more
    )
    return {each.name: (each.found, each.advice) for each in checks if not each.ok}


def test_the_right_certificates_pass():
    """Every check says what was found, and advises nothing."""
    checks = preflight(
        pair("QWAC"),
        pair("QSealC"),
        client_id=NUMBER,
        scopes=["aisp"],
        now=NOW,
        needs_seal=True,
    )

    assert [each for each in checks if not each.ok or each.advice] == []
    found = {each.name: each.found for each in checks}
    assert found["QWAC: client_id"] == f"direct match with {NUMBER}"
    assert found["QWAC: validity"] == "729 days left, until 2031-12-31"
    assert found["QSealC: QcType"] == "eseal"


def test_an_indirect_match_is_called_so():
    """As a registration at the bank answers: the number is inside."""
    checks = preflight(
        pair("QWAC"),
        None,
        client_id="1PSDFR-ACPR-13807-0-ABCDE",
        scopes=(),
        now=NOW,
    )

    found = {each.name: each.found for each in checks}
    assert found["QWAC: client_id"].startswith("indirect match")


@pytest.mark.parametrize(
    ("scope", "role"),
    [
        ("aisp", "PSP_AI"),
        ("extended_transaction_history", "PSP_AI"),
        ("cbpii", "PSP_IC"),
        ("piisp", "PSP_IC"),
        ("pisp", "PSP_PI"),
    ],
)
def test_each_scope_needs_its_role(scope, role):
    """Facts of TS 119 495; the advice names the role."""
    others = tuple({"PSP_AI", "PSP_IC", "PSP_PI", "PSP_AS"} - {role})
    bad = failed(pair("QWAC", roles=others), scopes=[scope])

    assert list(bad) == [f"QWAC: role for {scope}"]
    assert role in bad[f"QWAC: role for {scope}"][1]
    assert failed(pair("QWAC", roles=(role,)), scopes=[scope]) == {}


@pytest.mark.parametrize(
    ("now", "found"),
    [
        (NOW - timedelta(days=2), "not before 2029-12-31 09:00 UTC"),
        (NOW + LIFETIME, "ended 2031-12-31 09:00 UTC"),
    ],
)
def test_validity_is_judged_by_the_clock_given(now, found):
    """Before and after, to the minute."""
    assert failed(pair("QWAC"), now=now)["QWAC: validity"][0] == found


def test_an_end_that_is_near_is_said_before():
    """It still passes, but the advice comes in time."""
    checks = preflight(
        pair("QWAC", not_after=NOW + timedelta(days=20)),
        None,
        client_id=NUMBER,
        scopes=(),
        now=NOW,
    )

    assert all(each.ok for each in checks)
    assert [each.found for each in checks if each.advice] == ["20 days left"]


def test_exchanged_certificates_are_noticed():
    """A seal for TLS and a QWAC for signatures: type and usage say so."""
    bad = failed(pair("QSealC"), pair("QWAC"), needs_seal=True)

    assert {
        "QWAC: QcType",
        "QWAC: extended key usage",
        "QSealC: QcType",
        "QSealC: extended key usage",
    } == set(bad)
    assert "exchanged" in bad["QWAC: QcType"][1]


def test_another_providers_certificate_is_noticed():
    """Before the bank answers 403 without a word."""
    bad = failed(pair("QWAC", number="PSDFR-ACPR-99999"))

    assert list(bad) == ["QWAC: client_id"]


def test_what_is_missing_is_named():
    """The QWAC always, the seal only where requests are signed."""
    assert list(failed(None)) == ["QWAC: present"]
    assert list(failed(pair("QWAC"), needs_seal=True)) == ["QSealC: present"]
    assert failed(pair("QWAC")) == {}


def test_a_private_key_of_another_certificate_is_noticed():
    """Mutual TLS would fail with a message about neither."""
    other = SyntheticAuthority(NOW).issue("QWAC", NUMBER, ["PSP_AI"])
    mixed = read_certified_key(
        other.certificate, AUTHORITY.issue("QWAC", NUMBER, []).private_key
    )

    assert failed(mixed)["QWAC: private key"][0] == "belongs to another certificate"
    lonely = read_certified_key(other.certificate)
    assert failed(lonely)["QWAC: private key"][0] == "no private key"


def test_an_ordinary_certificate_fails_in_every_point_that_matters():
    """Somebody took the certificate of the web server."""
    made = issue_loopback_certificate(NOW)
    bad = failed(read_certified_key(made.certificate))

    assert {
        "QWAC: organizationIdentifier",
        "QWAC: client_id",
        "QWAC: role for aisp",
        "QWAC: QcType",
        "QWAC: extended key usage",
        "QWAC: key",
        "QWAC: private key",
    } == set(bad)
    assert all(advice for _, advice in bad.values())


@pytest.mark.parametrize(("bits", "ok"), [(1024, False), (2048, True)])
def test_a_key_has_at_least_2048_bits(bits, ok):
    """What is shorter, no bank takes."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    issued = AUTHORITY.issue("QWAC", NUMBER, ["PSP_AI"], key=key)
    bad = failed(read_certified_key(issued.certificate, issued.private_key))

    assert ("QWAC: key" not in bad) is ok
