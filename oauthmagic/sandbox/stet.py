"""A STET PSD2 bank as BPCE 89C3 runs it, behind `stet/17515@demo`.

Source: www.api.89c3.com, pages "Get your token", "Refresh your token", registration
and limits, and requests and answers of a client that worked with BPCE; each
`stet_*` module says which, and what in it is our invention. Here these are: the path
`/stet/psd2/oauth/revoke`, the order of the checks, that a day of the quota is one of
UTC, that only reading counts, and a page that follows another does not.

One simulator is all banks. Which one is asked stands in the host, as with the real
ones: `www.17515.stet.demo.invalid`. On a loopback address it may stand before the
path (`https://127.0.0.1:40123/13807/stet/psd2/...`), and is 17515 without.

Certificates (`client_certificates`) are wanted for tokens, revocation, registration
and resources; the two pages for customers are open to any browser.
"""

from __future__ import annotations

import re
import threading
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request

from oauthmagic.errors import CommandError, UnknownName
from oauthmagic.keys.qualified import read_certificate
from oauthmagic.keys.synthetic import SyntheticAuthority, published_key
from oauthmagic.sandbox.answers import Answer, Refusal
from oauthmagic.sandbox.rate_limits import Throttle, too_many_requests
from oauthmagic.sandbox.seen import SeenRequests
from oauthmagic.sandbox.stet_answers import (
    FAMILIES,
    BankRefusal,
    Settings,
    oauth_refusal,
    refusal_answer,
)
from oauthmagic.sandbox.stet_bank import StetBank
from oauthmagic.sandbox.stet_clients import CLIENT_ID, REDIRECT_URI, ROLES, demo_client
from oauthmagic.sandbox.stet_hosts import asked_bank
from oauthmagic.sandbox.stet_screens import DECISIONS
from oauthmagic.sandbox.web import respond

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MOST_BODY_BYTES: Final = 1_000_000
_REQUEST_ID: Final = re.compile(r"[!-~]{1,100}")


