"""What a worker of a cluster does: it sends one part of the rows.

Its requests are made, checked and sent here as they are where the session lives; only
the token, the rate and the pauses are on loan (`oauthmagic.batch.leases`).
"""

from __future__ import annotations

import os
import pickle
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from oauthmagic.batch.channels import connected
from oauthmagic.batch.chunks import NOT_SENT, ROWS, Chunk, table
from oauthmagic.batch.leases import Lease, LeasedAuthorization, LeasedPacing, Stopped
from oauthmagic.batch.scheduler import Scheduler
from oauthmagic.batch.templates import Part, RowTemplate
from oauthmagic.errors import CommandError, ConnectionLost, OAuthMagicError
from oauthmagic.http_request import parse
from oauthmagic.runtime.world import World
from oauthmagic.session.requests import checked
from oauthmagic.session.rows import explained
from oauthmagic.session.sites import VARIABLE, Site
from oauthmagic.session.sockets import Sockets
from oauthmagic.session.worlds import OF_THIS_PROCESS
from oauthmagic.transport.engines import engine_for
from oauthmagic.transport.urls import parse_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from oauthmagic.oauth.targets import Target
    from oauthmagic.providers.environments import Environment
    from oauthmagic.providers.provider import Provider
    from oauthmagic.transport.wire import WireResponse

#: Kept for the parts that follow.
_SOCKETS = Sockets(None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """What all workers have to know of a run: no secret of the session is in it.

    It does not go through the scheduler, for a user may have typed a secret into a
    request; whoever knows the ticket is told it.
    """

    text: str = field(repr=False)
    names: Mapping[str, Any] = field(repr=False)
    sample: pd.DataFrame = field(repr=False)
    whole: tuple[str, ...]
    seed: bytes = field(repr=False)
    target: Target
    provider: Provider
    environment: Environment
    api_timeout: float
    max_body: int
    concurrency: int
    rate: float | None

    def world(self) -> World:
        """Return what the requests run in.

        Raises:
            EnvironmentRefused: This machine does not let it in.
        """
        Site(os.environ.get(VARIABLE, "")).check_allowed(self.target)
        return World(
            target=self.target,
            provider=self.provider,
            environment=self.environment,
            transport=_SOCKETS.to(self.environment.ca_file),
            clock=lambda: datetime.now(UTC),
            sleep=time.sleep,
            randomness=secrets.token_bytes,
            fingerprint_key=b"",
            pauses=OF_THIS_PROCESS,
            api_timeout=self.api_timeout,
            max_body=self.max_body,
        )


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Errand:
    """A part of the rows, and where to ask about it.

    Attributes:
        address: Where the holder of the token is.
        ticket: What it is asked with.
        part: The number of the part.
        start: The position of its first row.
        stop: The position behind its last.
        is_encrypted: Whether the holder is asked over TLS.
    """

    is_encrypted: bool
    address: tuple[str, int]
    ticket: bytes
    part: int
    start: int
    stop: int


def no_files(name: str) -> bytes:
    """Refuse a file: it is not on every machine.

    Raises:
        CommandError: Always.
    """
    msg = f"The file {name!r} is not on the machines of a cluster."
    raise CommandError(msg, hint="Leave the engine out, and it is read here.")


def send_part(frame: pd.DataFrame, errand: Errand) -> pd.DataFrame:
    """Send a part of the rows, and return what became of them.

    Args:
        frame: The rows.
        errand: Which they are.

    Raises:
        ConnectionLost: Nobody holds the token any more.
    """
    context = None
    if errand.is_encrypted:
        from oauthmagic.batch.cluster import worker_context  # noqa: PLC0415 - an extra

        context = worker_context()
    try:
        channel = connected(errand.address, errand.ticket, context)
        lease = Lease(channel, errand.part, errand.start, errand.stop)
        part = _Part(frame, errand, lease)
        result = part.sent()
        lease.end()
    except OSError:
        msg = "The session that these rows belong to cannot be reached."
        raise ConnectionLost(msg, sent="unknown", hint=UNREACHABLE) from None
    return result


UNREACHABLE = (
    "Workers connect to the process that called map: it has to be reachable from their "
    "machines. If it has ended the run, call map again, with the same checkpoint."
)


class _Part:
    def __init__(self, frame: pd.DataFrame, errand: Errand, lease: Lease) -> None:
        # From whoever proved to know the ticket: those who made this task.
        self._job: Job = pickle.loads(lease.job)  # noqa: S301 - see above
        self._frame = frame
        self._errand = errand
        self._lease = lease
        self._done: list[Chunk] = []

    def sent(self) -> pd.DataFrame:
        scheduler: Scheduler | None = None
        begun = 0
        try:
            world = self._job.world()
            template = self._template(world)
            scheduler = self._scheduler(world, template)
            scheduler.run(self._chunks(template))
        except OAuthMagicError as error:
            begun = scheduler.stop() if scheduler else 0
            kind = type(error).__name__
            self._lease.ask("failed", kind=kind, said=str(error), hint=error.hint)
        except Stopped:
            begun = scheduler.stop() if scheduler else 0
        else:
            begun = len(self._frame)
        self._leave_out(begun)
        self._done.sort(key=lambda chunk: chunk.start)
        return table(self._done, self._frame.index)

    def _template(self, world: World) -> RowTemplate:
        job = self._job
        (request,) = parse(job.text)
        template = RowTemplate(
            request,
            self._frame,
            job.names,
            checked=lambda each: checked(each, world).wire,
            clock=world.clock,
            files=no_files,
            part=Part(offset=self._errand.start, sample=job.sample, whole=job.whole),
        )
        template.seed = job.seed
        return template

    def _scheduler(self, world: World, template: RowTemplate) -> Scheduler:
        job, lease = self._job, self._lease
        authorization = LeasedAuthorization(lease, world)
        (request,) = parse(job.text)

        def explain(response: WireResponse) -> str:
            return explained(response, template.first, world, authorization.token)

        origin = parse_url(template.first.url).origin
        self._engine = engine_for(world.transport, job.concurrency)
        return Scheduler(
            world,
            self._engine,
            authorization,
            first=template.first,
            timeout=request.timeout or world.api_timeout,
            concurrency=job.concurrency,
            rate=job.rate,
            explain=explain,
            finished=self._done.append,
            checkpoint=lease,
            looked=lease.looked,
            pacing=LeasedPacing(world, origin, lease, job.concurrency, job.rate),
        )

    def _chunks(self, template: RowTemplate) -> Iterator[Chunk]:
        for start, stop in self._pieces(0):
            requests, errors = template.requests(start, stop)
            yield Chunk.made(start, requests, errors, self._known(start, stop))

    def _leave_out(self, begun: int) -> None:
        for start, stop in self._pieces(begun):
            count = stop - start
            unsent = dict.fromkeys(range(count), NOT_SENT)
            known = self._known(start, stop)
            self._done.append(Chunk.made(start, [None] * count, unsent, known))

    def _pieces(self, begin: int) -> Iterator[tuple[int, int]]:
        for start in range(begin, len(self._frame), ROWS):
            yield start, min(start + ROWS, len(self._frame))

    def _known(self, start: int, stop: int) -> dict[int, Any]:
        known = self._lease.known
        return {row - start: known[row] for row in range(start, stop) if row in known}
