"""What a target's requests run in."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from oauthmagic.errors import EnvironmentRefused
from oauthmagic.runtime.pauses import Pauses

if TYPE_CHECKING:
    from collections.abc import Callable

    from oauthmagic.oauth.credentials import Credentials
    from oauthmagic.oauth.targets import Target
    from oauthmagic.oauth.tokens import Clock, Token
    from oauthmagic.providers.environments import Environment
    from oauthmagic.providers.provider import Provider
    from oauthmagic.runtime.traces import Trace
    from oauthmagic.transport.wire import Transport, WireRequest

    #: (world) -> its environment with the endpoints that the issuer names
    Discover = Callable[["World"], Environment]


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """A target with everything around it; in `demo` its own time and servers.

    Attributes:
        target: The target.
        provider: Its provider.
        environment: Its environment.
        transport: What sends its requests.
        clock: Its time.
        sleep: Waits, in its time.
        monotonic: The same time in seconds, which no correction of a clock moves.
        randomness: Returns so many random bytes.
        fingerprint_key: Key of the fingerprints of its tokens.
        trace: Where its exchanges are written down, redacted, or None.
        refresh_life: How many seconds a refresh token lives from the login on, where
            the server does not say; None if that is not known.
        prepare: Rewrites an API request before the token is put on, or None.
        pauses: Which origins want to be left alone, and until when; shared by all
            who live in the same time.
        discover: Asks the issuer for its endpoints, where they are not known.
        token_timeout: Seconds for a token request.
        api_timeout: Seconds for an API request, waiting and a second try included.
        max_wait: Seconds to wait in all where a server says `Retry-After`.
        max_body: The most decoded bytes of an API reply.
    """

    target: Target
    provider: Provider
    environment: Environment
    transport: Transport
    clock: Clock
    sleep: Callable[[float], None]
    randomness: Callable[[int], bytes]
    fingerprint_key: bytes = field(repr=False)
    prepare: Callable[[WireRequest], WireRequest] | None = field(
        default=None, repr=False
    )
    discover: Discover | None = field(default=None, repr=False)
    trace: Trace | None = field(default=None, repr=False)
    refresh_life: float | None = None
    monotonic: Callable[[], float] = time.monotonic
    pauses: Pauses = field(default_factory=Pauses, repr=False)
    token_timeout: float = 8.0
    api_timeout: float = 30.0
    max_wait: float = 10.0
    max_body: int = 32 << 20

    def __post_init__(self) -> None:
        if self.environment.name != self.target.environment:
            msg = f"{self.target} is not the {self.environment.name} environment."
            raise EnvironmentRefused(msg, hint="Name another environment behind the @.")

    def admit(self, held: Token | Credentials) -> None:
        """Refuse a token or credentials that belong to another target.

        Whatever puts one of them on a request, or into a connection, asks here first.

        Raises:
            EnvironmentRefused: They do; nothing was sent.
        """
        # Credentials that were just handed over belong to no target yet.
        if held.target not in ("", str(self.target)):
            kind = "This token is" if hasattr(held, "access_token") else "These are"
            what = f"{kind} of {held.target}, not of {self.target}"
            msg = f"{what}. Nothing was sent."
            raise EnvironmentRefused(msg, hint=f"Did you mean {held.target}?")

    def prepared(self, request: WireRequest) -> WireRequest:
        """Return an API request as the provider wants it."""
        return self.prepare(request) if self.prepare else request

    def with_endpoints(self) -> World:
        """Return this world with endpoints, asking the issuer if there are none.

        What needs an endpoint of the authorization server begins with this; an API
        request with a valid token does not, and works while the issuer is down.

        Raises:
            OAuthMagicError: It could not be asked, or what it said was refused.
        """
        if self.discover is None or not self.environment.is_to_be_discovered:
            return self
        return replace(self, environment=self.discover(self))
