"""The ways in which a text is read: as shown, unescaped, without tags, decoded.

`redaction.folding` undoes the same escapes, but drops the blanks and line ends that
tell a label from its value. Every reading knows the way back to the text.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

from oauthmagic.errors import INVISIBLE
from oauthmagic.redaction.folding import ESCAPES, Step, Trail, meaning
from oauthmagic.scan.values import decoded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# How often escapes are undone: JSON in JSON, percent-encoded.
_MOST_LAYERS = 3
# A shorter piece of base64 holds no secret with its label.
_SHORTEST_BLOB = 24
# Bytes that are no text are looked at if there are more.
_SHORTEST_BINARY = 200

_HIDDEN = re.compile(rf"(?:\x1b\[|\x9b)[0-?]*+[ -/]*+[@-~]|(?![\t\n\r])[{INVISIBLE}]")
# The lookbehinds keep a long run of backslashes or blanks from being tried at each.
_ESCAPED = re.compile(
    rf"(?:(?<!\\)\\++[\"'`/nrt])|{ESCAPES.pattern}",
    re.VERBOSE,
)
_TAG = re.compile(
    r"""(?xi)
    (?:(?<!\s)\s++)?</t[dh]\s*+>\s*+(?:<t[dh]\b[^<>]{0,500}>)?\s*+
    | (?:(?<!\s)\s++)?</tr\s*+>\s*+
    | <(?:br|/p|/div|/li|/pre)\b[^<>]{0,200}>
    | <t[dhr]\b[^<>]{0,500}>\s*+
    | (?:(?<!\s)\s++)?</?t(?:head|body|foot|able)\b[^<>]{0,500}>\s*+
    | <[/!]?[a-z][^<>]{0,2000}>
    """
)
_BLOB = re.compile(
    r"""(?x)
    (?<![A-Za-z0-9+/_-])
    (?:
        [A-Za-z0-9+/]{60,}+(?:\r?\n[A-Za-z0-9+/]{60,}+)*(?:\r?\n[A-Za-z0-9+/]++)?
        | [A-Za-z0-9+/_-]{24,}+
    )={0,2}
    """
)
# In no text, not even in what a terminal shows.
_CONTROL = re.compile(r"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")
_PRINTABLE = re.compile(rb"[\t\n\r\x20-\x7e]{12,}+")
_BREAKS = re.compile(r"[\r\n]++")


class Reading:
    """A text after some steps.

    Attributes:
        text: What can be searched.
    """

    __slots__ = ("_original", "_steps", "_trails", "text")

    def __init__(self, text: str, original: str, steps: tuple[Step, ...] = ()) -> None:
        self.text = text
        self._original = original
        self._steps = steps
        self._trails: list[Trail] = []

    def after(self, pattern: re.Pattern[str], replace: Replace) -> Reading:
        """Return the reading that comes of one more step."""
        if pattern.search(self.text) is None:
            return self
        text = pattern.sub(replace, self.text)
        if text == self.text:
            return self
        return Reading(text, self._original, (*self._steps, Step(pattern, replace)))

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Return where a span stands in the text itself."""
        for step in self._steps[len(self._trails) :]:
            last = self._trails[-1].text if self._trails else self._original
            self._trails.append(Trail(last, step))
        for trail in reversed(self._trails):
            start, end = trail.back(start, end)
        return start, end


class Blob(NamedTuple):
    """A text that stood in base64 in another.

    Attributes:
        text: What it says.
        start: Where it began.
        end: Where it ended.
    """

    text: str
    start: int
    end: int


def readings_of(text: str) -> list[Reading]:
    """Return the readings of a text that differ, as it is shown first."""
    shown = Reading(text, text).after(_HIDDEN, _nothing)
    found = [shown]
    unescaped = shown
    for _ in range(_MOST_LAYERS):
        if not any(sign in unescaped.text for sign in "\\%&"):
            break
        before = unescaped
        unescaped = before.after(_ESCAPED, _unescaped).after(_HIDDEN, _nothing)
        if unescaped is before:
            break
    bare = unescaped.after(_TAG, _separator) if "<" in unescaped.text else unescaped
    for reading in (unescaped, bare):
        if reading is not found[-1]:
            found.append(reading)
    return found


def blobs_in(reading: Reading) -> Iterator[Blob]:
    """Yield the texts that stand in base64 in a reading; their places are its own."""
    for found in _BLOB.finditer(reading.text):
        # Its last line may be a word that only follows it.
        for lines in (found[0], found[0].rpartition("\n")[0]):
            if text := text_in(_BREAKS.sub("", lines)):
                yield Blob(text, *found.span())


def text_in(blob: str) -> str:
    """Return the text that base64 holds; of other bytes, what can be printed."""
    if len(blob) < _SHORTEST_BLOB:
        return ""
    octets = decoded(blob)
    if octets is None:
        return ""
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if not _CONTROL.search(text):
        return text
    return text_of_bytes(octets) if len(blob) >= _SHORTEST_BINARY else ""


def text_of_bytes(octets: bytes) -> str:
    """Return what can be printed of bytes that are no text, one piece on a line."""
    return b"\n".join(_PRINTABLE.findall(octets)).decode("ascii")


class Lines:
    """Where the lines of a text begin."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(found.end() for found in re.finditer(r"\n", text))]
        self._size = len(text)

    def number(self, at: int) -> int:
        """Return the number of a position's line, from 1."""
        return bisect_right(self._starts, at)

    def holds(self, start: int, end: int, places: list[int]) -> bool:
        """Return whether one of some places, in order, is in the lines of a span."""
        first = self._starts[self.number(start) - 1]
        last = self.number(max(start, end - 1))
        stop = self._starts[last] if last < len(self._starts) else self._size
        at = bisect_left(places, first)
        return at < len(places) and places[at] < stop


_ENDS_CELL = frozenset({"/td", "/th"})
_ENDS = _ENDS_CELL | {"/tr", "br", "/p", "/div", "/li", "/pre", "table", "/table"}
_NAME = re.compile(r"\s*+<(/?[A-Za-z]++)")


def _nothing(_: re.Match[str]) -> str:
    return ""


def _unescaped(found: re.Match[str]) -> str:
    escape = found[0]
    if escape[0] == "\\" and len(escape.lstrip("\\")) == 1:
        return {"n": "\n", "r": "\n", "t": "\t"}.get(escape[-1], _quote(escape))
    return meaning(found)


def _quote(escape: str) -> str:
    return escape[-1] if escape[-1] in "\"'`/" else ""


def _separator(found: re.Match[str]) -> str:
    """Return what stands in the place of a tag: a tab after a cell, a line's end."""
    name = _NAME.match(found[0])
    if name is None or name[1].lower() not in _ENDS:
        return ""
    return "\t" if name[1].lower() in _ENDS_CELL else "\n"


if TYPE_CHECKING:
    Replace = Callable[[re.Match[str]], str]
