"""The part of a session that looks after tokens that are held."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import CommandError
from oauthmagic.oauth.credentials import read_credentials
from oauthmagic.oauth.outcomes import settled
from oauthmagic.session.core import Core
from oauthmagic.session.credentials import from_env_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from oauthmagic.oauth.tokens import Token
    from oauthmagic.views.introspections import Introspected


class Lives(Core):
    """Renews, takes over, revokes and forgets tokens."""

    def refresh(self, target: str) -> Token:
        """Renew the token of a target now, and return the new one.

        Raises:
            CommandError: None is held.
            LoginRequired: It cannot be renewed without its owner.
        """
        world, token = self._require(target)
        ready = self._ready(world, token)
        return self._keeper.renew(token, ready, reason="asked for")

    def adopt(
        self,
        target: str,
        tokens: Mapping[str, Any] | Token,
        *,
        credentials: Mapping[str, Any] | None = None,
        alias: str = "",
        env_file: str | Path | None = None,
    ) -> Token:
        """Look after a token that was got elsewhere.

        Args:
            target: What it is for.
            tokens: The members of a token response: `access_token`,
                `refresh_token` or both; `expires_in` may be 0. Or a `Token`.
            credentials: What a refresh needs to authenticate the client.
            alias: A name for this token.
            env_file: A file of `OAUTHMAGIC_...=value` lines.

        Raises:
            CommandError: The mapping has no token, or a member of a wrong type.
        """
        from oauthmagic.oauth.adoption import read_adopted  # noqa: PLC0415 - seldom

        outcomes = read_adopted(tokens), read_credentials(credentials)
        del tokens, credentials  # no frame of ours keeps a plain secret
        adopted, given = settled(outcomes[0]), settled(outcomes[1])
        world, alias = self._holdings.named(target, alias)
        if env_file is not None:
            given = given.over(from_env_file(env_file, world.target))
        for secret in (adopted.access_token, adopted.refresh_token):
            self._holdings.check_token(world, secret)
        # Whose token it is nobody knows: it gets the client's credentials, no user's.
        known = self._holdings.credentials(world, alias, given)
        found = replace(known, username="", password=None, subject_token=None)
        token = adopted.token(
            target=str(world.target),
            client_id=found.client_id,
            alias=alias,
            clock=world.clock,
        )
        return self._keeper.adopt(world, token, found)

    def revoke(self, target: str) -> None:
        """Revoke the token of a target at the server, then forget it (RFC 7009).

        Raises:
            CommandError: None is held, or the provider has no way to revoke; nothing
                is forgotten.
            MissingCredentials: The server wants the client's; nothing is forgotten.
            RevocationFailed: The server did not revoke all of it; it is forgotten
                here all the same.
            StoreWriteFailed: It could not be forgotten; the hint says what the server
                did.
        """
        from oauthmagic.runtime.revocation import revoke  # noqa: PLC0415 - seldom

        world, token = self._require(target)
        failed = revoke(token, self._keeper, self._ready(world, token))
        self._room.forget(token.alias or token.target)
        settled(failed)

    def introspect(
        self,
        target: str,
        *,
        token_type_hint: str = "access_token",  # noqa: S107
    ) -> Introspected:
        """Ask the server what it knows of the token of a target (RFC 7662).

        The token is asked about as it is held; it is not renewed.

        Args:
            target: The target or alias.
            token_type_hint: "access_token" or "refresh_token": which one.

        Returns:
            The answer beside what is held here: `.active`, `.said`, `.frame()`.

        Raises:
            CommandError: None is held, or the provider has no way to ask.
            OAuthError: The server does not tell this client.
            OAuthMagicError: No usable answer came.
        """
        from oauthmagic.runtime.introspection import introspect  # noqa: PLC0415 - seldom
        from oauthmagic.views.introspections import Introspected  # noqa: PLC0415

        world, token = self._require(target)
        ready = self._ready(world, token)
        said = introspect(token, token_type_hint, self._keeper, ready)
        return Introspected(said=said, token=token, kind=token_type_hint)

    def remember(
        self, target: str, *, credentials: Mapping[str, Any] | None = None
    ) -> tuple[str, ...]:
        """Keep a target's credentials in the operating system's keyring.

        `token(target)` then finds them there, in this environment only.

        Args:
            target: The target or alias.
            credentials: A mapping of credential fields in lower case; without it,
                those that the token held came by.

        Returns:
            The names of the fields that were kept.

        Raises:
            CommandError: There is nothing to keep, or the target is a demo.
            EnvironmentRefused: A secret among them is that of another environment.
            StoreUnavailable: There is no keyring, or it does not answer.
        """
        outcome = read_credentials(credentials)
        del credentials  # no frame of ours keeps a plain secret
        given = settled(outcome)
        world, alias = self._holdings.named(target)
        if world.target.environment == "demo":
            msg = f"{world.target} needs no credentials, so none are remembered."
            raise CommandError(msg, hint="Remember those of a sandbox or production.")
        held = self._holdings.held(world, alias)
        if held is not None and not given:
            given = self._keeper.credentials(held)
        return self._holdings.remember(world, given)

    def forget(
        self, target: str | None = None, *, every: bool = False, keyring: bool = False
    ) -> int:
        """Forget the tokens of a target or alias, or every token; return how many.

        A target means all of its tokens, those with an alias and those that cannot be
        read included, and what waits there for the user. The server is not told: a
        forgotten token stays valid until its end.

        Args:
            target: The target or alias.
            every: Forget every token of this store instead.
            keyring: Forget the target's credentials in the keyring, too.

        Raises:
            CommandError: It says neither what to forget nor everything.
            StoreUnavailable: There is no keyring, or it does not answer; nothing is
                forgotten.
        """
        if keyring and target is not None:
            self._remembered.forget(self._holdings.named(target)[0].target)
        elif keyring:
            msg = "A keyring does not say what is in it: name the target."
            raise CommandError(msg, hint="%token forget TARGET --keyring.")
        damaged = 0
        if every:
            going = self._store.tokens()
            self._room.clear()
        elif target is None:
            msg = "Forget which token?"
            raise CommandError(
                msg, hint="%token forget TARGET, or %token forget --all."
            )
        else:
            # By its own name first: its provider may not be known in this kernel.
            going = self._holdings.exactly(target)
            damaged = self._store.discard(target)
            if not going and not damaged:
                world, alias = self._holdings.named(target)
                damaged = self._holdings.discard(world)
                going = self._holdings.matching(world, alias)
                # What waits for a first token, there.
                self._room.forget(alias or str(world.target))
        for token in going:
            self._keeper.forget(token)
            # What waits with it would go on with a token that is gone.
            self._room.forget(token.alias or token.target)
        return len(going) + (self._keeper.clear() if every else damaged)
