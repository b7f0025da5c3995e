"""Read an eIDAS certificate: RFC 5280, ETSI EN 319 412, TS 119 495.

A QWAC identifies a payment service provider in TLS, a QSealC signs its requests.
Nothing here says that an authority vouches for the certificate: that is what the
server finds out.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from oauthmagic.errors import CommandError
from oauthmagic.keys.qcstatements import EXTENSION, QcStatements, read_qc_statements
from oauthmagic.redaction import Secret

if TYPE_CHECKING:
    from datetime import datetime

ORGANIZATION_IDENTIFIER: Final = x509.ObjectIdentifier("2.5.4.97")
#: Stands in every subject that `oauthmagic.keys.synthetic` makes.
SYNTHETIC: Final = "SYNTHETIC TEST - NOT A QUALIFIED CERTIFICATE"
_PEM: Final = b"-----BEGIN"
#: More than any certificate with its chain has.
_MOST_BYTES: Final = 100_000
_KEY_USAGES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)
_EXTENDED_KEY_USAGES: Final = {
    "1.3.6.1.5.5.7.3.1": "server_auth",
    "1.3.6.1.5.5.7.3.2": "client_auth",
}
# The number is free: `1234.567.890`, `1234567-8` and `A 12345` all occur.
_AUTHORIZATION_NUMBER: Final = re.compile(
    r"PSD(?P<country>[A-Z]{2})-(?P<nca>[A-Z]{2,8})-(?P<number>[ -~]{1,200})"
)


class AuthorizationNumber(NamedTuple):
    """An organizationIdentifier of TS 119 495, section 5.2.1, in its parts.

    Attributes:
        country: The authority's country.
        nca: The authority.
        number: What it calls the provider.
    """

    country: str
    nca: str
    number: str


@dataclass(frozen=True, kw_only=True, slots=True)
class QualifiedCertificate:
    """What a certificate says of its owner.

    Attributes:
        subject: The whole name (RFC 4514).
        organization: The owner's name, or "".
        organization_identifier: Attribute 2.5.4.97, or "".
        not_before: When it begins to be valid (aware).
        not_after: When it ends (aware).
        key_usage: Names as in RFC 5280, section 4.2.1.3, in snake case.
        extended_key_usage: `"client_auth"`, `"server_auth"`, others dotted.
        qc: The QcStatements; empty where there are none.
        der: The certificate itself.
        public_key: Its RSA key, or None where it has another kind.
    """

    subject: str
    organization: str
    organization_identifier: str
    not_before: datetime
    not_after: datetime
    key_usage: frozenset[str]
    extended_key_usage: frozenset[str]
    qc: QcStatements
    der: bytes = field(repr=False)
    public_key: rsa.RSAPublicKey | None = field(repr=False)

    @property
    def is_synthetic(self) -> bool:
        """Say whether it is one of this package's own, for demos and tests."""
        return SYNTHETIC in self.subject

    @property
    def thumbprint(self) -> str:
        """Return `x5t#S256` (RFC 8705, section 3.1)."""
        octets = hashlib.sha256(self.der).digest()
        return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")

    def is_valid_at(self, now: datetime) -> bool:
        """Say whether its dates allow its use at this time."""
        return self.not_before <= now <= self.not_after


@dataclass(frozen=True, kw_only=True, slots=True)
class CertifiedKey:
    """A certificate and, where its owner is at work, the private key.

    Attributes:
        certificate: What others see.
        private_key: What it belongs to, or None; never shown.
    """

    certificate: QualifiedCertificate
    private_key: rsa.RSAPrivateKey | None = field(default=None, repr=False)

    @property
    def belong_together(self) -> bool:
        """Say whether the key is the one that was certified."""
        public = self.certificate.public_key
        if self.private_key is None or public is None:
            return False
        return self.private_key.public_key().public_numbers() == public.public_numbers()


def read_certificate(data: bytes | str) -> QualifiedCertificate:
    """Read a certificate, the first one where there is a chain.

    Args:
        data: PEM or DER.

    Raises:
        CommandError: It is no certificate, or a statement in it is malformed.
    """
    octets = data.encode("utf-8", "replace") if isinstance(data, str) else data
    try:
        return _described(_load(octets))
    except CommandError:
        raise
    except Exception as error:
        msg = "The certificate cannot be read as X.509."
        hint = "Give it as PEM (-----BEGIN CERTIFICATE-----) or DER."
        raise CommandError(msg, hint=hint) from error


def read_certified_key(
    certificate: bytes | str,
    private_key: Secret | bytes | None = None,
    passphrase: Secret | None = None,
) -> CertifiedKey:
    """Read a certificate and its private key.

    Args:
        certificate: PEM or DER.
        private_key: PEM or, as bytes, DER.
        passphrase: What the key is encrypted with, if it is.

    Raises:
        CommandError: One of them cannot be read; whether they belong together is
            for `oauthmagic.keys.preflight` to say.
    """
    read = read_certificate(certificate)
    if private_key is None:
        return CertifiedKey(certificate=read)
    return CertifiedKey(
        certificate=read, private_key=load_private_key(private_key, passphrase)
    )


