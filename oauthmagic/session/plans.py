"""How many rows are to be sent: what a caller may say, and what makes sense of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from oauthmagic.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from oauthmagic.batch.progress import RowsProgress
    from oauthmagic.transport.engines import Engine

if TYPE_CHECKING:
    #: A `dask.distributed.Client`, or "dask" for the current one.
    DaskClient = Any

#: The most requests that may be under way at once.
MOST_AT_ONCE = 1000


class RowOptions(TypedDict, total=False):
    """What `Session.map` takes besides."""

    concurrency: int
    rate: float | None
    checkpoint: str | Path | None
    engine: Engine | DaskClient | None
    variables: Mapping[str, Any] | None
    yes_post: bool
    progress: RowsProgress | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How rows are sent.

    Attributes:
        concurrency: How many requests are under way at most.
        rate: How many are sent in a second at most, or None.
        checkpoint: A file that remembers what was answered, or None.
        to: A Parquet file for the result, or None.
        engine: What sends them, or None for the best there is here: a Dask client
            (or "dask" for the current one) for the workers of its cluster.
        yes_post: Whether a request may be sent that must not be repeated.
        progress: Is told how far it is, where that takes a while.
    """

    concurrency: int = 64
    rate: float | None = None
    checkpoint: str | Path | None = None
    to: str | Path | None = None
    engine: Engine | DaskClient | None = None
    yes_post: bool = False
    progress: RowsProgress | None = None

    def __post_init__(self) -> None:
        number = self.concurrency
        if type(number) is not int or not 1 <= number <= MOST_AT_ONCE:
            msg = f"The concurrency is a number from 1 to {MOST_AT_ONCE}."
            raise CommandError(msg, hint="Leave it out for 64.")
        rate = self.rate
        if rate is not None and not (math.isfinite(rate) and rate > 0):
            msg = "The rate is a positive number of requests in a second."
            raise CommandError(msg, hint="For example --rate 20, or 0.5.")
        if not (self.engine is None or self.is_spread or hasattr(self.engine, "poll")):
            msg = f"{type(self.engine).__name__} is no engine that sends requests."
            raise CommandError(
                msg,
                hint="Leave it out: this process sends them. Past one machine it is a "
                "dask.distributed Client.",
            )
        if self.is_spread and self.to is not None:
            msg = "Rows that a cluster sends come back as a Dask DataFrame."
            raise CommandError(msg, hint="Leave `to` out: result.to_parquet(folder).")

    @property
    def is_spread(self) -> bool:
        """Whether the workers of a Dask cluster send them."""
        kinds = type(self.engine).__mro__
        return self.engine == "dask" or any(
            each.__name__ == "Client" and each.__module__ == "distributed.client"
            for each in kinds
        )
