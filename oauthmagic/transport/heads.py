"""What stands before a body, read strictly: RFC 9112, sections 2 to 6.

For a library that hands out what came line by line and takes lines as they are. What
two readers could read in two ways is refused, not repaired.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from oauthmagic.errors import ConnectionLost, ResponseRefused, TransportError

if TYPE_CHECKING:
    from oauthmagic.transport.wire import Headers, WireRequest

MAX_HEADERS = 200
MAX_HEADER_BYTES = 64 * 1024
#: What a request says where it says nothing else.
DEFAULTS = (("User-Agent", "oauthmagic"), ("Accept-Encoding", "gzip"))
#: Methods whose request has a body, if an empty one (RFC 9110, section 8.6).
WITH_BODY = ("POST", "PUT", "PATCH")

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# RFC 9110, section 5.5: no control character, no blank at either end.
_VALUE = re.compile("(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?")
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: [^\r\n]*)?\r?\n")
_LINE = re.compile(
    rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t -~\x80-\xff]*?)[ \t]*\r?\n"
)
_BLANK = (b"\r\n", b"\n")


def check_size(headers: Headers) -> None:
    """Refuse a response whose headers are too large.

    Raises:
        ResponseRefused: They are.
    """
    size = sum(len(name) + len(value) for name, value in headers)
    if len(headers) > MAX_HEADERS or size > MAX_HEADER_BYTES:
        raise heads_too_large()


def heads_too_large() -> ResponseRefused:
    """Return the error for headers that are too large."""
    return ResponseRefused("The answer's headers are too large.", sent="yes")


def not_http() -> ResponseRefused:
    """Return the error for what is no HTTP/1.1."""
    msg = "The answer is not HTTP/1.1, or its headers are too large."
    hint = "Check the URL: something else than a web server may be there."
    return ResponseRefused(msg, sent="yes", hint=hint)


def is_complete(lines: list[bytes]) -> bool:
    """Return whether the head of an answer, and not of an interim one, is there."""
    head = _last(lines)
    return bool(head) and head[-1] in _BLANK and head[0][9:10] != b"1"


def read_head(lines: list[bytes]) -> tuple[int, Headers]:
    """Return the status and the headers of an answer; names in lower case.

    Args:
        lines: What came before the body, interim answers (RFC 9110, section 15.2)
            included, and what came behind it.

    Raises:
        ResponseRefused: It cannot be read in one way only, or is too large.
        ConnectionLost: It has no end.
    """
    head = _last(lines)
    status = _STATUS_LINE.fullmatch(head[0]) if head else None
    if status is None:
        raise not_http()
    if head[-1] not in _BLANK:
        raise ConnectionLost("The connection was lost.", sent="unknown")
    headers = []
    for line in head[1:-1]:
        match = _LINE.fullmatch(line)
        if match is None:
            raise not_http()
        name, value = match.groups()
        headers.append((name.decode("ascii").lower(), value.decode("latin-1")))
    found = tuple(headers)
    check_size(found)
    _check_framing(found)
    return int(status[1]), found


def _last(lines: list[bytes]) -> list[bytes]:
    """Return the last head among the lines, with the empty line behind it."""
    begin = max(
        (at for at, line in enumerate(lines) if line.startswith(b"HTTP/")), default=0
    )
    for end, line in enumerate(lines[begin:], begin):
        if line in _BLANK:
            return lines[begin : end + 1]
    return lines[begin:]


def _check_framing(headers: Headers) -> None:
    """Refuse a head that two readers end at two places (RFC 9112, section 6.3)."""
    lengths = {value for name, value in headers if name == "content-length"}
    codings = [value.lower() for name, value in headers if name == "transfer-encoding"]
    if len(lengths) > 1 or codings not in ([], ["chunked"]):
        raise not_http()


def unsendable() -> TransportError:
    """Return the error for a request that is no HTTP; nothing of it is quoted."""
    return TransportError("The request cannot be sent as HTTP.", sent="no")


def check_request(request: WireRequest) -> dict[str, str]:
    """Return a request's headers, names in lower case; the last of several.

    Raises:
        TransportError: A method, name or value is none; nothing was sent.
    """
    if not _TOKEN.fullmatch(request.method):
        raise unsendable()
    given: dict[str, str] = {}
    for name, value in request.headers:
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            # Its value may be a token, and this frame is in the traceback.
            del name, value
            given.clear()
            raise unsendable()
        given[name.lower()] = value
    return given
