"""The authorization endpoint of the simulated Paysafe, and its codes.

Source: docs.paysafe.com, embedded wallets, get-authorization-code: the answer is 302,
errors are OAuth 2.0's, every client uses PKCE with S256 (RFC 7636), redirect URIs
match exactly, a code is used once. Our inventions: the consent page and its path, who
logs in there, 60 seconds for a code, 10 minutes for the page, and what is sent back
when that time is over.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import re
import urllib.parse
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from oauthmagic.errors import UnknownName
from oauthmagic.sandbox.answers import Answer, Refusal
from oauthmagic.sandbox.paysafe_answers import NO_STORE, TokenErrors, json_answer
from oauthmagic.sandbox.paysafe_clients import AUTHORIZATION_CODE, CLIENTS
from oauthmagic.sandbox.paysafe_data import PEOPLE, Person
from oauthmagic.sandbox.paysafe_issued import SCOPE

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from oauthmagic.sandbox.paysafe_clients import Client

CODE_LIFETIME: Final = timedelta(seconds=60)
PAGE_LIFETIME: Final = timedelta(minutes=10)
ACCEPT, REFUSE, TIMEOUT = "accept", "refuse", "timeout"
DECISIONS: Final = (ACCEPT, REFUSE, TIMEOUT)
_S256: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_MOST_KEPT: Final = 1000
_PAGE: Final = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Demo wallet: consent</title></head>
<body>
<main>
<h1>May {client} use your {brand} wallet?</h1>
<p>This is a simulation: nobody here exists and no money moves.</p>
<p>You are {user}. The permission asked for is <code>{scope}</code>.</p>
<form method="post">
<input type="hidden" name="request" value="{request}">
<button name="decision" value="accept">Accept</button>
<button name="decision" value="refuse">Refuse</button>
</form>
</main>
</body>
</html>
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Consent:
    """What a user was asked, and has perhaps agreed to."""

    brand: str
    client_id: str
    redirect_uri: str
    state: str = field(repr=False)
    code_challenge: str = field(repr=False)
    nonce: str
    person: Person = field(repr=False)
    begun: datetime


class AuthorizationEndpoint:
    """Asks the user and issues codes (RFC 6749, section 4.1).

    Args:
        clock: The time (aware).
        randomness: Where identifiers and codes come from.
        redirect_uris: The registered ones, of every client.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        randomness: random.Random,
        redirect_uris: tuple[str, ...],
    ) -> None:
        self._clock = clock
        self._randomness = randomness
        self._redirect_uris = redirect_uris
        self._asked: dict[str, Consent] = {}
        self._codes: dict[str, Consent] = {}
        self._spent: set[str] = set()

    def authorize(
        self, brand: str, parameters: Mapping[str, str], page: str
    ) -> tuple[Answer, str]:
        """Answer an authorization request: 302 to the consent page or to the client.

        Args:
            brand: Whose wallets.
            parameters: The query; no name is in it twice.
            page: The consent page's path.

        Returns:
            The answer, and the key to the consent page or "".

        Raises:
            Refusal: The client or its redirect URI is not known, so that there is
                nowhere to redirect to (RFC 6749, section 4.1.2.1).
        """
        client = CLIENTS.get(parameters.get("client_id", ""))
        redirect_uri = parameters.get("redirect_uri", "")
        if client is None or redirect_uri not in self._redirect_uris:
            description = "The client_id is unknown, or redirect_uri is not registered."
            members = {"error": "invalid_request", "error_description": description}
            raise Refusal(json_answer(400, members, *NO_STORE))
        state = parameters.get("state", "")
        if fault := _fault(parameters, client):
            return _redirect(redirect_uri, state=state, **fault), ""
        request = self._randomness.randbytes(16).hex()
        _make_room(self._asked)
        self._asked[request] = Consent(
            brand=brand,
            client_id=client.client_id,
            redirect_uri=redirect_uri,
            state=state,
            code_challenge=parameters["code_challenge"],
            nonce=parameters.get("nonce", ""),
            person=PEOPLE[brand][0],
            begun=self._clock(),
        )
        query = urllib.parse.urlencode({"request": request})
        return _found(f"{page}?{query}"), request

    def page(self, brand: str, request: str) -> Answer:
        """Answer with the consent page.

        Raises:
            Refusal: Nothing waits for this user.
        """
        consent = self._waiting(brand, request)
        fields = {
            "client": consent.client_id,
            "brand": brand,
            "user": f"{consent.person.first_name} {consent.person.last_name}",
            "scope": SCOPE,
            "request": request,
        }
        text = _PAGE.format_map({k: html.escape(v) for k, v in fields.items()})
        headers = (
            *NO_STORE,
            ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
            ("Referrer-Policy", "no-referrer"),
            ("Content-Type", "text/html; charset=utf-8"),
        )
        return Answer(status=200, headers=headers, body=text.encode())

    def decide(self, brand: str, request: str, decision: str) -> Answer:
        """Answer the user's decision: 302 to the client, once.

        Args:
            brand: Whose wallets.
            request: The key to the consent page.
            decision: One of `DECISIONS`.

        Raises:
            UnknownName: There is no such decision.
            Refusal: Nothing waits for this user.
        """
        if decision not in DECISIONS:
            kind = "decision"
            raise UnknownName(kind, decision, DECISIONS)
        consent = self._waiting(brand, request)
        del self._asked[request]
        state = consent.state
        if decision == TIMEOUT or self._clock() >= consent.begun + PAGE_LIFETIME:
            fault = _denied("The user did not decide in time.")
            return _redirect(consent.redirect_uri, state=state, **fault)
        if decision == REFUSE:
            fault = _denied("The user refused.")
            return _redirect(consent.redirect_uri, state=state, **fault)
        code = self._randomness.randbytes(24).hex()
        _make_room(self._codes)
        self._codes[code] = replace(consent, begun=self._clock())
        return _redirect(consent.redirect_uri, code=code, state=state)

    def redeem(
        self, form: Mapping[str, str], brand: str, client: Client, errors: TokenErrors
    ) -> Consent:
        """Return what a code stands for; it is spent by that (RFC 6749, 4.1.3).

        Args:
            form: The token request.
            brand: Of the token endpoint.
            client: Who sends it.
            errors: Shapes the refusal.

        Raises:
            Refusal: The code, its redirect URI or its verifier is wrong.
        """
        code = form.get("code", "")
        consent = self._codes.get(code)
        if consent is None or (consent.brand, consent.client_id) != (
            brand,
            client.client_id,
        ):
            raise errors.invalid_grant("There is no such authorization code.")
        if code in self._spent:
            raise errors.invalid_grant("The authorization code has been used.")
        # Whatever comes of it: one try (OAuth 2.1, section 4.1.3).
        self._spent.add(code)
        if self._clock() >= consent.begun + CODE_LIFETIME:
            raise errors.invalid_grant("The authorization code has expired.")
        if form.get("redirect_uri") != consent.redirect_uri:
            raise errors.invalid_grant("The redirect_uri is not the one of the code.")
        if not _proves(form.get("code_verifier", ""), consent.code_challenge):
            raise errors.invalid_grant("The code_verifier does not fit the code.")
        return consent

    def was_spent(self, code: str) -> bool:
        """Say whether a code has been used: a second use is an attack or a retry."""
        return code in self._spent

    def _waiting(self, brand: str, request: str) -> Consent:
        consent = self._asked.get(request)
        if consent is None or consent.brand != brand:
            description = "There is no such request, or it has been decided."
            members = {"error": "invalid_request", "error_description": description}
            raise Refusal(json_answer(400, members, *NO_STORE))
        return consent


