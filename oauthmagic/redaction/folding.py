r"""Text without its escapes, blanks and colours, and the way back.

Folding a text undoes what servers, formatters and terminals do to it, layer by
layer: percent-encoding in either case and again over itself, `\u002b`, `\xc3` and
`\/` of JSON, Python and PHP, HTML's entities, escape sequences of terminals, line
breaks, NULs and characters that do not show. A secret that was written in any of
these ways stands in the folded text as in the folded secret. Everything here takes
time proportional to the text.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from oauthmagic.errors import INVISIBLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: How many layers of escapes are undone.
MOST_LAYERS = 4

# The lookbehinds keep a long run of backslashes from being tried at each of them.
_NOISE = re.compile(
    rf"""
    (?:\x1b\[|\x9b)[0-?]*+[\ -/]*+[@-~]         # colours and cursor of a terminal
    | (?<!\\)\\++\r?\n                          # a line that is continued
    | ["'][^\S\n]*+\n\s*+b?["']                 # a Python text in pieces
    | [\s\ufffd{INVISIBLE}]++
    """,
    re.VERBOSE,
)
ESCAPES = re.compile(
    r"""
    (?:%(?:25)*[0-9A-Fa-f]{2}|(?<!\\)\\++x[0-9A-Fa-f]{2})+
    | (?:(?<!\\)\\++u[0-9A-Fa-f]{4})+
    | (?<!\\)\\++(?:u\{[0-9A-Fa-f]{1,6}\}|U[0-9A-Fa-f]{8})
    | (?<!\\)\\++[abfnrtv0]
    | &(?:amp;)*(?:\#[0-9]{1,7}|\#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});
    """,
    re.VERBOSE,
)
_BACKSLASHES = re.compile(r"\\++")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]++")
_OTHERS = re.compile(r"[^A-Za-z0-9]++")
_BYTE = re.compile(r"([0-9A-Fa-f]{2})(?=[%\\]|\Z)")
_UNIT = re.compile(r"u([0-9A-Fa-f]{4})")
# Bytes that are no UTF-8 are taken for Latin-1, one by one.
_LATIN_1 = {0xDC00 + code: code for code in range(0x80, 0x100)}
_DROPPED_FROM_ASCII = {code: None for code in range(128) if not chr(code).isalnum()}


class Step(NamedTuple):
    """One change of the whole text: what matches is replaced."""

    pattern: re.Pattern[str]
    replace: Callable[[re.Match[str]], str]


class Views:
    """A text as it can be searched; later views are made from earlier ones.

    Attributes:
        texts: As it is; folded; folded, ASCII only; of that, letters and digits
            only; and these in lower case. `PLAIN` and so on are the places.
    """

    __slots__ = ("_steps", "_trails", "texts")

    def __init__(self, text: str) -> None:
        folded, steps = _fold(text)
        narrow = folded
        if not folded.isascii():
            narrow = folded.encode("ascii", "ignore").decode("ascii")
        letters = narrow.translate(_DROPPED_FROM_ASCII)
        self.texts = (text, folded, narrow, letters, letters.lower())
        # The last two make the views of ASCII and of letters.
        self._steps = [*steps, Step(_NOT_ASCII, _nothing), Step(_OTHERS, _nothing)]
        self._trails: list[Trail] = []

    def origins(
        self, place: int, spans: list[tuple[int, int]]
    ) -> list[tuple[int, int]]:
        """Return where spans of a view stand in the text itself.

        Args:
            place: Which view.
            spans: First and last position (exclusive) in that view.
        """
        most = len(self._steps)
        count = (0, most - 2, most - 1, most, most)[place]
        for step in self._steps[len(self._trails) : count]:
            last = self._trails[-1].text if self._trails else self.texts[PLAIN]
            self._trails.append(Trail(last, step))
        for trail in reversed(self._trails[:count]):
            spans = [trail.back(start, end) for start, end in spans]
        return spans


PLAIN, FOLDED, ASCII, LETTERS, LOWER = range(5)


def fold(text: str) -> str:
    """Return the text without escapes, blanks and what does not show."""
    return _fold(text)[0]


def letters_of(text: str) -> str:
    """Return the ASCII letters and digits of a text."""
    return _OTHERS.sub("", text)


def _fold(text: str) -> tuple[str, list[Step]]:
    steps = []
    for _ in range(MOST_LAYERS):
        visible = _NOISE.sub("", text)
        steps.append(Step(_NOISE, _nothing))
        if "%" not in visible and "\\" not in visible and "&" not in visible:
            return visible, steps
        text = ESCAPES.sub(meaning, visible)
        if text == visible:
            break
        steps.append(Step(ESCAPES, meaning))
    text = _BACKSLASHES.sub("", _NOISE.sub("", text))
    return text, [*steps, Step(_NOISE, _nothing), Step(_BACKSLASHES, _nothing)]


def meaning(found: re.Match[str]) -> str:
    r"""Return what an escape stands for; nothing for `\n` and its like."""
    escape = found[0]
    if escape[0] == "&":
        return html.unescape(f"&{escape.split(';')[-2].lstrip('&')};")
    kind = escape.lstrip("\\")[0]
    if kind in "%x":
        octets = bytes.fromhex("".join(_BYTE.findall(escape)))
        return octets.decode("utf-8", "surrogateescape").translate(_LATIN_1)
    if kind == "u" and "{" not in escape:
        octets = bytes.fromhex("".join(_UNIT.findall(escape)))
        return octets.decode("utf-16-be", "surrogatepass")
    if kind in "uU":
        code = int(escape.strip("\\uU{}"), 16)
        return chr(code) if code <= 0x10FFFF else ""  # noqa: PLR2004 - Unicode's end
    return ""


def _nothing(_: re.Match[str]) -> str:
    return ""


class Trail:
    """One step carried out with a note of where everything came from."""

    def __init__(self, text: str, step: Step) -> None:
        self._starts: list[int] = []
        # Where a piece came from, and whether it came unchanged.
        self._pieces: list[tuple[int, int, bool]] = []
        parts: list[str] = []
        position = size = 0

        def note(part: str, start: int, end: int, *, kept: bool) -> None:
            nonlocal size
            if part:
                self._starts.append(size)
                self._pieces.append((start, end, kept))
                parts.append(part)
                size += len(part)

        for found in step.pattern.finditer(text):
            start, end = found.span()
            note(text[position:start], position, start, kept=True)
            note(step.replace(found), start, end, kept=False)
            position = end
        note(text[position:], position, len(text), kept=True)
        self.text = "".join(parts)

    def back(self, start: int, end: int) -> tuple[int, int]:
        """Return where a span of the new text stood in the old one."""
        return self._place(start)[0], self._place(end - 1)[1]

    def _place(self, at: int) -> tuple[int, int]:
        piece = bisect_right(self._starts, at) - 1
        start, end, kept = self._pieces[piece]
        if kept:
            start += at - self._starts[piece]
            end = start + 1
        return start, end


def joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans in order, those that overlap made one."""
    result: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if result and start < result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result
