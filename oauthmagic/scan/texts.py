"""One text: every secret in it, whatever way it is written in.

Long texts are read in pieces that overlap, so that memory is bounded and time grows
with the text.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from oauthmagic.errors import visible
from oauthmagic.redaction import MASK, redact
from oauthmagic.redaction.folding import joined
from oauthmagic.scan.columns import values_in_columns
from oauthmagic.scan.grammar import value_span
from oauthmagic.scan.judges import Context
from oauthmagic.scan.kinds import KINDS, KNOWN, RANK
from oauthmagic.scan.known import KnownValues, fingerprint
from oauthmagic.scan.labels import Beside, values_beside_labels
from oauthmagic.scan.readings import Lines, Reading, blobs_in, readings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oauthmagic.scan.kinds import Kind

#: How much of a text is read at once, and how much of it again with the next piece.
PIECE = 1 << 20
OVERLAP = 1 << 16
#: How much of its line an excerpt shows before a secret.
_SHOWN = 40
# So much of a line is cleaned before it is cut: half a secret would not be known,
# unless it is longer than what is between the two.
_CLEANED = 240
_ALLOW = re.compile(r"\boauthmagic:[ \t]?allow\b")
# Half a secret whose other half was cut off, or what no pattern knows.
_OPAQUE = re.compile(r"[A-Za-z0-9_~+/-]{12,}+")
# What may be left of a secret whose pattern ended too early goes up to here.
_ENDS = frozenset(" \t\n\"'")


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """What is looked for.

    Attributes:
        key: Of this run's fingerprints.
        known: Values that must be nowhere.
    """

    key: bytes
    known: KnownValues


class Hit(NamedTuple):
    """A secret in a text, without its value.

    Attributes:
        kind: What it is.
        start: Where it begins in the text.
        end: Where it ends.
        line: The number of its line, from 1.
        excerpt: What stands before it in its line, and a mask in its place.
        fingerprint: Eight hexadecimal digits of its keyed hash.
        allowed: Whether its line says that it may stand there.
    """

    kind: Kind
    start: int
    end: int
    line: int
    excerpt: str
    fingerprint: str
    allowed: bool


def hits_in(text: str, context: Context, search: Search) -> list[Hit]:
    """Return the secrets in a text, in the order in which they stand there."""
    if not text:
        return []
    lines = Lines(text)
    allowed = [each.start() for each in _ALLOW.finditer(text)]
    found: list[Hit] = []
    for begin in range(0, len(text), PIECE - OVERLAP):
        end = min(begin + PIECE, len(text))
        # What lies near an end is whole in one of the pieces that share it.
        first = begin + OVERLAP // 2 if begin else 0
        last = end - OVERLAP // 2 if end < len(text) else end
        found += [
            _placed(hit, begin, lines, allowed)
            for hit in _Piece(text[begin:end], context, search).hits()
            if first <= begin + hit.start < last
        ]
        if end == len(text):
            break
    return sorted(found, key=lambda hit: hit.start)


def _placed(hit: Hit, begin: int, lines: Lines, allowed: list[int]) -> Hit:
    """Return a hit of a piece with its place in the whole text."""
    start, end = begin + hit.start, begin + hit.end
    return hit._replace(
        start=start,
        end=end,
        line=lines.number(start),
        # A value that is valid now is no example.
        allowed=hit.kind is not KNOWN and lines.holds(start, end, allowed),
    )


class _Piece:
    """A text that is read at once."""

    def __init__(self, text: str, context: Context, search: Search) -> None:
        self._text = text
        self._context = context
        self._search = search
        # Where something was found, apart and in order.
        self._taken: list[tuple[int, int]] = []

    def hits(self) -> Iterator[Hit]:
        """Yield every secret once; what is known comes first, and most telling."""
        readings = readings_of(self._text)
        if self._search.known:
            # But for tags, all that readings undo is undone there, too.
            for reading in (Reading(self._text, self._text), readings[-1]):
                yield from self._known_in(reading)
        for reading in readings:
            yield from self._in_reading(reading, self._context)
        for reading in readings[:2]:
            for blob in blobs_in(reading):
                place = reading.origin(blob.start, blob.end)
                for inner in readings_of(blob.text)[:2]:
                    yield from self._in_reading(inner, Context.TEXT, place)

    def _known_in(self, reading: Reading) -> Iterator[Hit]:
        """Yield the long ones of the values that the scanner was told."""
        seen = list(self._search.known.in_text(reading.text))
        hidden = joined((each.start, each.end) for each in seen)
        for start, end, mark in seen:
            origin = reading.origin(start, end)
            if self._take(*origin):
                excerpt = _excerpt(reading.text, start, hidden)
                yield Hit(KNOWN, *origin, 0, excerpt, mark, allowed=False)

    def _in_reading(
        self, reading: Reading, context: Context, place: tuple[int, int] | None = None
    ) -> Iterator[Hit]:
        """Yield what one reading shows.

        Args:
            reading: The reading.
            context: What it is.
            place: Where all of it stands in the text; without, it knows itself.
        """
        text = reading.text
        found = list(_matches(text, context))
        marks = {}
        for start, end, mark in self._search.known.short_in(text):
            found.append(Beside(KNOWN, start, end))
            marks[start, end] = mark
        hidden = joined((each.start, each.end) for each in found)
        for each in sorted(found, key=lambda each: (RANK[each.kind.name], each.start)):
            kind, start, end = each
            origin = place or reading.origin(start, end)
            if self._take(*origin):
                mark = marks.get((start, end)) or self._mark(text[start:end])
                excerpt = _excerpt(text, start, hidden)
                yield Hit(kind, *origin, 0, excerpt, mark, allowed=False)

    def _mark(self, value: str) -> str:
        return fingerprint(value, self._search.key)

    def _take(self, start: int, end: int) -> bool:
        """Return whether nothing was found here before."""
        at = bisect_right(self._taken, (start, end))
        neighbours = self._taken[max(0, at - 1) : at + 1]
        if any(start < last and first < end for first, last in neighbours):
            return False
        self._taken.insert(at, (start, end))
        return True


def _matches(text: str, context: Context) -> Iterator[Beside]:
    """Yield what the patterns find, by kind; the same place may come twice."""
    lowered = _lowered(text)
    for kind in KINDS:
        for first, last in _windows(lowered, kind):
            for found in kind.pattern.finditer(text, first, last):
                if kind.judge(found, context):
                    yield Beside(kind, *value_span(found))
    yield from values_beside_labels(text, lowered, context)
    if context is not Context.CODE:
        yield from values_in_columns(text, lowered)


def _lowered(text: str) -> str:
    """Return a text in lower case, letter by letter in the same place."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else text.translate(_LOWER)


