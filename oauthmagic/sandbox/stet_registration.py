"""Registration at the simulated STET bank: `/stet/setting/v1/register`, RFC 7591.

Source: the provider's page and a recorded answer: the certificate of the seal is the
first of `jwks.keys`, `scope` is separated by commas, the answer has its words in
upper case and many nulls, the `client_id` holds the authorization number. A
registration counts from 14:00 of the next working day, or of the same day if it was
sent before 09:59. Our inventions: all refusals, that hours are UTC and working days
Monday to Friday, what PUT may change (everything but the provider), and 204.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from oauthmagic.errors import CommandError
from oauthmagic.keys.preflight import ROLE_OF
from oauthmagic.keys.qualified import QualifiedCertificate, read_certificate
from oauthmagic.sandbox.stet_answers import BankRefusal, json_of
from oauthmagic.sandbox.stet_clients import Client

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, MutableMapping

    from oauthmagic.sandbox.answers import Answer

PATH: Final = "/stet/setting/v1/register"
SUBMITTED_BEFORE: Final = time(9, 59)
ACTIVE_FROM: Final = time(14, 0)
MOST_CLIENTS: Final = 1000
_SATURDAY: Final = 5
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
#: Members of the answer that a recorded one has as null.
_NULLS: Final = (
    "client_secret",
    "client_secret_expires_at",
    "client_uri",
    "logo_uri",
    "tos_uri",
    "policy_uri",
    "jwks_uri",
    "software_statement",
)


class Registrations:
    """Registers clients and answers for them.

    Args:
        clock: The time (aware).
        randomness: Where identifiers come from.
        clients: Where they are kept.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        randomness: random.Random,
        clients: MutableMapping[str, Client],
    ) -> None:
        self._clock = clock
        self._randomness = randomness
        self._clients = clients

    def create(self, body: Any, certificate: QualifiedCertificate) -> Answer:
        """Answer `POST /register`."""
        if len(self._clients) >= MOST_CLIENTS:
            raise BankRefusal(429, "There are too many registrations.")
        owner = certificate.organization_identifier
        ending = "".join(self._randomness.choice(_LETTERS) for _ in range(5))
        client = self._client(f"1{owner}-0-{ending}", body, certificate)
        if any(each.name == client.name for each in self._clients.values()):
            raise BankRefusal(400, "The client_name is taken.")
        self._clients[client.client_id] = client
        return json_of(200, _shown(client))

    def read(self, client_id: str, certificate: QualifiedCertificate) -> Answer:
        """Answer `GET /register/{client_id}`."""
        return json_of(200, _shown(self._own(client_id, certificate)))

    def replace(
        self, client_id: str, body: Any, certificate: QualifiedCertificate
    ) -> Answer:
        """Answer `PUT /register/{client_id}`."""
        self._own(client_id, certificate)
        self._clients[client_id] = self._client(client_id, body, certificate)
        return json_of(200, _shown(self._clients[client_id]))

    def delete(self, client_id: str, certificate: QualifiedCertificate) -> Answer:
        """Answer `DELETE /register/{client_id}`."""
        del self._clients[self._own(client_id, certificate).client_id]
        return json_of(204)

    def _own(self, client_id: str, certificate: QualifiedCertificate) -> Client:
        client = self._clients.get(client_id)
        owner = certificate.organization_identifier
        # Whose it is, is nobody else's business.
        if client is None or client.registration.get("provider_legal_id") != owner:
            raise BankRefusal(404, "There is no such registration of yours.")
        return client

    def _client(
        self, client_id: str, body: Any, certificate: QualifiedCertificate
    ) -> Client:
        if not isinstance(body, dict):
            raise BankRefusal(400, "A JSON object is expected.")
        redirect_uris = _texts(body.get("redirect_uris"), "redirect_uris")
        if body.get("token_endpoint_auth_method") != "tls_client_auth":
            raise BankRefusal(
                400, "The token_endpoint_auth_method must be tls_client_auth."
            )
        name, scope = (_texts([body.get(n)], n)[0] for n in ("client_name", "scope"))
        scopes = tuple(scope.split(","))
        for each in scopes:
            if each not in ROLE_OF:
                raise BankRefusal(400, f"scope: {each[:40]!r} is none.")
            if ROLE_OF[each] not in certificate.qc.roles:
                raise BankRefusal(403, f"The certificate lacks {ROLE_OF[each]}.")
        owner = certificate.organization_identifier
        if body.get("provider_legal_id") != owner:
            raise BankRefusal(
                403, "The provider_legal_id is not the certificate's identifier."
            )
        seal = seal_of(body)
        if seal.organization_identifier != owner or "eseal" not in seal.qc.types:
            raise BankRefusal(403, "jwks: the first key is no seal of this provider.")
        return Client(
            client_id=client_id,
            name=name,
            redirect_uris=redirect_uris,
            scopes=scopes,
            seal=seal,
            active_from=active_from(self._clock()),
            registration=body,
        )


def seal_of(body: Any) -> QualifiedCertificate:
    """Return the certificate of the seal: the first of `jwks.keys`, in `x5c`.

    Raises:
        BankRefusal: There is none.
    """
    try:
        encoded = body["jwks"]["keys"][0]["x5c"][0]
        return read_certificate(base64.b64decode(encoded, validate=True))
    except (TypeError, LookupError, ValueError, binascii.Error, CommandError):
        raise BankRefusal(400, "jwks: the first key must have an x5c.") from None


def active_from(now: datetime) -> datetime:
    """Return when a registration sent now begins to count."""
    day = now.date()
    if now.time() >= SUBMITTED_BEFORE or day.weekday() >= _SATURDAY:
        day += timedelta(days=1)
    while day.weekday() >= _SATURDAY:
        day += timedelta(days=1)
    return datetime.combine(day, ACTIVE_FROM, now.tzinfo)


def _shown(client: Client) -> dict[str, object]:
    sent = client.registration
    grants = sent.get("grant_types") or ["client_credentials"]
    return {
        "client_id": client.client_id,
        **dict.fromkeys(_NULLS),
        "redirect_uris": list(client.redirect_uris),
        "token_endpoint_auth_method": "TLS_CLIENT_AUTH",
        "grant_types": [str(each).upper() for each in grants],
        "response_types": ["CODE"],
        "client_name": client.name,
        "scope": ",".join(client.scopes),
        "contact": sent.get("contact"),
        "provider_legal_id": sent.get("provider_legal_id"),
        "jwks": sent.get("jwks"),
        "software_id": sent.get("software_id"),
    }


def _texts(values: Any, name: str) -> tuple[str, ...]:
    if not (
        isinstance(values, list)
        and values
        and all(isinstance(each, str) and each.strip() for each in values)
    ):
        raise BankRefusal(400, f"{name} is missing, or is of another type.")
    return tuple(values)
