"""What every part of a session shares: the store, the targets, the waiting room."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NoReturn, Self

from oauthmagic.errors import (
    CommandError,
    SecretRefused,
    StoreError,
    UnknownName,
)
from oauthmagic.oauth.targets import ENVIRONMENTS
from oauthmagic.runtime.interruptions import wait
from oauthmagic.runtime.lifecycle import TokenKeeper
from oauthmagic.runtime.pending import WaitingRoom
from oauthmagic.session.callbacks import Callbacks
from oauthmagic.session.credentials import concealed
from oauthmagic.session.holdings import Holdings
from oauthmagic.session.remembered import Remembered
from oauthmagic.session.settings import check_seconds
from oauthmagic.session.sites import VARIABLE as SITE_FILES
from oauthmagic.session.sites import Site
from oauthmagic.session.stores import Stores
from oauthmagic.session.worlds import MAX_WAIT, Worlds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from oauthmagic.oauth.tokens import Clock, Token
    from oauthmagic.providers.provider import Provider
    from oauthmagic.runtime.world import World
    from oauthmagic.store.stores import Store
    from oauthmagic.transport.wire import Transport

#: What BinderHub sets in the servers that it launches, and a JupyterHub does not.
_BINDER = ("BINDER_LAUNCH_HOST", "BINDER_REPO_URL", "BINDER_REQUEST", "BINDER_REF_URL")


class Core:
    """Holds what a session is made of; see `oauthmagic.Session` for its arguments."""

    def __init__(  # noqa: PLR0913 - every seam is named, none is needed
        self,
        store: str | Store = "memory",
        *,
        environment: str | None = None,
        timeout: float | None = None,
        max_wait: float | None = None,
        transport: Transport | None = None,
        clock: Clock | None = None,
        sleep: Callable[[float], None] = wait,
        randomness: Callable[[int], bytes] = os.urandom,
        environ: Mapping[str, str] | None = None,
        prompt: Callable[[str, bool], str] | None = None,
    ) -> None:
        environ = os.environ if environ is None else environ
        is_public = any(name in environ for name in _BINDER)
        self._callbacks = Callbacks(environ)
        variables = concealed(environ)
        del environ  # it is everything that this process was told
        default = str(variables.get("OAUTHMAGIC_ENVIRONMENT", "sandbox"))
        if environment is None and default not in ENVIRONMENTS:
            where = " in OAUTHMAGIC_ENVIRONMENT"
            raise UnknownName("environment", default, ENVIRONMENTS, where=where)
        self._defaults = (environment or default, timeout, max_wait, store)
        self._worlds = Worlds(
            site=Site(str(variables.get(SITE_FILES, "")), is_public=is_public),
            transport=transport,
            clock=clock,
            sleep=sleep,
            randomness=randomness,
        )
        self._store = Stores(store, self._worlds, variables, randomness)
        self.configure(environment=None, timeout=None, max_wait=None)
        self.prompt = prompt
        self._keeper = TokenKeeper(self._store)
        self._remembered = Remembered()
        self._remembered.is_public = is_public
        self._holdings = Holdings(
            self._store, self._keeper, self._worlds, variables, self._remembered
        )
        self._room = WaitingRoom()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        try:
            count = len(self._store.tokens())
        except StoreError:
            return "<oauthmagic.Session whose store cannot be read>"
        return f"<oauthmagic.Session holding {count} token{'s' * (count != 1)}>"

    def __reduce__(self) -> NoReturn:
        msg = "A session cannot be pickled: it holds secrets, locks and connections."
        raise SecretRefused(
            msg, hint="Make a Session where it is needed; it finds its credentials."
        )

    def configure(self, **changes: Any) -> None:
        """Change settings of this session; None takes back what it was made with.

        Args:
            **changes: `environment`, `timeout`, `max_wait` or `store` as in
                `Session` (what memory held goes into another store); or `settings`:
                by provider, a mapping of its own settings.

        Raises:
            UnknownName: A setting is unknown.
            CommandError: Its value makes no sense.
            OAuthMagicError: The store cannot be used here; the old one stays.
        """
        environment, timeout, max_wait, store = self._defaults
        defaults: dict[str, Any] = {
            "environment": environment,
            "timeout": timeout,
            "max_wait": MAX_WAIT if max_wait is None else max_wait,
            "settings": {},
            "store": store,
        }
        for name, value in changes.items():
            if name not in defaults:
                raise UnknownName("setting", name, defaults)
            value = defaults[name] if value is None else value  # noqa: PLW2901
            if name in ("timeout", "max_wait") and value is not None:
                check_seconds(name, value, least=0 if name == "max_wait" else 0.001)
            if name == "settings":
                self._worlds.check_settings(value)
            if name == "store":
                self._store.choose(value)
            else:
                setattr(self._worlds, name, value)

    def close(self) -> None:
        """Close the connections that are kept for reuse; listen and poll no longer."""
        self._room.stop()
        self._worlds.close()

    def _ready(self, world: World, token: Token) -> World:
        """Return the world for a token's requests, ready to renew it."""
        known = self._holdings.for_renewal(world, token)
        return self._worlds.armed(world, known)

    def _require(self, target: str) -> tuple[World, Token]:
        world, alias = self._holdings.named(target)
        token = self._holdings.held(world, alias)
        if token is None:
            msg = f"No token is held for {world.target}."
            raise CommandError(msg, hint=f"Get one: %token {world.target}.")
        return world, token


def grant_to_perform(
    provider: Provider, grant: str | None, held: Token | None, target: str
) -> str:
    """Return the grant asked for, else the held token's own, else the default.

    Raises:
        CommandError: It only renews tokens.
    """
    if grant is None:
        own = held is not None and held.grant in provider.grants
        grant = provider.check_grant(held.grant if held and own else None)
    if grant == "refresh_token":
        msg = "The grant refresh_token renews a token; it cannot begin with one."
        hint = f"%token refresh {target}, or %token adopt {target} --from VAR."
        raise CommandError(msg, hint=hint)
    return grant
