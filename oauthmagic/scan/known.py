"""Values that the scanner was told, compared by keyed hashes.

Of each spelling of a value only hashes are kept: of its last characters, by Python's
own keyed hash, to find the places worth a look; and of the whole, by BLAKE2 with the
key of this run, to be sure. No value can be read from the scanner.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

from oauthmagic.redaction.folding import Views
from oauthmagic.redaction.spellings import spellings
from oauthmagic.redaction.values import SHORTEST_IN_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from oauthmagic.redaction import Secret

_PIECE = 8
_STRIDE = 4
# From here on, a spelling is looked for in folded text, across blanks and escapes.
_LONG = 12
_BEGIN = re.compile(r"(?<![A-Za-z0-9])(?=\S)")


def keyed(text: str, key: bytes) -> bytes:
    """Return the keyed hash of a text."""
    octets = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(octets, key=key[:64], digest_size=16).digest()


def fingerprint(value: str, key: bytes) -> str:
    """Return eight hexadecimal digits that stand for a value in this run."""
    return keyed(value, key).hex()[:8]


class Sighting(NamedTuple):
    """A known value in a text.

    Attributes:
        start: Where it begins.
        end: Where it ends.
        fingerprint: Which value it is.
    """

    start: int
    end: int
    fingerprint: str


class _Needle(NamedTuple):
    view: int
    back: int
    length: int
    digest: bytes
    fingerprint: str


class KnownValues:
    """The values to look for.

    Args:
        secrets: The values; those under six characters are ordinary words.
        key: The key of this run.
    """

    def __init__(self, secrets: Iterable[Secret], key: bytes) -> None:
        self._key = key
        self._needles: dict[int, list[_Needle]] = {}
        self._short: dict[int, dict[int, list[tuple[bytes, str]]]] = {}
        for secret in secrets:
            self._add(secret.reveal())

    def __bool__(self) -> bool:
        return bool(self._needles or self._short)

    def in_text(self, text: str) -> Iterator[Sighting]:
        """Yield where long values stand in a text, in any spelling."""
        if not self._needles:
            return
        views = Views(text)
        seen = set()
        for shown in views.texts:
            if shown in seen:
                continue
            seen.add(shown)
            found = list(self._in_view(views.texts, shown))
            for (start, end, mark), at in found:
                ((first, last),) = views.origins(at, [(start, end)])
                yield Sighting(first, last, mark)

    def short_in(self, text: str) -> Iterator[Sighting]:
        """Yield where short values stand alone in a text that was unescaped."""
        for length, known in self._short.items():
            for found in _BEGIN.finditer(text):
                start, end = found.start(), found.start() + length
                candidates = known.get(hash(text[start:end]))
                if candidates is None or text[end : end + 1].isalnum():
                    continue
                digest = keyed(text[start:end], self._key)
                for each, mark in candidates:
                    if each == digest:
                        yield Sighting(start, end, mark)

    def _in_view(
        self, texts: tuple[str, ...], text: str
    ) -> Iterator[tuple[Sighting, int]]:
        for at in range(0, len(text) - _PIECE + 1, _STRIDE):
            for needle in self._needles.get(hash(text[at : at + _PIECE]), ()):
                end = at + _PIECE + needle.back
                start = end - needle.length
                # Equal views are one object or equal texts: each needle counts there.
                if (
                    start >= 0
                    and end <= len(text)
                    and texts[needle.view] == text
                    and keyed(text[start:end], self._key) == needle.digest
                ):
                    yield Sighting(start, end, needle.fingerprint), needle.view

    def _add(self, value: str) -> None:
        mark = fingerprint(value, self._key)
        if SHORTEST_IN_TEXT <= len(value) < _LONG:
            known = self._short.setdefault(len(value), {})
            known.setdefault(hash(value), []).append((keyed(value, self._key), mark))
        for view, text in spellings(value).needles:
            if len(text) < _LONG:
                continue
            digest = keyed(text, self._key)
            for back in range(_STRIDE):
                end = len(text) - back
                needle = _Needle(view, back, len(text), digest, mark)
                piece = hash(text[end - _PIECE : end])
                self._needles.setdefault(piece, []).append(needle)
