"""A throw-away certificate authority for a server on this machine: RFC 5280.

The authority's private key is never written anywhere, and its certificate is
constrained to loopback names: whoever trusts it by mistake trusts nothing more.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from datetime import datetime

#: Stands in every subject, so that nobody takes one of these for the real thing.
ORGANIZATION: Final = "SIMULATION ONLY - oauthmagic sandbox"
LIFETIME: Final = timedelta(days=7)
#: Clocks of two programs on one machine agree, but a virtual one may step back.
_BACKDATED: Final = timedelta(minutes=5)
_LOOPBACK_NETWORKS: Final = ("127.0.0.1/32", "::1/128")
_LOOPBACK_HOSTS: Final = ("127.0.0.1", "::1")


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerCertificate:
    """A certificate for a loopback server, its key and who vouches for it; all PEM.

    Attributes:
        authority: The certificate that a client must trust.
        certificate: The server's own.
        private_key: The server's key (PKCS #8, not encrypted); never shown.
    """

    authority: bytes
    certificate: bytes
    private_key: bytes = field(repr=False)


def issue_loopback_certificate(now: datetime) -> ServerCertificate:
    """Make an authority and a certificate for 127.0.0.1, ::1 and localhost.

    Args:
        now: When the validity of seven days begins (aware).
    """
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _authority(authority_key, now)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder("127.0.0.1", authority.subject, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(digital_signature=True), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .add_extension(
            x509.SubjectAlternativeName(
                [
                    x509.DNSName("localhost"),
                    *(
                        x509.IPAddress(ipaddress.ip_address(host))
                        for host in _LOOPBACK_HOSTS
                    ),
                ]
            ),
            critical=False,
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(
                authority_key.public_key()
            ),
            critical=False,
        )
        .sign(authority_key, hashes.SHA256())
    )
    return ServerCertificate(
        authority=authority.public_bytes(serialization.Encoding.PEM),
        certificate=certificate.public_bytes(serialization.Encoding.PEM),
        private_key=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def _authority(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    subject = _name("Loopback authority, trust it for nothing else")
    return (
        _builder(subject, subject, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(key_cert_sign=True), critical=True)
        .add_extension(
            # RFC 5280, section 4.2.1.10: conforming authorities mark it critical.
            x509.NameConstraints(
                permitted_subtrees=[
                    x509.DNSName("localhost"),
                    *(
                        x509.IPAddress(ipaddress.ip_network(network))
                        for network in _LOOPBACK_NETWORKS
                    ),
                ],
                excluded_subtrees=None,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name | str,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    now: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject) if isinstance(subject, str) else subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + LIFETIME)
        .add_extension(
            # Python 3.13 verifies strictly: without it the chain is refused.
            x509.SubjectKeyIdentifier.from_public_key(public_key),
            critical=False,
        )
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _key_usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
