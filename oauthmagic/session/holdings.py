"""What a session holds: whose token a name means, and with which credentials."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from hmac import compare_digest
from typing import TYPE_CHECKING

from oauthmagic.errors import (
    CommandError,
    EnvironmentRefused,
    StoreUnavailable,
    UnknownName,
)
from oauthmagic.oauth import clients
from oauthmagic.oauth.credentials import PROOFS, Credentials, read_credentials
from oauthmagic.oauth.outcomes import settled
from oauthmagic.oauth.targets import ENVIRONMENTS, Target, check_name, environment_of
from oauthmagic.session.credentials import from_variables

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from oauthmagic.oauth.tokens import Token, TokenKey
    from oauthmagic.redaction import Secret
    from oauthmagic.runtime.lifecycle import TokenKeeper
    from oauthmagic.runtime.world import World
    from oauthmagic.session.remembered import Remembered
    from oauthmagic.session.worlds import Worlds
    from oauthmagic.store.stores import Store


class Holdings:
    """Finds tokens and credentials by what the user calls them.

    Args:
        store: The tokens.
        keeper: The credentials that they came by.
        worlds: The targets.
        variables: The environment's own (`oauthmagic.session.credentials.concealed`).
        remembered: What the keyring holds.
    """

    def __init__(
        self,
        store: Store,
        keeper: TokenKeeper,
        worlds: Worlds,
        variables: Mapping[str, str | Secret],
        remembered: Remembered,
    ) -> None:
        self._store = store
        self._keeper = keeper
        self._worlds = worlds
        self._variables = variables
        self._remembered = remembered
        self._looked_up: set[TokenKey] = set()

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
        try:
            world = self._worlds.named(aliases.get(name, name), also_known=aliases)
        except UnknownName as error:
            if not self.exactly(aliases.get(name, name)):
                raise
            hint = "A token of it is held; add its provider first: %token add FILE."
            raise error.with_hint(hint) from None
        alias = alias or (name if name in aliases else "")
        if alias and alias != name:
            self._check_alias(alias, aliases, str(world.target))
        return world, alias

    def exactly(self, name: str) -> list[Token]:
        """Return the tokens of an alias or of a target that is spelled in full.

        Nobody has to know its provider: a store outlives what a kernel was told.
        """
        tokens = self._store.tokens()
        return [each for each in tokens if name in (each.target, each.alias)]

    def matching(self, world: World, alias: str) -> list[Token]:
        """Return the tokens of a target, or of one alias of it.

        Raises:
            StoreDamaged: A record of the target cannot be read; or none is found, and
                one that cannot be read does not say whose it is.
        """
        found = [
            token
            for token in self._store.tokens()
            if token.target == str(world.target) and alias in ("", token.alias)
        ]
        damaged = {each.target: each.why for each in self._store.damaged()}
        why = damaged.get(str(world.target)) or (not found and damaged.get(""))
        if why:
            hint = f"%token forget {world.target} removes it; then get the token anew."
            raise why.with_hint(hint) from None
        return found

    def discard(self, world: World) -> int:
        """Remove the damaged records of a target; return how many.

        Those that do not say whose they are go, too, where nothing else is held: they
        are what is in the way.
        """
        target = str(world.target)
        count = self._store.discard(target)
        return count if count or self.exactly(target) else self._store.discard("")

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
        """Return the credentials for a target: given, environment, demo, held.

        Raises:
            EnvironmentRefused: Those given are another environment's.
        """
        given = self.owned(world, given)
        found = given.over(from_variables(self._variables, world.target))
        if world.target.environment == "demo":
            demo = self._worlds.demo(world).credentials
            return found.over(settled(read_credentials(demo)))
        for token in reversed(self.matching(world, alias)):
            found = found.over(self._keeper.credentials(token))
        return found

    def sources(
        self, world: World, alias: str, needed: Collection[str]
    ) -> dict[str, str]:
        """Return where each needed field would come from: "" where from nowhere."""
        variables = from_variables(self._variables, world.target)
        found = self.credentials(world, alias, Credentials())
        other = "demo" if world.target.environment == "demo" else "held"
        return {
            field: "environment"
            if getattr(variables, field)
            else other
            if getattr(found, field)
            else ""
            for field in needed
        }

    def for_renewal(self, world: World, token: Token) -> Credentials:
        """Return the credentials that a held token's renewal can have.

        Those of the keyring are looked up once for each token: a keyring that does
        not answer must not delay every request.
        """
        known = self._keeper.credentials(token)
        if not known:
            known = self.credentials(world, token.alias, known)
        if token.key not in self._looked_up:
            self._looked_up.add(token.key)
            client = known.over(Credentials(client_id=token.client_id))
            method = world.provider.token_endpoint_auth_method
            missing = client.missing(clients.needed_fields(method))
            if missing:
                with suppress(StoreUnavailable):
                    found = self._remembered.read(world.target, missing)
                    known = client.over(found)
        self._keeper.remember(token, known)
        return known

    def remember(self, world: World, given: Credentials) -> tuple[str, ...]:
        """Keep credentials in the keyring; return the names of the fields.

        Raises:
            EnvironmentRefused: A secret among them is that of another environment.
            CommandError: There is nothing to keep.
            StoreUnavailable: There is no keyring, or it does not answer.
        """
        for name in ENVIRONMENTS:
            other = replace(world.target, environment=name)
            if other != world.target:
                # From here on the guard knows them.
                self._remembered.read(other, PROOFS)
        given = self.owned(world, replace(given, target=""))
        return self._remembered.keep(world.target, given)

    def owned(self, world: World, given: Credentials) -> Credentials:
        """Return credentials that were given as those of a target.

        Raises:
            EnvironmentRefused: A secret among them is known to be another
                environment's, and not known to be this one's too.
        """
        if given.target:
            return given
        own = self._known(world.target)
        for name in ENVIRONMENTS:
            other = replace(world.target, environment=name)
            if other == world.target:
                continue
            for known in self._known(other):
                shared = given.shared_with(known)
                if shared and not any(given.shared_with(each) for each in own):
                    what = " and ".join(shared)
                    msg = (
                        f"These credentials are those of {other}, not of "
                        f"{world.target}: the {what} is the same."
                    )
                    raise EnvironmentRefused(msg, hint=f"Did you mean {other}?")
        self.check_token(world, given.subject_token)
        return replace(given, target=str(world.target))

    def check_token(self, world: World, secret: Secret | None) -> None:
        """Refuse the text of a token that is held for another environment.

        Raises:
            EnvironmentRefused: It is one; nothing was sent and nothing is kept.
        """
        if secret is None:
            return
        for token in self._store.tokens():
            if environment_of(token.target) == world.target.environment:
                continue
            for held in (token.access_token, token.refresh_token):
                if held is not None and _same(held, secret):
                    msg = f"This is the token of {token.target}, not of {world.target}."
                    raise EnvironmentRefused(msg, hint=f"Use {token.target}.")

    def _known(self, target: Target) -> list[Credentials]:
        """Return the credentials that environment, keyring and tokens held name."""
        return [
            from_variables(self._variables, target),
            self._remembered.known(target),
            *(
                self._keeper.credentials(token)
                for token in self._store.tokens()
                if token.target == str(target)
            ),
        ]

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
        held = aliases.get(alias, target)
        if held != target:
            crosses = environment_of(held) != environment_of(target)
            msg = f"{alias!r} is already the name of a token of {held}."
            raise (EnvironmentRefused if crosses else CommandError)(
                msg, hint=f"Choose another name, or first: %token forget {alias}."
            )


def _same(one: Secret, other: Secret) -> bool:
    return compare_digest(one.reveal().encode(), other.reveal().encode())
