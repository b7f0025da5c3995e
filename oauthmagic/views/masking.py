"""What is shown of URLs, headers and bodies: never a secret, never without bound.

The order is the same everywhere: what is a secret by its name is masked, what is
known as a secret is redacted, what does not show is marked, and the rest is cut.
Half a secret would not be known, so nothing is redacted after it was cut.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from oauthmagic.redaction import MASK, quote, redact
from oauthmagic.views.charsets import decoded

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The most characters of a body that are shown.
LONGEST_BODY = 4000
#: The most characters of a URL and of a header that are shown.
LONGEST_LINE = 2000
#: The largest body that is read as JSON to be shown, in bytes; of a larger one only
#: the beginning is looked at.
LARGEST_READ = 512 << 10
# A secret that is masked takes less room: so many characters are redacted to have
# enough to show, and so many are at hand, for one that stands across the end.
_REDACTED = 16 << 10
_AT_HAND = 128 << 10

#: Members and headers that hold secrets wherever they turn up.
SECRET_NAMES = frozenset(
    {
        "access_token",
        "refresh_token",
        "id_token",
        "client_secret",
        "password",
        "client_assertion",
        "subject_token",
        "actor_token",
        "code_verifier",
    }
)
SECRET_HEADERS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "x-api-key",
        "sca-authorization",
        "dpop",
    }
)
#: The most parts of a multipart body that are shown.
MOST_PARTS = 20
_BOUNDARY = re.compile(r"(?i);[ \t]*boundary=\"?([^\s;\"]+)")
_NAMES = "|".join(sorted(SECRET_NAMES))
_QUERY_SECRET = re.compile(rf"(?i)([?&#](?:{_NAMES}))=[^&#\s]*")
_FORM_SECRET = re.compile(rf"(?i)((?:^|[&?#])(?:{_NAMES}|code))=[^&\s]*")
# Of JSON that is not read: too large, broken, or a text inside other JSON.
_MEMBER_SECRET = re.compile(
    rf"""(?i)((?:{_NAMES})\\*+["']\s*+:\s*+\\*+["'])[^"'\\]*+"""
)
# Blanks and line ends stay; so do joiners, which some scripts are written with.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
    "\ud800-\udfff]"
)


def shown_url(url: str, most: int = LONGEST_LINE) -> str:
    """Return a URL without the secrets that its query may hold (RFC 6750, 5.3)."""
    return quote(_QUERY_SECRET.sub(rf"\1={MASK}", url), most)


def header_lines(headers: Iterable[tuple[str, str]]) -> list[str]:
    """Return header fields as lines, those that carry credentials masked."""
    return [
        f"{quote(name, 100).title()}: {_header_value(name.lower(), value)}"
        for name, value in headers
    ]


def _header_value(name: str, value: str) -> str:
    if name in SECRET_HEADERS:
        scheme, _, rest = value.partition(" ")
        is_scheme = rest and name == "authorization" and scheme.isalnum()
        return f"{quote(scheme, 20)} {MASK}" if is_scheme else MASK
    return _FORM_SECRET.sub(rf"\1={MASK}", quote(value, LONGEST_LINE))


def body_lines(body: bytes, content_type: str) -> str:
    """Return a body for reading: JSON indented, the rest as it is, cut.

    Args:
        body: The bytes.
        content_type: The media type, for its charset.
    """
    if content_type.lower().startswith("multipart/"):
        return _part_lines(body, content_type)
    text = _indented(body) if len(body) <= LARGEST_READ else None
    if text is None:
        text = decoded(body[:LARGEST_READ], content_type)
    is_whole = len(body) <= LARGEST_READ and len(text) <= _REDACTED
    shown = redact(text, upto=_REDACTED)
    shown = _MEMBER_SECRET.sub(rf"\1{MASK}", shown)
    shown = _FORM_SECRET.sub(rf"\1={MASK}", shown)
    shown = _HIDDEN.sub("�", shown.replace("\r\n", "\n"))
    if is_whole:
        return cut(shown)
    return f"{shown[:LONGEST_BODY]}\n... and more, of {len(body):,} bytes"


def shown_value(text: str, most: int) -> str:
    """Return one name or value of a body, of at most `most` characters and a count.

    Args:
        text: The text.
        most: The most characters of it.
    """
    # Long enough that what is masked does not bring the end into view.
    shown = redact(text, upto=4 * most)
    shown = _MEMBER_SECRET.sub(rf"\1{MASK}", shown)
    shown = _FORM_SECRET.sub(rf"\1={MASK}", shown)
    shown = _HIDDEN.sub("\ufffd", shown)
    if len(shown) <= most and len(text) <= 4 * most:
        return shown
    return f"{shown[:most]}... {max(len(text) - most, 1):,} more characters"


def _part_lines(body: bytes, content_type: str) -> str:
    """Return a multipart body as the headers and sizes of its parts (RFC 2046)."""
    match = _BOUNDARY.search(content_type)
    delimiter = b"--" + (match[1] if match else "").encode("latin-1", "replace")
    lines = []
    for part in body.split(delimiter, MOST_PARTS + 1)[1 : MOST_PARTS + 1]:
        head, _, content = part.partition(b"\r\n\r\n")
        if not head.strip(b"\r\n-"):
            continue
        fields = decoded(head.strip(), "").splitlines()
        pairs = (each.partition(":") for each in fields)
        lines += header_lines((name, value.strip()) for name, _, value in pairs)
        lines += [f"({max(len(content) - 2, 0):,} bytes)", ""]
    return cut("\n".join([*lines, f"{len(body):,} bytes in all"]))


def _indented(body: bytes) -> str | None:
    """Return the beginning of a JSON body as indented text, or None."""
    parts = []
    room = _AT_HAND
    encoder = json.JSONEncoder(indent=2, ensure_ascii=False)
    try:
        for part in encoder.iterencode(masked(json.loads(body))):
            parts.append(part)
            room -= len(part)
            if room < 0:
                break
    except (ValueError, RecursionError):
        # Not JSON, or too deep to show as such.
        return None
    return "".join(parts)


def cut(text: str, most: int = LONGEST_BODY) -> str:
    """Return text of at most `most` characters, with a count of what is left out."""
    if len(text) <= most:
        return text
    return f"{text[:most]}\n... {len(text) - most:,} more characters"


def masked(value: Any) -> Any:
    """Return JSON data with the members that hold secrets masked."""
    if isinstance(value, dict):
        return {
            key: MASK if str(key).lower() in SECRET_NAMES and item else masked(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [masked(item) for item in value]
    return value
