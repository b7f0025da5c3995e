"""The simulators behind `@demo`, and the server's side of them for the user to play."""

from __future__ import annotations

import importlib
import random
from ssl import PEM_cert_to_DER_cert
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import CommandError
from oauthmagic.runtime.pauses import Pauses
from oauthmagic.sandbox.clocks import DemoClock
from oauthmagic.sandbox.in_process import InProcessTransport

if TYPE_CHECKING:
    from datetime import datetime

    from oauthmagic.providers.provider import Provider
    from oauthmagic.redaction import Secret
    from oauthmagic.transport.wire import Transport

#: Any number would do; the same one makes the same tutorial every day.
SEED = 20300101


class Demo:
    """One provider's simulator, with its own time, inside this process.

    Attributes:
        clock: Its time, which stands still until it is moved.
        transport: What reaches it.
        pauses: Until when it wants to be left alone, in its time.
        credentials: What it lets in.
    """

    def __init__(self, provider: Provider) -> None:
        module, _, function = provider.simulator.partition(":")
        self.clock = DemoClock()
        self.pauses = Pauses()
        self._random = random.Random(SEED)  # noqa: S311 - a simulation, repeatable
        create = getattr(importlib.import_module(module), function)
        self._simulator: Any = create(clock=self.clock, randomness=self._random)
        self.transport: Transport = InProcessTransport(self._simulator.wsgi_app)
        self.credentials: dict[str, str] = self._simulator.CREDENTIALS
        # Its own source, so that a `{{$guid}}` does not change the tokens after it.
        self._bytes = random.Random(SEED + 1)  # noqa: S311 - see above

    def __repr__(self) -> str:
        return f"<demo at {self.now():%Y-%m-%d %H:%M:%S} UTC>"

    def transport_with(self, certificate: Secret) -> Transport:
        """Return what reaches it showing a client's certificate, as TLS would.

        Args:
            certificate: PEM text.
        """
        der = PEM_cert_to_DER_cert(certificate.reveal())
        return InProcessTransport(self._simulator.wsgi_app, der)

    @property
    def simulator(self) -> Any:
        """The simulator itself: each has switches of its own (`use_sca`, `use`)."""
        return self._simulator

    def now(self) -> datetime:
        """Return the simulator's time."""
        return self.clock()

    def randbytes(self, count: int) -> bytes:
        """Return so many bytes, the same ones in every run."""
        return self._bytes.randbytes(count)

    def advance(self, seconds: float) -> None:
        """Let time pass, for the simulator and for its tokens."""
        if seconds < 0:
            msg = "Time only goes forward."
            raise CommandError(msg, hint="Give a positive number of seconds.")
        self.clock.advance(seconds)

    def revoke(self) -> None:
        """Revoke every access token at the server; refresh tokens stay."""
        self._simulator.revoke()

    def throttle(self, seconds: float = 5) -> None:
        """Answer 429 with `Retry-After` until so many seconds have passed."""
        self.pauses.clear()
        self._simulator.throttle(seconds)

    def refuse(self, on: bool = True) -> None:  # noqa: FBT001, FBT002 - reads well
        """Refuse token requests as the server does for an address not allowed."""
        self._simulator.refuse(on)

    def use_errors(self, family: str) -> None:
        """Answer with another family of errors."""
        self._simulator.use_errors(family)

    def decide(self, url: str, answer: str) -> str | None:
        """Play the user at a login page; return where the browser is sent, if at all.

        Args:
            url: The authorization request.
            answer: "accept", "refuse" or "timeout".
        """
        where: str | None = self._simulator.decide(url, answer)
        return where

    def reset(self) -> None:
        """Stop refusing and throttling; take the errors of the beginning.

        Tokens and data stay.
        """
        self._simulator.refuse(on=False)
        self.throttle(0)
        self._simulator.use_errors(self._simulator.ERRORS)
