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
    coding = coding.strip().lower()
    if coding not in ("identity", "", "gzip", "x-gzip"):
        msg = "The answer is in a content coding that was not asked for."
        raise ResponseRefused(msg, sent="yes")
    parts = _members(chunks, limit) if "gzip" in coding else iter(chunks)
    room = limit
    for part in parts:
        room -= len(part)
        if room < 0:
            msg = f"The answer is larger than {_size(limit)}."
            hint = "Ask for less at a time, for example for one page."
            raise ResponseRefused(msg, sent="yes", hint=hint)
        yield part


def _members(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """Decompress the members of a gzip body, one after the other (RFC 1952, 2.2)."""
    gzip = None
    room = limit
    for chunk in chunks:
        pending, is_full = chunk, False
        while pending or is_full:
            if gzip is None or gzip.eof:
                gzip = zlib.decompressobj(_GZIP)
            # One byte more than there is room for shows that there is more.
            step = min(room + 1, _STEP)
            part = _decompress(gzip, pending, step)
            if part is None:
                msg = "The answer's compressed data is damaged."
                raise ResponseRefused(msg, sent="yes")
            # All input may be taken in while some of its output is still to come.
            is_full = len(part) == step and not gzip.eof
            pending = gzip.unused_data if gzip.eof else gzip.unconsumed_tail
            room -= len(part)
            yield part
    # An answer to HEAD names the coding and has no body.
    if gzip is not None and not gzip.eof:
        msg = "The answer ended in the middle of its compressed data."
        raise ConnectionLost(msg, sent="yes")


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
