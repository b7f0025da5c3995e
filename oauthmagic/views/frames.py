"""Rows of a reply as a DataFrame: flat, of bounded size, known secrets masked."""

from __future__ import annotations

import contextlib
import gc
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import ReplyError
from oauthmagic.redaction import redact, texts_with_secrets
from oauthmagic.views.columns import Columns, Ragged
from oauthmagic.views.json_bodies import read_json
from oauthmagic.views.proportions import (
    DEEPEST,
    LONGEST_COLUMN_NAME,
    in_proportion,
    refuse_table,
    texts_inside,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import pandas as pd

#: Where a row is no object, its value stands here.
VALUE = "value"
# Bodies that are read together: their objects live until they are in columns.
_PAGE = 1000


def flat_frame(rows: list[Any]) -> pd.DataFrame:
    """Return rows as a DataFrame; nested members become dotted columns.

    A text in which a known secret stands, in any form, is masked there; without one
    the rows are left as they are. Numbers are never taken for secrets.

    Raises:
        ReplyError: The table would be many times larger than the reply.
    """
    return paged_frame(lambda: [rows])


def paged_frame(pages: Callable[[], Iterable[list[Any]]]) -> pd.DataFrame:
    """Return the rows of pages as one DataFrame, as `flat_frame` does.

    Args:
        pages: Gives the pages from the first on. Each of them is dropped before the
            next is asked for; where the rows are of too many shapes, all are asked
            for once more.

    Raises:
        ReplyError: The table would be many times larger than the pages.
    """
    with collector_paused():
        try:
            table = _Table()
            for page in pages():
                table.add(page)
            return table.masked_frame(table.rows)
        except (Ragged, UnicodeEncodeError):
            return _frame_by_rows([row for page in pages() for row in page])


def bodies_frame(bodies: Sequence[bytes | None]) -> pd.DataFrame:
    """Return a DataFrame with one row for each body, in their order.

    A JSON object is flattened as `flat_frame` does. What is no object stands in a
    column `value`: another JSON value, or the text of a body that is no JSON. A row
    without a body is empty. Where all that would make a table out of proportion,
    the text of each body stands in that column: an answer is never lost.

    Args:
        bodies: What was received; None or nothing for a row without an answer.
    """
    with collector_paused():
        try:
            return _frame_of_objects(bodies)
        except ReplyError:
            return _frame_by_rows([_text(body) if body else None for body in bodies])


def _frame_of_objects(bodies: Sequence[bytes | None]) -> pd.DataFrame:
    pages = range(0, len(bodies), _PAGE)
    table = _Table()
    try:
        for start in pages:
            table.add([_record(body) for body in bodies[start : start + _PAGE]])
        return table.masked_frame(sum(map(bool, bodies)))
    except (Ragged, UnicodeEncodeError):
        return _frame_by_rows([_record(body) for body in bodies])


def _record(body: bytes | None) -> dict[str, Any]:
    if not body:
        return {}
    try:
        value = read_json(body)
    except ValueError:
        value = _text(body)
    return value if type(value) is dict else {VALUE: value}


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the garbage collector from walking a million new objects again and again.

    None of them is part of a cycle, so nothing is kept for longer.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


class _Table(Columns):
    """Columns, and what in them has to be masked."""

    def __init__(self) -> None:
        super().__init__(self._find)
        self._found: dict[str, str] = {}

    def _find(self, texts: set[str]) -> None:
        self._found |= _masked(texts)

    def masked_frame(self, rows: int) -> pd.DataFrame:
        """Return the table; `rows` of its rows are meant to have values."""
        names = self.names
        _check_proportion(rows, len(names), self.values)
        if not names:
            return _frame_by_rows([{}] * self.rows)
        self._find(set(names))
        if self._found:
            self.change(lambda value: _replaced(value, self._found))
        return self.frame()


def _masked(texts: set[str]) -> dict[str, str]:
    return {text: redact(text) for text in texts_with_secrets(texts)}


def _frame_by_rows(rows: list[Any]) -> pd.DataFrame:
    _check_size(rows)
    texts = texts_inside(rows)
    if found := _masked(texts):
        rows = [_replaced(row, found) for row in rows]
    try:
        return _normalized(rows)
    except UnicodeEncodeError:
        # Half of a pair of UTF-16, which JSON can name: Arrow takes no such text.
        whole = {text: legible for text in texts if (legible := _whole(text)) != text}
        return _normalized([_replaced(row, whole) for row in rows])


def _whole(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _normalized(rows: list[Any]) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - heavy

    if not all(isinstance(row, dict) for row in rows):
        return pd.DataFrame({VALUE: rows})
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
            refuse_table(f"more than {DEEPEST} levels deep")
        if not isinstance(value, dict):
            values += 1
            filled.add(column)
            continue
        for name, item in value.items():
            number = columns.setdefault((column, name), len(lengths))
            if number == len(lengths):
                lengths.append(lengths[column] + 1 + len(name))
                if lengths[number] > LONGEST_COLUMN_NAME:
                    refuse_table(f"with names over {LONGEST_COLUMN_NAME} characters")
            todo.append((number, depth + 1, item))
    _check_proportion(len(rows), len(filled), values)


def _check_proportion(rows: int, columns: int, values: int) -> None:
    if not in_proportion(rows, columns, values):
        refuse_table(f"{rows:,} rows by {columns:,} columns, most of it empty")


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
