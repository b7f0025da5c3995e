"""Whether certificates will do, before the first byte is sent.

A bank checks role, validity and the match with `client_id` on the token call and on
each call after it (provider page "Get your token"), and says little when it
refuses. Here the same checks say what was found and what to do.
Sources: ETSI TS 119 495 for profiles and roles, RFC 8705 for the match.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oauthmagic.keys.qcstatements import ROLE_TITLES
from oauthmagic.keys.qualified import match_client_id, read_authorization_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from oauthmagic.keys.qualified import CertifiedKey, QualifiedCertificate

#: The role that a certificate must have for a scope of STET.
ROLE_OF: Final = {
    "aisp": "PSP_AI",
    "extended_transaction_history": "PSP_AI",
    "cbpii": "PSP_IC",
    "piisp": "PSP_IC",
    "pisp": "PSP_PI",
}
LEAST_KEY_BITS: Final = 2048
#: When to think of renewal.
SOON_DAYS: Final = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What, for example `"QWAC: validity"`.
        ok: Whether it will do.
        found: What there is.
        advice: What to do; "" where nothing need be done.
    """

    name: str
    ok: bool
    found: str
    advice: str = ""


def preflight(
    qwac: CertifiedKey | None,
    qsealc: CertifiedKey | None,
    *,
    client_id: str,
    scopes: Iterable[str],
    now: datetime,
    needs_seal: bool = False,
) -> tuple[Check, ...]:
    """Return what a bank will look at, in a fixed order.

    Args:
        qwac: The certificate for mutual TLS, or None if there is none.
        qsealc: The certificate for signatures, or None if there is none.
        client_id: As registered.
        scopes: What is going to be asked for.
        now: The time (aware).
        needs_seal: Whether requests must be signed.
    """
    return (
        *_checked("QWAC", qwac, client_id, tuple(scopes), now, needed=True),
        *_checked("QSealC", qsealc, client_id, (), now, needed=needs_seal),
    )


def _checked(
    kind: str,
    pair: CertifiedKey | None,
    client_id: str,
    scopes: tuple[str, ...],
    now: datetime,
    *,
    needed: bool,
) -> Iterator[Check]:
    if pair is None:
        if needed:
            yield Check(
                name=f"{kind}: present",
                ok=False,
                found="none",
                advice=f"Give the {kind} and its private key as credentials.",
            )
        return
    certificate = pair.certificate
    checks = (
        _identifier(certificate),
        _match(certificate, client_id),
        *(_role(certificate, scope) for scope in scopes if scope in ROLE_OF),
        _validity(certificate, now),
        *(_qwac_profile(certificate) if kind == "QWAC" else _seal_profile(certificate)),
        _key(certificate),
        _pair(pair),
    )
    for name, ok, found, advice in checks:
        yield Check(
            name=f"{kind}: {name}", ok=ok, found=found, advice="" if ok else advice
        )
    if certificate.is_valid_at(now) and _days_left(certificate, now) < SOON_DAYS:
        yield Check(
            name=f"{kind}: renewal",
            ok=True,
            found=f"{_days_left(certificate, now)} days left",
            advice="Order the next certificate and tell the bank its new one.",
        )


#: Name, whether it will do, what was found, what to do if not.
_Result = tuple[str, bool, str, str]


def _identifier(certificate: QualifiedCertificate) -> _Result:
    text = certificate.organization_identifier
    return (
        "organizationIdentifier",
        read_authorization_number(text) is not None,
        text or "none",
        (
            "It must be PSD, the country, the authority and the authorization number, "
            "for example PSDFR-ACPR-12345: take the PSD2 certificate, not another one."
        ),
    )


def _match(certificate: QualifiedCertificate, client_id: str) -> _Result:
    how = match_client_id(certificate.organization_identifier, client_id)
    return (
        "client_id",
        bool(how),
        f"{how} match with {client_id}" if how else f"no match with {client_id!r}",
        (
            "Use the client_id that was registered with this certificate, or the "
            "certificate that it was registered with."
        ),
    )


def _role(certificate: QualifiedCertificate, scope: str) -> _Result:
    role = ROLE_OF[scope]
    return (
        f"role for {scope}",
        role in certificate.qc.roles,
        ", ".join(certificate.qc.roles) or "no roles",
        (
            f"The scope {scope} needs {role} ({ROLE_TITLES[role]}): ask for another "
            "scope, or for a certificate with that role."
        ),
    )


def _validity(certificate: QualifiedCertificate, now: datetime) -> _Result:
    first, last = certificate.not_before, certificate.not_after
    if now < first:
        found = f"not before {first:%Y-%m-%d %H:%M} UTC"
    elif now > last:
        found = f"ended {last:%Y-%m-%d %H:%M} UTC"
    else:
        found = f"{_days_left(certificate, now)} days left, until {last:%Y-%m-%d}"
    return (
        "validity",
        certificate.is_valid_at(now),
        found,
        "Use a certificate that is valid today; check this machine's clock too.",
    )


def _days_left(certificate: QualifiedCertificate, now: datetime) -> int:
    return (certificate.not_after - now).days


def _qwac_profile(certificate: QualifiedCertificate) -> Iterator[_Result]:
    yield _qc_type(certificate, "web", "QWAC")
    yield (
        "key usage",
        "digital_signature" in certificate.key_usage,
        _listed(certificate.key_usage),
        "A QWAC is for digital signatures: take the website certificate.",
    )
    yield (
        "extended key usage",
        "client_auth" in certificate.extended_key_usage,
        _listed(certificate.extended_key_usage),
        "Mutual TLS needs clientAuth: ask the issuer for a certificate that has it.",
    )


def _seal_profile(certificate: QualifiedCertificate) -> Iterator[_Result]:
    yield _qc_type(certificate, "eseal", "QSealC")
    yield (
        "key usage",
        bool(certificate.key_usage & {"digital_signature", "content_commitment"}),
        _listed(certificate.key_usage),
        "A QSealC is for digital signatures or content commitment: take the seal.",
    )
    yield (
        "extended key usage",
        not certificate.extended_key_usage & {"client_auth", "server_auth"},
        _listed(certificate.extended_key_usage),
        "A seal is not for TLS: were the two certificates exchanged?",
    )


def _qc_type(certificate: QualifiedCertificate, wanted: str, kind: str) -> _Result:
    return (
        "QcType",
        wanted in certificate.qc.types,
        _listed(certificate.qc.types),
        f"A {kind} has the type {wanted}: were the two certificates exchanged?",
    )


def _key(certificate: QualifiedCertificate) -> _Result:
    key = certificate.public_key
    return (
        "key",
        key is not None and key.key_size >= LEAST_KEY_BITS,
        f"RSA, {key.key_size} bits" if key is not None else "not an RSA key",
        f"Ask the issuer for a certificate of an RSA key of {LEAST_KEY_BITS} bits.",
    )


def _pair(pair: CertifiedKey) -> _Result:
    if pair.private_key is None:
        found = "no private key"
    elif pair.belong_together:
        found = "belongs to the certificate"
    else:
        found = "belongs to another certificate"
    return (
        "private key",
        pair.belong_together,
        found,
        "Give the private key that the certificate was ordered with.",
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
