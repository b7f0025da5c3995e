"""Revsto / TagPay behind `revsto@demo`.

Source: docs.revsto.com/distributor-api for paths, scopes, shapes and statuses; the
token server is `oauthmagic.sandbox.league`. Our inventions, because the pages show
none: which scope `GET /transactions` wants, the bodies of 403, 404 and 429, the rate
limit's numbers, and what exactly an address that is not allowed is told.
"""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request

from oauthmagic.providers.revsto import SCOPES
from oauthmagic.sandbox.answers import Answer, Refusal, refuse
from oauthmagic.sandbox.league import TokenServer, User
from oauthmagic.sandbox.league_errors import family
from oauthmagic.sandbox.rate_limits import (
    RateLimit,
    Throttle,
    too_many_requests,
)
from oauthmagic.sandbox.revsto_resources import RevstoResources
from oauthmagic.sandbox.seen import SeenRequests
from oauthmagic.sandbox.web import form_of, http_error, json_body, respond

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Collection, Iterable
    from datetime import datetime

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

BASE: Final = "/api/distributor/v1"
TOKEN_PATH: Final = f"{BASE}/oauth2/token"
#: The page's status table (401 for a wrong user name, password or client) fits the
#: older versions of the library.
DEFAULT_ERRORS: Final = "league7"
RATE_LIMIT: Final = 300
RATE_WINDOW: Final = timedelta(seconds=60)
MOST_BODY_BYTES: Final = 1_000_000

_ROUTES: Final = (
    ("GET", "/users/profiles", "profiles", "profile_view"),
    ("GET", "/products", "products", "account_view"),
    ("POST", "/users/<user_id>/accounts", "create_account", "account_creation"),
    ("GET", "/transactions", "transactions", "transaction_view"),
    ("GET", "/transactions/<identifier>", "transaction", "transaction_view"),
    ("POST", "/transactions/distributorPosting", "post", "posting"),
    ("POST", "/hooks", "create_hook", "event_management"),
)
_URLS: Final = Map(
    [
        # Every method: the library answers GET as it answers a form without grant.
        Rule(TOKEN_PATH, endpoint="token"),
        *(
            Rule(BASE + path, endpoint=endpoint, methods=[method])
            for method, path, endpoint, _ in _ROUTES
        ),
    ],
    merge_slashes=False,
    strict_slashes=False,
)
_SCOPE_OF: Final = {endpoint: scope for _, _, endpoint, scope in _ROUTES}


class RevstoSimulator:
    """A WSGI application that answers as Revsto does, with a server side to play.

    Threads may share it; requests are answered one after the other.

    Args:
        clock: The time (aware).
        randomness: Where tokens come from; the same seed and the same requests give
            the same bytes.
        scopes: The scopes that exist; without it, those that Revsto documents.
        errors: Error family, see `oauthmagic.sandbox.league_errors`.

    Attributes:
        requests: What was asked and answered, oldest first.
    """

    CREDENTIALS: Final = {
        "client_id": "demo-distributor",
        "client_secret": "simulated-client-secret",
        "username": "demo-analyst",
        "password": "simulated-password",
    }
    USER_ID: Final = "1001"
    ERRORS: Final = DEFAULT_ERRORS

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        randomness: random.Random,
        scopes: Collection[str] = tuple(SCOPES),
        errors: str = DEFAULT_ERRORS,
    ) -> None:
        self._clock = clock
        self._randomness = randomness
        self._scopes = tuple(scopes)
        self._first_errors = errors
        self._lock = threading.RLock()
        self.requests = SeenRequests()
        self.reset()

    def reset(self) -> None:
        """Begin anew: no tokens, no new rows, nothing refused, nothing counted.

        The clock stays where it is and randomness goes on, so that no old token
        comes back to life.
        """
        with self._lock:
            self._errors = self._first_errors
            self._tokens = TokenServer(
                clock=self._clock,
                randomness=self._randomness,
                clients={
                    self.CREDENTIALS["client_id"]: self.CREDENTIALS["client_secret"]
                },
                users={
                    self.CREDENTIALS["username"]: User(
                        identifier=self.USER_ID, password=self.CREDENTIALS["password"]
                    )
                },
                scopes=self._scopes,
                errors=self._errors,
            )
            self._resources = RevstoResources(self._clock)
            self._rate = RateLimit(RATE_LIMIT, RATE_WINDOW)
            self._throttle = Throttle(too_many_requests)
            self._refuses = False
            self.requests.clear()

    def revoke(self) -> None:
        """Revoke every access token issued so far; refresh tokens stay."""
        with self._lock:
            self._tokens.revoke_access_tokens()

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
        """Refuse token requests as for an IP address that is not on the allow list.

        Args:
            on: Whether to refuse from now on.
        """
        with self._lock:
            self._refuses = on

    def use_errors(self, errors: str) -> None:
        """Answer in another error family from now on.

        Raises:
            UnknownName: There is no such family.
        """
        with self._lock:
            self._tokens.use_errors(errors)
            self._errors = errors

    def use_reuse_detection(self, on: bool = True) -> None:  # noqa: FBT001, FBT002 - see `refuse`
        """Revoke a login's tokens when a used refresh token comes back; our invention.

        Args:
            on: Whether to do so from now on.
        """
        with self._lock:
            self._tokens.use_reuse_detection(on)

    def wsgi_app(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        request = Request(environ)
        request.max_content_length = MOST_BODY_BYTES
        try:
            # Before the lock: a client that sends slowly holds up nobody else.
            request.get_data(parse_form_data=True)
            with self._lock:
                answer = self._answer(request)
        except Refusal as refusal:
            answer = refusal.answer
        except HTTPException as error:
            answer = http_error(error)
        with self._lock:
            self.requests.record(request.method, request.path, answer.status)
        return respond(answer, environ, start_response)

    def _answer(self, request: Request) -> Answer:
        self._throttle.check(self._clock())
        endpoint, arguments = _URLS.bind("").match(request.path, request.method)
        if endpoint == "token":
            return self._token(request)
        token = self._tokens.authorize(request.headers.get("Authorization"))
        if wait := self._rate.count(token.identifier, self._clock()):
            raise too_many_requests(wait)
        scope = _SCOPE_OF[endpoint]
        if scope not in token.scopes:
            refuse(
                403,
                "insufficient_scope",
                f"This request needs the scope {scope}.",
                scope=scope,
            )
        if request.method == "POST":
            arguments = {**arguments, "body": json_body(request)}
        elif not arguments:
            arguments = {"query": request.args}
        handle: Callable[..., Answer] = getattr(self._resources, endpoint)
        return handle(**arguments)

    def _token(self, request: Request) -> Answer:
        if self._refuses:
            # The FAQ: 400 on authentication usually means a wrong environment, or an
            # address that is not on the allow list. The body is our invention.
            raise family(self._errors).refusal(
                400, "invalid_request", "Requests from this address are not accepted."
            )
        return self._tokens.token(
            form_of(request), request.headers.get("Authorization")
        )


def create(clock: Callable[[], datetime], randomness: random.Random) -> RevstoSimulator:
    """Return the simulator behind `revsto@demo`.

    Args:
        clock: The time (aware).
        randomness: Where tokens come from.
    """
    return RevstoSimulator(clock=clock, randomness=randomness)
