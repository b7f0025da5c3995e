"""A card for a pending action as HTML: what is asked, and what came of it.

Everything that came from the network is escaped; a link leads to https, or to this
machine.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import OAuthMagicError, UrlRefused, UserActionRequired
from oauthmagic.oauth.tokens import Token
from oauthmagic.redaction import redact
from oauthmagic.transport.urls import parse_url
from oauthmagic.views.qr_codes import qr_image
from oauthmagic.views.replies import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oauthmagic.runtime.pending import PendingAction

_FRAME = "border:1px solid;border-radius:4px;padding:8px 12px;max-width:48em"
_BUTTON = (
    "display:inline-block;border:1px solid;border-radius:3px;padding:4px 12px;"
    "margin:4px 0;text-decoration:none;font-weight:bold;color:inherit"
)
_CODE = "font-size:1.6em;letter-spacing:.1em;font-family:monospace"
_MINUTE = 60


def card_html(action: PendingAction, *, is_over: bool = False) -> str:
    """Return what is asked, by whom, until when; of one that is over only that."""
    first = action.describe().splitlines()[0]
    parts = [f"<div><b>{escape(first)}</b></div>"]
    if not is_over:
        parts += _asked(action)
    return f'<div role="group" style="{_FRAME}">{"".join(parts)}</div>'


def _asked(action: PendingAction) -> Iterable[str]:
    if action.wants:
        wants = "".join(f"<li>{escape(each)}</li>" for each in action.wants)
        yield f'<ul style="margin:4px 0">{wants}</ul>'
    url = action.complete_url or action.url
    if url and not action.answers:
        yield link_html(url, "Open the login page")
    if action.user_code:
        yield f'<div>Code: <span style="{_CODE}">{escape(action.user_code)}</span>'
        yield f" (at {escape(action.url)})</div>" if action.url else "</div>"
    if action.kind == "device":
        yield qr_image(url)
    if action.expires_at is not None:
        yield f'<div style="opacity:.7">{escape(until(action))}</div>'
    if action.why:
        yield f'<div style="opacity:.7">{escape(action.why)}</div>'
    yield f"<div>{escape(_next_step(action))}</div>"


def _next_step(action: PendingAction) -> str:
    if action.kind == "sca":
        return "Enter the code here; what you type is not kept."
    if action.answers:
        return "This is a demo: play the user's side."
    if action.kind == "device":
        return "It ends by itself when you are done there."
    if action.ends_by_itself:
        return "It ends by itself when you are back. If not, paste the redirected URL."
    return "When you are back, paste the URL of the page that you end on."


def link_html(url: str, text: str) -> str:
    """Return a link that opens by the user's own click, and is told nothing of us."""
    try:
        parse_url(url)
    except UrlRefused:
        return f"<div>The page to open cannot be trusted: {escape(url)}</div>"
    return (
        f'<div><a href="{escape(url)}" target="_blank" rel="noopener noreferrer" '
        f'style="{_BUTTON}">{escape(text)}</a></div>'
    )


def until(action: PendingAction) -> str:
    """Return until when it waits, and how long that is."""
    left = ""
    if action.seconds is not None:
        minutes, seconds = divmod(int(action.seconds), _MINUTE)
        left = f" ({minutes} min" if minutes else f" ({seconds} s"
        left += " from when it was asked)"
    return f"Until {action.expires_at:%Y-%m-%d %H:%M:%S} UTC{left}."


def status_html(text: str) -> str:
    """Return a line that tells how things are."""
    return f'<div role="status">{escape(text)}</div>'


def outcome_html(outcome: Any, lines: Iterable[str] = ()) -> str:
    """Return in words what came of an answer.

    Args:
        outcome: A result, or an error.
        lines: What is said besides.
    """
    from oauthmagic.views.html import reply_html  # noqa: PLC0415 - a circle
    from oauthmagic.views.tokens import token_html  # noqa: PLC0415 - the same

    said = "".join(f"<div>{escape(redact(line))}</div>" for line in lines)
    if isinstance(outcome, BaseException):
        return _failure(outcome)
    if isinstance(outcome, Token):
        return _said(
            "Done: the token is here. Run the cell again.", token_html(outcome)
        )
    if isinstance(outcome, Reply):
        return _said("Done: this is the reply.", said + reply_html(outcome))
    if hasattr(outcome, "to_html"):
        return _said("Done.", said + outcome.to_html(max_rows=20, escape=True))
    return _said("Done.", said)


def _failure(error: BaseException) -> str:
    if isinstance(error, UserActionRequired):
        return _said("Done; and one thing more is asked.", "")
    if not isinstance(error, OAuthMagicError):
        return _said(f"It failed: {type(error).__name__}.", "")
    hint = f"<div><b>Hint:</b> {escape(error.hint)}</div>" if error.hint else ""
    return _said(f"{type(error).__name__}: {error}", hint)


def _said(text: str, more: str) -> str:
    return f'<div role="status"><div><b>{escape(text)}</b></div>{more}</div>'
