"""Pictures in replies: PNG, JPEG, GIF and WebP, known by their first bytes.

What a server calls a body decides nothing. SVG is a document that can hold scripts and
links, and is text here. A picture is shown as it is, inside the page and without a
request; one that is large, or that would be once it is unpacked, is only described.
"""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: The largest picture that is shown, in bytes; it is saved with the notebook.
LARGEST = 1 << 20
#: A picture of few bytes can have many pixels, each of which takes four in a browser.
MOST_PIXELS = 25_000_000
# Markers of a JPEG frame (ITU-T T.81, table B.1), but for those that mean other things.
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A picture, and its measures in pixels."""

    media_type: str
    width: int
    height: int
    body: bytes

    def __str__(self) -> str:
        size = f"{len(self.body):,} bytes"
        return f"{self.media_type}, {self.width} x {self.height} pixels, {size}"

    @property
    def can_be_shown(self) -> bool:
        """Whether it is small enough, packed and unpacked."""
        pixels = self.width * self.height
        return len(self.body) <= LARGEST and 0 < pixels <= MOST_PIXELS

    @property
    def data_url(self) -> str:
        """The picture as a URL that asks nobody (RFC 2397)."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.body).decode()}"


def picture_in(body: bytes) -> Picture | None:
    """Return the picture that a body is, or None."""
    for begin, media_type, measure in _KINDS:
        if body.startswith(begin):
            try:
                width, height = measure(body)
            except (struct.error, IndexError):
                return None
            return Picture(media_type=media_type, width=width, height=height, body=body)
    return None


def _png(body: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", body, 16)
    return width, height


def _gif(body: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", body, 6)
    return width, height


def _jpeg(body: bytes) -> tuple[int, int]:
    place = 2
    while True:
        mark, kind, length = struct.unpack_from(">BBH", body, place)
        if mark != 0xFF:  # noqa: PLR2004 - every segment begins with it
            raise IndexError
        if kind in _FRAMES:
            height, width = struct.unpack_from(">HH", body, place + 5)
            return width, height
        # At least the two of the length itself, so that it ends.
        place += 2 + max(length, 2)


def _webp(body: bytes) -> tuple[int, int]:
    """Return the measures of a WebP picture (RFC 9649, sections 2.5 to 2.7)."""
    if body[8:12] != b"WEBP":
        raise IndexError
    kind = body[12:16]
    if kind == b"VP8X":
        packed = struct.unpack_from("<HBHB", body, 24)
        return packed[0] + (packed[1] << 16) + 1, packed[2] + (packed[3] << 16) + 1
    if kind == b"VP8L":
        (packed_bits,) = struct.unpack_from("<I", body, 21)
        return (packed_bits & 0x3FFF) + 1, (packed_bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", body, 26)
    return width & 0x3FFF, height & 0x3FFF


_KINDS: tuple[tuple[bytes, str, Callable[[bytes], tuple[int, int]]], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png", _png),
    (b"\xff\xd8\xff", "image/jpeg", _jpeg),
    (b"GIF87a", "image/gif", _gif),
    (b"GIF89a", "image/gif", _gif),
    (b"RIFF", "image/webp", _webp),
)
