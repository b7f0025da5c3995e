"""Masks every live secret in a text, in whatever form it is written.

What is not covered: a part of a value; another case of its letters; digits of
other bases than 16, 32 and 64; compression, encryption, or an encoding over base64
or hexadecimal text; characters put between its own that show, other than a quoted
line break; values under six characters in any other form than themselves, alone.
"""

from __future__ import annotations

import logging
import re
import weakref
from typing import TYPE_CHECKING

from oauthmagic import errors
from oauthmagic.errors import visible
from oauthmagic.redaction.folding import FOLDED, Views, joined
from oauthmagic.redaction.spellings import Spellings, spellings
from oauthmagic.redaction.values import (
    MASK,
    Secret,
    number_made,
    register_lock,
    secrets_since,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The longest server text that an error may quote.
LONGEST_QUOTE = 300

# A text is compared with all secrets at once by pieces of this length, of which
# it is asked for one in this many.
_PIECE = 8
_STRIDE = 4
#: From this length on, every needle holds a piece that is asked for.
_LONG = _PIECE + _STRIDE - 1
# Shorter values are not looked for across blanks: words would make them up.
_SHORTEST_ACROSS_BLANKS = 12
#: The most characters that one character of a secret is written with at a bound.
_WIDEST = 8
_BLANK = re.compile(r"\s")
_AUTHORIZATION = re.compile(r"(?i)(\b(?:bearer|basic|dpop)\s+)[a-z0-9._~+/=-]{16,}")


class _Index:
    """Finds the secrets that may be in a text without looking for each of them.

    It keeps hashes of the last characters of each needle, never of the first:
    tokens of one server begin alike.
    """

    def __init__(self) -> None:
        self._forget_all()

    def _forget_all(self) -> None:
        self._seen = 0
        self._size = 0
        self._pieces: dict[int, tuple[weakref.ref[Secret], ...]] = {}
        self._short: list[weakref.ref[Secret]] = []
        self._longest = 0

    def longest(self) -> int:
        """Return the length of the longest needle, of the latest secret as well."""
        with register_lock:
            self._refresh()
            return self._longest

    def candidates(self, views: Views) -> list[Secret]:
        """Return the secrets that may be in a text, each once."""
        with register_lock:
            self._refresh()
            found = {id(each): each for each in self._short}
            for text in {id(text): text for text in views.texts}.values():
                for at in range(0, len(text) - _PIECE + 1, _STRIDE):
                    for each in self._pieces.get(hash(text[at : at + _PIECE]), ()):
                        found[id(each)] = each
        return [secret for each in found.values() if (secret := each()) is not None]

    def _refresh(self) -> None:
        if self._seen == number_made():
            return
        made = number_made()
        if self._size > 100 and self._size > 2 * len(secrets_since(0)):  # noqa: PLR2004
            self._forget_all()
        for secret in secrets_since(self._seen):
            self._add(secret)
        self._seen = made

    def _add(self, secret: Secret) -> None:
        self._size += 1
        reference = weakref.ref(secret)
        alone = (reference,)
        needles = spellings_of(secret).needles
        self._longest = max([self._longest, *(len(text) for _, text in needles)])
        if not needles or any(len(text) < _LONG for _, text in needles):
            self._short.append(reference)
            return
        for _, text in needles:
            for back in range(_STRIDE):
                end = len(text) - back
                piece = hash(text[end - _PIECE : end])
                known = self._pieces.setdefault(piece, alone)
                # By identity: comparing references compares the secrets.
                if all(each is not reference for each in known):
                    self._pieces[piece] = (*known, reference)


_index = _Index()


def spellings_of(secret: Secret) -> Spellings:
    """Return the spellings of a secret; those of short ones are kept with it."""
    if hasattr(secret, "_spelled"):
        return secret._spelled()  # noqa: SLF001 - made for this module
    found = spellings(secret.reveal())
    if all(len(text) < 4 * _LONG for _, text in found.needles):
        object.__setattr__(secret, "_spelled", lambda: found)
    return found


def redact(text: str, *, upto: int | None = None) -> str:
    """Return `text` with every secret that is known masked.

    What looks like credentials in an Authorization header is masked as well.

    Args:
        text: The text, whole: half a secret is not known.
        upto: Look at this many characters only and return no more; a secret that
            stands across the end is masked, too.
    """
    if upto is None or len(text) <= upto:
        upto = len(text)
        spans = _spans(text)
    else:
        room = _WIDEST * _index.longest() + _WIDEST
        spans = [span for span in _spans(text[: upto + room]) if span[0] < upto]
    parts = []
    position = 0
    for start, end in spans:
        parts += [text[position:start], MASK]
        position = end
    parts.append(text[position : max(upto, position)])
    return _AUTHORIZATION.sub(rf"\1{MASK}", "".join(parts))


def holds_secret(text: str, *, short: bool = True) -> bool:
    """Return whether a secret that is known is in a text, in any form.

    Args:
        text: The text.
        short: Whether values count that could be ordinary words.
    """
    return bool(_spans(text, short=short))


def _spans(text: str, *, short: bool = True) -> list[tuple[int, int]]:
    """Return where secrets stand in a text, in order and apart."""
    views = Views(text)
    spans: list[tuple[int, int]] = []
    places: dict[int, list[tuple[int, int]]] = {}
    for secret in _index.candidates(views):
        spelled = spellings_of(secret)
        if spelled.alone and short:
            spans += [found.span() for found in spelled.alone.finditer(text)]
        for place, needle in spelled.needles:
            found = list(_occurrences(views.texts[place], needle))
            if not found:
                continue
            if (
                len(needle) < _SHORTEST_ACROSS_BLANKS
                and place == FOLDED
                and not spelled.has_blanks
            ):
                spans += [
                    (start, end)
                    for start, end in views.origins(place, found)
                    if not _BLANK.search(text, start, end)
                ]
            else:
                places.setdefault(place, []).extend(found)
    for place, found in places.items():
        spans += views.origins(place, found)
    return joined(spans)


def _occurrences(text: str, needle: str) -> Iterator[tuple[int, int]]:
    at = text.find(needle)
    while at >= 0:
        end = at + len(needle)
        yield at, end
        at = text.find(needle, end)


def quote(text: object, limit: int = LONGEST_QUOTE) -> str:
    """Return text from a server, fit for an error: redacted, visible, cut.

    Args:
        text: What the server sent; anything but a text gives an empty result.
        limit: The most characters to return.
    """
    if not isinstance(text, str):
        return ""
    # Cut last: half a secret would not be known.
    shown = visible(redact(text, upto=limit * 20)).strip()
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."


class RedactingFilter(logging.Filter):
    """Redacts log records, their arguments and their tracebacks included."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the record's message by its redacted form; keep the record."""
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - a broken log call must not break the caller
            message = str(record.msg)
        record.msg, record.args = redact(message), None
        if record.exc_info:
            record.exc_text = redact(
                logging.Formatter().formatException(record.exc_info)
            )
            record.exc_info = None
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return True


# The errors stand below this package, and clean their texts with it.
errors.redact_with(redact)
