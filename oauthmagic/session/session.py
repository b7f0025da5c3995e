"""`Session`: from a target and a wish to a token, a reply or a table."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn, Self, overload

from oauthmagic.errors import (
    CommandError,
    LoginRequired,
    OAuthMagicError,
    SecretRefused,
    StepUpRequired,
    StoreError,
    UnknownName,
    UserActionRequired,
)
from oauthmagic.oauth import grants
from oauthmagic.oauth.challenges import BearerError
from oauthmagic.oauth.credentials import Credentials, read_credentials
from oauthmagic.oauth.outcomes import settled
from oauthmagic.oauth.scopes import normalise_scopes
from oauthmagic.oauth.targets import ENVIRONMENTS, parse_target
from oauthmagic.runtime.interruptions import wait
from oauthmagic.runtime.lifecycle import TokenKeeper, Wish
from oauthmagic.runtime.pending import WaitingRoom
from oauthmagic.session.callbacks import Callbacks
from oauthmagic.session.certificates import check_certificates
from oauthmagic.session.credentials import complete, concealed, from_env_file
from oauthmagic.session.holdings import Holdings
from oauthmagic.session.logins import ask_to_log_in
from oauthmagic.session.remembered import Remembered
from oauthmagic.session.settings import check_seconds
from oauthmagic.session.sites import VARIABLE as SITE_FILES
from oauthmagic.session.sites import Site
from oauthmagic.session.stores import Stores
from oauthmagic.session.worlds import MAX_WAIT, Worlds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from typing import Unpack

    import httpx
    import pandas as pd

    from oauthmagic.batch.parquet import Written
    from oauthmagic.batch.progress import RowsProgress
    from oauthmagic.oauth.targets import Target
    from oauthmagic.oauth.tokens import Clock, Token
    from oauthmagic.providers.provider import Provider
    from oauthmagic.runtime.pending import PendingAction
    from oauthmagic.runtime.world import World
    from oauthmagic.session.demos import Demo
    from oauthmagic.session.pages import PagesProgress
    from oauthmagic.session.plans import DaskClient, RowOptions
    from oauthmagic.session.requests import Sending
    from oauthmagic.session.saving import Progress
    from oauthmagic.store.stores import Store
    from oauthmagic.transport.engines import Engine
    from oauthmagic.transport.wire import Headers, Transport
    from oauthmagic.views.introspections import Introspected
    from oauthmagic.views.replies import Reply
    from oauthmagic.views.timelines import ShownTimeline
    from oauthmagic.views.tokens import ShownToken
    from oauthmagic.views.traces import ShownTrace

#: What BinderHub sets in the servers that it launches, and a JupyterHub does not.
_BINDER = ("BINDER_LAUNCH_HOST", "BINDER_REPO_URL", "BINDER_REQUEST", "BINDER_REF_URL")


class Session:
    """Obtains tokens, looks after them, and sends authorized requests.

    Safe to share between threads.

    Args:
        store: Where tokens are kept: "memory"; "file", encrypted and shared by the
            kernels of one user; "keyring"; or a `oauthmagic.store.stores.Store`.
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
        outcome = read_credentials(credentials)
        del credentials  # no frame of ours keeps a plain secret
        given = settled(outcome)
        world, alias = self._holdings.named(target, alias)
        if env_file is not None:
            given = given.over(from_env_file(env_file, world.target))
        given = self._holdings.owned(world, given)
        provider = world.provider
        wanted = provider.check_scopes(normalise_scopes(scopes or ()))
        if grant is not None:
            grant = provider.check_grant(grant)
        held = self._holdings.held(
            world, alias, scopes=wanted, owner=given, grant=grant
        )
        if held is not None and not fresh:
            try:
                return self._usable(world, held, given)
            except LoginRequired:
                # Somebody else's token is not replaced by one of the client's own.
                if held.grant not in grants.FIELDS:
                    raise
        if held is None and not (scopes or grant or given or fresh):
            # A login that waits already is the one that is meant.
            name = alias or str(world.target)
            waiting = self._room.again(name, None)
            if waiting is not None:
                raise waiting
        grant = _grant_to_perform(provider, grant, held, target)
        if scopes is None:
            wanted = provider.default_scopes
            if held is not None:
                wanted = tuple(sorted(held.scopes_requested))
        found = self._holdings.credentials(world, alias, given)
        found = self._completed(world, grant, found)
        wish = Wish(grant=grant, scopes=wanted, alias=alias, fresh=fresh)
        return self._obtain(world, wish, found, held)

    def resume(self, target: str | None = None, *, answer: str = "") -> Token | Reply:
        """Complete what waits for the user.

        Args:
            target: The target or alias that waits; without it, the only one.
            answer: The redirected URL or the code; in a demo one of its words; for
                a login on another device none, and the server is asked once.

        Returns:
            What the call that asked would have returned: a Token or a Reply.

        Raises:
            CommandError: Nothing waits, or the answer leaves it waiting.
            OAuthMagicError: It was refused or is over; it waits no longer.
        """
        action = self.pending(target)
        if not isinstance(answer, str):
            msg = f"An answer is a text, not {type(answer).__name__}."
            raise CommandError(msg, hint=action.how_to_answer())
        try:
            result: Token | Reply = self._room.resume(action.target, answer)
        except OAuthMagicError as error:
            # The frames that it came through hold the answer.
            failure = error.with_traceback(None)
        else:
            return result
        del answer
        raise failure

    def when_resumed(self, target: str, step: Callable[[Any], Any]) -> None:
        """Let something happen with the result of a pending action.

        Args:
            target: The pending action's own target.
            step: Takes the result and returns the one to hand on.
        """
        self._room.continue_with(target, step)

    def watch(self, target: str, watcher: Callable[[Any, bool], None]) -> None:
        """Be told what comes of each answer to a pending action, whoever gives it.

        Args:
            target: The pending action's own target.
            watcher: Takes the result or the error, and whether it goes on waiting;
                it may be called in another thread.
        """
        self._room.watch(target, watcher)

    def stop_waiting(self) -> None:
        """Stop listening and polling; what waits can still be completed by `resume`."""
        self._room.stop()

    def pending(self, target: str | None = None) -> PendingAction:
        """Return what waits for the user at a target, or the only thing that waits.

        Raises:
            CommandError: Nothing waits there.
        """
        if target is None or self._room.holds(target):
            return self._room.get(target)
        world, alias = self._holdings.named(target)
        return self._room.get(alias or str(world.target))

    def api(  # noqa: PLR0913 - the surface of a request
        self,
        target: str,
        text: str,
        *,
        variables: Mapping[str, Any] | None = None,
        every_page: bool = False,
        max_pages: int | None = None,
        save: str | Path | None = None,
        overwrite: bool = False,
        progress: Progress | None = None,
        paged: PagesProgress | None = None,
    ) -> Reply:
        """Send the authorized requests of an `.http` text and return the last reply.

        Everything is read and checked before anything is sent. Without a held
        token, one is obtained first.

        Args:
            target: `provider[/tenant][@environment]`, or an alias.
            text: One request, or several separated by `###`.
            variables: Values for `{{name}}`.
            every_page: Whether lists are followed to their end; the frame of the
                reply then has the rows of all pages. Where a page fails, or at
                Ctrl-C, the error's `.partial` is the reply with those before it.
            max_pages: How many pages are followed; without it 1,000.
            save: A file for the body of the only request's reply, which is then not
                kept in memory; an error's is shown as ever, and not saved.
            overwrite: Whether a file that is there may be replaced.
            progress: Is told how much was saved, of how much, where it takes long.
            paged: Is told how many pages and rows came, of how many, in the same way.

        Returns:
            The reply to the last request, whatever its status; `.replies` has all
            of them in order.

        Raises:
            RequestSyntaxError: The text cannot be read.
            UrlRefused: A URL is on an origin that the provider does not declare.
            LoginRequired: The token is over and cannot be renewed.
            TransportError: No usable answer came.
        """
        from oauthmagic.session.pages import check_most  # noqa: PLC0415
        from oauthmagic.session.requests import Sending, prepare  # noqa: PLC0415
        from oauthmagic.session.saving import SavedFile  # noqa: PLC0415 - if asked

        world, alias = self._holdings.named(target)
        most = check_most(max_pages)
        file = None
        if save is not None:
            file = SavedFile(save, overwrite=overwrite, progress=progress)
        prepared = prepare(world, text, variables or {}, file=file)

        def go_on(token: Token) -> Reply:
            left = list(prepared)
            sending = Sending(
                left=left,
                token=token,
                every_page=every_page,
                most=most,
                progress=paged,
            )
            return self._go_on(world, sending, alias)

        held = self._holdings.held(world, alias)
        if held is not None:
            try:
                return go_on(held)
            except LoginRequired:
                if held.grant not in grants.LOGINS:
                    raise
        try:
            token = self.token(target)
        except UserActionRequired as error:
            # When the user is back, the requests are sent.
            self._room.continue_with(error.pending.target, go_on)
            raise
        return go_on(token)

    @overload
    def map(
        self,
        target: str,
        request: str,
        frame: pd.DataFrame,
        *,
        to: None = None,
        **options: Unpack[RowOptions],
    ) -> pd.DataFrame: ...
    @overload
    def map(
        self,
        target: str,
        request: str,
        frame: pd.DataFrame,
        *,
        to: str | Path,
        **options: Unpack[RowOptions],
    ) -> Written: ...
    def map(  # noqa: PLR0913 - the surface of a batch
        self,
        target: str,
        request: str,
        frame: pd.DataFrame,
        *,
        concurrency: int = 64,
        rate: float | None = None,
        checkpoint: str | Path | None = None,
        to: str | Path | None = None,
        engine: Engine | DaskClient | None = None,
        variables: Mapping[str, Any] | None = None,
        yes_post: bool = False,
        progress: RowsProgress | None = None,
    ) -> pd.DataFrame | Written:
        """Send one authorized request for each row of a frame.

        Everything is read and checked before anything is sent. What goes wrong with a
        row stands in its row; the token is renewed on the way, once for all; a server
        that says `Retry-After` is left alone by all.

        Args:
            target: `provider[/tenant][@environment]`, or an alias.
            request: One request; `{{column}}` in its path, query, headers or body is
                the row's value, encoded for its field.
            frame: The rows.
            concurrency: How many requests are under way at most.
            rate: How many are sent in a second at most.
            checkpoint: A file that remembers what was answered: the same call sends
                no row again that succeeded, also after the process was killed.
            to: A Parquet file for the result, which is then not kept in memory.
            engine: What sends the requests; without it, the best there is here. A Dask
                client (extra `dask`), or "dask" for the current one: the workers of
                its cluster, and the rows may be a Dask DataFrame.
            variables: Values for `{{name}}` where that is no column.
            yes_post: Whether POST and PATCH may go without an idempotency key.
            progress: Is told how far it is: rows done, in all, in a second, and the
                seconds left.

        Returns:
            A row for each row, in their order, with their index: `status`, `error`,
            `attempts`, `elapsed` and the flattened reply, in which a field with such
            a name is `reply.<name>`. With `to`, what was written; from a cluster, a
            Dask DataFrame.

        Raises:
            CommandError: It cannot be done in this way; nothing was sent.
            LoginRequired: The token is over and cannot be renewed; `.partial` has the
                rows so far, as with every error in the middle.
            Interrupted: By Ctrl-C; `.partial` has the rows so far.
        """
        from oauthmagic.session.plans import Plan  # noqa: PLC0415 - if asked
        from oauthmagic.session.spread import rows_of  # noqa: PLC0415 - if asked

        plan = Plan(
            concurrency=concurrency,
            rate=rate,
            checkpoint=checkpoint,
            to=to,
            engine=engine,
            yes_post=yes_post,
            progress=progress,
        )
        world, alias = self._holdings.named(target)
        rows = rows_of(world, request, frame, variables or {}, plan)
        token = self._holdings.held(world, alias)
        if token is not None:
            try:
                token = self._keeper.usable(token, self._ready(world, token))
            except LoginRequired:
                if token.grant not in grants.LOGINS:
                    raise
                token = None
        token = token or self.token(target)
        return rows.run(self._ready(world, token), token, self._keeper)

    def client(self, target: str) -> httpx.Client:
        """Return an `httpx.Client` that looks after its token.

        Relative URLs are resolved against the API base; the token goes only to the
        origins that the provider declares; redirects are not followed unless the
        caller asks the client to.

        Raises:
            CommandError: The target is unknown.
            OAuthMagicError: No token could be had. Requests raise these errors, too.
        """
        from oauthmagic.session.clients import client_for  # noqa: PLC0415 - heavy

        world, alias = self._holdings.named(target)
        token = self._holdings.held(world, alias) or self.token(target)
        return client_for(self._ready(world, token), token, self._keeper)

    def aclient(self, target: str) -> httpx.AsyncClient:
        """Return an `httpx.AsyncClient` that looks after its token, as `client` does.

        A thousand tasks on a token that is over renew it once. With the extra `fast`,
        requests cost a fraction of what the library's own transport takes.

        Raises:
            CommandError: The target is unknown.
            OAuthMagicError: No token could be had. Requests raise these errors, too.
        """
        from oauthmagic.session.clients import async_client_for  # noqa: PLC0415 - heavy

        world, alias = self._holdings.named(target)
        token = self._holdings.held(world, alias) or self.token(target)
        return async_client_for(self._ready(world, token), token, self._keeper)

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
        from oauthmagic.session.spread import rows_of  # noqa: PLC0415 - if asked

        world, alias = self._holdings.named(target)
        token = self._holdings.held(world, alias)
        plan = Plan(yes_post=yes_post)
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
            grant=_grant_to_perform(provider, grant, held, target),
            scopes=wanted,
            prepared=prepared,
        )
        return write_program(program, lang)

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

    def probe(self, target: str) -> Reply:
        """Send the harmless request that the provider names for this.

        Raises:
            CommandError: The provider names none.
            OAuthMagicError: As `api`.
        """
        provider = self._holdings.named(target)[0].provider
        if not provider.probe:
            msg = f"{provider.title} names no harmless request to test a token with."
            raise CommandError(msg, hint=f"Send one of your own: %api {target} GET /")
        return self.api(target, f"GET {provider.probe}")

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

    def tokens(self) -> pd.DataFrame:
        """Return a table of the tokens held now, the latest last.

        A record of the store that cannot be read has the status "damaged".
        """
        from oauthmagic.views.tables import token_table  # noqa: PLC0415 - pandas

        return token_table(
            self._store.tokens(),
            damaged=[each.target for each in self._store.damaged()],
        )

    def scopes(self, target: str) -> pd.DataFrame:
        """Return a table of a target's scopes: described, requested, granted."""
        from oauthmagic.views.tables import scope_table  # noqa: PLC0415 - pandas

        world, alias = self._holdings.named(target)
        return scope_table(world.provider, self._holdings.held(world, alias))

    def endpoints(self, target: str) -> pd.DataFrame:
        """Return a table of what can be asked of a target, and with which scopes.

        Raises:
            CommandError: None is known.
        """
        from oauthmagic.views.tables import endpoint_table  # noqa: PLC0415 - pandas

        world, alias = self._holdings.named(target)
        if not world.provider.endpoints:
            name = world.provider.name
            msg = f"No endpoints of {name} are known."
            hint = f"An OpenAPI file describes them: %token add {name} --openapi FILE."
            raise CommandError(msg, hint=hint)
        return endpoint_table(world.provider, self._holdings.held(world, alias))

    def providers(self) -> pd.DataFrame:
        """Return a table of the providers that can be named."""
        from oauthmagic.views.tables import provider_table  # noqa: PLC0415 - pandas

        return provider_table(self._worlds.catalogue.all())

    def add(
        self,
        source: str | Path | Provider | None = None,
        *,
        name: str = "",
        api_base: str = "",
        openapi: str | Path | None = None,
    ) -> str:
        """Make a provider or its endpoints known; return the provider's name.

        A file is read at once, and nothing is sent; where it names an issuer and no
        token_endpoint, the issuer is asked when an endpoint is first needed. An
        issuer's URL is asked at once; `provider(name)` then shows what it said.

        Args:
            source: The path of a TOML file; an issuer, `"https://id.acme.example"`;
                a `oauthmagic.providers.provider.Provider`; or, with `openapi`, the
                name of a provider that is known already, or nothing where that file
                alone describes one.
            name: Another name than the source's own; for an issuer also
                `NAME@production`, for it is a sandbox otherwise.
            api_base: For an issuer, what paths are resolved against; without it,
                the issuer's origin.
            openapi: The path of an OpenAPI 3.0 or 3.1 file (JSON; YAML where a
                package reads it): what `endpoints` then shows.

        Raises:
            ProviderFileError: A file cannot be read, or what it says.
            DiscoveryFailed: There is no metadata at the issuer, or none that may be
                believed.
            CommandError: The name is taken, or is none.
        """
        from oauthmagic.session.additions import described, is_known  # noqa: PLC0415

        provider = described(
            source, self._worlds, name=name, api_base=api_base, openapi=openapi
        )
        if is_known(source, self._worlds.catalogue):
            self._worlds.catalogue.describe(provider)
            return provider.name
        if provider.name in self._holdings.aliases():
            msg = f"{provider.name!r} is the name of a token that is held."
            raise CommandError(msg, hint=f"First: %token forget {provider.name}.")
        self._worlds.catalogue.add(provider)
        return provider.name

    def provider(self, name: str) -> Provider:
        """Return a provider as it describes itself.

        Raises:
            UnknownName: There is none of this name.
        """
        return self._worlds.catalogue.get(name)

    def demo(self, target: str) -> Demo:
        """Return the server's side of a demo: `advance`, `revoke`, `throttle`, ...

        Raises:
            CommandError: The target is not a demo.
        """
        return self._worlds.demo(self._holdings.named(target)[0])

    def names(self) -> dict[str, tuple[str, ...]]:
        """Return what can be typed: providers with their environments, and aliases."""
        catalogue = self._worlds.catalogue
        providers = {name: catalogue.environments(name) for name in catalogue}
        return providers | dict.fromkeys(self._holdings.aliases(), ())

    def targets(self, typed: str = "") -> list[str]:
        """Return the targets and aliases that begin with what is typed.

        A provider with tenants is named up to its tenant first, and up to its
        environment then. No package is run that was not used before.
        """
        from oauthmagic.session.targets import targets  # noqa: PLC0415 - if asked

        return targets(self._worlds.catalogue, self._store.tokens(), typed)

    def known_provider(self, target: str) -> Provider | None:
        """Return the provider of a target or alias, where it is known already.

        What is typed behind the provider's name need not be complete.
        """
        text = self._holdings.aliases().get(target, target)
        return self._worlds.catalogue.known(text.partition("@")[0].partition("/")[0])

    def read_target(self, text: str) -> Target:
        """Return the parts of a target or alias, whether or not they exist.

        Raises:
            CommandError: It does not follow the grammar.
        """
        text = self._holdings.aliases().get(text, text)
        return parse_target(text, default_environment=self._worlds.environment)

    def scope_names(self, target: str) -> list[str]:
        """Return the scopes of a target's provider."""
        return list(self._holdings.named(target)[0].provider.scopes)

    def offered_scopes(self, target: str) -> list[str]:
        """Return the scopes of a target's provider that can be asked for together."""
        provider = self._holdings.named(target)[0].provider
        return [name for name in provider.scopes if name not in provider.not_offered]

    def close(self) -> None:
        """Close the connections that are kept for reuse; listen and poll no longer."""
        self._room.stop()
        self._worlds.close()

    def _usable(self, world: World, held: Token, given: Credentials) -> Token:
        """Return a held token, renewed if its end is near."""
        if given:
            self._keeper.remember(held, given.over(self._keeper.credentials(held)))
        return self._keeper.usable(held, self._ready(world, held))

    def _obtain(
        self, world: World, wish: Wish, found: Credentials, held: Token | None
    ) -> Token:
        """Get a token, or ask the user for what it takes."""
        check_certificates(world, found, wish.scopes)
        world = self._worlds.armed(world, found)
        if wish.grant == "authorization_code":
            is_demo = world.target.environment == "demo"
            demo = self._worlds.demo(world) if is_demo else None
            raise ask_to_log_in(
                self._room, self._keeper, world, wish, found, demo, self._callbacks
            )

        if wish.grant == grants.DEVICE_CODE:
            from oauthmagic.session.device_logins import (  # noqa: PLC0415 - seldom
                ask_to_log_in_elsewhere,
            )

            raise ask_to_log_in_elsewhere(self._room, self._keeper, world, wish, found)

        asked = itertools.count()

        def obtain(proof: Headers = ()) -> Token:
            try:
                return self._keeper.obtain(world, wish, found, seen=held, headers=proof)
            except StepUpRequired as error:
                event = error.event
            from oauthmagic.session.step_ups import StepUp  # noqa: PLC0415 - seldom

            step = StepUp(
                world=world,
                event=event,
                token=None,
                credentials=found,
                before=next(asked),
            )
            raise step.ask(self._room, wish.alias or str(world.target), wish, obtain)

        return obtain()

    def _go_on(self, world: World, sending: Sending, alias: str) -> Reply:
        """Send requests, and ask the user where a server wants a second factor."""
        ready = self._ready(world, sending.token)
        try:
            return sending.go_on(ready, self._keeper)
        except StepUpRequired as error:
            event, known = error.event, self._keeper.credentials(sending.token)
        if isinstance(event, BearerError):
            raise self._ask_for_stronger_login(ready, sending, known, event)
        from oauthmagic.session.step_ups import StepUp  # noqa: PLC0415 - seldom

        step = StepUp(
            world=ready,
            event=event,
            token=sending.token,
            credentials=known,
            before=sending.step_ups,
        )
        sending.step_ups += 1

        def again(proof: Headers) -> Reply:
            sending.proof = proof
            return self._go_on(world, sending, alias)

        raise step.ask(self._room, alias or str(world.target), sending, again)

    def _ask_for_stronger_login(
        self, world: World, sending: Sending, known: Credentials, said: BearerError
    ) -> UserActionRequired:
        """Begin a login as a resource server wants it (RFC 9470, section 4)."""
        token = sending.token
        wish = Wish(
            grant="authorization_code",
            scopes=tuple(sorted(token.scopes_requested)),
            alias=token.alias,
            fresh=True,
        )
        known = self._completed(world, wish.grant, known)
        max_age = "" if said.max_age is None else str(said.max_age)
        extra = {"acr_values": said.acr_values, "max_age": max_age}
        asked = ask_to_log_in(
            self._room,
            self._keeper,
            world,
            wish,
            known,
            None,
            self._callbacks,
            extra=extra,
        )

        def go_on(renewed: Token) -> Reply:
            sending.token = renewed
            return self._go_on(world, sending, token.alias)

        self._room.continue_with(asked.pending.target, go_on)
        return asked

    def _ready(self, world: World, token: Token) -> World:
        """Return the world for a token's requests, ready to renew it."""
        known = self._holdings.for_renewal(world, token)
        return self._worlds.armed(world, known)

    def _completed(self, world: World, grant: str, found: Credentials) -> Credentials:
        """Return credentials with every field that a grant needs."""
        return complete(
            found,
            world.provider.needed_fields(grant),
            world.target,
            remembered=self._remembered,
            prompt=self.prompt,
            has_demo=bool(world.provider.simulator),
        )

    def _require(self, target: str) -> tuple[World, Token]:
        world, alias = self._holdings.named(target)
        token = self._holdings.held(world, alias)
        if token is None:
            msg = f"No token is held for {world.target}."
            raise CommandError(msg, hint=f"Get one: %token {world.target}.")
        return world, token


def _grant_to_perform(
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
