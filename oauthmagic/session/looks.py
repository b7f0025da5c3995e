"""The part of a session that shows things and makes them known; it sends little."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oauthmagic.errors import (
    CommandError,
    UnknownName,
)
from oauthmagic.oauth.credentials import Credentials, read_credentials
from oauthmagic.oauth.outcomes import settled
from oauthmagic.oauth.scopes import normalise_scopes
from oauthmagic.session.core import Core, grant_to_perform
from oauthmagic.session.credentials import from_env_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import pandas as pd

    from oauthmagic.views.timelines import ShownTimeline
    from oauthmagic.views.tokens import ShownToken
    from oauthmagic.views.traces import ShownTrace


class Looks(Core):
    """Shows tokens, scopes, providers, requests and what was exchanged."""

    def show(self, target: str, *, verify: bool = False) -> ShownToken:
        """Return the token held for a target as it is, without renewing it.

        Its note says what is wrong with it as long as that is so; with it come what
        its scopes allow, and the claims of its JWTs.

        Args:
            target: The target or alias.
            verify: Whether the signatures of its JWTs are verified, with the keys at
                the provider's `jwks_uri`; else its claims are unverified.

        Raises:
            CommandError: None is held, or there is nothing to verify, or by nothing.
            SignatureRefused: No key of the provider has made one of the signatures.
            OAuthMagicError: The keys could not be had.
        """
        from oauthmagic.runtime.verification import verify as verified  # noqa: PLC0415
        from oauthmagic.views.tokens import shown_token  # noqa: PLC0415 - when shown

        try:
            world, token = self._require(target)
        except UnknownName:
            held = self._holdings.exactly(target)
            if not held or verify:
                raise
            return shown_token(held[-1], note=self._keeper.trouble(held[-1]))
        return shown_token(
            token,
            note=self._keeper.trouble(token),
            descriptions=world.provider.scopes,
            claims=verified(token, world) if verify else None,
        )

    def tokens(self) -> pd.DataFrame:
        """Return a table of the tokens held now, the latest last.

        A record of the store that cannot be read has the status "damaged".
        """
        from oauthmagic.views.tables import token_table  # noqa: PLC0415 - pandas

        return token_table(
            self._store.tokens(),
            damaged=[each.target for each in self._store.damaged()],
        )

    def preview(
        self, target: str, text: str, *, variables: Mapping[str, Any] | None = None
    ) -> str:
        """Return the requests that `api` would send, redacted; nothing is sent."""
        from oauthmagic.session.requests import prepare, preview  # noqa: PLC0415

        world, alias = self._holdings.named(target)
        prepared = prepare(world, text, variables or {})
        return preview(world, prepared, self._holdings.held(world, alias))

    def preview_rows(
        self,
        target: str,
        request: str,
        frame: pd.DataFrame,
        *,
        variables: Mapping[str, Any] | None = None,
        yes_post: bool = False,
    ) -> str:
        """Return the first request that `map` would send, and how many there are."""
        from oauthmagic.session.plans import Plan  # noqa: PLC0415 - if asked
        from oauthmagic.session.spread import is_of_dask, rows_of  # noqa: PLC0415 - if asked

        world, alias = self._holdings.named(target)
        token = self._holdings.held(world, alias)
        plan = Plan(yes_post=yes_post, engine="dask" if is_of_dask(frame) else None)
        return rows_of(world, request, frame, variables or {}, plan).preview(token)

    def code(
        self,
        target: str,
        text: str | None = None,
        *,
        lang: str = "curl",
        scopes: str | Iterable[str] | None = None,
        grant: str | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> str:
        """Return what `token` and `api` would send as a program, and send none of it.

        Secrets are names of environment variables in it, those that `token` reads. An
        issuer whose endpoints are not known yet is asked for them.

        Args:
            target: `provider[/tenant][@environment]`, or an alias.
            text: Requests, as for `api`; without them, the token step alone.
            lang: "curl", "python" (httpx), "python-requests" or "javascript".
            scopes: The scopes to ask for; without them those of the token held, or
                the provider's default set.
            grant: The grant to perform, in the same way.
            variables: Values for `{{name}}`.

        Raises:
            UnknownName: The language, a scope or the grant is not known.
            CommandError: There is no program for this grant.
            RequestSyntaxError: The text cannot be read.
            UrlRefused: A URL is on an origin that the provider does not declare.
        """
        from oauthmagic.session.programs import program_for  # noqa: PLC0415
        from oauthmagic.session.requests import prepare  # noqa: PLC0415
        from oauthmagic.views.programs import (  # noqa: PLC0415
            check_language,
            write_program,
        )

        check_language(lang)
        world, alias = self._holdings.named(target)
        prepared = () if text is None else prepare(world, text, variables or {})
        held = self._holdings.held(world, alias)
        provider = world.provider
        if grant is not None:
            grant = provider.check_grant(grant)
        wanted = provider.check_scopes(normalise_scopes(scopes or ()))
        if scopes is None:
            wanted = provider.default_scopes
            if held is not None:
                wanted = tuple(sorted(held.scopes_requested))
        # Without credentials: a program holds nothing that was made with them.
        world = self._worlds.armed(world.with_endpoints(), Credentials())
        program = program_for(
            world,
            grant=grant_to_perform(provider, grant, held, target),
            scopes=wanted,
            prepared=prepared,
        )
        return write_program(program, lang)

    def trace(self, target: str | None = None) -> ShownTrace:
        """Return what was exchanged for a target, as a diagram without secrets.

        Args:
            target: The target or alias; without it, the one that was used last.

        Raises:
            CommandError: Nothing was exchanged for it in this session.
        """
        from oauthmagic.views.traces import ShownTrace  # noqa: PLC0415 - when shown

        name = ""
        if target is not None:
            name = str(self._holdings.named(target)[0].target)
        trace = self._worlds.recordings.last(name)
        if trace is None:
            msg = f"Nothing was exchanged for {name or 'any target'} in this session."
            raise CommandError(msg, hint=f"First: %token {name or 'revsto@demo'}.")
        return ShownTrace(
            target=trace.target,
            exchanges=trace.exchanges(),
            forgotten=trace.forgotten,
        )

    def timeline(self, target: str | None = None) -> ShownTimeline:
        """Return a picture of the tokens held: issued, refreshed, over, end of login.

        A notebook draws it, a terminal has it in words. What other kernels did to
        tokens that are shared is not known here, but for the last renewal.

        Args:
            target: The target or alias; without it, every token held.

        Raises:
            CommandError: None is held.
        """
        from oauthmagic.views.lanes import Lane  # noqa: PLC0415 - when shown
        from oauthmagic.views.timelines import ShownTimeline  # noqa: PLC0415

        if target is None:
            tokens = self._store.tokens()
        else:
            world, alias = self._holdings.named(target)
            tokens = self._holdings.matching(world, alias)
        if not tokens:
            what = target or "any target"
            msg = f"No token is held for {what}."
            raise CommandError(msg, hint=f"Get one: %token {target or 'revsto@demo'}.")
        histories = self._keeper.histories
        return ShownTimeline(
            lanes=tuple(
                Lane(token=token, generations=histories.of(token)) for token in tokens
            )
        )

    def preflight(
        self,
        target: str,
        *,
        credentials: Mapping[str, Any] | None = None,
        env_file: str | Path | None = None,
    ) -> pd.DataFrame | None:
        """Return a table of what a server will look at in the client's certificates.

        Args:
            target: The target or alias.
            credentials: A mapping of credential fields; without it, those that the
                token held came by, or those of the environment.
            env_file: A file of `OAUTHMAGIC_...=value` lines.

        Returns:
            One row per check; None where the provider wants no certificates.
        """
        from oauthmagic.views.tables import check_table  # noqa: PLC0415 - pandas

        outcome = read_credentials(credentials)
        del credentials  # no frame of ours keeps a plain secret
        given = settled(outcome)
        world, alias = self._holdings.named(target)
        if world.provider.preflight is None:
            return None
        if env_file is not None:
            given = given.over(from_env_file(env_file, world.target))
        token = self._holdings.held(world, alias)
        scopes = token.scopes_requested if token else world.provider.default_scopes
        if token is not None:
            given = given.over(self._keeper.credentials(token))
        found = self._holdings.credentials(world, alias, given)
        return check_table(
            world.provider.preflight(found, tuple(sorted(scopes)), world.clock())
        )

    def credential_sources(
        self, target: str, grant: str | None = None
    ) -> dict[str, str]:
        """Return the credentials that a grant needs and where they would come from.

        The keyring is not asked: it may want to be unlocked first.

        Args:
            target: The target or alias.
            grant: The grant; without it, the provider's default.

        Returns:
            By field: "demo", "held" or "environment"; "" where it is not known here.
        """
        world, alias = self._holdings.named(target)
        needed = world.provider.needed_fields(world.provider.check_grant(grant))
        return self._holdings.sources(world, alias, needed)
