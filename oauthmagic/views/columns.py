"""Records turned into columns, level by level, in the order of `json_normalize`.

Records of one shape (the same members, objects in the same places) are turned by
column: each level costs a few calls for all of them instead of one for each member.
Records of other shapes are set apart and put together again by name. Where there
are too many shapes, or two members come to one name, `pandas.json_normalize` has to
go by record; what is found here is the same as what it finds.
"""

from __future__ import annotations

import contextlib
import importlib
from functools import cache
from itertools import chain, repeat
from operator import itemgetter
from types import NoneType
from typing import TYPE_CHECKING, Any

from oauthmagic.views.proportions import (
    DEEPEST,
    LONGEST_COLUMN_NAME,
    in_proportion,
    refuse_table,
    texts_inside,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

#: Records of one page that differ more than that are not turned by column.
MOST_SHAPES = 32
_MISSING = float("nan")
_TEXTS = frozenset({str, NoneType})
_WITH_TEXTS = frozenset({str, list, dict})
_DTYPES = {int: "int64", float: "float64", bool: "bool"}


# Values, their types, and how many there are: NaN stands where there is none.
_Column = tuple[Any, set[type], int]


class Ragged(Exception):
    """The records have to be taken one by one."""


class _Differing(Exception):
    """The records differ; `marks` says in what, one for each of them."""

    def __init__(self, marks: list[Any]) -> None:
        super().__init__()
        self.marks = marks


class Columns:
    """Columns that grow by pages of records.

    Args:
        look: Is given the texts of each piece of a column: those of its cells, at
            every depth of their lists.

    Attributes:
        rows: How many records there are so far.
        values: How many cells have a value.
    """

    def __init__(self, look: Callable[[set[str]], None]) -> None:
        self.rows = 0
        self.values = 0
        self._look = look
        # By name: pieces (arrays of numbers or texts, lists of whatever else), and
        # how many rows they fill. A number stands for so many rows without a value.
        self._pieces: dict[str, list[Any]] = {}
        self._filled: dict[str, int] = {}

    @property
    def names(self) -> list[str]:
        """The columns' names in the order of their first appearance."""
        return list(self._pieces)

    def add(self, records: list[Any]) -> None:
        """Add records.

        Raises:
            Ragged: They are no objects, or differ too much.
            ReplyError: They are too deep, or their names are too long.
        """
        for name, (values, kinds, count) in _turned(records).items():
            pieces = self._pieces.setdefault(name, [])
            if (gap := self.rows - self._filled.get(name, 0)) > 0:
                pieces.append(gap)
            if kinds & _WITH_TEXTS:
                # At once, while the texts are in the processor's cache.
                self._look(texts_inside(values))
            pieces.append(_compact(values, kinds))
            self._filled[name] = self.rows + len(records)
            self.values += count
        self.rows += len(records)

    def change(self, changed: Callable[[Any], Any]) -> None:
        """Put every name and every value that may be text through a function."""
        names = {name: changed(name) for name in self._pieces}
        if len(set(names.values())) < len(names):
            raise Ragged
        self._pieces = {
            names[name]: [
                piece
                if isinstance(piece, int) or hasattr(piece, "dtype")
                else [changed(value) for value in _listed(piece)]
                for piece in pieces
            ]
            for name, pieces in self._pieces.items()
        }
        self._filled = {names[name]: count for name, count in self._filled.items()}

    def frame(self) -> pd.DataFrame:
        """Return the table; the columns are empty afterwards."""
        import pandas as pd  # noqa: PLC0415 - heavy

        made = {}
        for name in list(self._pieces):
            pieces = self._pieces.pop(name)
            if (gap := self.rows - self._filled[name]) > 0:
                pieces.append(gap)
            made[name] = _series(pieces, self.rows)
        return pd.DataFrame(made, index=pd.RangeIndex(self.rows))


def _turned(records: list[Any]) -> dict[str, _Column]:
    """Return the columns of records."""
    if set(map(type, records)) - {dict}:
        raise Ragged
    shapes = _shapes(records)
    if len(shapes) == 1:
        return shapes[0][1]
    columns: dict[str, _Column] = {}
    names = {name for _, turned in shapes for name in turned}
    values = sum(len(places) * len(turned) for places, turned in shapes)
    if not in_proportion(len(records), len(names), values):
        raise Ragged
    for places, turned in shapes:
        for name, (values, kinds, count) in turned.items():
            empty = [_MISSING] * len(records), {float}, 0
            column, others, before = columns.get(name, empty)
            for place, value in zip(places, values, strict=True):
                column[place] = value
            columns[name] = column, kinds | others, before + count
    return columns


def _shapes(
    records: list[dict[str, Any]],
) -> list[tuple[list[int], dict[str, _Column]]]:
    """Return the records of each shape as columns, with their places, in order."""
    done: list[tuple[list[int], dict[str, _Column]]] = []
    todo = [list(range(len(records)))] if records else []
    while todo:
        places = todo.pop()
        some = records
        if len(places) < len(records):
            some = [records[place] for place in places]
        turned: dict[str, _Column] = {}
        try:
            _turn(some, "", 1, turned)
        except _Differing as differing:
            parts: dict[Any, list[int]] = {}
            for place, mark in zip(places, differing.marks, strict=True):
                parts.setdefault(mark, []).append(place)
            todo += parts.values()
            if len(done) + len(todo) > MOST_SHAPES:
                raise Ragged from None
        else:
            done.append((places, turned))
    # Columns appear in the order of the first record that has them.
    return sorted(done, key=itemgetter(0))


def _turn(
    records: list[dict[str, Any]],
    above: str,
    depth: int,
    turned: dict[str, _Column],
) -> None:
    """Add the members of records of one shape to the columns."""
    if depth > DEEPEST:
        refuse_table(f"more than {DEEPEST} levels deep")
    later = []
    for member, values in _members(records):
        kinds = set(map(type, values))
        name = _column_name(above, member)
        if dict not in kinds:
            if name in turned:
                raise Ragged
            turned[name] = values, kinds, len(records)
        elif len(kinds) > 1:
            raise _Differing([type(value) is dict for value in values])
        elif depth == 1:
            # On the first level, and only there, objects come after all others.
            later.append((name, values))
        else:
            _turn(values, name, depth + 1, turned)
    for name, values in later:
        _turn(values, name, depth + 1, turned)


def _members(records: list[dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Return each member's name and its values, in one call for all records."""
    names = list(records[0])
    if set(map(len, records)) != {len(names)}:
        raise _Differing(list(map(frozenset, records)))
    try:
        if len(names) > 1:
            turned: Any = zip(*map(itemgetter(*names), records), strict=True)
        else:
            turned = [list(map(itemgetter(name), records)) for name in names]
        return zip(names, turned, strict=True)
    except KeyError:
        raise _Differing(list(map(frozenset, records))) from None


def _column_name(above: str, name: str) -> str:
    if len(above) + 1 + len(name) > LONGEST_COLUMN_NAME:
        refuse_table(f"with names over {LONGEST_COLUMN_NAME} characters")
    return f"{above}.{name}" if above else name


def _compact(values: Any, kinds: set[type]) -> Any:
    """Return values of one kind as an array, which takes a fraction of the memory."""
    import numpy as np  # noqa: PLC0415 - heavy

    if len(kinds) == 1 and (dtype := _DTYPES.get(*kinds)):
        with contextlib.suppress(OverflowError):
            return np.array(values, dtype=dtype)
    if str in kinds and kinds <= _TEXTS and (arrow := _arrow()):
        # Half of a surrogate pair is no text there.
        with contextlib.suppress(UnicodeError):
            return arrow.array(values, arrow.large_string())
    return values if isinstance(values, list) else list(values)


@cache
def _arrow() -> Any:
    """Return pyarrow where pandas itself would put texts into its arrays."""
    import pandas as pd  # noqa: PLC0415 - heavy

    if getattr(pd.Series(["a"]).dtype, "storage", "") != "pyarrow":
        return None
    return importlib.import_module("pyarrow")


def _series(pieces: list[Any], rows: int) -> Any:
    """Return a column; what its dtype is, is left to pandas where it is not plain."""
    import numpy as np  # noqa: PLC0415 - heavy
    import pandas as pd  # noqa: PLC0415 - heavy

    kinds = {(type(piece), getattr(piece, "dtype", None)) for piece in pieces}
    if len(kinds) == 1:
        if isinstance(pieces[0], np.ndarray):
            return np.concatenate(pieces)
        if not isinstance(pieces[0], list | int):
            texts: Any = pd.Series(["a"]).dtype
            return texts.__from_arrow__(_arrow().chunked_array(pieces))
    values = chain.from_iterable(
        repeat(_MISSING, piece) if isinstance(piece, int) else _listed(piece)
        for piece in pieces
    )
    cells = np.fromiter(values, dtype=object, count=rows)
    return pd.Series(cells, dtype=object).infer_objects()


def _listed(piece: Any) -> list[Any]:
    return piece if isinstance(piece, list) else piece.tolist()