def load_private_key(
    private_key: Secret | bytes, passphrase: Secret | None = None
) -> rsa.RSAPrivateKey:
    """Return an RSA private key, ready to sign.

    Args:
        private_key: PEM or, as bytes, DER (PKCS #8 or PKCS #1).
        passphrase: What it is encrypted with, if it is.

    Raises:
        CommandError: It cannot be read, or is of another kind.
    """
    loaded = _loaded(private_key, passphrase)
    # Raised here, where no plain text of the key is in the frame.
    private_key = passphrase = None  # type: ignore[assignment]
    if isinstance(loaded, str):
        raise CommandError(loaded, hint="Give it as PEM (-----BEGIN PRIVATE KEY-----).")
    return loaded


def read_authorization_number(text: str) -> AuthorizationNumber | None:
    """Return the parts of an organizationIdentifier, or None if it is malformed."""
    found = _AUTHORIZATION_NUMBER.fullmatch(text)
    return AuthorizationNumber(**found.groupdict()) if found else None


def match_client_id(organization_identifier: str, client_id: str) -> str:
    """Say how an authorization number matches a `client_id`.

    Banks register the identifier itself, or wrap it or its number into one of
    their own: `1PSDFR-ACPR-13807-0-ABCDE`, `AGTFR-ACPR-13807001`.

    Returns:
        `"direct"`, `"indirect"`, or "" where they do not match.
    """
    parts = read_authorization_number(organization_identifier)
    if parts is None:
        return ""
    if client_id == organization_identifier:
        return "direct"
    # Begun anew: 13807 is not the end of somebody else's 413807.
    begun_anew = rf"(?<![A-Za-z0-9]){re.escape(parts.number)}"
    return "indirect" if re.search(begun_anew, client_id) else ""


def _load(octets: bytes) -> x509.Certificate:
    if len(octets) > _MOST_BYTES:
        msg = "The certificate is too large to be one."
        raise CommandError(msg)
    if _PEM in octets:
        return x509.load_pem_x509_certificates(octets)[0]
    return x509.load_der_x509_certificate(octets)


def _described(certificate: x509.Certificate) -> QualifiedCertificate:
    key_usage: frozenset[str] = frozenset()
    extended: frozenset[str] = frozenset()
    qc = QcStatements()
    for extension in certificate.extensions:
        value = extension.value
        if isinstance(value, x509.KeyUsage):
            key_usage = frozenset(n for n in _KEY_USAGES if getattr(value, n))
        elif isinstance(value, x509.ExtendedKeyUsage):
            dotted = (each.dotted_string for each in value)
            extended = frozenset(_EXTENDED_KEY_USAGES.get(n, n) for n in dotted)
        elif (
            isinstance(value, x509.UnrecognizedExtension)
            and value.oid.dotted_string == EXTENSION
        ):
            qc = read_qc_statements(value.value)
    try:
        public_key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        public_key = None
    return QualifiedCertificate(
        subject=certificate.subject.rfc4514_string(),
        organization=_attribute(certificate, x509.NameOID.ORGANIZATION_NAME),
        organization_identifier=_attribute(certificate, ORGANIZATION_IDENTIFIER),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        key_usage=key_usage,
        extended_key_usage=extended,
        qc=qc,
        der=certificate.public_bytes(serialization.Encoding.DER),
        public_key=public_key if isinstance(public_key, rsa.RSAPublicKey) else None,
    )


def _attribute(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    found = certificate.subject.get_attributes_for_oid(oid)
    # Two of them would let each reader believe another one.
    return str(found[0].value) if len(found) == 1 else ""


def _loaded(
    private_key: Secret | bytes, passphrase: Secret | None
) -> rsa.RSAPrivateKey | str:
    """Return the key, or why there is none."""
    octets = (
        private_key.reveal().encode()
        if isinstance(private_key, Secret)
        else private_key
    )
    phrase = passphrase.reveal().encode() if passphrase else None
    pem = _PEM in octets
    load = (
        serialization.load_pem_private_key
        if pem
        else serialization.load_der_private_key
    )
    try:
        loaded = load(octets, phrase)
    except TypeError:
        if phrase is None:
            return "The private key is encrypted, and no passphrase was given."
        return "A passphrase was given, but the private key is not encrypted."
    except (ValueError, UnsupportedAlgorithm):
        return (
            "The private key cannot be read; if it is encrypted, check the passphrase."
        )
    if not isinstance(loaded, rsa.RSAPrivateKey):
        return "The private key is not an RSA key."
    return loaded
