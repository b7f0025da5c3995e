"""Rows of a reply as a DataFrame: flat, of bounded size, known secrets masked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oauthmagic.errors import ReplyError
from oauthmagic.redaction import holds_secret, redact

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

#: A table has a cell for every column in every row, whether or not there is a value:
#: that many cells always will do, and that many for each value.
MOST_CELLS = 1_000_000
MOST_CELLS_PER_VALUE = 10
#: Columns are named after the members that lead to them.
LONGEST_COLUMN_NAME = 1000
DEEPEST = 100
# Texts are looked through together, for the few that hold a secret.
_BATCH = 256 << 10


def flat_frame(rows: list[Any]) -> pd.DataFrame:
    """Return rows as a DataFrame; nested members become dotted columns.

    A text in which a known secret stands, in any form, is masked there; without one
    the rows are left as they are. Numbers are never taken for secrets.

    Raises:
        ReplyError: The table would be many times larger than the reply.
    """
    import pandas as pd  # noqa: PLC0415 - heavy

    _check_size(rows)
    rows = _without_secrets(rows)
    if not all(isinstance(row, dict) for row in rows):
        return pd.DataFrame({"value": rows})
    return pd.json_normalize(rows)


def _check_size(rows: list[Any]) -> None:
    """Refuse rows that would make a table out of proportion.

    Columns are counted, not named: their names may be long and many.
    """
    # A column is known by the column above it and its own name.
    columns: dict[tuple[int, str], int] = {}
    lengths = [0]
    filled = set()
    values = 0
    todo: list[tuple[int, int, Any]] = [(0, 1, row) for row in rows]
    while todo:
        column, depth, value = todo.pop()
        if depth > DEEPEST:
            _refuse(f"more than {DEEPEST} levels deep")
        if not isinstance(value, dict):
            values += 1
            filled.add(column)
            if isinstance(value, list) and _depth(value) > DEEPEST:
                _refuse(f"more than {DEEPEST} levels deep")
            continue
        for name, item in value.items():
            number = columns.setdefault((column, name), len(lengths))
            if number == len(lengths):
                lengths.append(lengths[column] + 1 + len(name))
                if lengths[number] > LONGEST_COLUMN_NAME:
                    _refuse(f"with names over {LONGEST_COLUMN_NAME} characters")
            todo.append((number, depth + 1, item))
    cells = len(rows) * len(filled)
    if cells > max(MOST_CELLS, MOST_CELLS_PER_VALUE * values):
        _refuse(f"{len(rows):,} rows by {len(filled):,} columns, most of it empty")


def _depth(value: Any) -> int:
    """Return how many lists and objects are inside each other."""
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            item
            for each in level
            for item in (each.values() if isinstance(each, dict) else each)
            if isinstance(item, dict | list)
        ]
    return depth


def _refuse(size: str) -> None:
    msg = f"The rows of the reply make no table: it would be {size}."
    raise ReplyError(
        msg,
        hint="Name the part that you need with .frame('path.to.rows'), "
        "or make a table of .json() yourself.",
    )


def _without_secrets(rows: list[Any]) -> list[Any]:
    found: dict[str, str] = {}
    batch: set[str] = set()
    room = _BATCH
    for text in _texts(rows):
        if text not in batch:
            batch.add(text)
            room -= len(text)
        if room < 0:
            found |= _masked_texts(batch)
            batch, room = set(), _BATCH
    found |= _masked_texts(batch)
    return _replaced(rows, found) if found else rows


def _texts(rows: list[Any]) -> Iterator[str]:
    todo: list[Any] = [rows]
    while todo:
        value = todo.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from value
            todo += value.values()
        elif isinstance(value, list):
            todo += value


def _masked_texts(batch: set[str]) -> dict[str, str]:
    # The lines between keep them apart; that they are dropped only makes it careful.
    if not holds_secret("\n".join(batch)):
        return {}
    return {text: redact(text) for text in batch if holds_secret(text)}


def _replaced(value: Any, found: dict[str, str]) -> Any:
    if isinstance(value, str):
        return found.get(value, value)
    if isinstance(value, list):
        return [_replaced(item, found) for item in value]
    if isinstance(value, dict):
        return {
            found.get(name, name): _replaced(item, found)
            for name, item in value.items()
        }
    return value
