"""The forms in which a value may turn up in other text."""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from typing import TYPE_CHECKING, NamedTuple

from oauthmagic.redaction.folding import (
    ASCII,
    FOLDED,
    LETTERS,
    LOWER,
    PLAIN,
    fold,
    letters_of,
)
from oauthmagic.redaction.values import SHORTEST_IN_TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Where something was left out of a value, more of it must be left.
_SHORTEST_REMAINDER = 8


class Spellings(NamedTuple):
    """What to look for.

    Attributes:
        needles: A view of the text (`folding.Views`) and what to find in it.
        alone: For a short value: itself, where it stands alone.
        has_blanks: Whether blanks are part of the value.
    """

    needles: tuple[tuple[int, str], ...]
    alone: re.Pattern[str] | None
    has_blanks: bool


def spellings(value: str) -> Spellings:
    """Return the forms of a value.

    In the folded text: as it is and in Latin-1 that was UTF-8; with its ASCII
    characters only, where others were lost. In letters and digits: base64 (of the
    value, and of its form-, percent- and JSON-encoded text) and base32, at each
    alignment they can have inside a longer text; hexadecimal. And reversed.
    """
    if len(value) < SHORTEST_IN_TEXT:
        alone = re.compile(rf"(?<!\w){re.escape(value)}(?!\w)") if value else None
        return Spellings((), alone, has_blanks=False)
    needles = dict.fromkeys(_needles(value))
    blanks = any(character.isspace() for character in value)
    return Spellings(tuple(needles), None, has_blanks=blanks)


def _needles(value: str) -> Iterator[tuple[int, str]]:
    octets = value.encode("utf-8", "surrogatepass")
    yield PLAIN, value
    yield PLAIN, value[::-1]
    mojibake = octets.decode("latin-1")
    for text in (value, value.replace(" ", "+"), mojibake):
        folded = fold(text)
        if len(folded) >= SHORTEST_IN_TEXT:
            yield FOLDED, folded
    narrow = fold(value).encode("ascii", "ignore").decode("ascii")
    if not value.isascii() and len(narrow) >= _SHORTEST_REMAINDER:
        yield ASCII, narrow
    # RFC 6749, section 2.3.1, writes a client's password as a form before base64.
    written = {
        octets,
        urllib.parse.quote_plus(octets).encode(),
        urllib.parse.quote(octets, safe="").encode(),
        json.dumps(value)[1:-1].encode(),
    }
    for each in written:
        for part in _aligned(each, base64.b64encode, bits=6):
            letters = letters_of(part)
            if len(letters) >= SHORTEST_IN_TEXT:
                yield LETTERS, letters
    for part in (octets.hex(), *_aligned(octets, base64.b32encode, bits=5)):
        yield LOWER, part.lower()


def _aligned(
    octets: bytes, encode: Callable[[bytes], bytes], *, bits: int
) -> Iterator[str]:
    """Yield the part that depends on the octets alone, at each alignment."""
    for shift in range({6: 3, 5: 5}[bits]):
        first = -(-shift * 8 // bits)
        last = (len(octets) + shift) * 8 // bits
        yield encode(b"\0" * shift + octets).decode("ascii")[first:last]