_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def _windows(lowered: str, kind: Kind) -> Iterator[tuple[int, int]]:
    """Yield the parts of a text where a kind may be, apart and in order."""
    if kind.cues == ("",):
        yield 0, len(lowered)
        return
    starts = sorted(at for cue in kind.cues for at in _places(lowered, cue))
    first = last = 0
    for at in starts:
        if at - kind.before > last:
            if last:
                yield first, last
            first = max(0, at - kind.before)
        last = min(len(lowered), at + kind.reach)
    if last:
        yield first, last


def _places(text: str, cue: str) -> Iterator[int]:
    at = text.find(cue)
    while at >= 0:
        yield at
        at = text.find(cue, at + len(cue))


def _excerpt(text: str, start: int, hidden: list[tuple[int, int]]) -> str:
    """Return the line before a secret, every secret in it masked.

    Args:
        text: Where it stands.
        start: Where it begins.
        hidden: Where all secrets stand, in order and apart.
    """
    first = max(0, start - _CLEANED)
    position = first = max(first, text.rfind("\n", first, start) + 1)
    at = max(0, bisect_left(hidden, (first, 0)) - 1)
    parts: list[str] = []
    values: list[str] = []
    while at < len(hidden) and hidden[at][0] <= start:
        begin, end = hidden[at]
        at += 1
        values.append(text[begin:end])
        if begin < start and end > position:
            parts += [text[position : max(begin, position)], MASK]
            position = end
            while position < start and text[position] not in _ENDS:
                position += 1
    line = "".join([*parts, text[position:start]])
    for value in values:
        # It may stand there once more, without its label.
        line = line.replace(value, MASK)
    line = redact(line)[-_CLEANED:]
    line = _OPAQUE.sub(_masked, visible(line))
    if len(line) > _SHOWN:
        line = "..." + line[-_SHOWN:]
    return f"{line.lstrip()}{MASK}"


def _masked(found: re.Match[str]) -> str:
    # Words are long, too; but they have no digits.
    return MASK if any(map(str.isdigit, found[0])) else found[0]
