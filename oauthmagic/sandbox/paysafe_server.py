"""Requests to the simulated Paysafe: which goes where, and what is read of it.

Source: see `oauthmagic.sandbox.paysafe`.
"""

from __future__ import annotations

import hashlib
import urllib.parse
from typing import TYPE_CHECKING, Any, Final

from werkzeug.exceptions import HTTPException

from oauthmagic.oauth.sca import AUTHORIZATION_HEADER
from oauthmagic.sandbox.answers import Refusal
from oauthmagic.sandbox.paysafe_answers import TokenErrors, json_body, wrapper
from oauthmagic.sandbox.paysafe_authorization import DECISIONS, AuthorizationEndpoint
from oauthmagic.sandbox.paysafe_clients import BRANDS
from oauthmagic.sandbox.paysafe_events import Operation
from oauthmagic.sandbox.paysafe_issued import Grant, IssuedTokens
from oauthmagic.sandbox.paysafe_resources import Wallets
from oauthmagic.sandbox.paysafe_routes import AUTH, LISTS, URLS, WITH_SCA
from oauthmagic.sandbox.paysafe_tokens import TokenRequest, TokenServer

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from werkzeug.datastructures import MultiDict
    from werkzeug.wrappers import Request

    from oauthmagic.sandbox.answers import Answer
    from oauthmagic.sandbox.paysafe_answers import Header
    from oauthmagic.sandbox.paysafe_sca import ScaEvents

_FORM: Final = "application/x-www-form-urlencoded"


