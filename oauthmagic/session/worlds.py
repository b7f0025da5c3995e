"""From the name of a target to everything that its requests run in."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from oauthmagic.errors import CommandError, UnknownName
from oauthmagic.oauth.targets import ENVIRONMENTS, Target, parse_target
from oauthmagic.providers.catalogue import Catalogue
from oauthmagic.runtime.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from oauthmagic.oauth.tokens import Clock
    from oauthmagic.session.demos import Demo
    from oauthmagic.transport.http import HttpTransport
    from oauthmagic.transport.wire import Transport

#: Seconds for a token request, for an API request, and for waiting in all.
TOKEN_TIMEOUT, API_TIMEOUT, MAX_WAIT = 8.0, 30.0, 10.0


class Worlds:
    """Makes a `World` for a target; connections and simulators are kept.

    Attributes:
        catalogue: The providers that can be named.
        timeout: Seconds for any one exchange, or None for the defaults.
        max_wait: Seconds to wait in all where a server says `Retry-After`.
    """

    def __init__(
        self,
        environment: str,
        *,
        transport: Transport | None,
        clock: Clock | None,
        sleep: Callable[[float], None],
        randomness: Callable[[int], bytes],
    ) -> None:
        self.catalogue = Catalogue()
        self.timeout: float | None = None
        self.max_wait = MAX_WAIT
        self.environment = environment
        self._transport = transport
        self._transports: dict[str | None, HttpTransport] = {}
        self._clock = clock or (lambda: datetime.now(UTC))
        self._sleep = sleep
        self._randomness = randomness
        self._fingerprint_key = randomness(32)
        self._demos: dict[str, Demo] = {}
        self._lock = threading.RLock()

    @property
    def environment(self) -> str:
        """The environment of targets that name none."""
        return self._environment

    @environment.setter
    def environment(self, name: str) -> None:
        if name not in ENVIRONMENTS:
            raise UnknownName("environment", name, ENVIRONMENTS)
        self._environment = name

    def named(self, text: str) -> World:
        """Return the world of a target.

        Raises:
            CommandError: The text is not a target, or names something unknown.
        """
        target = parse_target(text, default_environment=self.environment)
        provider = self.catalogue.get(target.provider)
        if target.tenant:
            msg = f"{provider.title} has no tenants."
            raise CommandError(
                msg, hint=f"Write {target.provider}@{target.environment}."
            )
        environment = provider.environment(target.environment)
        if target.environment == "demo":
            return self._demo_world(target)
        return World(
            target=target,
            provider=provider,
            environment=environment,
            transport=self._socket(environment.ca_file),
            clock=self._clock,
            sleep=self._sleep,
            randomness=self._randomness,
            fingerprint_key=self._fingerprint_key,
            token_timeout=self.timeout or TOKEN_TIMEOUT,
            api_timeout=self.timeout or API_TIMEOUT,
            max_wait=self.max_wait,
        )

    def demo(self, world: World) -> Demo:
        """Return the simulator behind a world.

        Raises:
            CommandError: The world is not a demo.
        """
        if world.target.environment != "demo":
            msg = f"{world.target} is not a demo."
            raise CommandError(msg, hint=f"Try {world.target.provider}@demo.")
        return self._demo(world.target.provider)

    def close(self) -> None:
        """Close the connections that are kept for reuse."""
        with self._lock:
            transports, self._transports = list(self._transports.values()), {}
        for transport in transports:
            transport.close()

    def _demo_world(self, target: Target) -> World:
        demo = self._demo(target.provider)
        provider = self.catalogue.get(target.provider)
        return World(
            target=target,
            provider=provider,
            environment=provider.environment("demo"),
            transport=demo.transport,
            # Its own time: it stands still, and waiting in it takes none.
            clock=demo.clock,
            sleep=demo.clock.sleep,
            randomness=demo.randbytes,
            # Demo tokens are worthless; a fixed key keeps tutorials the same.
            fingerprint_key=b"demo",
            max_wait=self.max_wait,
        )

    def _demo(self, name: str) -> Demo:
        from oauthmagic.session.demos import Demo  # noqa: PLC0415 - the simulators

        with self._lock:
            if name not in self._demos:
                self._demos[name] = Demo(self.catalogue.get(name))
            return self._demos[name]

    def _socket(self, ca_file: str | None) -> Transport:
        if self._transport is not None:
            return self._transport
        from oauthmagic.transport.http import HttpTransport  # noqa: PLC0415 - heavy

        with self._lock:
            if ca_file not in self._transports:
                self._transports[ca_file] = HttpTransport(ca_file=ca_file)
            return self._transports[ca_file]
