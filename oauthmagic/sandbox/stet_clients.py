"""The third parties that a simulated bank knows, and the certificates they show.

Source: the provider's page "Get your token": the bank checks the role and the
validity of the certificate, and the direct or indirect match of its authorization
number with `client_id`, on the token call and on each call after it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from oauthmagic.errors import CommandError
from oauthmagic.keys.preflight import ROLE_OF
from oauthmagic.keys.qualified import match_client_id, read_certificate
from oauthmagic.sandbox.client_certificates import CLIENT_CERTIFICATE, end_exchange
from oauthmagic.sandbox.stet_answers import oauth_refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from _typeshed.wsgi import WSGIEnvironment

    from oauthmagic.keys.qualified import QualifiedCertificate
    from oauthmagic.keys.synthetic import SyntheticAuthority
    from oauthmagic.sandbox.stet_answers import Settings

#: The published identifiers with which everybody may ask for `manageRegistration`:
#: sandbox and live. The simulator takes both.
GENERIC_CLIENTS: Final = (
    "9d8711ec-f1b4-45e4-8072-2b3aa49793f0",
    "PSD2_TPPRegister",
)
MANAGE_REGISTRATION: Final = "manageRegistration"
#: The demo's third party: the page's example, and its roles (ours).
CLIENT_ID: Final = "PSDFR-ACPR-13807"
ROLES: Final = ("PSP_AI", "PSP_IC", "PSP_PI")
REDIRECT_URI: Final = "https://tpp.demo.invalid/oauthmagic/callback"
#: The second is the page's example.
REDIRECT_URIS: Final = (REDIRECT_URI, "https://www.mycallback.com/")
#: The path of a redirect to this machine, whose port may be any (RFC 8252, section
#: 7.3). That the bank has it registered is our invention.
LOOPBACK_PATH: Final = "/oauthmagic/callback"
_LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "::1"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """A registered third party.

    Attributes:
        client_id: Its identifier.
        name: What customers are shown.
        redirect_uris: Where customers may be sent back to, to the letter.
        scopes: What it may ask for.
        seal: The certificate that verifies its signatures, or None.
        active_from: When its registration begins to count, or None for always.
        registration: What it registered with.
    """

    client_id: str
    name: str
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    seal: QualifiedCertificate | None = None
    active_from: datetime | None = None
    registration: Mapping[str, Any] = field(default_factory=dict)

    def may_redirect_to(self, uri: str) -> bool:
        """Say whether a redirect URI is registered (exact; loopback: any port)."""
        if uri in self.redirect_uris:
            return True
        try:
            url = urlsplit(uri)
            host, port = url.hostname, url.port
        except ValueError:
            return False
        shown = f"[{host}]" if host and ":" in host else host
        return (
            host in _LOOPBACK_HOSTS and uri == f"http://{shown}:{port}{LOOPBACK_PATH}"
        )

    def is_active(self, now: datetime) -> bool:
        """Say whether its registration counts by now."""
        return self.active_from is None or self.active_from <= now


def demo_client(seal: QualifiedCertificate) -> Client:
    """Return the third party that is registered from the beginning.

    Args:
        seal: The certificate that verifies its signatures.
    """
    return Client(
        client_id=CLIENT_ID,
        name="Synthetic Analytics",
        redirect_uris=REDIRECT_URIS,
        scopes=("aisp", "cbpii", "piisp", "pisp"),
        seal=seal,
    )


def certificate_shown(
    environ: WSGIEnvironment, authority: SyntheticAuthority, now: datetime
) -> QualifiedCertificate:
    """Return the certificate that the client showed in TLS.

    Args:
        environ: The request's environment.
        authority: Who must have issued it.
        now: The time (aware).

    Raises:
        TlsError, Refusal: There is none that will do, see `client_certificates`.
    """
    shown = environ.get(CLIENT_CERTIFICATE)
    if shown is None:
        end_exchange(environ, "certificate_required")
    try:
        certificate = read_certificate(shown)
    except CommandError:
        end_exchange(environ, "unknown_ca")
    if not authority.vouches_for(certificate):
        end_exchange(environ, "unknown_ca")
    if not certificate.is_valid_at(now):
        end_exchange(environ, "certificate_expired")
    return certificate


def authenticate_client(
    client_id: str,
    certificate: QualifiedCertificate,
    *,
    clients: Mapping[str, Client],
    settings: Settings,
    now: datetime,
) -> str:
    """Return the `client_id` of a client that is who it says (RFC 8705, 2.1).

    Args:
        client_id: Who it says it is.
        certificate: What it shows.
        clients: Who is registered.
        settings: What differs between banks.
        now: The time (aware).

    Raises:
        Refusal: It is somebody else, or not active yet.
    """
    if client_id in GENERIC_CLIENTS:
        return client_id
    client = clients.get(client_id)
    if client is None:
        raise oauth_refusal(401, "invalid_client", "No such client_id is known.")
    if not belongs_to(certificate, client_id):
        status = 401 if settings.errors == "rfc" else 403
        why = "The certificate does not match the client_id."
        raise oauth_refusal(status, "invalid_client", why)
    if not client.is_active(now):
        why = "The registration does not count yet."
        raise oauth_refusal(400, "unauthorized_client", why)
    return client_id


def belongs_to(certificate: QualifiedCertificate, client_id: str) -> bool:
    """Say whether a certificate is a QWAC of this client."""
    return (
        "web" in certificate.qc.types
        and "client_auth" in certificate.extended_key_usage
        and bool(match_client_id(certificate.organization_identifier, client_id))
    )


def missing_role(certificate: QualifiedCertificate, scopes: Iterable[str]) -> str:
    """Return a role that scopes need and the certificate lacks, or ""."""
    for scope in scopes:
        role = ROLE_OF.get(scope)
        if role is not None and role not in certificate.qc.roles:
            return role
    return ""
