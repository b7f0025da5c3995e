"""Values under a label in a table: of HTML, with delimiters, or in columns of blanks.

A table of HTML comes here as `readings` leave it: tabs between cells.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from oauthmagic.scan.kinds import API_KEY, TOKEN
from oauthmagic.scan.labels import LABELS, Beside, kind_of_label
from oauthmagic.scan.values import is_bare_password, is_opaque

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oauthmagic.scan.kinds import Kind

_LONGEST_HEADER = 4000
_DELIMITERS = ("\t", "|", ",", ";")
_WORD = re.compile(r"\S+")
_OPAQUE = {TOKEN.name, API_KEY.name}
_QUOTES = "\"' `"


class _Column(NamedTuple):
    """A column with a telling header.

    Attributes:
        kind: What stands in it.
        start: Where the header begins in its line, if blanks separate.
        end: Where it ends.
        place: Its number; if blanks separate, from the right, below zero.
    """

    kind: Kind
    start: int = 0
    end: int = 0
    place: int = 0


_Columns = list[_Column]


def values_in_columns(text: str, lowered: str) -> Iterator[Beside]:
    """Yield the secrets that stand in a column with a telling header.

    Args:
        text: Where to look.
        lowered: The same in lower case.
    """
    headers = _headers(lowered)
    if not headers:
        return
    delimiter, columns = "", _Columns()
    at = 0
    is_first = True
    for line in text.split("\n"):
        if columns and line.strip():
            yield from _cells(line, at, delimiter, columns)
        elif not line.strip():
            columns = _Columns()
        if at in headers and len(line) <= _LONGEST_HEADER:
            delimiter_here, found = _header(line)
            # The name of a grant, `password`, is a cell of many tables.
            found = [each for each in found if is_first or each.kind.name in _OPAQUE]
            if found:
                delimiter, columns = delimiter_here, found
        is_first = not line.strip()
        at += len(line) + 1


def _headers(lowered: str) -> set[int]:
    """Return where the lines begin that hold a label."""
    starts = set()
    for label in LABELS:
        at = lowered.find(label.cue)
        while at >= 0:
            starts.add(lowered.rfind("\n", 0, at) + 1)
            # Once for each line.
            end = lowered.find("\n", at)
            at = lowered.find(label.cue, end) if end >= 0 else -1
    return starts


def _header(line: str) -> tuple[str, _Columns]:
    """Return what separates the columns of a header, and those that tell."""
    for delimiter in _DELIMITERS:
        names = line.split(delimiter)
        if len(names) > 1:
            columns = [
                _Column(kind, place=place)
                for place, name in enumerate(names)
                if (kind := kind_of_label(name.strip(_QUOTES)))
            ]
            return delimiter, columns
    # A table in a text in quotes begins after the quote.
    words = list(_WORD.finditer(line, line.rfind('"') + 1))
    if any(":" in word[0] or "=" in word[0] for word in words):
        return "", []
    return "", [
        _Column(kind, *word.span(), place - len(words))
        for place, word in enumerate(words)
        if (kind := kind_of_label(word[0]))
    ]


def _cells(line: str, at: int, delimiter: str, columns: _Columns) -> Iterator[Beside]:
    if delimiter:
        parts = line.split(delimiter)
        for kind, _, _, place in columns:
            if place < len(parts) and _is_secret(parts[place].strip(_QUOTES), kind):
                part = parts[place]
                before = sum(len(each) + 1 for each in parts[:place])
                start = at + before + len(part) - len(part.lstrip(_QUOTES))
                yield Beside(kind, start, start + len(part.strip(_QUOTES)))
        return
    words = list(_WORD.finditer(line, 0, 20 * _LONGEST_HEADER))
    for kind, first, last, place in columns:
        for number, word in enumerate(words, -len(words)):
            start, end = word.span()
            is_under = (start < last and end > first) or number == place
            if is_under and _is_secret(word[0], kind):
                yield Beside(kind, at + start, at + end)


def _is_secret(value: str, kind: Kind) -> bool:
    if kind.name in _OPAQUE:
        return is_opaque(value)
    return is_bare_password(value)