class PaysafeServer:
    """Everything that one run of the simulator knows.

    Args:
        clock: The time (aware).
        randomness: Where tokens come from.
        errors: Shapes the refusals of the token endpoint.
        sca: Asks for strong customer authentication.
        redirect_uris: The registered ones.

    Attributes:
        errors: Can be replaced.
        sca: Can be replaced.
        refuses: Whether token requests are refused, whatever the credentials.
        issued: The tokens.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        randomness: random.Random,
        errors: TokenErrors,
        sca: ScaEvents,
        redirect_uris: tuple[str, ...],
    ) -> None:
        self.errors = errors
        self.sca = sca
        self.refuses = False
        self.issued = IssuedTokens(clock=clock, randomness=randomness)
        self._endpoint = AuthorizationEndpoint(
            clock=clock, randomness=randomness, redirect_uris=redirect_uris
        )
        self._tokens = TokenServer(self.issued, self._endpoint)
        self._wallets = {brand: Wallets(brand, clock) for brand in BRANDS}

    def answer(self, request: Request) -> Answer:
        """Answer a request.

        Raises:
            Refusal: It is refused.
            HTTPException: There is nothing at its path, or its body is too large.
        """
        endpoint, matched = URLS.bind("").match(request.path, request.method)
        arguments = dict(matched)
        if endpoint == "token":
            return self._token(request, _known(arguments["brand"]))
        if endpoint == "authorize":
            return self._authorize(request, _known(arguments["brand"]))
        if endpoint == "consent":
            return self._consent(request, _known(arguments["brand"]))
        grant = self.issued.authorize(request.headers.get("Authorization"))
        caller = (grant.brand, grant.customer_id)
        if endpoint == "challenge":
            body = json_body(request, optional=True)
            return self.sca.challenge(arguments["event_id"], body, caller)
        if endpoint in ("attempt", "outsourced_attempt"):
            return self.sca.attempt(
                arguments["event_id"],
                json_body(request),
                caller,
                outsourced=endpoint == "outsourced_attempt",
            )
        del arguments["version"]
        return self._wallet(request, endpoint, arguments, grant)

    def _authorize(self, request: Request, brand: str) -> Answer:
        try:
            parameters = _once(_pairs(request.args))
        except ValueError as error:
            # Nobody knows which of two redirect URIs to send the browser to.
            raise TokenErrors("oauth").invalid_request(str(error)) from None
        page = f"{AUTH}/{brand}/consent"
        return self._endpoint.authorize(brand, parameters, page)[0]

    def _token(self, request: Request, brand: str) -> Answer:
        if self.refuses:
            raise self.errors.invalid_client(
                "The credentials belong to another environment."
            )
        if request.mimetype != _FORM:
            raise self.errors.invalid_request(f"The body must be {_FORM}.")
        fingerprint = _fingerprint(request)
        try:
            form = _once(_pairs(request.form))
        except ValueError as error:
            raise self.errors.invalid_request(str(error)) from None
        asked = TokenRequest(
            brand=brand,
            form=form,
            authorization=request.headers.get("Authorization"),
            fingerprint=fingerprint,
            proof=request.headers.get(AUTHORIZATION_HEADER),
            issuer=urllib.parse.urljoin(request.host_url, f"{AUTH}/{brand}"),
            errors=self.errors,
        )
        return self._tokens.token(asked, self.sca)

    def _consent(self, request: Request, brand: str) -> Answer:
        if request.method != "POST":
            return self._endpoint.page(brand, request.args.get("request", ""))
        decision = request.form.get("decision", "")
        if decision not in DECISIONS:
            raise wrapper(400, "DW-BAD-REQUEST", "There is no such decision.")
        return self._endpoint.decide(brand, request.form.get("request", ""), decision)

    def _wallet(
        self,
        request: Request,
        endpoint: str,
        arguments: dict[str, Any],
        grant: Grant,
    ) -> Answer:
        if request.method == "POST":
            arguments["body"] = json_body(request)
        if endpoint in LISTS:
            arguments["query"] = request.args
        if endpoint in WITH_SCA:
            fingerprint = f"{grant.client_id} {_fingerprint(request)}"
            proof = request.headers.get(AUTHORIZATION_HEADER)

            def authenticate(customer_id: str) -> None:
                owner = (grant.brand, customer_id)
                self.sca.require(Operation(owner, fingerprint, proof), _refused)

            arguments["authenticate"] = authenticate
        handle: Callable[..., Answer] = getattr(self._wallets[grant.brand], endpoint)
        return handle(grant, **arguments)

    def decide(self, url: str, decision: str) -> str | None:
        """Return where an authorization URL and a decision lead, or None."""
        try:
            split = urllib.parse.urlsplit(url)
            pairs = urllib.parse.parse_qsl(split.query, keep_blank_values=True)
            endpoint, arguments = URLS.bind("").match(split.path, "GET")
            if endpoint != "authorize":
                return None
            brand = _known(arguments["brand"])
            answer, asked = self._endpoint.authorize(brand, _once(pairs), "")
            if asked:
                answer = self._endpoint.decide(brand, asked, decision)
        except (HTTPException, Refusal, ValueError):
            return None
        return dict(answer.headers)["Location"]


def _known(brand: str) -> str:
    if brand not in BRANDS:
        raise wrapper(404, "DW-BRAND-NOT-FOUND", "There is no such brand.")
    return brand


def _once(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return parameters by name (RFC 6749, section 3.1).

    Args:
        pairs: Names and values; an empty value counts as none.

    Raises:
        ValueError: A name is there twice.
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            msg = "A parameter is there twice."
            raise ValueError(msg)
        if value:
            found[name] = value
    return found


def _pairs(values: MultiDict[str, str]) -> Iterable[tuple[str, str]]:
    return values.items(multi=True)


def _fingerprint(request: Request) -> str:
    """Return what differs where a request differs by a byte in path or body."""
    digest = hashlib.sha256(request.get_data())
    return f"{request.method} {request.full_path} {digest.hexdigest()}"


def _refused(
    status: int, message: str, challenge: Header | None, details: dict[str, object]
) -> Refusal:
    """Shape an SCA refusal of a wallet operation: the event is in the body as well.

    That it is there is documented, the member's name is not: `scaDetails` is ours.
    """
    if challenge is None:
        return wrapper(status, "DW-SCA-BAD-REQUEST", message)
    return wrapper(status, "DW-SCA-REQUIRED", message, challenge, scaDetails=details)
