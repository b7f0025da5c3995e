"""What a worker has of the token, the rate and the answers: on loan, and not for long.

Everything is asked for over one channel, by the one thread that sends the requests of a
part. With every answer comes how things stand for all: whether to stop, how many
requests may be under way, and who wants to be left alone.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from oauthmagic.batch.chunks import Answered
from oauthmagic.batch.pacing import MADE_UP, Pacing
from oauthmagic.errors import LoginRequired
from oauthmagic.oauth.tokens import Token
from oauthmagic.redaction import Secret
from oauthmagic.runtime.authorized import authorize, bearer

if TYPE_CHECKING:
    from oauthmagic.batch.channels import Channel, Message
    from oauthmagic.runtime.world import World
    from oauthmagic.transport.wire import Headers, WireRequest, WireResponse

#: How old what is known of all may be, in seconds.
FRESH = 0.1
#: The most bytes of a refusal that are handed on.
_MOST_BODY = 64 * 1024


class Stopped(Exception):
    """Nothing more is to be sent, in the whole cluster."""


class Lease:
    """What the holder of the token lends to one part of the rows.

    Args:
        channel: Leads to it.
        part: The number of the part.
        start: The position of its first row.
        stop: The position behind its last.

    Attributes:
        job: What was said of the work.
        known: By place, what was answered before.
        share: How many requests may be under way.
        storm: The number of the last storm of all.
        done: How many rows of the part are settled.
    """

    def __init__(self, channel: Channel, part: int, start: int, stop: int) -> None:
        self._channel = channel
        self._part = part
        self._start = start
        self._answers: list[tuple[int, int, int, float, int]] = []
        self._bodies: list[bytes] = []
        self._asked = -math.inf
        self._is_stopped = False
        self.share = 1
        self.storm = self.done = 0
        self.quiet = 0.0
        reply, data = self.ask("begin", start=start, stop=stop)
        at = reply["job"]
        self.job = data[:at]
        self.known: dict[int, Answered] = {}
        for place, status, attempts, elapsed, size in reply["known"]:
            body = data[at : at + size]
            self.known[place] = Answered(status, attempts, elapsed, body)
            at += size

    def ask(
        self, what: str, data: bytes = b"", **said: object
    ) -> tuple[Message, bytes]:
        """Ask, and wait for the answer.

        Raises:
            OSError: There is nobody any more.
        """
        self._channel.send(
            {"ask": what, "part": self._part, "done": self.done, **said}, data
        )
        reply, more = self._channel.receive()
        self._is_stopped = bool(reply["stop"])
        self.share, self.storm = reply["share"], reply["storm"]
        self.quiet = reply["quiet"]
        return reply, more

    def check(self, now: float) -> None:
        """Ask how things stand, if that was long ago.

        Raises:
            Stopped: Nothing more is to be sent.
        """
        if now >= self._asked + FRESH:
            self._asked = now
            self.ask("state")
        if self._is_stopped:
            raise Stopped

    def looked(self, done: int) -> None:
        """Take note of how many rows are settled; it is told with the next question."""
        self.done = done

    def add(self, position: int, response: WireResponse, attempts: int) -> None:
        """Take a success."""
        body = response.body
        mark = (self._start + position, response.status, attempts, response.elapsed)
        self._answers.append((*mark, len(body)))
        self._bodies.append(body)

    def write(self) -> None:
        """Report what was taken; once it returns, it is never sent again."""
        if not self._answers:
            return
        answers, self._answers = self._answers, []
        bodies, self._bodies = self._bodies, []
        self.ask("answered", b"".join(bodies), answers=answers)

    def end(self) -> None:
        """Give everything back."""
        self.ask("end")
        self._channel.close()


class LeasedAuthorization:
    """The access token of a cluster, on a worker; whoever holds it renews it.

    Args:
        lease: Where it comes from.
        world: What its requests run in.

    Raises:
        EnvironmentRefused: It is of another target.
        LoginRequired: There is none.
    """

    def __init__(self, lease: Lease, world: World) -> None:
        self.number = -1
        self._lease = lease
        self._world = world
        self._check_at = math.inf
        self._token: Token | None = None
        self._take(lease.ask("token", number=-1)[0])

    @property
    def token(self) -> Token:
        """The token of now."""
        if self._token is None:
            msg = f"There is no token of {self._world.target}."
            raise LoginRequired(msg)
        return self._token

    def check(self) -> None:
        """Ask for another token if the end of this one is near."""
        if self._world.monotonic() >= self._check_at:
            self._take(self._lease.ask("token", number=self.number)[0])

    def header(self) -> Headers:
        """Return the header field of the token (RFC 6750, section 2.1)."""
        return (("authorization", bearer(self.token)),)

    def complete(self, request: WireRequest) -> WireRequest:
        """Return a request as it is sent."""
        return authorize(self._world.prepared(request), self.token, self._world)

    def accepted(self) -> None:
        """Tell that the token was accepted."""
        self._lease.ask("accepted", number=self.number)

    def refused(self, response: WireResponse, number: int) -> bool:
        """Return whether a request that was refused may succeed with another token."""
        if number != self.number:
            return True
        headers = [pair for pair in response.headers if pair[0] == "www-authenticate"]
        reply, _ = self._lease.ask(
            "refused",
            response.body[:_MOST_BODY],
            number=number,
            status=response.status,
            headers=headers,
        )
        if "another" not in reply:
            raise Stopped
        self._take(reply)
        return bool(reply["another"])

    def _take(self, reply: Message) -> None:
        if reply["stop"]:
            raise Stopped
        wait = reply["check_in"]
        self._check_at = math.inf if wait is None else self._world.monotonic() + wait
        if "access_token" not in reply:
            return
        token = Token(
            target=reply["target"],
            access_token=Secret(reply.pop("access_token")),
            scopes=frozenset(reply["scopes"]),
            grant=reply["grant"],
            issued_at=datetime.now(UTC),
            clock=self._world.clock,
        )
        self._world.admit(token)
        self._token = token
        self.number = reply["number"]


class LeasedPacing(Pacing):
    """Says when the next request may go out, of all that a cluster sends.

    Args:
        world: Its time, and who wants to be left alone in it.
        origin: Where the requests go.
        lease: What all of them may.
        concurrency: How many are under way at most, in the whole cluster.
        rate: How many are sent in a second at most, or None.
    """

    def __init__(
        self,
        world: World,
        origin: str,
        lease: Lease,
        concurrency: int,
        rate: float | None,
    ) -> None:
        super().__init__(world, origin, concurrency, rate)
        self._lease = lease
        self._seen = 0
        self._left = 0
        self._end = -math.inf

    def room(self, room: int, under_way: int) -> int:
        """Return how many may be sent, of those that there is room for."""
        return min(super().room(room, under_way), self._lease.share - under_way)

    def slot(self) -> float | None:
        """Return how long until the next one may go out; None if it may now."""
        now = self._world.monotonic()
        if not self._left or now > self._end + MADE_UP:
            # What was lent and not used is lost: others have the moments after it.
            lent, _ = self._lease.ask("slots")
            now = self._world.monotonic()
            self._left, self._gap = lent["count"], lent["gap"]
            self._next = now + lent["after"]
            self._end = self._next + self._left * self._gap
        wait = super().slot()
        self._left -= wait is None
        return wait

    def pause(self, *, is_idle: bool) -> float | None:
        """Return how long everybody has to wait, or None.

        Raises:
            RateLimited: It is longer than makes sense.
            Stopped: Nothing more is to be sent.
        """
        lease, world = self._lease, self._world
        lease.check(world.monotonic())
        if lease.storm != self._seen:
            self._seen = lease.storm
            self._begin_storm()
        if lease.quiet:
            world.pauses.begin(self._origin, now=world.monotonic(), seconds=lease.quiet)
            lease.quiet = 0.0
        return super().pause(is_idle=is_idle)

    def told_to_wait(self, response: WireResponse, storm: int) -> None:
        """Let everybody wait as a response asks: the whole cluster."""
        before = self.storm
        super().told_to_wait(response, storm)
        until = self._world.pauses.until(self._origin)
        if self.storm != before and until is not None:
            wait = until - self._world.monotonic()
            self._lease.ask("wait", seconds=wait)
            self._seen = self._lease.storm
