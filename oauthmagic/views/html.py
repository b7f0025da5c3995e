"""Replies and pending actions as HTML, escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from oauthmagic.redaction import quote
from oauthmagic.views.bodies import body_html
from oauthmagic.views.cards import link_html
from oauthmagic.views.markup import PLAIN, badge
from oauthmagic.views.texts import reply_title, shown_hint

if TYPE_CHECKING:
    from oauthmagic.runtime.pending import PendingAction
    from oauthmagic.views.replies import Reply


def pending_html(action: PendingAction) -> str:
    """Return a pending action as a card: what, by whom, until when, how to answer."""
    mark = badge(action.environment)
    parts = [f"<div><b>{escape(action.sentence)}</b>{mark}</div>"]
    if action.wants:
        wants = "".join(f"<li>{escape(each)}</li>" for each in action.wants)
        parts.append(f'<ul style="margin:4px 0">{wants}</ul>')
    if action.url and not action.answers:
        parts.append(
            link_html(action.complete_url or action.url, "Open the login page")
        )
    if action.user_code:
        parts.append(f"<div>Enter the code: <b>{escape(action.user_code)}</b></div>")
    if action.expires_at is not None:
        end = f"{action.expires_at:%Y-%m-%d %H:%M:%S} UTC"
        parts.append(f'<div style="opacity:.8">Until {end}.</div>')
    if action.why:
        parts.append(f'<div style="opacity:.8">{escape(action.why)}</div>')
    parts.append(f"<div>{escape(action.how_to_answer())}</div>")
    return (
        f'<div {PLAIN} role="group" style="border:1px solid;border-radius:4px;'
        f'padding:8px 12px;max-width:48em">{"".join(parts)}</div>'
    )


def reply_html(reply: Reply) -> str:
    """Return a reply: its status line, its hint, and its body."""
    mark = badge(reply.environment)
    parts = [f"<div><b>{escape(reply_title(reply))}</b>{mark}</div>"]
    if reply.note:
        parts.append(f'<div style="opacity:.8">{escape(quote(reply.note))}</div>')
    if reply.hint:
        parts.append(f"<div><b>Hint:</b> {escape(shown_hint(reply))}</div>")
    parts.append(body_html(reply))
    return f"<div {PLAIN}>{''.join(parts)}</div>"
