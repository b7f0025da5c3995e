"""JSON as a tree that opens and closes without a script, and rows as a table.

Every name and value is a stranger's: masked where it is a secret by its name, redacted,
escaped, cut with a count. So many are shown and no more, however large the whole is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from oauthmagic.views.markup import CELL
from oauthmagic.views.masking import masked, shown_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: The most values of a tree.
MOST_VALUES = 400
#: A tree with no more values is open.
_SMALL = 40
DEEPEST = 20
LONGEST_NAME, LONGEST_VALUE, LONGEST_CELL = 80, 300, 80
MOST_ROWS, MOST_COLUMNS = 20, 12


@dataclass(slots=True)
class _Room:
    """How many values may still be shown."""

    left: int


def tree_html(value: Any) -> str:
    """Return JSON data as a tree."""
    is_small = _count(value, _SMALL + 1) <= _SMALL
    room = _Room(MOST_VALUES)
    tree = _node("", masked(value), room, opened=9 if is_small else 1, depth=0)
    return f'<div style="line-height:1.5;overflow-wrap:anywhere">{tree}</div>'


def rows_html(rows: Sequence[Any], total: int | None = None) -> str:
    """Return objects as a table, nested members in dotted columns.

    Args:
        rows: The objects.
        total: How many there are; without it, as many as `rows`.
    """
    shown = [_flat(masked(row)) for row in rows[:MOST_ROWS]]
    names = [*dict.fromkeys(name for row in shown for name in row)]
    cells = [
        [_cell(row[name]) if name in row else "" for name in names[:MOST_COLUMNS]]
        for row in shown
    ]
    heads = [shown_value(name, LONGEST_NAME) for name in names[:MOST_COLUMNS]]
    return table_html(
        heads, cells, rows=total or len(rows), columns=len(names), numbered=True
    )


def table_html(
    heads: Sequence[str],
    cells: Iterable[Sequence[str]],
    *,
    rows: int,
    columns: int,
    numbered: bool = False,
) -> str:
    """Return texts as a table that says how much of the whole it is.

    Args:
        heads: The names of the columns.
        cells: The rows.
        rows: How many rows there are.
        columns: How many columns there are.
        numbered: Whether each row begins with its number.
    """
    body = []
    for number, row in enumerate(cells):
        first = f'<th scope="row" style="{CELL}">{number}</th>' if numbered else ""
        data = "".join(f'<td style="{CELL}">{escape(each)}</td>' for each in row)
        body.append(f"<tr>{first}{data}</tr>")
    head = "".join(
        f'<th scope="col" style="{CELL}">{escape(name)}</th>' for name in heads
    )
    corner = "<td></td>" if numbered else ""
    size = f"{_part(len(body), rows)} rows, {_part(len(heads), columns)} columns"
    return (
        f'<div style="overflow-x:auto"><table style="border-collapse:collapse">'
        f"<thead><tr>{corner}{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
        f'</div><div style="opacity:.75">{size}</div>'
    )


def _part(shown: int, whole: int) -> str:
    return f"{whole:,}" if shown == whole else f"{shown:,} of {whole:,}"


def _count(value: Any, most: int) -> int:
    """Return how many values there are, or more than is asked."""
    todo, count = [value], 0
    while todo and count <= most:
        each = todo.pop()
        count += 1
        if isinstance(each, dict | list):
            todo += each.values() if isinstance(each, dict) else each
            todo = todo[: most + 1]
    return count


def _node(name: str, value: Any, room: _Room, *, opened: int, depth: int) -> str:
    room.left -= 1
    label = f"<b>{escape(shown_value(name, LONGEST_NAME))}</b>: " if name else ""
    if not isinstance(value, dict | list):
        return f"<div>{label}{escape(_scalar(value, LONGEST_VALUE))}</div>"
    items = list(value.items() if isinstance(value, dict) else enumerate(value))
    size = _size(value)
    if not items or depth >= DEEPEST:
        return f"<div>{label}{size}</div>"
    parts = []
    for place, (key, item) in enumerate(items):
        if room.left <= 0:
            parts.append(f"<div>... {len(items) - place:,} more</div>")
            break
        parts.append(
            _node(f"{key}" or '""', item, room, opened=opened - 1, depth=depth + 1)
        )
    state = " open" if opened > 0 else ""
    return (
        f'<details{state}><summary style="cursor:pointer">{label}{size}</summary>'
        f'<div style="margin-left:1.4em">{"".join(parts)}</div></details>'
    )


def _size(value: dict[str, Any] | list[Any]) -> str:
    count = len(value)
    if isinstance(value, dict):
        return f"{{{count:,} member{'s' * (count != 1)}}}"
    return f"[{count:,} item{'s' * (count != 1)}]"


def _scalar(value: Any, most: int) -> str:
    if isinstance(value, str):
        return f'"{shown_value(value, most)}"'
    return shown_value(json.dumps(value), most)


def _flat(row: Any, depth: int = 5) -> dict[str, Any]:
    """Return a row with the members of its objects as its own, in dotted names."""
    if not isinstance(row, dict):
        return {"value": row}
    found: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict) and value and depth:
            inner = _flat(value, depth - 1)
            found |= {f"{name}.{each}": inner[each] for each in inner}
        else:
            found[name] = value
        if len(found) > MOST_COLUMNS * 10:
            break
    return found


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return shown_value(value, LONGEST_CELL)
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return _size(value) if _count(value, _SMALL) > _SMALL else _compact(value)
    return shown_value(json.dumps(value), LONGEST_CELL)


def _compact(value: Any) -> str:
    return shown_value(json.dumps(value, ensure_ascii=False), LONGEST_CELL)
