"""What all HTML of ours is made of: no script, both themes, nothing typeset.

Colours come from the page; a state is said in words, never by colour alone.
"""

from __future__ import annotations

from html import escape

from oauthmagic.oauth.targets import PRODUCTION_MARK, production_mark

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
