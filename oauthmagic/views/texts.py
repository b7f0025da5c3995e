"""Tokens, replies and exchanges as plain text, redacted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthmagic.errors import listed, visible
from oauthmagic.oauth.targets import production_mark
from oauthmagic.redaction import quote, redact
from oauthmagic.views.images import picture_in
from oauthmagic.views.lifetimes import duration
from oauthmagic.views.masking import body_lines, header_lines, shown_url
from oauthmagic.views.tables import status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oauthmagic.oauth.tokens import Token
    from oauthmagic.transport.wire import WireRequest
    from oauthmagic.views.replies import Reply

__all__ = [
    "body_text",
    "exchange_text",
    "headers_text",
    "media_type",
    "reply_line",
    "reply_text",
    "reply_title",
    "request_text",
    "shown_hint",
    "shown_scopes",
    "token_facts",
    "token_title",
]

#: From here on the end of a refresh token is near, in seconds: a week.
SOON = 7 * 24 * 3600
#: Media types of texts; what has another, and such a byte here, is shown as a size.
_TEXTS = ("text/", "application/json", "application/xml", "application/x-www-form")
_BEGINNING = 1024
#: The most scopes of a token that are named.
MOST_SCOPES = 40


def token_title(token: Token) -> str:
    """Return what a token is called."""
    return f"Token {quote(token.alias or token.target)}"


def token_facts(token: Token) -> list[tuple[str, str]]:
    """Return what there is to say about a token, in order, without its text."""
    facts = [
        ("status", _life(token)),
        ("scopes", shown_scopes(token.scopes) or "not known"),
        ("grant", quote(token.grant)),
        ("subject", quote(token.subject)),
        ("issued", f"{token.issued_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("refresh", _refresh(token)),
        ("fingerprint", token.fingerprint),
        ("why", quote(token.reason)),
    ]
    if token.note:
        facts.append(("note", token.note))
    missing = token.scopes_requested - token.scopes
    if missing:
        facts.insert(2, ("not granted", shown_scopes(missing)))
    return [(name, value) for name, value in facts if value]


def shown_scopes(names: Iterable[str]) -> str:
    """Return scopes as one text, each cut and no more than can be read."""
    ordered = sorted(names)
    shown = [quote(name, 60) for name in ordered[:MOST_SCOPES]]
    return listed([*shown, *ordered[MOST_SCOPES:]], MOST_SCOPES)


def _life(token: Token) -> str:
    left = token.remaining()
    if token.access_token is None:
        return "no access token yet; the first use gets one"
    if left is None or token.expires_at is None:
        return "valid for an unknown time: the server did not say"
    until = f"{token.expires_at:%H:%M:%S} UTC"
    if status(token) == "expired":
        return f"expired at {until}"
    return f"valid for {duration(left.total_seconds())}, until {until}"


def _refresh(token: Token) -> str:
    if token.refresh_token is None:
        return "no refresh token"
    if token.refresh_expires_at is None:
        return "by refresh token"
    until = f"until {token.refresh_expires_at:%Y-%m-%d %H:%M} UTC"
    left = (token.refresh_expires_at - token.clock()).total_seconds()
    if left <= 0:
        return f"the refresh token is over ({until}): log in again"
    if left < SOON:
        return f"by refresh token, {until}: log in again before ({duration(left)} left)"
    return f"by refresh token, {until} ({duration(left)} left), then log in again"


def reply_text(reply: Reply) -> str:
    """Return a reply: its status line, its hint, its body."""
    parts = [_marked(reply, reply_title(reply))]
    if reply.note:
        parts.append(f"({quote(reply.note)})")
    if reply.hint:
        parts.append(f"Hint: {shown_hint(reply)}")
    body = body_text(reply)
    return "\n".join(parts) + (f"\n\n{body}" if body else "")


def shown_hint(reply: Reply) -> str:
    """Return a reply's hint, which may quote the server; its lines stay lines."""
    return "\n".join(visible(line) for line in redact(reply.hint).split("\n"))


def reply_title(reply: Reply) -> str:
    """Return a reply's first line: request, status, time and size."""
    milliseconds = f"{reply.elapsed * 1000:.0f} ms"
    size = reply.saved.size if reply.saved else len(reply.body)
    return f"{_outcome(reply)} ({milliseconds}, {size:,} bytes)"


def reply_line(reply: Reply) -> str:
    """Return what came of a request in a line, and its hint, without the body."""
    notes = [f"{1 + len(reply.pages)} pages"] if reply.pages else []
    if reply.note:
        notes.append(quote(reply.note))
    said = f" ({'; '.join(notes)})" if notes else ""
    hint = f"\nHint: {shown_hint(reply)}" if reply.hint else ""
    return _marked(reply, f"{_outcome(reply)}{said}{hint}")


def _marked(reply: Reply, text: str) -> str:
    return f"{production_mark(reply.environment)} {text}".lstrip()


def _outcome(reply: Reply) -> str:
    asked = f"{reply.method} {shown_url(reply.url)}"
    return f"{asked}: {reply.status} {reply.reason}".rstrip()


def body_text(reply: Reply) -> str:
    """Return a reply's body for reading: JSON indented, the rest as it is, cut."""
    picture = picture_in(reply.body)
    if picture is not None:
        return f"({picture}: .body has them)"
    if not media_type(reply).startswith(_TEXTS) and b"\0" in reply.body[:_BEGINNING]:
        return f"(no text, {len(reply.body):,} bytes: .body has them)"
    return body_lines(reply.body, reply.headers.get("content-type", ""))


def media_type(reply: Reply) -> str:
    """Return what the server says that a body is, without parameters."""
    content_type = reply.headers.get("content-type", "")
    return content_type.partition(";")[0].strip().lower()


def request_text(request: WireRequest) -> str:
    """Return a request as it goes out, without its secrets."""
    lines = [
        f"{request.method} {shown_url(request.url)}",
        *header_lines(request.headers),
    ]
    if request.body:
        named = {name.lower(): value for name, value in request.headers}
        lines += ["", body_lines(request.body, named.get("content-type", ""))]
    return "\n".join(lines)


def exchange_text(reply: Reply) -> str:
    """Return a request and its response, without their secrets."""
    request = reply.request or f"{reply.method} {shown_url(reply.url)}"
    lines = [request, "", headers_text(reply)]
    if reply.body:
        lines += ["", body_text(reply)]
    return "\n".join(lines)


def headers_text(reply: Reply) -> str:
    """Return a reply's status and headers, without their secrets."""
    lines = [f"HTTP {reply.status}", *header_lines(reply.headers.items())]
    return "\n".join(lines)
