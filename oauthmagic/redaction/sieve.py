"""Picks the texts that hold a secret out of many, most of which hold none.

Each text is brought to its ASCII letters and digits in lower case, and so is what is
looked for; of the result, pieces of eight characters are compared with the pieces of
all secrets at once. Where a text needs more reading than that (it has escapes in any
form), or a piece is found, the redactor decides. So no secret is missed that the
redactor would find, and a million cells take the time of reading them.
"""

from __future__ import annotations

import string
import sys
import weakref
from typing import TYPE_CHECKING

from oauthmagic.redaction.redactor import holds_secret, spellings_of
from oauthmagic.redaction.values import (
    number_made,
    register_lock,
    secrets_since,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oauthmagic.redaction.values import Secret

_PIECE = 8
#: What is at least so long holds a whole piece, wherever the pieces begin.
_LONG = 2 * _PIECE - 1
# Characters that are looked through together.
_BATCH = 256 << 10
# No escape goes on behind it, and it is part of no secret's letters.
_BETWEEN = "]"
_LOWER = bytes.maketrans(
    string.ascii_uppercase.encode(), string.ascii_lowercase.encode()
)
_DROPPED = bytes(
    sorted(set(range(256)) - set((string.ascii_letters + string.digits).encode()))
)
# Kept for the pieces of secrets that are gone; more of them are made anew.
_MOST_GONE = 100


class _Sieve:
    def __init__(self) -> None:
        self._forget_all()

    def _forget_all(self) -> None:
        self._seen = 0
        self._size = 0
        self._pieces: set[int] = set()
        # Those that have a form without a whole piece.
        self._short: list[weakref.ref[Secret]] = []

    def may_hold(self, text: str) -> bool:
        """Return whether a text without escapes may hold a secret."""
        plain = _reduced(text)
        with register_lock:
            self._refresh()
            pieces, short = self._pieces, [each() for each in self._short]
        end = len(plain) - len(plain) % _PIECE
        if not pieces.isdisjoint(memoryview(plain)[:end].cast("Q")):
            return True
        return any(_holds_short(secret, text, plain) for secret in short if secret)

    def _refresh(self) -> None:
        made = number_made()
        if self._seen == made:
            return
        if self._size > _MOST_GONE and self._size > 2 * len(secrets_since(0)):
            self._forget_all()
        for secret in secrets_since(self._seen):
            self._add(secret)
        self._seen = made

    def _add(self, secret: Secret) -> None:
        self._size += 1
        found = spellings_of(secret)
        if found.alone or any(len(_reduced(text)) < _LONG for _, text in found.needles):
            self._short.append(weakref.ref(secret))
        for _, text in found.needles:
            # Of the last characters: tokens of one server begin alike.
            end = _reduced(text)[-_LONG:]
            for start in range(len(end) - _PIECE + 1):
                piece = end[start : start + _PIECE]
                self._pieces.add(int.from_bytes(piece, sys.byteorder))


_sieve = _Sieve()


def texts_with_secrets(texts: Iterable[str]) -> list[str]:
    """Return those of the texts in which `holds_secret` finds something."""
    return _found(list(texts)) if number_made() else []


def _found(texts: list[str]) -> list[str]:
    joined = _BETWEEN.join(texts)
    if len(joined) > _BATCH and len(texts) > 1:
        half = len(texts) // 2
        return _found(texts[:half]) + _found(texts[half:])
    found: list[str] = []
    if _has_escapes(joined):
        escaped = [text for text in texts if _has_escapes(text)]
        texts = [text for text in texts if not _has_escapes(text)]
        joined = _BETWEEN.join(texts)
        if holds_secret(_BETWEEN.join(escaped)):
            found += filter(holds_secret, escaped)
    if _sieve.may_hold(joined):
        found += filter(holds_secret, filter(_sieve.may_hold, texts))
    return found


def _has_escapes(text: str) -> bool:
    """Return whether folding may change letters and digits of a text.

    It undoes escapes, and drops a letter only with a terminal's colours or between
    the pieces of a quoted text that goes on in the next line.
    """
    return (
        "\\" in text
        or "%" in text
        or "\x1b" in text
        or "\x9b" in text
        or ("&" in text and ";" in text)
        or ("\n" in text and ('"' in text or "'" in text))
    )


def _holds_short(secret: Secret, text: str, plain: bytes) -> bool:
    found = spellings_of(secret)
    if found.alone and secret.reveal() in text and found.alone.search(text):
        return True
    # What is not in ASCII is not in a text that is.
    narrow = text.isascii()
    return any(
        len(needle) < _LONG and needle in plain
        for needle in (
            _reduced(needle)
            for _, needle in found.needles
            if needle.isascii() or not narrow
        )
    )


def _reduced(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass").translate(_LOWER, _DROPPED)
