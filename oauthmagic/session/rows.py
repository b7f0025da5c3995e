"""A request for each row of a frame: `--each`, `Session.map`."""

from __future__ import annotations

import contextlib
import sys
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from oauthmagic.batch.authorizations import KeptAuthorization
from oauthmagic.batch.checkpoints import Checkpoint
from oauthmagic.batch.chunks import NOT_SENT, ROWS, Chunk, table
from oauthmagic.batch.inline import InlineEngine
from oauthmagic.batch.parquet import ParquetFile, Written
from oauthmagic.batch.progress import Told
from oauthmagic.batch.scheduler import Scheduler
from oauthmagic.batch.templates import RowTemplate
from oauthmagic.errors import CommandError, Interrupted, OAuthMagicError
from oauthmagic.http_request import parse
from oauthmagic.oauth.strict_json import read_object
from oauthmagic.runtime.calls import IDEMPOTENCY_KEY, IDEMPOTENT
from oauthmagic.runtime.traces import unrecorded
from oauthmagic.session.requests import (
    Files,
    Prepared,
    asks_for_more,
    checked,
    hint_for,
    preview,
)
from oauthmagic.transport.engines import engine_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pandas as pd

    from oauthmagic.oauth.tokens import Token
    from oauthmagic.runtime.lifecycle import TokenKeeper
    from oauthmagic.runtime.world import World
    from oauthmagic.session.plans import Plan
    from oauthmagic.transport.engines import Engine
    from oauthmagic.transport.wire import WireRequest, WireResponse

#: The most bytes of an error that are read for what it says.
_MOST_BYTES = 64 * 1024
_SEED_BYTES = 16


