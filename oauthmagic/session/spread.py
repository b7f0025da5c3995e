"""A request for each row of a frame, sent by the workers of a Dask cluster."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from oauthmagic.batch.authorizations import KeptAuthorization
from oauthmagic.batch.checkpoints import Checkpoint
from oauthmagic.batch.holders import Holder
from oauthmagic.batch.ledgers import MemoryLedger, rows_mark
from oauthmagic.batch.progress import Told
from oauthmagic.batch.references import free_names
from oauthmagic.batch.templates import FIRST
from oauthmagic.errors import CommandError, Interrupted, OAuthMagicError
from oauthmagic.http_request import parse
from oauthmagic.runtime.traces import unrecorded
from oauthmagic.session.parts import Errand, Job, no_files, send_part
from oauthmagic.session.rows import Rows
from oauthmagic.transport.engines import bare
from oauthmagic.views.rows import fractions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from oauthmagic.batch import cluster as clusters
    from oauthmagic.oauth.tokens import Token
    from oauthmagic.runtime.lifecycle import TokenKeeper
    from oauthmagic.runtime.world import World
    from oauthmagic.session.plans import Plan

_SEED_BYTES = 16
_TICKET_BYTES = 32


def rows_of(
    world: World,
    text: str,
    frame: Any,
    names: Mapping[str, Any],
    plan: Plan,
) -> Rows | SpreadRows:
    """Return rows that passed every check, for this process or for a cluster.

    Raises:
        OAuthMagicError: They did not.
    """
    if plan.is_spread:
        return SpreadRows(world, text, frame, names, plan)
    if is_of_dask(frame):
        msg = "A Dask DataFrame is sent by the workers of its cluster."
        raise CommandError(msg, hint="Add --engine dask; in Python engine=client.")
    return Rows(world, text, frame, names, plan)


def is_of_dask(frame: object) -> bool:
    """Return whether a frame is a Dask DataFrame; Dask is not imported for it."""
    known = sys.modules.get("dask.dataframe")
    return known is not None and isinstance(frame, known.DataFrame)


class SpreadRows:
    """Rows that passed every check; nothing was sent.

    Args:
        world: What their requests run in.
        text: The request, with columns in it.
        frame: The rows, a pandas or a Dask DataFrame.
        names: What else `{{name}}` may mean.
        plan: How they are sent.

    Raises:
        OAuthMagicError: It cannot be done in this way.
    """

    def __init__(
        self,
        world: World,
        text: str,
        frame: Any,
        names: Mapping[str, Any],
        plan: Plan,
    ) -> None:
        from oauthmagic.batch import cluster  # noqa: PLC0415 - an extra

        self._dask = cluster
        self._text = text
        self._frame = frame
        self._names = names
        self._plan = plan
        self._is_spread = is_of_dask(frame)
        self._sample = (
            cluster.sample_of(frame) if self._is_spread else frame.iloc[:FIRST]
        )
        seen = self._sample if self._is_spread else frame
        # Every check is made here, on the first rows; a worker makes them once more.
        self._rows = Rows(world, text, seen, names, plan, files=no_files)
        self._whole = self._rows.whole
        (self._request,) = parse(text)
        client = plan.engine if plan.engine != "dask" else cluster.current_client()
        _check_world(world)
        self._cluster = cluster.Cluster(client)

    def preview(self, token: Token | None) -> str:
        """Return the first row's request; nothing is sent."""
        return self._rows.preview(token, len(self._frame))

    def run(self, world: World, token: Token, keeper: TokenKeeper) -> Any:
        """Let the workers send all of them, and return a Dask DataFrame.

        Raises:
            OAuthMagicError: It makes no sense to go on; `.partial` has the rows.
            Interrupted: By the user; `.partial` has the rows.
        """
        _check_world(world)
        used = [*self._rows.columns]
        cut = self._cluster.partitions if self._is_spread else self._cluster.pieces
        pieces = cut(self._frame, used)
        if self._is_spread:
            # A part of them may be whole by chance.
            others = self._cluster.said_of(pieces, fractions)
            self._whole = self._whole.difference(*others)
        ledger, seed, known = self._ledger(world, pieces)
        bare_world = unrecorded(world)
        try:
            holder = Holder(
                KeptAuthorization(token, keeper, bare_world),
                job=self._job(world, seed),
                ticket=secrets.token_bytes(_TICKET_BYTES),
                ledger=ledger,
                concurrency=self._plan.concurrency,
                parts=len(pieces),
                threads=self._cluster.threads,
                rate=self._plan.rate,
                monotonic=world.monotonic,
            )
            return self._sent(holder, pieces, known)
        finally:
            if isinstance(ledger, Checkpoint):
                with contextlib.suppress(OAuthMagicError):
                    ledger.close()

    def _sent(self, holder: Holder, pieces: clusters.Pieces, known: int) -> Any:
        cluster, total = self._cluster, pieces.starts[-1]
        told = Told(self._plan.progress, total, known)
        address = holder.listen(cluster.host, cluster.context)

        def task(part: int, start: int, stop: int) -> tuple[Callable[..., Any], Errand]:
            errand = Errand(
                address=address,
                ticket=holder.ticket,
                part=part,
                start=start,
                stop=stop,
                is_encrypted=cluster.context is not None,
            )
            return send_part, errand

        def looked() -> None:
            told(holder.done)

        run = self._dask.Run(cluster, pieces, task, self._plan.concurrency)
        try:
            try:
                run.finish(looked)
            except KeyboardInterrupt:
                done = holder.done
                holder.stop()
                run.finish(looked)  # what is left says that it was not sent
                said = f"{done:,} of {total:,} rows"
                partial_ = cluster.joined(run.results, pieces.divisions)
                raise Interrupted(said, partial_) from None
            result = cluster.joined(run.results, pieces.divisions)
        finally:
            holder.close()
        if holder.failure is not None:
            holder.failure.partial = result
            raise holder.failure
        return result

    def _ledger(
        self, world: World, pieces: clusters.Pieces
    ) -> tuple[Checkpoint | MemoryLedger, bytes, int]:
        if self._plan.checkpoint is None:
            return MemoryLedger(), world.randomness(_SEED_BYTES), 0
        kept = Checkpoint(self._plan.checkpoint, world.randomness)
        try:
            mark = self._fingerprint(kept.seed, pieces)
            known = kept.begin(str(world.target), mark, pieces.starts[-1])
        except BaseException:
            kept.close()
            raise
        return kept, kept.seed, known

    def _fingerprint(self, key: bytes, pieces: clusters.Pieces) -> str:
        """Return a hash of all rows; for pandas it is that of one process."""
        if not self._is_spread:
            return self._rows.fingerprint(key)
        marks = self._cluster.said_of(pieces, partial(rows_mark, key=key))
        said = "".join([self._rows.fingerprint(key), *marks])
        return hashlib.sha256(said.encode()).hexdigest()

    def _job(self, world: World, seed: bytes) -> bytes:
        names = {
            name: self._names[name]
            for name in free_names(self._request)
            if name in self._names and name not in self._rows.columns
        }
        job = Job(
            text=self._text,
            names=names,
            sample=self._sample[[*self._rows.columns]],
            whole=tuple(self._whole),
            seed=seed,
            target=world.target,
            provider=world.provider,
            environment=world.environment,
            api_timeout=world.api_timeout,
            max_body=world.max_body,
            concurrency=self._plan.concurrency,
            rate=self._plan.rate,
        )
        return self._dask.pickled(job)


def _check_world(world: World) -> None:
    """Refuse what only this process can send.

    Raises:
        CommandError: It is that.
    """
    why = ""
    tls = getattr(bare(world.transport), "tls", None)
    if world.target.environment == "demo":
        why = "a demo lives in this process alone"
        hint = "Serve it over HTTP instead: `oauthmagic sandbox`."
    elif tls is None:
        why = "its transport is of this process"
        hint = "Leave the engine out."
    elif world.prepare is not None or tls[1] is not None:
        why = "they need the client's private key, which stays in this process"
        hint = "Leave the engine out: one process sends thousands of rows in a second."
    if why:
        msg = f"Workers cannot send requests of {world.target}: {why}."
        raise CommandError(msg, hint=hint)
