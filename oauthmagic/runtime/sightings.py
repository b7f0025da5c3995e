"""One request or response as text that may be kept and shown to anybody.

Of a request there are the names of its parameters and headers, of a response its
status and the names of its members. A value stands beside a name only where the
standards define a few words for it: what a server invents cannot be told from a new
token, which no redactor knows.
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from oauthmagic.oauth.challenges import bearer_error, parse_challenges
from oauthmagic.redaction import MASK, quote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oauthmagic.transport.wire import WireResponse

#: How many names of a body or a header are written down.
MOST_NAMES = 40
#: The largest body that is read for its names, in bytes.
LARGEST_READ = 64 * 1024

#: Parameters and members whose values are words of the standards, or numbers.
_OPEN = frozenset(
    {
        "code_challenge_method",
        "error",
        "expires_in",
        "grant_type",
        "interval",
        "max_age",
        "prompt",
        "refresh_expires_in",
        "response_type",
        "scope",
        "token_type",
        "token_type_hint",
        "active",
    }
)
_OPEN_HEADERS = frozenset(
    {
        "accept",
        "cache-control",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "retry-after",
    }
)
_WORD = re.compile(r"[\w :./+*;,=()-]{0,200}", re.ASCII)
#: Names that need no second look.
_KNOWN = _OPEN | {"access_token", "refresh_token", "client_id", "client_secret"}
_PLAIN = re.compile(r"[\w :./+*;,=()\[\]&-]{0,100}", re.ASCII)


def status_text(status: int) -> str:
    """Return a status with its standard phrase."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def grant_of(body: bytes | None) -> str:
    """Return the grant type of a token request, "" of anything else."""
    if not (body or b"").startswith(b"grant_type="):
        return ""
    value = dict(_pairs(_text(body)))["grant_type"]
    return quote(value.rpartition(":")[2], 40)


def parameter_names(url: str) -> list[str]:
    """Return the names of a query's parameters."""
    # Not by a parser that refuses: what comes here was not read by anybody yet.
    pairs = _pairs(url.partition("#")[0].partition("?")[2])
    return [quote(name, 40) for name, _ in pairs[:MOST_NAMES]]


def request_text(
    method: str,
    url: str,
    *,
    path: str | None = None,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes | None = None,
) -> str:
    """Return a request as it may be kept.

    Args:
        method: Its method.
        url: Its URL.
        path: The path of it, where that was redacted already.
        headers: Its headers.
        body: Its body.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return f"{method} (a URL that cannot be read)"
    shown = quote(parts.path, 200) if path is None else path
    lines = [f"{method} {parts.scheme}://{_tame(parts.netloc)}{shown}"]
    lines += [f"  ?{each}" for each in _shown(_pairs(parts.query))]
    named = list(headers)
    lines += _header_lines(named)
    kind = next((value for name, value in named if name.lower() == "content-type"), "")
    return "\n".join([*lines, *_body_lines(body or b"", kind)])


def response_text(response: WireResponse, *, with_body: bool) -> str:
    """Return a response as it may be kept.

    Args:
        response: The response.
        with_body: Whether the names of its members are part of that.
    """
    lines = [status_text(response.status), *_header_lines(response.headers)]
    challenges = response.joined("www-authenticate")
    said = bearer_error(parse_challenges(challenges)) if challenges else None
    if said is not None and said.error:
        lines.append(f"  error: {quote(said.error, 80)}")
    kind = response.header("content-type") or ""
    return "\n".join([*lines, *_body_lines(response.body, kind, with_names=with_body)])


def _header_lines(headers: Iterable[tuple[str, str]]) -> list[str]:
    lines = []
    for name, value in list(headers)[:MOST_NAMES]:
        folded = name.lower()
        shown = "..."
        if folded == "authorization":
            shown = f"{_tame(value.partition(' ')[0])} {MASK}"
        elif folded == "www-authenticate":
            shown = ", ".join(_tame(each.scheme) for each in parse_challenges(value))
        elif folded in _OPEN_HEADERS:
            shown = _tame(value)
        lines.append(f"{_tame(name.title())}: {shown}")
    return lines


def _body_lines(
    body: bytes, content_type: str, *, with_names: bool = True
) -> list[str]:
    if not body:
        return []
    kind = content_type.partition(";")[0].strip().lower()
    size = f"({len(body):,} bytes, {_tame(kind) or 'no media type'})"
    if with_names and len(body) <= LARGEST_READ:
        return [size, *_members(body, kind)]
    return [size]


def _members(body: bytes, kind: str) -> list[str]:
    """Return the names in a form or in JSON."""
    if kind == "application/x-www-form-urlencoded":
        return _shown(_pairs(_text(body)))
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return []
    if isinstance(value, list):
        return [f"a list of {len(value):,}"]
    return _shown(value.items()) if isinstance(value, dict) else []


def _tame(text: str) -> str:
    """Return short text of an alphabet that hides nothing; looks for no secret."""
    return text if _PLAIN.fullmatch(text) else "..."


def _shown(pairs: Iterable[tuple[str, object]]) -> list[str]:
    """Return names with values that cannot be secrets, and with a mask otherwise."""
    items = list(pairs)
    lines = [
        f"{quote(name, 60)} = {_value(name, value)}"
        for name, value in items[:MOST_NAMES]
    ]
    more = len(items) - MOST_NAMES
    return [*lines, f"and {more:,} more"] if more > 0 else lines


def _named(name: str) -> str:
    return name if name in _KNOWN else quote(name, 60)


def _value(name: str, value: object) -> str:
    if isinstance(value, bool):
        value = "true" if value else "false"
    if isinstance(value, int) and name in _OPEN:
        return str(value)
    if name in _OPEN and isinstance(value, str) and _WORD.fullmatch(value):
        return quote(value, 200)
    if isinstance(value, list):
        return f"a list of {len(value):,}"
    return "..."


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        return []


def _text(body: bytes | None) -> str:
    return (body or b"").decode("utf-8", "replace")
