"""A response's body, decoded with a bound: RFC 9110, section 8.4."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from oauthmagic.errors import ConnectionLost, ResponseRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: zlib's word for a gzip header and trailer around the data.
_GZIP = 31
#: How much is decompressed at once; zlib holds what it gives twice.
_STEP = 1 << 20


def decoded(chunks: Iterable[bytes], coding: str, limit: int) -> Iterator[bytes]:
    """Yield a body, decoded, and never more of it than the limit.

    Args:
        chunks: The body as it came.
        coding: The value of `Content-Encoding`, or "".
        limit: The most decoded bytes to yield.

    Raises:
        ResponseRefused: There is more, or it is damaged, or in a coding that was
            not asked for.
        ConnectionLost: It ends too early.
    """
    decoding = Decoding(coding, limit)
    for chunk in chunks:
        yield from decoding.parts(chunk)
    decoding.end()


class Decoding:
    """A body that is decoded as it comes.

    Args:
        coding: The value of `Content-Encoding`, or "".
        limit: The most decoded bytes to accept.

    Raises:
        ResponseRefused: The coding was not asked for.
    """

    def __init__(self, coding: str, limit: int) -> None:
        coding = coding.strip().lower()
        if coding not in ("identity", "", "gzip", "x-gzip"):
            msg = "The answer is in a content coding that was not asked for."
            raise ResponseRefused(msg, sent="yes")
        self._is_gzip = "gzip" in coding
        self._gzip: zlib._Decompress | None = None
        self._limit = self._room = limit

    def parts(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what a piece of the body holds.

        Raises:
            ResponseRefused: It is too much, or damaged.
        """
        for part in self._members(chunk) if self._is_gzip else (chunk,):
            self._room -= len(part)
            if self._room < 0:
                raise too_large(self._limit)
            yield part

    def end(self) -> None:
        """Take note that nothing more comes.

        Raises:
            ConnectionLost: There should be more.
        """
        # An answer to HEAD names the coding and has no body.
        if self._gzip is not None and not self._gzip.eof:
            msg = "The answer ended in the middle of its compressed data."
            raise ConnectionLost(msg, sent="yes")

    def _members(self, chunk: bytes) -> Iterator[bytes]:
        """Decompress members of gzip, one after the other (RFC 1952, section 2.2)."""
        pending, is_full = chunk, False
        while pending or is_full:
            gzip = self._gzip
            if gzip is None or gzip.eof:
                gzip = self._gzip = zlib.decompressobj(_GZIP)
            # One byte more than there is room for shows that there is more.
            step = min(self._room + 1, _STEP)
            part = _decompress(gzip, pending, step)
            if part is None:
                msg = "The answer's compressed data is damaged."
                raise ResponseRefused(msg, sent="yes")
            # All input may be taken in while some of its output is still to come.
            is_full = len(part) == step and not gzip.eof
            pending = gzip.unused_data if gzip.eof else gzip.unconsumed_tail
            yield part


def too_large(limit: int) -> ResponseRefused:
    """Return the error for a body that is larger than its limit."""
    msg = f"The answer is larger than {_size(limit)}."
    hint = "Ask for less at a time, for example for one page."
    return ResponseRefused(msg, sent="yes", hint=hint)


def _decompress(gzip: zlib._Decompress, data: bytes, most: int) -> bytes | None:
    """Return some of the data, or None where it is damaged.

    Not an exception: it would show its frame, and the data in it, as its context.
    """
    try:
        return gzip.decompress(data, most)
    except zlib.error:
        return None


def _size(count: int) -> str:
    return f"{count // (1 << 20)} MiB" if count >= 1 << 20 else f"{count // 1024} KiB"
