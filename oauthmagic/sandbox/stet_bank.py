"""One request at the simulated STET bank, from its path to the room that answers.

The order of the checks is our invention: certificate, token, match and role,
Digest and Signature, scope, quota.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from werkzeug.exceptions import BadRequest
from werkzeug.routing import Map, Rule

from oauthmagic.sandbox.stet_answers import BankRefusal, Settings, oauth_refusal
from oauthmagic.sandbox.stet_authorization import consent_screen
from oauthmagic.sandbox.stet_clients import (
    GENERIC_CLIENTS,
    MANAGE_REGISTRATION,
    belongs_to,
    certificate_shown,
    missing_role,
)
from oauthmagic.sandbox.stet_payments import APPROVAL, StetPayments
from oauthmagic.sandbox.stet_registration import PATH as REGISTER
from oauthmagic.sandbox.stet_registration import Registrations, seal_of
from oauthmagic.sandbox.stet_resources import Call, StetResources
from oauthmagic.sandbox.stet_screens import Screens, refuse_page
from oauthmagic.sandbox.stet_signatures import check_signature
from oauthmagic.sandbox.stet_tokens import TokenServer

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping, MutableMapping, Sequence
    from datetime import date, datetime

    from werkzeug.wrappers import Request

    from oauthmagic.keys.qualified import QualifiedCertificate
    from oauthmagic.keys.synthetic import SyntheticAuthority
    from oauthmagic.sandbox.answers import Answer
    from oauthmagic.sandbox.stet_clients import Client
    from oauthmagic.sandbox.stet_hosts import Asked
    from oauthmagic.sandbox.stet_logins import Held

AUTHORIZE: Final = "/stet/psd2/oauth/authorize"
TOKEN: Final = "/stet/psd2/oauth/token"  # noqa: S105 - a path
#: The page says `POST /revoke`; the rest of the path is our invention.
REVOKE: Final = "/stet/psd2/oauth/revoke"
RESOURCES: Final = '/stet/psd2/<any("v1", "v1.4.2", "v1.6.2"):version>'
TOO_MANY: Final = "Limite des appels par jour dépassée (Erreur H6B-QA03AAH5)"

_AISP: Final = frozenset({"aisp"})
_FUNDS: Final = frozenset({"cbpii", "piisp"})
_PISP: Final = frozenset({"pisp"})
_ROUTES: Final = (
    ("GET", "/accounts", "accounts", _AISP),
    ("GET", "/accounts/<account_id>/balances", "balances", _AISP),
    ("GET", "/accounts/<account_id>/transactions", "transactions", _AISP),
    ("PUT", "/consents", "consents", _AISP),
    ("GET", "/end-user-identity", "identity", _AISP),
    ("POST", "/funds-confirmations", "funds", _FUNDS),
    ("POST", "/payment-requests", "create", _PISP),
    ("GET", "/payment-requests/<payment_id>", "payment", _PISP),
)
_URLS: Final = Map(
    [
        Rule(AUTHORIZE, endpoint="page", methods=["GET"]),
        Rule(APPROVAL, endpoint="page", methods=["GET"]),
        Rule(AUTHORIZE, endpoint="decision", methods=["POST"]),
        Rule(APPROVAL, endpoint="decision", methods=["POST"]),
        Rule(TOKEN, endpoint="token", methods=["POST"]),
        Rule(REVOKE, endpoint="revoke", methods=["POST"]),
        Rule(REGISTER, endpoint="register", methods=["POST"]),
        Rule(
            f"{REGISTER}/<client_id>",
            endpoint="register",
            methods=["GET", "PUT", "DELETE"],
        ),
        *(
            Rule(RESOURCES + path, endpoint=endpoint, methods=[method])
            for method, path, endpoint, _ in _ROUTES
        ),
    ],
    merge_slashes=False,
    strict_slashes=False,
)
_SCOPES_FOR: Final = {endpoint: scopes for _, _, endpoint, scopes in _ROUTES}
#: What the quota of calls without the customer counts.
_COUNTED: Final = frozenset({"accounts", "balances", "transactions", "identity"})


class StetBank:
    """The rooms of the simulator, and the way to each.

    Args:
        clock: The time (aware).
        randomness: Where identifiers come from.
        authority: Whose certificates are accepted.
        clients: Who is registered; registrations change it.
        settings: What differs between banks; others may change it.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        randomness: random.Random,
        authority: SyntheticAuthority,
        clients: MutableMapping[str, Client],
        settings: Settings,
    ) -> None:
        self._clock = clock
        self._authority = authority
        self._clients = clients
        self._settings = settings
        self.tokens = TokenServer(
            clock=clock, randomness=randomness, clients=clients, settings=settings
        )
        self._screens = Screens(clock, randomness)
        self._registrations = Registrations(clock, randomness, clients)
        resources = StetResources(clock, settings)
        self._rooms = (resources, StetPayments(resources, randomness))
        self._payments = self._rooms[1]
        self._today: date | None = None
        self._calls: dict[tuple[str, ...], int] = {}

    def answer(self, request: Request, asked: Asked) -> Answer:
        """Answer a request.

        Raises:
            Refusal, BankRefusal, HTTPException, TlsError: It is refused.
        """
        endpoint, arguments = _URLS.bind("").match(asked.path, request.method)
        if endpoint == "page":
            return self._screens.page(
                self._open(asked, request.args.to_dict(flat=False))
            )
        if endpoint == "decision":
            form = _form(request)
            decision = form.get("decision", "")
            if decision not in ("accept", "refuse", "timeout"):
                refuse_page("There is no such decision.")
            return self._screens.decide(form.get("screen", ""), decision)
        certificate = certificate_shown(request.environ, self._authority, self._clock())
        if endpoint == "token":
            return self.tokens.token(_form(request), certificate, asked.bank)
        if endpoint == "revoke":
            return self.tokens.revoke(_form(request), certificate)
        held = self.tokens.authorize(request.headers.get("Authorization"), asked.bank)
        if endpoint == "register":
            return self._register(request, held, certificate, **arguments)
        self._check_client(held, certificate)
        client_id = held.login.client_id
        check_signature(
            request,
            seal=self._clients[client_id].seal,
            key_id=client_id,
            settings=self._settings,
        )
        if not _SCOPES_FOR[endpoint] & set(held.login.scopes):
            wanted = sorted(_SCOPES_FOR[endpoint])
            msg = f"The scope {' or '.join(wanted)} is needed."
            raise BankRefusal(403, msg, "insufficient_scope", wanted[0])
        names = {key: value for key, value in arguments.items() if key != "version"}
        if endpoint in _COUNTED:
            self._count(request, held, endpoint, *names.values())
        call = Call(
            login=held.login,
            base=f"{asked.prefix}/stet/psd2/{arguments['version']}",
            origin=asked.origin,
            query=request.args,
            body=_json(request) if request.method in ("POST", "PUT") else None,
        )
        handle: Callable[..., Answer] = next(
            getattr(room, endpoint) for room in self._rooms if hasattr(room, endpoint)
        )
        return handle(call, **names)

    def decide(
        self, asked: Asked, query: Mapping[str, Sequence[str]], decision: str
    ) -> Answer:
        """Open a customer's page and decide it at once.

        Raises:
            Refusal, HTTPException: There is no such page.
        """
        endpoint, _ = _URLS.bind("").match(asked.path, "GET")
        if endpoint != "page":
            raise BadRequest
        return self._screens.decide(self._open(asked, query), decision)

    def _open(self, asked: Asked, query: Mapping[str, Sequence[str]]) -> str:
        path = asked.prefix + asked.path
        if asked.path == APPROVAL:
            first = {name: values[0] for name, values in query.items()}
            return self._screens.open(
                self._payments.screen(first, bank=asked.bank, path=path)
            )
        screen = consent_screen(
            query,
            bank=asked.bank,
            path=path,
            clients=self._clients,
            tokens=self.tokens,
            clock=self._clock,
        )
        return self._screens.open(screen)

    def _check_client(self, held: Held, certificate: QualifiedCertificate) -> None:
        """Check what the bank checks on each call (provider page, step 8)."""
        client_id = held.login.client_id
        if client_id not in self._clients:
            # A generic client has no resources; a deleted one has no tokens.
            raise BankRefusal(
                401, "Invalid token in authorization header", "invalid_token"
            )
        if not belongs_to(certificate, client_id):
            status = 401 if self._settings.errors == "rfc" else 403
            msg = "The certificate does not match the client_id of the token."
            raise BankRefusal(status, msg, "invalid_token")
        if role := missing_role(certificate, held.login.scopes):
            raise BankRefusal(403, f"The certificate lacks the role {role}.")

    def _register(
        self,
        request: Request,
        held: Held,
        certificate: QualifiedCertificate,
        client_id: str = "",
    ) -> Answer:
        if (
            held.login.client_id not in GENERIC_CLIENTS
            or MANAGE_REGISTRATION not in held.login.scopes
        ):
            msg = f"The scope {MANAGE_REGISTRATION} is needed."
            raise BankRefusal(403, msg, "insufficient_scope")
        if "web" not in certificate.qc.types:
            raise BankRefusal(403, "The certificate is no QWAC.")
        body: Any = None
        if request.method in ("POST", "PUT"):
            body = _json(request)
            seal = seal_of(body)
        else:
            known = self._clients.get(client_id)
            seal = known.seal if known else None  # type: ignore[assignment]
        # Here the keyId is the address of the certificate, wherever that may be.
        check_signature(request, seal=seal, key_id=None, settings=self._settings)
        if request.method == "POST":
            return self._registrations.create(body, certificate)
        if request.method == "PUT":
            return self._registrations.replace(client_id, body, certificate)
        if request.method == "DELETE":
            return self._registrations.delete(client_id, certificate)
        return self._registrations.read(client_id, certificate)

    def _count(self, request: Request, held: Held, *what: str) -> None:
        """Count a call of a day without the customer (limits pages: four of each)."""
        if request.headers.get("PSU-IP-Address") or "page" in request.args:
            return
        today = self._clock().date()
        if today != self._today:
            self._today, self._calls = today, {}
        login = held.login
        key = (login.client_id, login.bank, login.customer, *what)
        if self._calls.get(key, 0) >= self._settings.quota:
            raise BankRefusal(429, TOO_MANY)
        self._calls[key] = self._calls.get(key, 0) + 1


def _form(request: Request) -> dict[str, str]:
    """Return a request's form.

    Raises:
        Refusal: A parameter is there twice (RFC 6749, section 3.2).
    """
    form: dict[str, list[str]] = request.form.to_dict(flat=False)
    if any(len(values) > 1 for values in form.values()):
        raise oauth_refusal(400, "invalid_request", "A parameter is there twice.")
    # Section 3.2 too: one without a value counts as left out.
    return {name: values[0] for name, values in form.items() if values[0]}


def _json(request: Request) -> Any:
    if not request.is_json:
        raise BankRefusal(415, "The body must be application/json.")
    try:
        return request.get_json()
    except (BadRequest, RecursionError):
        raise BankRefusal(400, "The body is not JSON.") from None
