"""Tokens, replies and exchanges as plain text, redacted."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from oauthmagic.redaction import MASK, redact
from oauthmagic.views.tables import status

if TYPE_CHECKING:
    from oauthmagic.oauth.tokens import Token
    from oauthmagic.transport.wire import WireRequest, WireResponse
    from oauthmagic.views.replies import Reply

#: The most characters of a body that are shown.
LONGEST_BODY = 4000
#: RFC 9700, section 2.4. Said on the token's card and not as a warning: some providers
#: document no other grant.
LEGACY_GRANT = "RFC 9700 forbids the password grant; use another where there is one"
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
_FORM_SECRET = re.compile(rf"(^|[&?])({'|'.join(sorted(SECRET_NAMES))}|code)=[^&\s]*")
_QUERY_SECRET = re.compile(rf"([?&](?:{'|'.join(sorted(SECRET_NAMES))}))=[^&#\s]*")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def token_text(token: Token) -> str:
    """Return a token's metadata, a line each."""
    rows = "\n".join(f"  {name:<14}{value}" for name, value in token_facts(token))
    return f"Token {token.alias or token.target}\n{rows}"


def token_facts(token: Token) -> list[tuple[str, str]]:
    """Return what there is to say about a token, in order, without its text."""
    facts = [
        ("status", _life(token)),
        ("scopes", ", ".join(sorted(token.scopes)) or "not known"),
        ("grant", token.grant),
        ("subject", token.subject),
        ("issued", f"{token.issued_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("refresh", _refresh(token)),
        ("fingerprint", token.fingerprint),
        ("why", token.reason),
    ]
    if token.grant == "password":
        facts.append(("note", LEGACY_GRANT))
    missing = token.scopes_requested - token.scopes
    if missing:
        facts.insert(2, ("not granted", ", ".join(sorted(missing))))
    return [(name, value) for name, value in facts if value]


def _life(token: Token) -> str:
    left = token.remaining()
    if token.access_token is None:
        return "no access token yet; the first use gets one"
    if left is None or token.expires_at is None:
        return "valid for an unknown time: the server did not say"
    until = f"{token.expires_at:%H:%M:%S} UTC"
    if status(token) == "expired":
        return f"expired at {until}"
    return f"valid for {_duration(left.total_seconds())}, until {until}"


def _refresh(token: Token) -> str:
    if token.refresh_token is None:
        return "no refresh token"
    if token.refresh_expires_at is None:
        return "by refresh token"
    return f"by refresh token, until {token.refresh_expires_at:%Y-%m-%d %H:%M} UTC"


def _duration(seconds: float) -> str:
    days, rest = divmod(int(seconds), 86400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    if days or hours:
        return f"{days} d {hours} h" if days else f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def reply_text(reply: Reply) -> str:
    """Return a reply: its status line, its hint, its body."""
    parts = [reply_title(reply)]
    if reply.note:
        parts.append(f"({reply.note})")
    if reply.hint:
        parts.append(f"Hint: {reply.hint}")
    body = body_text(reply)
    return "\n".join(parts) + (f"\n\n{body}" if body else "")


def shown_url(url: str) -> str:
    """Return a URL without the secrets that its query may hold (RFC 6750, 5.3)."""
    return redact(_QUERY_SECRET.sub(rf"\1={MASK}", url))


def reply_title(reply: Reply) -> str:
    """Return a reply's first line: request, status, time and size."""
    milliseconds = f"{reply.elapsed * 1000:.0f} ms"
    return redact(
        f"{reply.method} {shown_url(reply.url)}: {reply.status} {reply.reason}".rstrip()
        + f" ({milliseconds}, {len(reply.body):,} bytes)"
    )


def body_text(reply: Reply) -> str:
    """Return a reply's body for reading: JSON indented, the rest as it is, cut."""
    try:
        text = json.dumps(masked(reply.json()), indent=2, ensure_ascii=False)
    except Exception:  # noqa: BLE001 - not JSON, or too deep to show as such
        text = _FORM_SECRET.sub(rf"\1\2={MASK}", reply.text)
    return cut(_CONTROLS.sub("�", redact(text)))


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


def request_text(request: WireRequest) -> str:
    """Return a request as it goes out, without its secrets."""
    lines = [
        f"{request.method} {shown_url(request.url)}",
        *_header_lines(request.headers),
    ]
    if request.body:
        lines += ["", _payload(request.body)]
    return redact("\n".join(lines))


def exchange_text(request: WireRequest, response: WireResponse) -> str:
    """Return a request and its response, without their secrets."""
    lines = ["", f"HTTP {response.status}", *_header_lines(response.headers)]
    if response.body:
        lines += ["", _payload(response.body)]
    return request_text(request) + "\n" + redact("\n".join(lines))


def headers_text(reply: Reply) -> str:
    """Return a reply's status and headers, without their secrets."""
    lines = [f"HTTP {reply.status}", *_header_lines(tuple(reply.headers.items()))]
    return redact("\n".join(lines))


def _header_lines(headers: tuple[tuple[str, str], ...]) -> list[str]:
    return [
        f"{name.title()}: {_header_value(name.lower(), value)}"
        for name, value in headers
    ]


def _header_value(name: str, value: str) -> str:
    if name in SECRET_HEADERS:
        scheme, _, rest = value.partition(" ")
        return f"{scheme} {MASK}" if rest and name == "authorization" else MASK
    return _CONTROLS.sub("�", value)


def _payload(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    try:
        text = json.dumps(masked(json.loads(text)), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        text = _FORM_SECRET.sub(rf"\1\2={MASK}", text)
    return cut(_CONTROLS.sub("�", text))
