"""Who holds the token of a cluster, and what all of its workers have to share.

It lives in the process of the session. Workers ask it for the access token, for a share
of the rate, and for what was answered before; they tell it what was answered, and who
wants to be left alone. A refresh token, credentials and the store never leave here.
"""

from __future__ import annotations

import math
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from oauthmagic import errors
from oauthmagic.batch.channels import Message, accepted
from oauthmagic.errors import OAuthMagicError
from oauthmagic.transport.wire import WireResponse

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from oauthmagic.batch.authorizations import KeptAuthorization
    from oauthmagic.batch.channels import Channel
    from oauthmagic.batch.ledgers import Ledger

#: How many seconds of the rate are lent to a worker at once.
LENT = 0.25


class Holder:
    """Answers the workers of one run; each of them has a thread here.

    Args:
        authorization: The token, in the hands of whoever renews it.
        job: What a worker has to know, for those who know the ticket.
        ticket: What a worker has to know to be answered at all.
        ledger: What was answered.
        concurrency: How many requests are under way at most, in the whole cluster.
        parts: How many parts there are.
        threads: How many of them the cluster can send at once.
        rate: How many are sent in a second at most, or None.
        monotonic: Returns seconds that only grow.

    Attributes:
        failure: Why nothing more is sent, or None.
        ticket: What a worker has to know.
    """

    def __init__(  # noqa: PLR0913 - every seam is named
        self,
        authorization: KeptAuthorization,
        *,
        job: bytes,
        ticket: bytes,
        ledger: Ledger,
        concurrency: int,
        parts: int,
        threads: int,
        rate: float | None,
        monotonic: Callable[[], float],
    ) -> None:
        self.failure: OAuthMagicError | None = None
        self._authorization = authorization
        self._job = job
        self.ticket = ticket
        self._ledger = ledger
        self._concurrency = concurrency
        self._parts = parts
        self._threads = threads
        self._gap = 1 / rate if rate else 0.0
        self._lot = max(1, int(rate * LENT)) if rate else 0
        self._monotonic = monotonic
        self._is_stopped = False
        self._storm = 0
        self._quiet_until = self._next = -math.inf
        #: By part: who sends it, and how many of its rows are settled.
        self._active: dict[int, Channel] = {}
        self._done: dict[int, int] = {}
        self._ended: set[int] = set()
        # One for a renewal, which takes a while, one for all that does not.
        self._renewing = threading.Lock()
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._channels: set[Channel] = set()
        self._context: ssl.SSLContext | None = None
        self._listener: socket.socket | None = None

    @property
    def done(self) -> int:
        """How many rows are settled."""
        with self._lock:
            return sum(self._done.values())

    def listen(self, host: str, context: ssl.SSLContext | None) -> tuple[str, int]:
        """Begin to answer; return where.

        Args:
            host: The address to listen at.
            context: What encrypts, and knows the certificates of workers; or None.
        """
        self._context = context
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = self._listener = socket.create_server((host, 0), family=family)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        port: int = listener.getsockname()[1]
        return host, port

    def stop(self) -> None:
        """Let nothing more be sent: every worker learns it with its next answer."""
        self._is_stopped = True

    def close(self) -> None:
        """Answer nobody any more."""
        self.stop()
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        with self._lock:
            channels = [*self._channels]
        for channel in channels:
            channel.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        try:
            channel = accepted(sock, self.ticket, self._context)
        except OSError:
            return
        with self._lock:
            self._channels.add(channel)
        try:
            while True:
                channel.send(*self._answered(channel, *channel.receive()))
        except (OSError, KeyError, TypeError, ValueError):
            pass  # gone, or talking nonsense: it is not listened to any more
        finally:
            with self._lock:
                self._channels.discard(channel)
                for part in [p for p, who in self._active.items() if who is channel]:
                    del self._active[part]
            channel.close()

    def _answered(
        self, channel: Channel, asked: Message, data: bytes
    ) -> tuple[Message, bytes]:
        reply: Message = {}
        more = b""
        try:
            what = asked["ask"]
            if what == "begin":
                reply, more = self._begin(channel, asked)
            elif what == "token":
                reply = self._token(asked["number"])
            elif what == "refused":
                reply = self._refused(asked, data)
            elif what == "accepted":
                self._accepted(asked["number"])
            elif what == "slots":
                reply = self._slots()
            elif what == "wait":
                self._wait(float(asked["seconds"]))
            elif what == "answered":
                self._keep(channel, asked, data)
            elif what == "failed":
                self._failed(asked)
        except OAuthMagicError as error:
            self._fail(error)
        return reply | self._state(channel, asked), more

    def _state(self, channel: Channel, asked: Message) -> Message:
        """Return what every answer tells: how things stand for all."""
        with self._lock:
            part = asked["part"]
            if self._active.get(part) is channel:
                self._done[part] = int(asked["done"])
                if asked["ask"] == "end":
                    self._ended.add(part)
            # As if all who can were at it: who comes late finds its share free.
            at_it = min(self._threads, self._parts - len(self._ended))
            at_it = max(at_it, len(self._active), 1)
            return {
                "stop": self._is_stopped,
                "share": max(1, self._concurrency // at_it),
                "storm": self._storm,
                "quiet": max(0.0, self._quiet_until - self._monotonic()),
            }

    def _begin(self, channel: Channel, asked: Message) -> tuple[Message, bytes]:
        part, start, stop = asked["part"], asked["start"], asked["stop"]
        with self._lock:
            before = self._active.get(part)
            self._active[part] = channel
            self._ended.discard(part)
        if before is not None and before is not channel:
            # Somebody whom the scheduler has given up: what it sends now would be
            # sent twice.
            before.close()
        with self._writing:
            known = self._ledger.known(start, stop)
        marks = [
            (place, each.status, each.attempts, each.elapsed, len(each.body))
            for place, each in known.items()
        ]
        bodies = b"".join(each.body for each in known.values())
        return {"known": marks, "job": len(self._job)}, self._job + bodies

    def _token(self, number: int) -> Message:
        """Return the access token, where it is not the one that is known.

        Raises:
            OAuthMagicError: It is over and cannot be renewed.
        """
        kept = self._authorization
        with self._renewing:
            kept.check()
            reply: Message = {"check_in": kept.check_in}
            token = kept.token
            if kept.number != number and token.access_token is not None:
                reply |= {
                    "number": kept.number,
                    "access_token": token.access_token.reveal(),
                    "target": token.target,
                    "scopes": sorted(token.scopes),
                    "grant": token.grant,
                }
        return reply

    def _refused(self, asked: Message, data: bytes) -> Message:
        response = WireResponse(
            status=asked["status"],
            headers=tuple((name, value) for name, value in asked["headers"]),
            body=data,
        )
        with self._renewing:
            is_another = self._authorization.refused(response, asked["number"])
        return {"another": is_another} | self._token(asked["number"])

    def _accepted(self, number: int) -> None:
        with self._renewing:
            if number == self._authorization.number:
                self._authorization.accepted()

    def _slots(self) -> Message:
        """Lend a worker some of the next moments at which a request may go out."""
        with self._lock:
            now = self._monotonic()
            begin = max(self._next, now)
            self._next = begin + self._lot * self._gap
        return {"after": begin - now, "gap": self._gap, "count": self._lot}

    def _wait(self, seconds: float) -> None:
        with self._lock:
            now = self._monotonic()
            # Who is told while everybody waits speaks of the same storm.
            self._storm += self._quiet_until <= now
            self._quiet_until = max(self._quiet_until, now + seconds)

    def _keep(self, channel: Channel, asked: Message, data: bytes) -> None:
        with self._writing:
            if self._active.get(asked["part"]) is not channel:
                return
            end = 0
            for position, status, attempts, elapsed, size in asked["answers"]:
                begin, end = end, end + size
                body = data[begin:end]
                response = WireResponse(status=status, body=body, elapsed=elapsed)
                self._ledger.add(position, response, attempts)
            self._ledger.write()

    def _failed(self, asked: Message) -> None:
        """Take why a worker does not go on; it is one of ours, or none.

        Raises:
            OAuthMagicError: That.
        """
        kind: Any = getattr(errors, str(asked["kind"]), None)
        error = OAuthMagicError(str(asked["said"]), hint=str(asked["hint"]))
        if isinstance(kind, type) and issubclass(kind, OAuthMagicError):
            with suppress(TypeError):
                error = kind(str(asked["said"]), hint=str(asked["hint"]))
        raise error

    def _fail(self, error: OAuthMagicError) -> None:
        with self._lock:
            self.failure = self.failure or error.with_traceback(None)
        self.stop()
