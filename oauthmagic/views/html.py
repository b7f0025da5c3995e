"""Replies and pending actions as HTML, and what all HTML of ours is made of.

Escaped, without script, readable in both themes, and not typeset as mathematics.

Colours come from the page; a state is said in words, never by colour alone.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from oauthmagic.oauth.targets import PRODUCTION_MARK, production_mark
from oauthmagic.redaction import quote, redact
from oauthmagic.views.cards import link_html
from oauthmagic.views.texts import body_text, reply_title

if TYPE_CHECKING:
    from oauthmagic.runtime.pending import PendingAction
    from oauthmagic.views.replies import Reply

# The one thing with colours of its own: it must stand out on any page.
_BADGE = (
    "background:#b3261e;color:#fff;border-radius:3px;padding:0 6px;margin-left:8px;"
    "font-size:.85em;font-weight:bold;white-space:nowrap"
)
CELL = "text-align:left;padding:2px 12px 2px 0;vertical-align:top"
#: Of an element in which nothing is typeset as mathematics: a stranger's `$` is a `$`.
PLAIN = 'class="tex2jax_ignore mathjax_ignore"'


def section(title: str, html: str, *, is_open: bool = False) -> str:
    """Return a part of a view that opens and closes without a script."""
    state = " open" if is_open else ""
    return (
        f'<details{state} style="margin:4px 0"><summary style="cursor:pointer">'
        f"{escape(title)}</summary>{html}</details>"
    )


def badge(environment: str) -> str:
    """Return the mark of production: a word on red, or nothing."""
    if not production_mark(environment):
        return ""
    return f'<span style="{_BADGE}">{PRODUCTION_MARK}</span>'


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
        parts.append(f'<div style="opacity:.7">Until {end}.</div>')
    if action.why:
        parts.append(f'<div style="opacity:.7">{escape(action.why)}</div>')
    parts.append(f"<div>{escape(action.how_to_answer())}</div>")
    return (
        f'<div {PLAIN} role="group" style="border:1px solid;border-radius:4px;'
        f'padding:8px 12px;max-width:48em">{"".join(parts)}</div>'
    )


def reply_html(reply: Reply) -> str:
    """Return a reply: its status line, its hint, and its body as plain text."""
    mark = badge(reply.environment)
    parts = [f"<div><b>{escape(reply_title(reply))}</b>{mark}</div>"]
    if reply.note:
        parts.append(f'<div style="opacity:.7">{escape(quote(reply.note))}</div>')
    if reply.hint:
        parts.append(f"<div><b>Hint:</b> {escape(redact(reply.hint))}</div>")
    body = body_text(reply)
    if body:
        parts.append(
            '<pre style="max-height:32em;overflow:auto;white-space:pre-wrap;'
            f'overflow-wrap:anywhere">{escape(body)}</pre>'
        )
    return "".join(parts)
