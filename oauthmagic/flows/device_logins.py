"""A login on another device: RFC 8628. Ask for a code, then whether it was used.

The server is never asked more often than it allows, whoever asks: the thread in the
background or the user who is impatient.
"""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

from oauthmagic.errors import (
    AuthorizationPending,
    CommandError,
    ExpiredToken,
    InvalidDeviceResponse,
    OAuthMagicError,
    RateLimited,
    SlowDown,
    TransportError,
    UrlRefused,
)
from oauthmagic.flows.token_requests import build_request
from oauthmagic.oauth.device_authorization import (
    MAX_BYTES,
    SLOWER,
    device_authorization_request,
    read_device_authorization_response,
)
from oauthmagic.oauth.outcomes import settled
from oauthmagic.transport.urls import parse_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from oauthmagic.flows.token_requests import Endpoint
    from oauthmagic.oauth.device_authorization import DeviceAuthorization
    from oauthmagic.oauth.tokens import Clock
    from oauthmagic.transport.wire import Transport

T = TypeVar("T")
#: What an answer may be after which to ask again.
PENDING = (AuthorizationPending, SlowDown, RateLimited, TransportError)


def authorize_device(
    transport: Transport, endpoint: Endpoint, scopes: Iterable[str]
) -> DeviceAuthorization:
    """Ask for a device code and a user code (sections 3.1 and 3.2).

    Args:
        transport: What sends it.
        endpoint: The `device_authorization_endpoint`, and as which client.
        scopes: What is asked for.

    Raises:
        OAuthError: The server refused.
        RateLimited: HTTP 429.
        ProtocolError: The answer is no device authorization response; or leads
            where nobody should be sent.
        TransportError: No usable answer came.
    """
    response = transport.send(
        build_request(endpoint, device_authorization_request(scopes)),
        timeout=endpoint.timeout,
        limit=MAX_BYTES,
    )
    outcome = read_device_authorization_response(
        response.status, response.header, response.body
    )
    del response  # it holds the device code
    found = settled(outcome)
    for url in (found.verification_uri, found.verification_uri_complete):
        try:
            if url:
                parse_url(url, what="verification_uri")
        except UrlRefused as error:
            msg = f"The device authorization response was refused: {error}"
            raise InvalidDeviceResponse(msg) from None
    return found


class Polling(Generic[T]):
    """When to ask for the token, and what came of it (section 3.5).

    Args:
        authorization: What the server gave.
        request: Asks once: returns the result, or raises what the server answered.
        clock: The time.

    Attributes:
        expires_at: The end of the codes.
        interval: Seconds between two questions; it only grows.
    """

    def __init__(
        self,
        authorization: DeviceAuthorization,
        request: Callable[[], T],
        clock: Clock,
    ) -> None:
        now = clock()
        self.expires_at = now + timedelta(seconds=authorization.expires_in)
        self.interval = float(authorization.interval)
        self._next_at = now + timedelta(seconds=self.interval)
        self._request = request
        self._clock = clock
        self._lock = threading.Lock()
        self._results: list[T] = []
        self._error: OAuthMagicError | None = None

    def seconds_left(self) -> float:
        """Return how long to wait before the next question."""
        until = min(self._next_at, self.expires_at)
        return max((until - self._clock()).total_seconds(), 0.0)

    def ask(self) -> T:
        """Ask once, if it is time, and return the result; the same one ever after.

        Raises:
            CommandError: It is not time yet; nothing was sent.
            AuthorizationPending: The user has not finished; or one of `PENDING`.
            OAuthMagicError: It was refused or is over; the same one ever after.
        """
        with self._lock:
            if self._results:
                return self._results[0]
            if self._error is not None:
                raise self._error
            if self._clock() >= self.expires_at:
                self._error = ExpiredToken("the code was not used in time")
                raise self._error
            left = self.seconds_left()
            if left > 0:
                msg = "The server was asked just now, and is asked again by itself."
                hint = f"It wants to be asked no sooner than in {left:.0f} s."
                raise CommandError(msg, hint=hint)
            try:
                self._results.append(self._request())
            except PENDING as error:
                self._wait_longer(error)
                raise
            except OAuthMagicError as error:
                self._error = error
                raise
            return self._results[0]

    def _wait_longer(self, error: OAuthMagicError) -> None:
        if isinstance(error, SlowDown | RateLimited):
            self.interval += SLOWER
        elif isinstance(error, TransportError):
            # Section 3.5: the server may be in trouble; twice as long each time.
            self.interval *= 2
        self._next_at = self._clock() + timedelta(seconds=self.interval)


def poll(polling: Polling[T], sleep: Callable[[float], bool]) -> None:
    """Ask until there is a result or a refusal, which `polling` then has.

    Args:
        polling: When to ask, and what.
        sleep: Waits so many seconds; returns whether to stop.
    """
    while not sleep(polling.seconds_left()):
        try:
            polling.ask()
        except (CommandError, *PENDING):
            continue
        except OAuthMagicError:
            return
        return