class StetSimulator:
    """A WSGI application that answers as BPCE's banks do, with sides to play.

    Threads may share it; requests are answered one after the other.

    Args:
        clock: The time (aware).
        randomness: Where tokens come from; the same seed and the same requests give
            the same bytes.
        fresh_keys: Make new keys for all certificates. Without it they are made with
            a published key: quick and the same every day, but only for what stays
            inside this process.
        settings: What differs between banks.

    Attributes:
        CREDENTIALS: What it lets in: `client_id`, `redirect_uri`, and as PEM
            `certificate`, `private_key` (QWAC), `signing_certificate`, `signing_key`
            (QSealC).
        client_certificate: The QWAC as DER.
        authority: Issues the certificates that it accepts.
        settings: Those in force, see `use`.
        requests: What was asked and answered, oldest first.
    """

    ERRORS: Final = FAMILIES[0]

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        randomness: random.Random,
        fresh_keys: bool = False,
        settings: Settings | None = None,
    ) -> None:
        self._clock = clock
        self._randomness = randomness
        self._first_settings = settings or Settings()
        self._lock = threading.RLock()
        key = None if fresh_keys else published_key()
        self.authority = SyntheticAuthority(clock(), key)
        qwac, seal = (
            self.authority.issue(kind, CLIENT_ID, ROLES, key=key)
            for kind in ("QWAC", "QSealC")
        )
        self.client_certificate = read_certificate(qwac.certificate).der
        self._seal = read_certificate(seal.certificate)
        self.CREDENTIALS: Final = {
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
            "certificate": qwac.certificate.decode(),
            "private_key": qwac.private_key.decode(),
            "signing_certificate": seal.certificate.decode(),
            "signing_key": seal.private_key.decode(),
        }
        self.requests = SeenRequests()
        self.reset()

    def reset(self) -> None:
        """Begin anew: no tokens, consents or registrations, nothing counted.

        The clock stays where it is and randomness goes on, so that no old token
        comes back to life.
        """
        client = demo_client(self._seal)
        with self._lock:
            self.settings = replace(self._first_settings)
            self._bank = StetBank(
                clock=self._clock,
                randomness=self._randomness,
                authority=self.authority,
                clients={client.client_id: client},
                settings=self.settings,
            )
            self._throttle = Throttle(too_many_requests)
            self._refuses = False
            self.requests.clear()

    def revoke(self) -> None:
        """Revoke every access token issued so far; refresh tokens stay."""
        with self._lock:
            self._bank.tokens.revoke_access_tokens()

    def throttle(self, seconds: float = 5) -> None:
        """Answer 429 to everything, token requests too, until time has passed.

        Args:
            seconds: How long, by the simulator's clock; 0 ends it.

        Raises:
            CommandError: It is negative or out of the calendar.
        """
        with self._lock:
            self._throttle.begin(seconds, self._clock())

    def refuse(self, on: bool = True) -> None:  # noqa: FBT001, FBT002 - refuse(False) reads
        """Refuse token requests as for a third party whose agreement has ended.

        Args:
            on: Whether to refuse from now on.
        """
        with self._lock:
            self._refuses = on

    def use_errors(self, errors: str) -> None:
        """Answer in another error family from now on, see `use`."""
        self.use(errors=errors)

    def use(self, **changes: Any) -> None:
        """Change settings from now on, see `stet_answers.Settings`.

        Raises:
            UnknownName: There is no such setting or value.
        """
        names = [each.name for each in fields(Settings)]
        for name in set(changes) - set(names):
            raise UnknownName("setting", name, names)
        with self._lock:
            checked = replace(self.settings, **changes)
            for name in changes:
                setattr(self.settings, name, getattr(checked, name))

    def decide(self, url: str, decision: str) -> str | None:
        """Play the customer: open a page of the bank and press a button.

        Args:
            url: The authorization request, or where a payment is approved.
            decision: `"accept"`, `"refuse"` or `"timeout"`.

        Returns:
            Where the browser is sent, or None where it is sent nowhere.

        Raises:
            UnknownName: There is no such decision.
            CommandError: The URL is no page of this bank.
        """
        if decision not in DECISIONS:
            raise UnknownName("decision", decision, DECISIONS)
        parts = urlsplit(url)
        with self._lock:
            try:
                asked = asked_bank(parts.netloc, parts.path, f"https://{parts.netloc}")
                query = parse_qs(parts.query, keep_blank_values=True)
                answer = self._bank.decide(asked, query, decision)
            except Refusal as refusal:
                answer = refusal.answer
            except (BankRefusal, HTTPException):
                msg = "The URL is no page of this bank for customers."
                raise CommandError(msg) from None
            self.requests.record("POST", parts.path, answer.status)
        return dict(answer.headers).get("Location")

    def wsgi_app(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        request = Request(environ)
        request.max_content_length = MOST_BODY_BYTES
        try:
            # Before the lock: a client that sends slowly holds up nobody else.
            request.get_data(parse_form_data=False, cache=True)
            with self._lock:
                answer = self._answer(request)
        except Refusal as refusal:
            answer = refusal.answer
        except BankRefusal as refusal:
            answer = self._refusal(refusal, request)
        except HTTPException as error:
            # As the framework behind such answers says it.
            plain = BankRefusal(error.code or 500, "No message available")
            answer = self._refusal(plain, request)
        with self._lock:
            self.requests.record(request.method, request.path, answer.status)
        request_id = request.headers.get("X-Request-ID", "")
        if _REQUEST_ID.fullmatch(request_id):
            headers = (*answer.headers, ("X-Request-ID", request_id))
            answer = replace(answer, headers=headers)
        return respond(answer, environ, start_response)

    def _answer(self, request: Request) -> Answer:
        self._throttle.check(self._clock())
        asked = asked_bank(request.host, request.path, request.host_url.rstrip("/"))
        if self._refuses and asked.path.endswith("/oauth/token"):
            raise oauth_refusal(
                403, "unauthorized_client", "The agreement with this client has ended."
            )
        return self._bank.answer(request, asked)

    def _refusal(self, refusal: BankRefusal, request: Request) -> Answer:
        return refusal_answer(
            refusal,
            family=self.settings.errors,
            path=request.path,
            now=self._clock(),
        )


def create(
    clock: Callable[[], datetime],
    randomness: random.Random,
    *,
    fresh_keys: bool = False,
) -> StetSimulator:
    """Return the simulator behind `stet@demo`.

    Args:
        clock: The time (aware).
        randomness: Where tokens come from.
        fresh_keys: See `StetSimulator`; wanted for a server that others can reach.
    """
    return StetSimulator(clock=clock, randomness=randomness, fresh_keys=fresh_keys)
