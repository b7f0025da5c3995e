"""What a session holds: whose token a name means, and with which credentials."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import CommandError, EnvironmentRefused
from oauthmagic.oauth.credentials import (
    SECRET_FIELDS,
    Credentials,
    read_credentials,
)
from oauthmagic.oauth.outcomes import settled
from oauthmagic.oauth.targets import check_name
from oauthmagic.session.credentials import from_variables

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from oauthmagic.oauth.tokens import Token
    from oauthmagic.redaction import Secret
    from oauthmagic.runtime.lifecycle import TokenKeeper
    from oauthmagic.runtime.world import World
    from oauthmagic.session.worlds import Worlds
    from oauthmagic.store.stores import Store


class Holdings:
    """Finds tokens and credentials by what the user calls them.

    Args:
        store: The tokens.
        keeper: The credentials that they came by.
        worlds: The targets.
        variables: The environment's own (`oauthmagic.session.credentials.concealed`).
    """

    def __init__(
        self,
        store: Store,
        keeper: TokenKeeper,
        worlds: Worlds,
        variables: Mapping[str, str | Secret],
    ) -> None:
        self._store = store
        self._keeper = keeper
        self._worlds = worlds
        self._variables = variables

    def aliases(self) -> dict[str, str]:
        """Return the target of each alias."""
        return {each.alias: each.target for each in self._store.tokens() if each.alias}

    def named(self, name: str, alias: str = "") -> tuple[World, str]:
        """Return the world of a target or alias, and the alias of its token.

        Args:
            name: A target, or the alias of a token that is held.
            alias: The alias to give.

        Raises:
            CommandError: It names nothing, or the alias is taken.
        """
        if not isinstance(name, str):
            msg = f"A target is a text, not {type(name).__name__}."
            raise CommandError(msg, hint="For example 'revsto@demo'.")
        aliases = self.aliases()
        world = self._worlds.named(aliases.get(name, name), also_known=aliases)
        alias = alias or (name if name in aliases else "")
        if alias and alias != name:
            self._check_alias(alias, aliases, str(world.target))
        return world, alias

    def matching(self, world: World, alias: str) -> list[Token]:
        """Return the tokens of a target, or of one alias of it."""
        return [
            token
            for token in self._store.tokens()
            if token.target == str(world.target) and alias in ("", token.alias)
        ]

    def held(
        self,
        world: World,
        alias: str,
        *,
        scopes: Collection[str] = (),
        owner: Credentials | None = None,
        grant: str | None = None,
    ) -> Token | None:
        """Return the latest token that covers what is asked, or None.

        A token with an alias is somebody's own: a bare target means it only where
        there is no other.
        """
        found = [
            token
            for token in self.matching(world, alias)
            # What was asked for and not granted would not be granted now.
            if set(scopes) <= token.scopes | token.scopes_requested
            and grant in (None, token.grant)
            and (owner is None or self._is_owned_by(token, owner))
        ]
        found.sort(key=lambda token: token.alias == alias)
        return found[-1] if found else None

    def credentials(self, world: World, alias: str, given: Credentials) -> Credentials:
        """Return the credentials for a target: given, environment, demo, held."""
        self._check_environment(world, given)
        found = given.over(from_variables(self._variables, world.target))
        if world.target.environment == "demo":
            demo = self._worlds.demo(world).credentials
            return found.over(settled(read_credentials(demo)))
        for token in reversed(self.matching(world, alias)):
            found = found.over(self._keeper.credentials(token))
        return found

    def _check_environment(self, world: World, given: Credentials) -> None:
        """Refuse credentials that are known to be those of another environment.

        Raises:
            EnvironmentRefused: A secret among them is; nothing was sent.
        """
        secrets = replace(Credentials(), **_secrets(given))
        if not secrets or world.target.environment == "demo":
            return
        for name in ("sandbox", "production"):
            other = replace(world.target, environment=name)
            if name == world.target.environment:
                continue
            known = [from_variables(self._variables, other)]
            known += [
                self._keeper.credentials(token)
                for token in self._store.tokens()
                if token.target == str(other)
            ]
            if any(secrets.agrees_with(each) for each in known):
                msg = f"These credentials are those of {other}, not of {world.target}."
                raise EnvironmentRefused(msg, hint=f"Did you mean {other}?")

    def _is_owned_by(self, token: Token, owner: Credentials) -> bool:
        if owner.client_id not in ("", token.client_id):
            return False
        if owner.username not in ("", token.subject):
            return False
        known = self._keeper.credentials(token)
        # An adopted token has none yet; those that are given then become its own.
        return owner.agrees_with(known) if known else True

    def _check_alias(self, alias: str, aliases: Mapping[str, str], target: str) -> None:
        check_name(alias, "name for a token")
        if alias in self._worlds.catalogue:
            msg = f"{alias!r} is the name of a provider."
            raise CommandError(msg, hint="Choose another name with --as.")
        if aliases.get(alias, target) != target:
            msg = f"{alias!r} is already the name of a token of {aliases[alias]}."
            raise CommandError(
                msg, hint=f"Choose another name, or first: %token forget {alias}."
            )


def _secrets(given: Credentials) -> dict[str, Any]:
    """Return the secrets among credentials that a user or a client proves itself by."""
    return {
        name: getattr(given, name) for name in SECRET_FIELDS if name != "subject_token"
    }
