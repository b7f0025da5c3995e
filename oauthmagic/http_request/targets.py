"""Request targets: where the path begins, and what is encoded in it.

RFC 9112, section 3.2: a target is a path with a query (origin-form) or a whole URL
(absolute-form). RFC 3986, sections 2 and 3: what its parts may hold.
The split is made on what the cell's author wrote; no value can move it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes

from oauthmagic.errors import RequestSyntaxError
from oauthmagic.http_request.templates import Reference, joined

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oauthmagic.http_request.templates import Template

_PREFIX = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://[^/?#\\]*(?=[/?#\\])|(?=/))")
_MARK = re.compile(r"[/?#\\]")
# `https://host/`: what has more marks and does not begin so will never do.
_MOST_MARKS = 3
_WHOLE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#\\]*")
# RFC 3986: sub-delims, ":" and "@" stay in a path; "/" and "?" in a query as well.
_KEPT = "!$&'()*+,;=:@/%-._~"
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
# What may be shown again in a hint: characters, parts.
_SHORT = re.compile(r"/[\w./?=&,{}-]{1,60}")
_FEW = 9
_FROM_THE_BASE = "Write the path alone, for the API's base is known from the target:"
#: The most characters before the path; a name has 253 (RFC 1035, section 2.3.4).
LONGEST_START = 2048
# The proxies and servers behind a gateway may decode once more than it did.
_DECODINGS = 3
_OVERLONG = ((b"\xc0\xae", b"."), (b"\xc0\xaf", b"/"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A request target in its three parts, values still missing.

    Attributes:
        origin: `scheme://authority` as written, or nothing.
        path: From the first `/`; literals are percent-encoded.
        query: What follows the first `?`, or None without one.
    """

    origin: str
    path: Template
    query: Template | None


def read_target(parts: Template, constants: Mapping[str, str], line: int) -> Target:
    """Split a target and encode its literals.

    Args:
        parts: The target as it was read.
        constants: The cell's own variables that hold nothing but written text.
        line: The line of the request, for messages.

    Raises:
        RequestSyntaxError: It begins neither with `/` nor with a scheme, the host
            depends on a value, or something in it is never sent.
    """
    written, rest = _written_start(parts, constants, line)
    match = _PREFIX.match(written)
    if match is None:
        if not rest and _WHOLE.fullmatch(written):
            return Target(origin=written, path=(), query=None)
        raise _no_start(written, rest, line)
    after = joined([written[match.end() :], *rest])
    path, query = _split_query(after)
    for part in after:
        if isinstance(part, str):
            _check(part, line)
    return Target(
        origin=match[0],
        path=_encoded(path),
        query=None if query is None else _encoded(query),
    )


def begin_with_slash(written: str) -> str:
    """Return the advice for a target that begins with neither slash nor scheme."""
    return (
        f"Begin the path with '/': {_example(f'/{written}')}; "
        "or a whole URL with 'https://'."
    )


def has_dot_segment(segment: str) -> bool:
    """Return whether a server might read a path segment as `.` or `..`.

    Encoded dots and slashes count, as do a parameter behind the dots (`..;x`) and
    one more round of encoding, for some servers decode twice.
    """
    raw = segment.encode("utf-8", "surrogatepass")
    for _ in range(_DECODINGS):
        decoded = unquote_to_bytes(raw)
        for overlong, meant in _OVERLONG:
            decoded = decoded.replace(overlong, meant)
        pieces = re.split(rb"[/\\]", decoded)
        if any(piece.partition(b";")[0] in {b".", b".."} for piece in pieces):
            return True
        if decoded == raw:
            return False
        raw = decoded
    return False


def _written_start(
    parts: Template, constants: Mapping[str, str], line: int
) -> tuple[str, Template]:
    """Put the cell's constants in, as text, up to where the path begins."""
    pieces: list[str] = []
    marks = length = 0
    for index, part in enumerate(parts):
        piece = constants.get(part.name) if isinstance(part, Reference) else part
        if piece is None:
            return "".join(pieces), parts[index:]
        pieces.append(piece)
        found = len(_MARK.findall(piece))
        marks += found
        # The whole is looked at only where that can decide.
        if found and (_PREFIX.match("".join(pieces)) or marks >= _MOST_MARKS):
            return "".join(pieces), parts[index + 1 :]
        length += len(piece)
        if length > LONGEST_START:
            msg = f"The host in line {line} has more than {LONGEST_START} characters."
            raise RequestSyntaxError(msg, hint=_FROM_THE_BASE)
    return "".join(pieces), ()


def _no_start(written: str, rest: Template, line: int) -> RequestSyntaxError:
    undecided = not written or _WHOLE.fullmatch(written)
    if undecided and rest and isinstance(rest[0], Reference):
        path = rest[1] if len(rest) > 1 and isinstance(rest[1], str) else ""
        return RequestSyntaxError(
            f"{rest[0]} stands where the host is decided.",
            hint=f"{_FROM_THE_BASE} {_example(path)}. For another host of the "
            "provider, write it out in the cell: @host = https://api.example.com. "
            "A value from the notebook may not decide where the token goes.",
        )
    if written == "*":
        msg = f"The target '*' in line {line} asks the server, not a resource."
        return RequestSyntaxError(msg, hint="Name a path, for example OPTIONS /")
    msg = f"The target in line {line} begins neither with '/' nor with 'https://'."
    return RequestSyntaxError(msg, hint=begin_with_slash(_shown((written, *rest))))


def _shown(template: Template) -> str:
    """Return a short template as it was written, "" for a long one."""
    if len(template) > _FEW:
        return ""
    return "".join(
        f"{{{{{part.name}}}}}" if isinstance(part, Reference) else part
        for part in template
    )


def _example(path: str) -> str:
    return f"GET {path if _SHORT.fullmatch(path) else '/accounts'}"


def _split_query(parts: Template) -> tuple[Template, Template | None]:
    for index, part in enumerate(parts):
        if isinstance(part, str) and "?" in part:
            before, _, after = part.partition("?")
            path = joined([*parts[:index], before])
            return path, joined([after, *parts[index + 1 :]])
    return parts, None


def _check(literal: str, line: int) -> None:
    if "#" in literal:
        msg = f"The target in line {line} has a fragment ('#'), which is never sent."
        raise RequestSyntaxError(msg, hint="Leave it out, or write %23 for a '#'.")
    if "\\" in literal:
        msg = f"The target in line {line} holds a backslash."
        raise RequestSyntaxError(msg, hint="Write '/', or %5C for a backslash.")
    if _BAD_ESCAPE.search(literal):
        msg = f"The '%' in the target in line {line} begins no escape."
        raise RequestSyntaxError(msg, hint="Write %25 for a '%'.")


def _encoded(template: Template) -> Template:
    return tuple(
        quote(part, safe=_KEPT + "?") if isinstance(part, str) else part
        for part in template
    )
