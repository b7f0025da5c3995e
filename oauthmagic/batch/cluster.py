"""The one module that knows Dask: a cluster of workers, and frames that lie on it.

Nothing of a token is in a task, its key or its result: a worker that runs one asks for
the token over a connection of its own (`oauthmagic.batch.channels`).
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from oauthmagic.batch.channels import NEEDS_TLS, is_loopback
from oauthmagic.batch.chunks import ROWS
from oauthmagic.batch.templates import FIRST
from oauthmagic.errors import (
    CommandError,
    EnvironmentRefused,
    ExtraMissing,
    OAuthMagicError,
)
from oauthmagic.views.rows import conformed, joint_frame, schema

try:
    import dask.dataframe as dd
    import distributed
except ImportError:
    msg = "Sending rows from a cluster needs Dask, which is not installed."
    raise ExtraMissing(msg, extra="dask") from None

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    import pandas as pd

#: How many parts there are for each thread of the cluster, so that none waits long.
PARTS = 4
#: How many parts are handed out for each thread, so that none waits for the next.
_AHEAD = 3
#: How often it is looked how far the workers are, in seconds.
_TICK = 0.2
#: How often Dask begins a part anew that lost its connection.
_RETRIES = 3


def current_client() -> Any:
    """Return the client that Dask would use.

    Raises:
        CommandError: There is none.
    """
    try:
        return distributed.default_client()
    except ValueError:
        msg = "There is no Dask client."
        raise CommandError(
            msg,
            hint="Make one first: from dask.distributed import Client; "
            "client = Client(), or Client(address) for a cluster that runs.",
        ) from None


def is_spread(frame: object) -> bool:
    """Return whether a frame lies on a cluster."""
    return isinstance(frame, dd.DataFrame)


def sample_of(frame: Any) -> pd.DataFrame:
    """Return the first rows of a Dask DataFrame."""
    sample: pd.DataFrame = frame.head(FIRST, npartitions=-1)
    return sample


class Cluster:
    """The workers of a client.

    Args:
        client: The `distributed.Client`.

    Attributes:
        threads: How many tasks they run at once.
        host: Where whoever holds the token has to listen to be reached by them.
        context: What encrypts that, or None on this machine.

    Raises:
        CommandError: It has no workers, or cannot be waited for.
        EnvironmentRefused: A token would go through a network without TLS.
    """

    def __init__(self, client: Any) -> None:
        if client.asynchronous:
            msg = "This Dask client is asynchronous."
            raise CommandError(msg, hint="Give one made with Client(address).")
        workers = client.scheduler_info(n_workers=-1)["workers"]
        if not workers:
            msg = "The Dask cluster has no workers."
            raise CommandError(msg, hint="Start some, or wait: client.wait_for_workers")
        self._client = client
        self.threads = sum(each["nthreads"] for each in workers.values())
        addresses = [client.scheduler.address, *workers]
        self.host = "127.0.0.1"
        self.context: ssl.SSLContext | None = None
        if not all(each.startswith("tls://") for each in addresses):
            if all(map(_is_here, addresses)):
                return
            msg = (
                "The workers are on other machines, and nothing encrypts what they say."
            )
            raise EnvironmentRefused(msg, hint=NEEDS_TLS)
        host = urlsplit(client.scheduler.address).hostname or ""
        self.host = distributed.utils.get_ip(host)
        self.context = client.security.get_listen_args("client")["ssl_context"]

    def pieces(self, frame: pd.DataFrame, columns: list[str]) -> Pieces:
        """Return a pandas DataFrame in pieces: its index, and columns that are used."""
        size = -(-len(frame) // max(1, self.threads * PARTS))
        size = max(1, min(size, ROWS))
        starts = [*range(0, len(frame), size), len(frame)]
        used = frame[columns]
        index = frame.index
        divisions = None
        if index.is_monotonic_increasing and index.is_unique:
            divisions = (*index[starts[:-1]], index[-1])

        def piece(number: int) -> pd.DataFrame:
            return used.iloc[starts[number] : starts[number + 1]]

        return Pieces(piece, starts, divisions)

    def partitions(self, frame: Any, columns: list[str]) -> Pieces:
        """Return the partitions of a Dask DataFrame, which stay where they are."""
        used = frame[columns]
        futures = self._client.compute(used.to_delayed())
        sizes = self._client.gather(self._client.map(len, futures, pure=False))
        starts = [0]
        for size in sizes:
            starts.append(starts[-1] + size)
        divisions = frame.divisions if frame.known_divisions else None
        return Pieces(futures.__getitem__, starts, divisions)

    def said_of(self, pieces: Pieces, function: Callable[[Any], Any]) -> list[Any]:
        """Return what a function says of each piece, where it lies."""
        return self._each([pieces.piece(each) for each in range(len(pieces))], function)

    def _each(self, pieces: list[Any], function: Callable[[Any], Any]) -> list[Any]:
        results: list[Any] = self._client.gather(
            self._client.map(function, pieces, pure=False)
        )
        return results

    def submit(
        self, key: str, function: Callable[..., Any], *arguments: object
    ) -> distributed.Future[Any]:
        """Begin to call a function on a worker."""
        future: distributed.Future[Any] = self._client.submit(
            function, *arguments, key=key, pure=False, retries=_RETRIES
        )
        return future

    def joined(self, parts: list[Any], divisions: Any) -> Any:
        """Return a Dask DataFrame of parts, all of which have the columns of all."""
        schemas = self._each(parts, schema)
        like = self._client.submit(_head, parts[0], pure=False).result()
        meta = joint_frame(schemas, like)
        same = self._client.map(partial(conformed, like=meta), parts, pure=False)
        distributed.wait(same)
        return dd.from_delayed(same, meta=meta, divisions=divisions, verify_meta=False)


class Pieces:
    """A frame in pieces.

    Args:
        piece: Returns a piece, or where it is, of its number.
        starts: The position of the first row of each, and how many rows there are.
        divisions: What Dask knows of the index, or None.
    """

    def __init__(
        self, piece: Callable[[int], Any], starts: list[int], divisions: Any
    ) -> None:
        self.piece = piece
        self.starts = starts
        self.divisions = divisions

    def __len__(self) -> int:
        return len(self.starts) - 1


class Run:
    """All pieces on their way; whoever was interrupted goes on with `finish`.

    Args:
        cluster: The workers.
        pieces: The rows.
        task: Returns the function to call with a piece, and its other argument, of the
            number of a part, the position of its first row and the one behind.
        most: How many parts are sent at once at most.

    Attributes:
        results: What became of each, in order.
    """

    def __init__(
        self,
        cluster: Cluster,
        pieces: Pieces,
        task: Callable[[int, int, int], tuple[Callable[..., Any], Any]],
        most: int,
    ) -> None:
        self._cluster = cluster
        self._pieces = pieces
        self._task = task
        self._ahead = max(1, min(most, cluster.threads * _AHEAD))
        self._name = f"oauthmagic-rows-{secrets.token_hex(8)}"
        self._waiting: set[distributed.Future[Any]] = set()
        self.results: list[distributed.Future[Any]] = []

    def finish(self, looked: Callable[[], None]) -> None:
        """Send what was not sent, and wait.

        Args:
            looked: Is called now and then.

        Raises:
            OAuthMagicError: The workers cannot do it.
        """
        while len(self.results) < len(self._pieces):
            while len(self._waiting) >= self._ahead:
                self._wait(looked)
            number = len(self.results)
            start, stop = self._pieces.starts[number : number + 2]
            function, argument = self._task(number, start, stop)
            future = self._cluster.submit(
                f"{self._name}-{number}", function, self._pieces.piece(number), argument
            )
            self._waiting.add(future)
            # Last: one that is interrupted before is submitted again, by one name.
            self.results.append(future)
        while self._waiting:
            self._wait(looked)

    def _wait(self, looked: Callable[[], None]) -> None:
        with suppress(TimeoutError):
            distributed.wait(
                list(self._waiting), timeout=_TICK, return_when="FIRST_COMPLETED"
            )
        looked()
        for future in [*self._waiting]:
            if future.status == "finished":
                self._waiting.discard(future)
            elif future.status != "pending":
                raise _failure(future)


def _failure(future: distributed.Future[Any]) -> OAuthMagicError:
    error = future.exception() if future.status == "error" else None
    if isinstance(error, OAuthMagicError):
        return error.with_traceback(None)
    if isinstance(error, distributed.KilledWorker) or error is None:
        return OAuthMagicError(
            "Workers that were sending rows were lost again and again.",
            hint="Look into their logs: memory, perhaps. With a checkpoint, the same "
            "call goes on where this one stopped.",
        )
    return OAuthMagicError(
        f"A worker cannot send rows: {type(error).__name__}: {error}",
        hint="It needs oauthmagic, in the version that is installed here.",
    )


def pickled(value: object) -> bytes:
    """Return a value as bytes, as Dask would send it."""
    data: bytes = distributed.protocol.pickle.dumps(value)
    return data


def worker_context() -> ssl.SSLContext | None:
    """Return what encrypts the connections of the worker that this runs on."""
    worker = distributed.get_worker()
    context: ssl.SSLContext | None = worker.security.get_connection_args("worker")[
        "ssl_context"
    ]
    return context


def _is_here(address: str) -> bool:
    scheme, _, rest = address.partition("://")
    return scheme == "inproc" or is_loopback(urlsplit(f"//{rest}").hostname or "")


def _head(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[:0]
