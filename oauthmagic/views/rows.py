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
        whole: Which of them are of integers, where the frame is a part of one.

    Attributes:
        whole: The columns of floats that are all whole.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        names: Iterable[str],
        whole: Iterable[str] | None = None,
    ) -> None:
        self._columns = {name: frame[name] for name in names}
        if whole is None:
            whole = [name for name, each in self._columns.items() if _is_whole(each)]
        self.whole = {*whole}
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
                (part.astype("Int64") if name in self.whole else part).tolist()
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


def fractions(frame: pd.DataFrame) -> list[str]:
    """Return the columns of floats with a value that is not whole."""
    return [
        name
        for name in frame.columns
        if not frame[name].isna().all() and not _is_whole(frame[name])
    ]


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


def schema(frame: pd.DataFrame) -> dict[str, Any]:
    """Return the type of each column; None for one that has no values."""
    return {
        name: None if frame[name].isna().all() else frame[name].dtype
        for name in frame.columns
    }


def joint_frame(schemas: Iterable[dict[str, Any]], like: pd.DataFrame) -> pd.DataFrame:
    """Return a frame without rows that has the columns of all, of types with room.

    Args:
        schemas: What `schema` says of each part.
        like: A part; the index is as its own, and so are the columns of every part.
    """
    import pandas as pd  # noqa: PLC0415 - heavy

    found: dict[str, list[Any]] = {}
    schemas = [*schemas]
    for each in schemas:
        for name, kind in each.items():
            found.setdefault(name, []).append(kind)
    columns = {
        name: pd.Series(
            index=like.index[:0],
            dtype=like[name].dtype
            if name in COLUMNS
            else _joint_type([*kinds, *[None] * (len(schemas) - len(kinds))]),
        )
        for name, kinds in found.items()
    }
    return pd.DataFrame(columns, index=like.index[:0])


def conformed(frame: pd.DataFrame, like: pd.DataFrame) -> pd.DataFrame:
    """Return a part with the columns of all."""
    import pandas as pd  # noqa: PLC0415 - heavy

    columns = {}
    for name, kind in like.dtypes.items():
        if name not in frame or frame[name].isna().all():
            columns[name] = pd.Series(None, index=frame.index, dtype=kind)
        else:
            columns[name] = frame[name].astype(kind)
    return pd.DataFrame(columns, index=frame.index)


def _joint_type(kinds: list[Any]) -> Any:
    """Return a type with room for columns, None for those without values."""
    import numpy as np  # noqa: PLC0415 - heavy

    some = [kind for kind in kinds if kind is not None]
    has_gaps = len(some) < len(kinds)
    if not some:
        return np.dtype(object)
    if any(kind != some[0] for kind in some):
        if not all(_is_number(kind) for kind in some):
            return np.dtype(object)
        return np.result_type(*some, *[np.dtype(float)] * has_gaps)
    if has_gaps and getattr(some[0], "kind", "") == "b":
        return np.dtype(object)
    if has_gaps and getattr(some[0], "kind", "") in "iu":
        return np.dtype(float)
    return some[0]


def _is_number(kind: Any) -> bool:
    import numpy as np  # noqa: PLC0415 - heavy

    return isinstance(kind, np.dtype) and kind.kind in "iuf"


def _free_name(name: str, taken: set[str]) -> str:
    while name in taken:
        name = f"reply.{name}"
    return name