class Rows:
    """Rows that passed every check; nothing was sent.

    Args:
        world: What their requests run in.
        text: The request, with columns in it.
        frame: The rows.
        names: What else `{{name}}` may mean.
        plan: How they are sent.
        files: Returns the bytes of a file, instead of reading it.

    Raises:
        CommandError: It cannot be done in this way.
        UnknownName: A name in the request is not known.
        UrlRefused: The requests would leave the origins of the provider.
    """

    def __init__(
        self,
        world: World,
        text: str,
        frame: pd.DataFrame,
        names: Mapping[str, Any],
        plan: Plan,
        files: Callable[[str], bytes] | None = None,
    ) -> None:
        requests = [*parse(text)]
        if len(requests) != 1:
            msg = f"One request is sent for each row, and here are {len(requests)}."
            raise CommandError(msg, hint="Give each of them a cell of its own.")
        self._request = requests[0]
        self._world = world
        self._frame = frame
        self._plan = plan
        self._template = RowTemplate(
            self._request,
            frame,
            names,
            checked=lambda request: checked(request, world).wire,
            clock=world.clock,
            files=files or Files(),
        )
        self._check_method()
        self._done: list[Chunk] = []
        self._file: ParquetFile | None = None
        self._checkpoint: Checkpoint | None = None

    def __len__(self) -> int:
        return len(self._frame)

    @property
    def columns(self) -> list[str]:
        """The columns that decide what the requests are."""
        return self._template.used

    @property
    def whole(self) -> set[str]:
        """Those of floats that are integers."""
        return self._template.whole

    def fingerprint(self, key: bytes) -> str:
        """Return a hash of the request and of the rows."""
        return self._template.fingerprint(key)

    def preview(self, token: Token | None, count: int | None = None) -> str:
        """Return the first row's request and how many follow; nothing is sent."""
        first = Prepared(wire=self._template.first, name="", timeout=None)
        text = preview(self._world, (first,), token)
        return f"{text}\n\n# {count or len(self):,} such requests, one for each row"

    def run(
        self, world: World, token: Token, keeper: TokenKeeper
    ) -> pd.DataFrame | Written:
        """Send all of them, and return what became of them.

        Raises:
            OAuthMagicError: It makes no sense to go on; `.partial` has the rows.
            Interrupted: By the user; `.partial` has the rows.
        """
        known = self._open()
        try:
            result = self._run(world, token, keeper, known)
        except BaseException:
            # What went wrong first is told.
            with contextlib.suppress(OAuthMagicError):
                self._close()
            raise
        self._close()
        return result

    def _close(self) -> None:
        if self._file is not None:
            self._file.discard()
        if self._checkpoint is not None:
            self._checkpoint.close()

    def _open(self) -> int:
        """Open the files; return how many rows need not be sent again."""
        plan, known = self._plan, 0
        self._template.seed = self._world.randomness(_SEED_BYTES)
        if plan.to is not None:
            self._file = ParquetFile(plan.to, self._frame.index)
        if plan.checkpoint is not None:
            try:
                kept = Checkpoint(plan.checkpoint, self._world.randomness)
                self._checkpoint = kept
                self._template.seed = kept.seed
                mark = self._template.fingerprint(kept.seed)
                known = kept.begin(str(self._world.target), mark, len(self))
            except BaseException:
                self._close()
                raise
        return known

    def _run(
        self, world: World, token: Token, keeper: TokenKeeper, known: int
    ) -> pd.DataFrame | Written:
        plan = self._plan
        # A trace of ten thousand rows would be one of nothing else.
        bare = unrecorded(world)
        authorization = KeptAuthorization(token, keeper, world)

        def explain(response: WireResponse) -> str:
            first = self._template.first
            return explained(response, first, world, authorization.token)

        told = Told(plan.progress, len(self), known)
        is_demo = world.target.environment == "demo"
        engine = plan.engine or _engine_for(bare, plan.concurrency)
        scheduler = Scheduler(
            bare,
            engine,
            authorization,
            first=self._template.first,
            timeout=self._request.timeout or world.api_timeout,
            concurrency=plan.concurrency,
            rate=plan.rate,
            explain=explain,
            finished=self._finished,
            checkpoint=self._checkpoint,
            looked=told,
            # In a demo, waiting takes no time.
            waits=None if is_demo else told.waits,
        )
        try:
            scheduler.run(self._chunks(0))
        except KeyboardInterrupt:
            said = f"{scheduler.done:,} of {len(self):,} rows"
            raise Interrupted(said, self._stopped(scheduler)) from None
        except OAuthMagicError as error:
            error.partial = self._stopped(scheduler)
            raise
        finally:
            engine.close()
        return self._result()

    def _chunks(self, start: int) -> Iterator[Chunk]:
        for first in range(start, len(self), ROWS):
            stop = min(first + ROWS, len(self))
            requests, errors = self._template.requests(first, stop)
            yield Chunk.made(first, requests, errors, self._known(first, stop))

    def _known(self, start: int, stop: int) -> Mapping[int, Any]:
        kept = self._checkpoint
        return {} if kept is None else kept.known(start, stop)

    def _finished(self, chunk: Chunk) -> None:
        if self._file is None:
            chunk.requests = []
            self._done.append(chunk)
        else:
            self._file.take(chunk)

    def _stopped(self, scheduler: Scheduler) -> pd.DataFrame | Written:
        """Return what was done, and the rest as not sent."""
        begun = scheduler.stop()
        if self._checkpoint is not None:
            with contextlib.suppress(OAuthMagicError):
                self._checkpoint.write()
        for first in range(begun, len(self), ROWS):
            stop = min(first + ROWS, len(self))
            count = stop - first
            unsent = dict.fromkeys(range(count), NOT_SENT)
            known = self._known(first, stop)
            self._finished(Chunk.made(first, [None] * count, unsent, known))
        return self._result()

    def _result(self) -> pd.DataFrame | Written:
        if self._file is not None:
            return self._file.finish()
        self._done.sort(key=lambda chunk: chunk.start)
        return table(self._done, self._frame.index)

    def _check_method(self) -> None:
        """Refuse rows that would be done twice where one is sent twice."""
        method = self._request.method
        if method in IDEMPOTENT or self._plan.yes_post:
            return
        own = self._world.provider.idempotency_header
        if self._template.has_own_header((IDEMPOTENCY_KEY, own)):
            return
        msg = f"A {method} for each row may act twice where a connection is lost."
        name = own or "Idempotency-Key"
        raise CommandError(
            msg,
            hint=f"Give each row a key of its own, if the server knows it: "
            f"{name}: {{{{$guid}}}}, or a column. Or say that you know: --yes-post, in "
            "Python yes_post=True; it is then sent once, and never again by itself.",
        )


def _engine_for(world: World, concurrency: int) -> Engine:
    """Return what sends requests: in a demo, and without threads, one by one."""
    if world.target.environment == "demo" or sys.platform == "emscripten":
        return InlineEngine(world.transport)
    return engine_for(world.transport, concurrency)


def explained(
    response: WireResponse, wire: WireRequest, world: World, token: Token
) -> str:
    """Return what is wrong with an answer that is no success; "" if nothing is."""
    no_rows = world.provider.no_rows
    if no_rows is not None:
        try:
            said = read_object(response.body, max_bytes=_MOST_BYTES)
        except ValueError:
            said = {}
        if said and no_rows(response.status, said):
            return ""
    try:
        phrase = HTTPStatus(response.status).phrase
    except ValueError:
        phrase = ""
    title = f"{response.status} {phrase}".strip()
    if asks_for_more(response, world) is not None:
        return f"{title}: a second factor is asked for; send this row alone with %%api."
    hint = hint_for(response, wire, world, token)
    return f"{title}: {hint}" if hint else title
