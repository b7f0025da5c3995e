"""`Session`: from a target and a wish to a token, a reply or a table."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import (
    CommandError,
    LoginRequired,
    ProviderFileError,
    UnknownName,
)
from oauthmagic.oauth.adoption import read_adopted
from oauthmagic.oauth.credentials import Credentials, read_credentials
from oauthmagic.oauth.scopes import normalise_scopes
from oauthmagic.oauth.targets import check_name
from oauthmagic.runtime.lifecycle import TokenKeeper, Wish
from oauthmagic.session import credentials as sources
from oauthmagic.session.worlds import MAX_WAIT, Worlds
from oauthmagic.store.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pandas as pd

    from oauthmagic.oauth.tokens import Clock, Token
    from oauthmagic.runtime.world import World
    from oauthmagic.session.demos import Demo
    from oauthmagic.store.stores import Store
    from oauthmagic.transport.wire import Transport
    from oauthmagic.views.replies import Reply


class Session:
    """Obtains tokens, looks after them, and sends authorized requests.

    Safe to share between threads.

    Args:
        store: "memory", or a `oauthmagic.store.stores.Store`.
        environment: The environment of targets that name none; without it
            `OAUTHMAGIC_ENVIRONMENT`, else "sandbox".
        timeout: Seconds for any one exchange; without it 8 for a token request
            and 30 for an API request.
        max_wait: Seconds to wait in all where a server says `Retry-After`.
        transport: Sends every request that is not to a demo; without it, sockets.
        clock: Returns the time (aware, UTC).
        sleep: Waits so many seconds.
        randomness: Returns so many random bytes.
        environ: The environment variables; read once, here.
        prompt: Asks the user for a credential: (label, secret) -> text.
    """

    def __init__(  # noqa: PLR0913 - every seam is named, none is needed
        self,
        store: str | Store = "memory",
        *,
        environment: str | None = None,
        timeout: float | None = None,
        max_wait: float | None = None,
        transport: Transport | None = None,
        clock: Clock | None = None,
        sleep: Callable[[float], None] = time.sleep,
        randomness: Callable[[int], bytes] = os.urandom,
        environ: Mapping[str, str] | None = None,
        prompt: Callable[[str, bool], str] | None = None,
    ) -> None:
        self._environ = dict(os.environ if environ is None else environ)
        self._worlds = Worlds(
            environment or self._environ.get("OAUTHMAGIC_ENVIRONMENT") or "sandbox",
            transport=transport,
            clock=clock,
            sleep=sleep,
            randomness=randomness,
        )
        self.configure(timeout=timeout, max_wait=max_wait)
        self.prompt = prompt
        self._store = _store(store)
        self._keeper = TokenKeeper(self._store)

    def __repr__(self) -> str:
        count = len(self._store.tokens())
        return f"<oauthmagic.Session holding {count} token{'s' * (count != 1)}>"

    def configure(
        self,
        *,
        environment: str | None = None,
        timeout: float | None = None,
        max_wait: float | None = None,
    ) -> None:
        """Change what the session was made with; None takes the default.

        Args:
            environment: As in `Session`; None leaves it.
            timeout: As in `Session`.
            max_wait: As in `Session`.
        """
        if environment:
            self._worlds.environment = environment
        self._worlds.timeout = timeout
        self._worlds.max_wait = MAX_WAIT if max_wait is None else max_wait

    def token(
        self,
        target: str,
        *,
        scopes: str | Iterable[str] | None = None,
        grant: str | None = None,
        fresh: bool = False,
        credentials: Mapping[str, Any] | None = None,
        alias: str = "",
        env_file: str | Path | None = None,
    ) -> Token:
        """Return a usable token: the one held if it covers the wish, else a new one.

        Args:
            target: `provider[/tenant][@environment]`, or an alias.
            scopes: Scopes that the token must have; without them, whatever the
                held token has, or the provider's default set.
            grant: The grant to perform; without it, the provider's default.
            fresh: Get a new one even if one is held.
            credentials: A mapping of credential fields in lower case.
            alias: A name for this token, usable wherever a target is.
            env_file: A file of `OAUTHMAGIC_...=value` lines.

        Raises:
            CommandError: The target, a scope or the grant is unknown; nothing was
                sent.
            MissingCredentials: With every way to give them.
            OAuthError: The authorization server refused.
            OAuthMagicError: Anything else that went wrong; nothing was kept.
        """
        given = read_credentials(credentials)
        del credentials  # no frame of ours keeps a plain secret
        world, alias = self._world(target, alias)
        provider = world.provider
        wanted = (
            None if scopes is None else provider.check_scopes(normalise_scopes(scopes))
        )
        if grant is not None:
            provider.check_grant(grant)
        held = self._held(world, alias, wanted, given, grant)
        if held is not None and not fresh:
            try:
                return self._keeper.usable(held, world)
            except LoginRequired:
                if provider.default_grant == "refresh_token":
                    raise
        grant = provider.check_grant(grant or (_begins(held.grant) if held else None))
        if grant == "refresh_token":
            msg = f"{provider.title} only renews tokens; it cannot begin with one."
            raise CommandError(msg, hint=f"%token adopt {target} --from VAR first.")
        if wanted is None:
            wanted = (
                tuple(sorted(held.scopes_requested))
                if held
                else provider.default_scopes
            )
        found = self._find(world, given, env_file)
        if held is not None:
            found = found.over(self._keeper.credentials(held))
        found = sources.complete(
            found,
            provider.needed_fields(grant),
            world.target,
            prompt=self.prompt,
            has_demo=bool(provider.simulator),
        )
        wish = Wish(grant=grant, scopes=wanted, alias=alias, fresh=fresh)
        return self._keeper.obtain(world, wish, found, seen=held)

    def api(
        self,
        target: str,
        text: str,
        *,
        variables: Mapping[str, Any] | None = None,
    ) -> Reply:
        """Send the authorized requests of an `.http` text and return the last reply.

        Everything is read and checked before anything is sent. Without a held
        token, one is obtained first.

        Args:
            target: `provider[/tenant][@environment]`, or an alias.
            text: One request, or several separated by `###`.
            variables: Values for `{{name}}`.

        Returns:
            The reply to the last request, whatever its status; `.replies` has all
            of them in order.

        Raises:
            RequestSyntaxError: The text cannot be read.
            UrlRefused: A URL is on an origin that the provider does not declare.
            LoginRequired: The token is over and cannot be renewed.
            TransportError: No usable answer came.
        """
        from oauthmagic.session.requests import prepare, send  # noqa: PLC0415

        world, alias = self._world(target)
        prepared = prepare(world, text, variables or {})
        token = self._held(world, alias) or self.token(target)
        replies: list[Reply] = []
        for each in prepared:
            reply, token = send(each, token, world, self._keeper)
            replies.append(reply)
        replies[-1].replies = tuple(replies)
        return replies[-1]

    def preview(
        self, target: str, text: str, *, variables: Mapping[str, Any] | None = None
    ) -> str:
        """Return the requests that `api` would send, redacted; nothing is sent."""
        from oauthmagic.session.requests import prepare, preview  # noqa: PLC0415

        world, _ = self._world(target)
        return preview(prepare(world, text, variables or {}))

    def refresh(self, target: str) -> Token:
        """Renew the token of a target now, and return the new one.

        Raises:
            CommandError: None is held.
            LoginRequired: It cannot be renewed without its owner.
        """
        world, token = self._require(target)
        return self._keeper.renew(token, world, reason="asked for")

    def adopt(
        self,
        target: str,
        tokens: Mapping[str, Any],
        *,
        credentials: Mapping[str, Any] | None = None,
        alias: str = "",
    ) -> Token:
        """Look after a token that was got elsewhere.

        Args:
            target: What it is for.
            tokens: The members of a token response: `access_token`,
                `refresh_token` or both; `expires_in` may be 0.
            credentials: What a refresh needs to authenticate the client.
            alias: A name for this token.

        Raises:
            CommandError: The mapping has no token, or a member of a wrong type.
        """
        adopted = read_adopted(tokens)
        given = read_credentials(credentials)
        del tokens, credentials  # no frame of ours keeps a plain secret
        world, alias = self._world(target, alias)
        found = self._find(world, given, None)
        token = adopted.token(
            target=str(world.target),
            client_id=found.client_id,
            alias=alias,
            clock=world.clock,
        )
        return self._keeper.adopt(world, token, found)

    def forget(self, target: str | None = None, *, every: bool = False) -> int:
        """Forget the tokens of a target, or every token; return how many.

        The server is not told: a forgotten token stays valid until its end.
        """
        if every:
            going = self._store.tokens()
        elif target is None:
            msg = "Forget which token?"
            raise CommandError(
                msg, hint="%token forget TARGET, or %token forget --all."
            )
        else:
            world, alias = self._world(target)
            going = self._matching(world, alias)
        for token in going:
            self._keeper.forget(token)
        return len(going)

    def show(self, target: str) -> Token:
        """Return the token held for a target as it is, without renewing it.

        Raises:
            CommandError: None is held.
        """
        return self._require(target)[1]

    def tokens(self) -> pd.DataFrame:
        """Return a table of the tokens held now, the latest last."""
        from oauthmagic.views.tables import token_table  # noqa: PLC0415 - pandas

        return token_table(self._store.tokens())

    def scopes(self, target: str) -> pd.DataFrame:
        """Return a table of a target's scopes: described, requested, granted."""
        from oauthmagic.views.tables import scope_table  # noqa: PLC0415 - pandas

        world, alias = self._world(target)
        return scope_table(world.provider, self._held(world, alias))

    def providers(self) -> pd.DataFrame:
        """Return a table of the providers that can be named."""
        from oauthmagic.views.tables import provider_table  # noqa: PLC0415 - pandas

        return provider_table(
            self._worlds.catalogue.get(name) for name in self._worlds.catalogue
        )

    def add(self, path: str | Path) -> str:
        """Make a provider known that a TOML file describes; return its name.

        Raises:
            ProviderFileError: The file cannot be read, or what it says.
        """
        from oauthmagic.providers.file import read_provider  # noqa: PLC0415

        path = Path(path).expanduser()
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            msg = f"The provider file {str(path)!r} cannot be read: {_why(error)}."
            raise ProviderFileError(msg, hint="Check the path.") from None
        provider = read_provider(text, source=path.name, folder=path.parent)
        self._worlds.catalogue.add(provider)
        return provider.name

    def demo(self, target: str) -> Demo:
        """Return the server's side of a demo: `advance`, `revoke`, `throttle`, ...

        Raises:
            CommandError: The target is not a demo.
        """
        return self._worlds.demo(self._world(target)[0])

    def names(self) -> dict[str, list[str]]:
        """Return what can be typed: providers with their environments, and aliases."""
        providers = {
            name: list(self._worlds.catalogue.get(name).environments)
            for name in self._worlds.catalogue
        }
        aliases = [token.alias for token in self._store.tokens() if token.alias]
        return providers | {alias: [] for alias in aliases}

    def scope_names(self, target: str) -> list[str]:
        """Return the scopes of a target's provider."""
        return list(self._world(target)[0].provider.scopes)

    def close(self) -> None:
        """Close the connections that are kept for reuse."""
        self._worlds.close()

    def _world(self, name: str, alias: str = "") -> tuple[World, str]:
        """Return the world of a target or alias, and the alias if there is one."""
        if not isinstance(name, str):
            msg = f"A target is a text, not {type(name).__name__}."
            raise CommandError(msg, hint="For example 'revsto@demo'.")
        if alias:
            check_name(alias, "name for a token")
            if alias in self._worlds.catalogue:
                msg = f"{alias!r} is the name of a provider."
                raise CommandError(msg, hint="Choose another name with --as.")
        for token in reversed(self._store.tokens()):
            if token.alias == name and not alias:
                return self._worlds.named(token.target), name
        return self._worlds.named(name), alias

    def _find(
        self, world: World, given: Credentials, env_file: str | Path | None
    ) -> Credentials:
        found = given.over(sources.from_variables(self._environ, world.target))
        if env_file is not None:
            found = found.over(sources.from_env_file(env_file, world.target))
        if world.target.environment == "demo":
            demo = self._worlds.demo(world)
            found = found.over(read_credentials(demo.credentials))
        return found

    def _matching(self, world: World, alias: str) -> list[Token]:
        return [
            token
            for token in self._store.tokens()
            if token.target == str(world.target) and alias in ("", token.alias)
        ]

    def _held(
        self,
        world: World,
        alias: str,
        scopes: tuple[str, ...] | None = None,
        credentials: Credentials | None = None,
        grant: str | None = None,
    ) -> Token | None:
        """Return the latest token of a target that covers what is asked."""
        owner = credentials or Credentials()
        for token in reversed(self._matching(world, alias)):
            if (
                # What was asked for and not granted would not be granted now.
                set(scopes or ()) <= token.scopes | token.scopes_requested
                and grant in (None, token.grant)
                and owner.client_id in ("", token.client_id)
                and owner.username in ("", token.subject)
            ):
                return token
        return None

    def _require(self, target: str) -> tuple[World, Token]:
        world, alias = self._world(target)
        token = self._held(world, alias)
        if token is None:
            msg = f"No token is held for {world.target}."
            raise CommandError(msg, hint=f"Get one: %token {world.target}.")
        return world, token


def _store(store: str | Store) -> Store:
    if store == "memory":
        return MemoryStore()
    if isinstance(store, str):
        raise UnknownName("store", store, ["memory"])
    return store


def _begins(grant: str) -> str | None:
    return grant if grant in ("password", "client_credentials") else None


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or "it is not UTF-8 text"
