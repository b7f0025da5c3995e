"""Certificates in the shape of a QWAC and a QSealC, for demos and tests.

Nobody qualified them: each says so in its subject, its disclosure statement leads
nowhere (RFC 6761, `.invalid`), and its authority is constrained to such names, so
that whoever trusts it by mistake trusts nothing more. The shape is that of ETSI
EN 319 412 and TS 119 495: subject in the order C, O, 2.5.4.97, CN; a QWAC for
digital signatures, clientAuth and serverAuth; a QSealC for digital signatures and
content commitment, without extended key usage.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from oauthmagic.keys.jwts import rfc7515_a2_key
from oauthmagic.keys.qcstatements import EXTENSION, write_qc_statements
from oauthmagic.keys.qualified import ORGANIZATION_IDENTIFIER, SYNTHETIC

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from oauthmagic.keys.qualified import QualifiedCertificate

LIFETIME: Final = timedelta(days=730)
#: Already valid when it is made, and for a while before.
BACKDATED: Final = timedelta(days=1)
AUTHORITY_LIFETIME: Final = timedelta(days=3650)
_BITS: Final = 2048
_EXPONENT: Final = 65537
_DISCLOSURE: Final = "https://synthetic.invalid/not-a-disclosure-statement"
_EVERY_ADDRESS: Final = ("0.0.0.0/0", "::/0")
#: What is called what in the extension and in the subject.
_KINDS: Final = {"QWAC": "web", "QSealC": "eseal"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Issued:
    """A certificate and its key, both PEM.

    Attributes:
        certificate: The certificate.
        private_key: Its key (PKCS #8, not encrypted); never shown.
    """

    certificate: bytes
    private_key: bytes = field(repr=False)


class SyntheticAuthority:
    """Issues synthetic certificates.

    Args:
        now: When everything begins to be valid, a day earlier (aware).
        key: Its private key; without one, a new one is made. With the same key and
            the same time the same bytes come out.

    Attributes:
        certificate: The authority's own, as PEM: what a server is to trust.
    """

    def __init__(self, now: datetime, key: rsa.RSAPrivateKey | None = None) -> None:
        self._now = now
        self._key = key or _new_key()
        self._name = _subject("Synthetic authority", "XX")
        self.certificate = self._own().public_bytes(serialization.Encoding.PEM)

    def issue(
        self,
        kind: str,
        authorization_number: str,
        roles: Sequence[str],
        *,
        key: rsa.RSAPrivateKey | None = None,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        nca_name: str = "Synthetic competent authority",
    ) -> Issued:
        """Issue a certificate.

        Args:
            kind: `"QWAC"` or `"QSealC"`.
            authorization_number: Becomes the organizationIdentifier, for example
                `"PSDFR-ACPR-13807"`; a malformed one is taken as it is.
            roles: `"PSP_AI"` and so on.
            key: Its private key; without one, a new one is made.
            not_before: When it begins; without it, as the authority.
            not_after: When it ends; without it, two years after the beginning.
            nca_name: Name of the authority that authorized the provider.
        """
        key = key or _new_key()
        begins = not_before or self._now - BACKDATED
        country = authorization_number[3:5]
        if not (country.isascii() and country.isalpha() and country.isupper()):
            country = "XX"
        builder = self._builder(
            _subject(f"Synthetic {kind}", country, authorization_number),
            key,
            begins,
            not_after or begins + LIFETIME,
            usage=("digital_signature",)
            if kind == "QWAC"
            else ("digital_signature", "content_commitment"),
        )
        statements = write_qc_statements(
            qc_type=_KINDS[kind],
            roles=roles,
            nca_name=nca_name,
            nca_id="-".join([country, *authorization_number.split("-")[1:2]]),
            disclosure=_DISCLOSURE,
        )
        builder = builder.add_extension(
            x509.BasicConstraints(ca=False, path_length=None), critical=True
        ).add_extension(
            x509.UnrecognizedExtension(x509.ObjectIdentifier(EXTENSION), statements),
            critical=False,
        )
        if kind == "QWAC":
            usages = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
            builder = builder.add_extension(
                x509.ExtendedKeyUsage(usages), critical=False
            ).add_extension(
                x509.SubjectAlternativeName([x509.DNSName("tpp.synthetic.invalid")]),
                critical=False,
            )
        certificate = builder.sign(self._key, hashes.SHA256())
        return Issued(
            certificate=certificate.public_bytes(serialization.Encoding.PEM),
            private_key=_pem(key),
        )

    def vouches_for(self, certificate: QualifiedCertificate) -> bool:
        """Say whether this authority issued a certificate."""
        try:
            x509.load_der_x509_certificate(certificate.der).verify_directly_issued_by(
                x509.load_pem_x509_certificate(self.certificate)
            )
        except (InvalidSignature, ValueError, TypeError):
            return False
        return True

    def _own(self) -> x509.Certificate:
        return (
            self._builder(
                self._name,
                self._key,
                self._now - BACKDATED,
                self._now + AUTHORITY_LIFETIME,
                usage=("key_cert_sign", "crl_sign"),
            )
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(
                x509.NameConstraints(
                    permitted_subtrees=[x509.DNSName("invalid")],
                    excluded_subtrees=[
                        x509.IPAddress(ipaddress.ip_network(network))
                        for network in _EVERY_ADDRESS
                    ],
                ),
                critical=True,
            )
            .sign(self._key, hashes.SHA256())
        )

    def _builder(
        self,
        subject: x509.Name,
        key: rsa.RSAPrivateKey,
        not_before: datetime,
        not_after: datetime,
        *,
        usage: tuple[str, ...],
    ) -> x509.CertificateBuilder:
        public = key.public_key()
        # Not by chance: the same certificate has the same number.
        what = repr((subject.public_bytes(), not_before, public.public_numbers()))
        serial = hashlib.sha256(what.encode()).digest()[:16]
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(int.from_bytes(serial, "big") >> 1 | 1)
            .not_valid_before(not_before)
            .not_valid_after(not_after)
            .add_extension(_key_usage(usage), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(public), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(
                    self._key.public_key()
                ),
                critical=False,
            )
        )


def published_key() -> rsa.RSAPrivateKey:
    """Return the key of RFC 7515, appendix A.2: everybody has its private part.

    For what never leaves this process: with it, no time goes into making keys.
    """
    key = rfc7515_a2_key().private_key
    if not isinstance(key, rsa.RSAPrivateKey):  # pragma: no cover - it has `d`
        raise TypeError
    return key


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=_EXPONENT, key_size=_BITS)


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _subject(
    common_name: str, country: str, authorization_number: str = ""
) -> x509.Name:
    attributes = [
        x509.NameAttribute(NameOID.COUNTRY_NAME, country),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, SYNTHETIC),
    ]
    if authorization_number:
        attributes.append(
            x509.NameAttribute(ORGANIZATION_IDENTIFIER, authorization_number)
        )
    attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    return x509.Name(attributes)


def _key_usage(names: tuple[str, ...]) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature="digital_signature" in names,
        content_commitment="content_commitment" in names,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign="key_cert_sign" in names,
        crl_sign="crl_sign" in names,
        encipher_only=False,
        decipher_only=False,
    )
