"""`Session`: from a target and a wish to a token, a reply or a table."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, overload

from oauthmagic.errors import (
    CommandError,
    LoginRequired,
    OAuthMagicError,
    StepUpRequired,
    UserActionRequired,
)
from oauthmagic.oauth import grants
from oauthmagic.oauth.challenges import BearerError
from oauthmagic.oauth.credentials import Credentials, read_credentials
from oauthmagic.oauth.outcomes import settled
from oauthmagic.oauth.scopes import normalise_scopes
from oauthmagic.runtime.lifecycle import Wish
from oauthmagic.session.certificates import check_certificates
from oauthmagic.session.core import grant_to_perform
from oauthmagic.session.credentials import complete, from_env_file
from oauthmagic.session.lives import Lives
from oauthmagic.session.logins import ask_to_log_in
from oauthmagic.session.looks import Looks
from oauthmagic.session.naming import Naming

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from typing import Unpack

    import httpx
    import pandas as pd

    from oauthmagic.batch.parquet import Written
    from oauthmagic.batch.progress import RowsProgress
    from oauthmagic.oauth.tokens import Token
    from oauthmagic.runtime.pending import PendingAction
    from oauthmagic.runtime.world import World
    from oauthmagic.session.pages import PagesProgress
    from oauthmagic.session.plans import DaskClient, RowOptions
    from oauthmagic.session.requests import Sending
    from oauthmagic.session.saving import Progress
    from oauthmagic.transport.engines import Engine
    from oauthmagic.transport.wire import Headers
    from oauthmagic.views.replies import Reply


class Session(Lives, Looks, Naming):
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
        grant = grant_to_perform(provider, grant, held, target)
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