def _fault(parameters: Mapping[str, str], client: Client) -> dict[str, str]:
    """Return what is wrong with an authorization request, as the client is told."""
    error, description = "invalid_request", ""
    if parameters.get("response_type") != "code":
        if "response_type" in parameters:
            error = "unsupported_response_type"
        description = "The response_type must be code."
    elif AUTHORIZATION_CODE not in client.grants:
        error = "unauthorized_client"
        description = "This client may not use authorization codes."
    elif parameters.get("code_challenge_method") != "S256":
        description = "PKCE is mandatory: code_challenge_method must be S256."
    elif not _S256.fullmatch(parameters.get("code_challenge", "")):
        description = "PKCE is mandatory: code_challenge must be 43 characters."
    elif parameters.get("scope", SCOPE) != SCOPE:
        error, description = "invalid_scope", f"The only scope is {SCOPE}."
    return {"error": error, "error_description": description} if description else {}


def _denied(description: str) -> dict[str, str]:
    return {"error": "access_denied", "error_description": description}


def _redirect(redirect_uri: str, **parameters: str) -> Answer:
    query = urllib.parse.urlencode({k: v for k, v in parameters.items() if v})
    separator = "&" if "?" in redirect_uri else "?"
    return _found(f"{redirect_uri}{separator}{query}")


def _found(location: str) -> Answer:
    return Answer(status=302, headers=(*NO_STORE, ("Location", location)))


def _proves(verifier: str, challenge: str) -> bool:
    if not _VERIFIER.fullmatch(verifier):
        return False
    digest = hashlib.sha256(verifier.encode()).digest()
    made = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return hmac.compare_digest(made, challenge)


def _make_room(kept: dict[str, Consent]) -> None:
    """Forget the oldest where there are too many."""
    if len(kept) >= _MOST_KEPT:
        del kept[next(iter(kept))]
