"""From the name of a target to everything that its requests run in."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from oauthmagic.errors import CommandError, UnknownName
from oauthmagic.oauth.targets import ENVIRONMENTS, Target, parse_target
from oauthmagic.providers.preparation import Preparation
from oauthmagic.runtime.pauses import Pauses
from oauthmagic.runtime.world import World
from oauthmagic.session.discoveries import Discoveries, provider_at, target_of
from oauthmagic.session.guids import new_guid
from oauthmagic.session.recordings import Recordings, recorded
from oauthmagic.session.settings import settled_settings
from oauthmagic.session.sockets import Sockets
from oauthmagic.store.forks import begins_anew_in_children

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from oauthmagic.oauth.credentials import Credentials
    from oauthmagic.oauth.tokens import Clock
    from oauthmagic.providers.catalogue import Catalogue
    from oauthmagic.providers.environments import Environment
    from oauthmagic.providers.provider import Provider
    from oauthmagic.session.demos import Demo
    from oauthmagic.session.sites import Site
    from oauthmagic.transport.wire import Transport, WireRequest

_DAY = 24 * 3600.0
#: Seconds for a token request, for an API request, and for waiting in all.
TOKEN_TIMEOUT, API_TIMEOUT, MAX_WAIT = 8.0, 30.0, 10.0
#: Of the origins that sockets of this process lead to, whoever asks them.
OF_THIS_PROCESS = Pauses()


class Worlds:
    """Makes a `World` for a target; connections and simulators are kept.

    Attributes:
        timeout: Seconds for any one exchange, or None for the defaults.
        max_wait: Seconds to wait in all where a server says `Retry-After`.
        settings: By provider, the settings that are not at their default.
        recordings: What was exchanged for each target.
    """

    def __init__(
        self,
        *,
        site: Site,
        transport: Transport | None,
        clock: Clock | None,
        sleep: Callable[[float], None],
        randomness: Callable[[int], bytes],
    ) -> None:
        self._site = site
        self.timeout: float | None = None
        self.max_wait = MAX_WAIT
        self.settings: Mapping[str, Mapping[str, str]] = {}
        self._environment = "sandbox"
        self._sockets = Sockets(transport)
        self._clock = clock or (lambda: datetime.now(UTC))
        # A time of one's own has seconds of its own, as a demo's has.
        self._monotonic = (lambda: clock().timestamp()) if clock else time.monotonic
        self._pauses = Pauses() if transport or clock else OF_THIS_PROCESS
        self._sleep = sleep
        self._randomness = randomness
        self._fingerprint_key = randomness(32)
        self._demos: dict[str, Demo] = {}
        self.recordings = Recordings()
        self._discoveries = Discoveries()
        self._lock = threading.RLock()
        begins_anew_in_children(self)

    def begin_anew(self) -> None:
        """Take, in a forked child, a lock of its own."""
        self._lock = threading.RLock()

    @property
    def catalogue(self) -> Catalogue:
        """The providers that can be named."""
        return self._site.catalogue

    @property
    def environment(self) -> str:
        """The environment of targets that name none."""
        return self._environment

    @environment.setter
    def environment(self, name: str) -> None:
        if name not in ENVIRONMENTS:
            raise UnknownName("environment", name, ENVIRONMENTS)
        self._environment = name

    def named(self, text: str, *, also_known: Iterable[str] = ()) -> World:
        """Return the world of a target.

        Args:
            text: The target.
            also_known: Other names that could have been meant.

        Raises:
            CommandError: The text is not a target, or names something unknown.
        """
        target = parse_target(text, default_environment=self.environment)
        provider = self.catalogue.get(target.provider, also_known=also_known)
        self._site.check_allowed(target)
        settings = self.settings_of(provider)
        environment = provider.environment(target.environment).at(
            {"tenant": provider.check_tenant(target.tenant), **settings}
        )
        days = settings.get(provider.consent_days)
        life = None if days is None else float(days) * _DAY
        if target.environment == "demo":
            world = self._demo_world(target, provider, environment)
            return self.recordings.traced(replace(world, refresh_life=life))
        world = World(
            target=target,
            provider=provider,
            environment=environment,
            transport=self._sockets.to(environment.ca_file),
            clock=self._clock,
            sleep=self._sleep,
            monotonic=self._monotonic,
            pauses=self._pauses,
            randomness=self._randomness,
            fingerprint_key=self._fingerprint_key,
            discover=self._discoveries.environment,
            refresh_life=life,
            token_timeout=self.timeout or TOKEN_TIMEOUT,
            api_timeout=self.timeout or API_TIMEOUT,
            max_wait=self.max_wait,
        )
        return self.recordings.traced(world)

    @property
    def is_public(self) -> bool:
        """Whether this machine is open to the world, as a Binder is."""
        return self._site.is_public

    def clock_of(self, target: str) -> Clock:
        """Return the time of a target, which in a demo is the demo's own."""
        name, _, environment = target.rpartition("@")
        provider = name.partition("/")[0]
        if environment == "demo" and provider in self.catalogue:
            # Not before it is asked: a simulator takes a while to make.
            return lambda: self._demo(provider).clock()
        return self._clock

    def provider_at(self, issuer: str, *, name: str, api_base: str) -> Provider:
        """Ask an issuer for its metadata and return the provider that it describes.

        Raises:
            OAuthMagicError: As `oauthmagic.session.discoveries.provider_at`.
        """
        target = target_of(issuer, name)
        self._site.check_allowed(target)
        return provider_at(
            issuer,
            target,
            api_base=api_base,
            transport=self._sockets.to(None),
            timeout=self.timeout or TOKEN_TIMEOUT,
        )

    def armed(self, world: World, credentials: Credentials) -> World:
        """Return the world with a transport that shows the client's certificate.

        Raises:
            EnvironmentRefused: The credentials are another target's.
        """
        world.admit(credentials)
        world = replace(world, prepare=self._preparing(world, credentials))
        if not (credentials.certificate and credentials.private_key):
            return world
        from oauthmagic.keys.pem import read_pem  # noqa: PLC0415 - only with one

        certificate = read_pem(credentials.certificate, "certificate")
        private_key = read_pem(credentials.private_key, "private_key")
        if world.target.environment == "demo":
            demo = self._demo(world.target.provider)
            transport = demo.transport_with(certificate)
        else:
            ca_file = world.environment.ca_file
            transport = self._sockets.to(ca_file, certificate, private_key)
        kept = recorded(transport, world, world.trace, has_certificate=True)
        return replace(world, transport=kept)

    def _preparing(
        self, world: World, credentials: Credentials
    ) -> Callable[[WireRequest], WireRequest] | None:
        """Return what the provider does to an API request, or None."""
        prepare = world.provider.prepare
        if prepare is None:
            return None
        preparation = Preparation(
            credentials=credentials,
            settings=self.settings_of(world.provider),
            clock=world.clock,
            guid=lambda: new_guid(world.randomness),
        )
        return lambda request: prepare(request, preparation)

    def check_settings(self, settings: object) -> None:
        """Refuse settings that no provider has.

        Raises:
            CommandError: They are not mappings.
            UnknownName: A provider, a setting or its value is unknown.
        """
        if not isinstance(settings, Mapping):
            msg = f"Settings are a mapping, not {type(settings).__name__}."
            raise CommandError(msg, hint="For example {'stet': {'version': '1.6.2'}}.")
        for name, chosen in settings.items():
            if not isinstance(chosen, Mapping):
                msg = f"The settings of {name!r} are not a mapping."
                raise CommandError(msg, hint="For example {'version': '1.6.2'}.")
            settled_settings(self.catalogue.get(name), chosen)

    def settings_of(self, provider: Provider) -> dict[str, str]:
        """Return a provider's settings in force, each as it stands in a URL."""
        return settled_settings(provider, self.settings.get(provider.name, {}))

    def demo(self, world: World) -> Demo:
        """Return the simulator behind a world.

        Raises:
            CommandError: The world is not a demo.
        """
        if world.target.environment != "demo":
            msg = f"{world.target} is not a demo."
            has_one = "demo" in world.provider.environments
            hint = "Only built-in providers have one, for example revsto@demo."
            raise CommandError(
                msg, hint=f"Try {world.target.provider}@demo." if has_one else hint
            )
        return self._demo(world.target.provider)

    def close(self) -> None:
        """Close the connections that are kept for reuse."""
        self._sockets.close()

    def _demo_world(
        self, target: Target, provider: Provider, environment: Environment
    ) -> World:
        demo = self._demo(target.provider)
        return World(
            target=target,
            provider=provider,
            environment=environment,
            transport=demo.transport,
            # Its own time: it stands still, and waiting in it takes none.
            clock=demo.clock,
            sleep=demo.clock.sleep,
            monotonic=lambda: demo.clock().timestamp(),
            pauses=demo.pauses,
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
