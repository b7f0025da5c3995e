"""Many rows as a DataFrame: what they are to be sent with, and what became of them."""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import CommandError
from oauthmagic.views.frames import bodies_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd

#: The largest number up to which a float is exactly one integer.
_EXACT = 2**53

#: What is known of each row; a member of the reply with such a name is `reply.<name>`.
COLUMNS = ("status", "error", "attempts", "elapsed")


def column_names(frame: object) -> list[str]:
    """Return the names of the columns that `{{name}}` can mean.

    Raises:
        CommandError: It is no DataFrame, or two columns have one name.
    """
    import pandas as pd  # noqa: PLC0415 - heavy

    if not isinstance(frame, pd.DataFrame):
        msg = f"Rows are a pandas DataFrame, not {type(frame).__name__}."
        raise CommandError(msg, hint="Make one: pandas.DataFrame({'id': [...]}).")
    if not frame.columns.is_unique:
        msg = "Two columns of the frame have one name."
        raise CommandError(msg, hint="Rename one, so that {{name}} means one of them.")
    names: list[Any] = frame.columns.tolist()
    return [name for name in names if isinstance(name, str)]


class Cells:
    """The values of some columns, row by row.

    pandas makes floats of integers as soon as one is missing, and they stay floats
    when its row is dropped: 7 becomes 7.0. A column of floats that are all whole is
    therefore one of integers. From 2**53 on a float is no integer any more but one of
    several, so a column with such a number stays as it is.

    Args:
        frame: The rows.
        names: The columns.
    """

    def __init__(self, frame: pd.DataFrame, names: Iterable[str]) -> None:
        self._columns = {name: frame[name] for name in names}
        self._whole = {
            name for name, column in self._columns.items() if _is_whole(column)
        }
        self._count = len(frame)

    def values(self, start: int, stop: int) -> list[list[Any]]:
        """Return each column's values in some rows.

        Args:
            start: The position of the first.
            stop: The position behind the last.
        """
        found = []
        for name, column in self._columns.items():
            part = column.iloc[start:stop]
            found.append(
                (part.astype("Int64") if name in self._whole else part).tolist()
            )
        return found

    def rows(self, start: int, stop: int) -> Iterator[dict[str, Any]]:
        """Return the same row by row."""
        values = self.values(start, stop)
        if not values:
            return iter([{} for _ in range(start, min(stop, self._count))])
        return (
            dict(zip(self._columns, row, strict=True))
            for row in zip(*values, strict=True)
        )

    def complete(self, most: int) -> list[int]:
        """Return the positions of the first rows without a missing value.

        Args:
            most: How many positions at most.
        """
        if not self._columns:
            return [*range(min(most, self._count))]
        known = (column.notna().to_numpy() for column in self._columns.values())
        found: list[int] = reduce(and_, known).nonzero()[0][:most].tolist()
        return found


def _is_whole(column: pd.Series[Any]) -> bool:
    import pandas as pd  # noqa: PLC0415 - heavy

    if not pd.api.types.is_float_dtype(column.dtype):
        return False
    known = column.dropna().to_numpy(dtype="float64")
    # What is infinite is not below the limit.
    return bool(len(known) and (abs(known) < _EXACT).all() and (known % 1 == 0).all())


def is_missing(value: object) -> bool:
    """Return whether a cell is empty: None, NaN, NaT or NA."""
    import pandas as pd  # noqa: PLC0415 - heavy

    # Anything but a scalar would be asked for an array of itself.
    scalar: Any = value if pd.api.types.is_scalar(value) else ""
    return bool(pd.isna(scalar))


def row_frame(
    index: pd.Index[Any],
    *,
    status: Iterable[int],
    errors: Iterable[str | None],
    attempts: Iterable[int],
    elapsed: Iterable[float],
    bodies: Iterable[bytes],
) -> pd.DataFrame:
    """Return a row for each row that was to be sent, its reply flattened.

    Args:
        index: What they are called.
        status: The status of the last answer, 0 without one.
        errors: What went wrong, or None.
        attempts: How often each was sent.
        elapsed: Seconds from the first byte out to the last byte in, or NaN.
        bodies: The body of the last answer.
    """
    import pandas as pd  # noqa: PLC0415 - heavy

    reply = bodies_frame([*bodies])
    reply.index = index
    taken = {*reply.columns}
    reply = reply.rename(
        columns={name: _free_name(name, taken) for name in COLUMNS if name in taken}
    )
    known = pd.DataFrame(
        {
            "status": pd.array([each or None for each in status], dtype="Int64"),
            "error": pd.array([*errors], dtype="string"),
            "attempts": [*attempts],
            "elapsed": [*elapsed],
        },
        index=index,
    )
    return pd.concat([known, reply], axis=1) if len(reply.columns) else known


def _free_name(name: str, taken: set[str]) -> str:
    while name in taken:
        name = f"reply.{name}"
    return name
