"""The body of a reply as HTML: a table, a tree, a picture, else text.

What is known as a secret is masked in a text as a whole (`oauthmagic.views.masking`),
across whatever stands between its parts. A body that repeats one is therefore shown as
that text, and only others are taken apart.
"""

from __future__ import annotations

import csv
import itertools
import json
from html import escape
from typing import TYPE_CHECKING, Any

from oauthmagic.redaction import holds_secret
from oauthmagic.views.charsets import decoded
from oauthmagic.views.images import LARGEST, picture_in
from oauthmagic.views.markup import section
from oauthmagic.views.masking import LARGEST_READ, shown_value
from oauthmagic.views.texts import body_text, media_type
from oauthmagic.views.trees import (
    LONGEST_CELL,
    LONGEST_NAME,
    MOST_COLUMNS,
    MOST_ROWS,
    rows_html,
    table_html,
    tree_html,
)

if TYPE_CHECKING:
    from oauthmagic.views.replies import Reply

_TABLES = ("text/csv", "application/csv", "text/tab-separated-values")


def body_html(reply: Reply) -> str:
    """Return a reply's body as HTML; nothing of it is markup."""
    body = reply.body
    picture = picture_in(body) if len(body) <= LARGEST else None
    if picture is not None and picture.can_be_shown and not _repeats(body, "latin-1"):
        return (
            f'<img src="{picture.data_url}" alt="{picture}" style="max-width:100%;'
            f'max-height:24em;display:block"><div style="opacity:.75">{picture}</div>'
        )
    taken_apart = ""
    if picture is None and 0 < len(body) <= LARGEST_READ and not _repeats(body, ""):
        is_table = media_type(reply) in _TABLES
        taken_apart = _csv_html(reply) if is_table else _json_html(reply)
    return taken_apart or _plain_html(body_text(reply))


def _repeats(body: bytes, charset: str) -> bool:
    return holds_secret(body.decode(charset or "utf-8", "replace"))


def _plain_html(text: str) -> str:
    if not text:
        return ""
    return (
        '<pre style="max-height:32em;overflow:auto;white-space:pre-wrap;'
        f'overflow-wrap:anywhere">{escape(text)}</pre>'
    )


def _json_html(reply: Reply) -> str:
    """Return rows as a table with the tree behind it, other data as a tree; or ""."""
    try:
        value: Any = json.loads(reply.body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(value, dict | list):
        return ""
    try:
        tree = tree_html(value)
        rows = reply.rows_in(value) if reply.ok else None
        if not rows or not all(isinstance(row, dict) for row in rows[:MOST_ROWS]):
            return tree
        return rows_html(rows) + section("JSON", tree)
    except RecursionError:
        return ""


def _csv_html(reply: Reply) -> str:
    """Return comma-separated values as a table (RFC 4180); or ""."""
    text = decoded(reply.body, reply.headers.get("content-type", ""))
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    lines = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    try:
        head = next(lines, [])
        rows = [row for row in itertools.islice(lines, MOST_ROWS) if row]
        total = len(rows) + sum(1 for row in lines if row)
    except csv.Error:
        return ""
    if len(head) < 2:  # noqa: PLR2004 - one column is a text
        return ""
    return table_html(
        [shown_value(name, LONGEST_NAME) for name in head[:MOST_COLUMNS]],
        [
            [shown_value(cell, LONGEST_CELL) for cell in row[:MOST_COLUMNS]]
            for row in rows
        ],
        rows=total,
        columns=len(head),
    )
