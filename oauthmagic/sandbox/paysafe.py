"""Paysafe's embedded wallets behind `paysafe/liberty@demo`.

Source: docs.paysafe.com, embedded wallets. What is documented and what is our
invention is said by the modules that do it: `paysafe_tokens` and `paysafe_clients`
(tokens), `paysafe_authorization` (redirect), `paysafe_sca` (step-up),
`paysafe_resources` and `paysafe_data` (wallets), `paysafe_answers` (errors). Ours
here: what credentials of another environment are told (401 is seen, its body is not),
and that an unknown brand is 404.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request

from oauthmagic.errors import UnknownName
from oauthmagic.sandbox.answers import Refusal
from oauthmagic.sandbox.paysafe_answers import (
    TokenErrors,
    http_error,
    too_many_requests,
)
from oauthmagic.sandbox.paysafe_authorization import DECISIONS
from oauthmagic.sandbox.paysafe_clients import PARTNER
from oauthmagic.sandbox.paysafe_data import PEOPLE, SUBJECT_TOKENS
from oauthmagic.sandbox.paysafe_sca import ScaEvents
from oauthmagic.sandbox.paysafe_server import PaysafeServer
from oauthmagic.sandbox.paysafe_tokens import ACCESS_TOKEN_TYPE
from oauthmagic.sandbox.rate_limits import Throttle
from oauthmagic.sandbox.seen import SeenRequests
from oauthmagic.sandbox.web import respond

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

DEFAULT_ERRORS: Final = "oauth"
#: The mode in which the notebook talks to the user and Paysafe judges the answer.
DEFAULT_SCA: Final = "HYBRID"
REDIRECT_URI: Final = "https://notebook.demo.invalid/oauthmagic/callback"
MOST_BODY_BYTES: Final = 1_000_000


class PaysafeSimulator:
    """A WSGI application that answers as Paysafe does, with a server side to play.

    Threads may share it; requests are answered one after the other.

    Args:
        clock: The time (aware).
        randomness: Where tokens come from; the same seed and the same requests give
            the same bytes.
        errors: Error family of the token endpoint: "oauth" or "wrapper".
        sca: Mode of strong customer authentication: "OUTSOURCED", "EMBEDDED",
            "HYBRID" or "OFF".
        redirect_uris: The registered ones.

    Attributes:
        requests: What was asked and answered, oldest first.
    """

    CREDENTIALS: Final = {
        "client_id": PARTNER.client_id,
        "client_secret": PARTNER.client_secret,
        "username": PEOPLE["liberty"][0].username,
        "password": PEOPLE["liberty"][0].password,
        "redirect_uri": REDIRECT_URI,
        "subject_token": next(iter(SUBJECT_TOKENS)),
        "subject_token_type": ACCESS_TOKEN_TYPE,
    }
    ERRORS: Final = DEFAULT_ERRORS

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        randomness: random.Random,
        errors: str = DEFAULT_ERRORS,
        sca: str = DEFAULT_SCA,
        redirect_uris: Iterable[str] = (REDIRECT_URI,),
    ) -> None:
        self._clock = clock
        self._randomness = randomness
        self._first = (errors, sca)
        self._redirect_uris = tuple(redirect_uris)
        self._lock = threading.RLock()
        self.requests = SeenRequests()
        self.reset()

    def reset(self) -> None:
        """Begin anew: no tokens, no new rows, nothing refused, nothing counted.

        The clock stays where it is and randomness goes on, so that no old token
        comes back to life.
        """
        with self._lock:
            errors, mode = self._first
            self._server = PaysafeServer(
                clock=self._clock,
                randomness=self._randomness,
                errors=TokenErrors(errors),
                sca=self._events(mode),
                redirect_uris=self._redirect_uris,
            )
            self._throttle = Throttle(too_many_requests)
            self.requests.clear()

    def revoke(self) -> None:
        """Revoke every access token issued so far; refresh tokens stay."""
        with self._lock:
            self._server.issued.revoke_access_tokens()

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
        """Refuse token requests as for credentials of another environment.

        Args:
            on: Whether to refuse from now on.
        """
        with self._lock:
            self._server.refuses = on

    def use_errors(self, errors: str) -> None:
        """Answer in another error family at the token endpoint from now on.

        Raises:
            UnknownName: There is no such family.
        """
        with self._lock:
            self._server.errors = TokenErrors(errors)

    def use_sca(
        self, mode: str, *, comma: bool = False, base64url: bool = False
    ) -> None:
        """Ask for strong customer authentication in another way from now on.

        Args:
            mode: "OUTSOURCED", "EMBEDDED", "HYBRID" or "OFF".
            comma: Whether the challenge has the comma that RFC 9110 wants.
            base64url: Whether its JSON is in base64url without padding.

        Raises:
            UnknownName: There is no such mode.
        """
        with self._lock:
            self._server.sca = self._events(mode, comma=comma, base64url=base64url)

    def decide(self, url: str, decision: str) -> str | None:
        """Play the user who opens an authorization URL; return where that leads.

        Args:
            url: The authorization request.
            decision: "accept", "refuse" or "timeout".

        Returns:
            The URL that the browser is redirected to, or None where the server
            redirects nobody.

        Raises:
            UnknownName: There is no such decision.
        """
        if decision not in DECISIONS:
            kind = "decision"
            raise UnknownName(kind, decision, DECISIONS)
        with self._lock:
            return self._server.decide(url, decision)

    def wsgi_app(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        request = Request(environ)
        request.max_content_length = MOST_BODY_BYTES
        try:
            # Before the lock: a client that sends slowly holds up nobody else.
            request.get_data()
            with self._lock:
                self._throttle.check(self._clock())
                answer = self._server.answer(request)
        except Refusal as refusal:
            answer = refusal.answer
        except HTTPException as error:
            answer = http_error(error)
        with self._lock:
            self.requests.record(request.method, request.path, answer.status)
        return respond(answer, environ, start_response)

    def _events(
        self, mode: str, *, comma: bool = False, base64url: bool = False
    ) -> ScaEvents:
        return ScaEvents(
            clock=self._clock,
            randomness=self._randomness,
            mode=mode,
            comma=comma,
            base64url=base64url,
        )


def create(
    clock: Callable[[], datetime], randomness: random.Random
) -> PaysafeSimulator:
    """Return the simulator behind `paysafe/liberty@demo`.

    Args:
        clock: The time (aware).
        randomness: Where tokens come from.
    """
    return PaysafeSimulator(clock=clock, randomness=randomness)
