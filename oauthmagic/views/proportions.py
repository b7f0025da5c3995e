"""What a table may be made of: neither too deep, nor too wide for what is in it."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, NoReturn

from oauthmagic.errors import ReplyError

if TYPE_CHECKING:
    from collections.abc import Collection

#: Columns are named after the members that lead to them.
LONGEST_COLUMN_NAME = 1000
DEEPEST = 100
#: A table has a cell for every column in every row, whether or not there is a value:
#: that many cells always will do, and that many for each value.
MOST_CELLS = 1_000_000
MOST_CELLS_PER_VALUE = 10
_CONTAINERS = frozenset({dict, list})


def in_proportion(rows: int, columns: int, values: int) -> bool:
    """Return whether a table of that size may be made of so many values."""
    return rows * columns <= max(MOST_CELLS, MOST_CELLS_PER_VALUE * values)


def refuse_table(size: str) -> NoReturn:
    """Refuse rows of which a table would be out of proportion.

    Args:
        size: What it would be, as half a sentence.
    """
    msg = f"The rows of the reply make no table: it would be {size}."
    raise ReplyError(
        msg,
        hint="Name the part that you need with .frame('path.to.rows'), "
        "or make a table of .json() yourself.",
    )


def texts_inside(values: Collection[Any]) -> set[str]:
    """Return the texts in values, at every depth of their lists and objects.

    Raises:
        ReplyError: They are too deep.
    """
    texts: set[str] = set()
    level: Collection[Any] = values
    for _ in range(DEEPEST + 1):
        kinds = set(map(type, level))
        if kinds <= {str}:
            texts.update(level)
            return texts
        if str in kinds:
            texts.update(value for value in level if type(value) is str)
        if not kinds & _CONTAINERS:
            return texts
        if kinds == {list}:
            level = list(chain.from_iterable(level))
            continue
        inner: list[Any] = []
        for value in level:
            if type(value) is list:
                inner += value
            elif type(value) is dict:
                texts.update(value)
                inner += value.values()
        level = inner
    refuse_table(f"more than {DEEPEST} levels deep")
