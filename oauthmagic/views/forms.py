"""What a form says: as HTML without script, and as text for terminals.

Explicit colours come in pairs that can be read in both themes, and a word says what
a colour says. Nothing in here is typeset as mathematics: scopes may hold `$`.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from oauthmagic.errors import visible
from oauthmagic.redaction import quote, redact
from oauthmagic.views.markup import CELL
from oauthmagic.views.tables import status
from oauthmagic.views.texts import MOST_SCOPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oauthmagic.errors import OAuthMagicError
    from oauthmagic.oauth.tokens import Token

#: What an environment means.
MEANINGS = {
    "demo": "a simulator inside this notebook. It brings its own credentials, and "
    "nothing that you do here is real.",
    "sandbox": "the provider's own place for trying things out.",
    "production": "real accounts, real people, real money. Ask for no more scopes "
    "than you need.",
}
#: As the page draws its own lines, where it says so.
BORDER = "1px solid var(--jp-border-color1, #888)"
_COLOURS = {
    "demo": "border-left:4px solid #2e7d32",
    "sandbox": "border-left:4px solid #1565c0",
    "production": "border-left:4px solid #7f0000;background:#b3261e;color:#fff;"
    "font-weight:bold",
}


def plain_label(text: str, limit: int = 160) -> str:
    """Return a text for a control's label: visible, cut, and never mathematics."""
    shown = visible(redact(text))
    if len(shown) > limit:
        shown = shown[: limit - 3] + "..."
    if shown.count("$") > 1:
        shown = shown.replace("$", "\uff04")
    # With something invisible behind it, a backslash begins no formula.
    return shown.replace("\\", "\\\u200b")


def environment_html(environment: str) -> str:
    """Return a notice that says what an environment means."""
    return _block(
        f"<b>{environment.upper()}</b>: {escape(MEANINGS[environment])}",
        f"padding:6px 10px;line-height:1.4;{_COLOURS[environment]}",
        role="note",
    )


def heading_html(text: str) -> str:
    """Return a heading within a form."""
    return _block(f"<b>{escape(text)}</b>", "padding-top:8px")


def note_html(text: str) -> str:
    """Return a sentence of less weight."""
    return _block(escape(text), "opacity:.75;line-height:1.4")


def progress_html(text: str) -> str:
    """Return what is going on."""
    return _block(escape(text), "padding:4px 0", role="status")


def done_html(text: str) -> str:
    """Return what went well."""
    said = escape(text).replace("\n", "<br>")
    return _block(f"<b>Done.</b> {said}", "padding:4px 0", role="status")


def error_html(error: OAuthMagicError) -> str:
    """Return an error as a sentence and a hint."""
    said = f"<b>{escape(type(error).__name__)}:</b> {escape(redact(str(error)))}"
    if error.hint:
        said += f"<br><b>Hint:</b> {escape(redact(error.hint))}"
    style = "border-left:4px solid #b3261e;padding:4px 10px;line-height:1.4"
    return _block(said, style, role="alert")


def line_html(line: str) -> str:
    """Return the magic line that does what a form does, ready to copy."""
    return _block(
        "The same as a line, to copy:"
        '<pre tabindex="0" style="user-select:all;font-family:monospace;'
        "margin:2px 0;padding:4px 8px;word-break:normal;overflow-wrap:anywhere;"
        f'border:{BORDER};border-radius:3px;white-space:pre-wrap;line-height:1.4">'
        f"{escape(line)}</pre>",
        "line-height:1.4",
    )


def static_html(line: str, target: str) -> str:
    """Return what stands for a form where none is shown."""
    return _block(
        escape(static_text(line, target)).replace("\n", "<br>"), "line-height:1.4"
    )


def static_text(line: str, target: str) -> str:
    """Return what stands for a form where none is shown."""
    return (
        f"A form for a token of {target}; it lives as long as its kernel.\n"
        f"The same as a line: {line}\n"
        f"Asked step by step: %token form {target} --ask"
    )


def granted_html(token: Token, scopes: Mapping[str, str]) -> str:
    """Return what a server granted beside what was asked for.

    Args:
        token: The token.
        scopes: The provider's scopes and what they allow.
    """
    rows, left = _granted(token, scopes)
    if not rows:
        return note_html(_NOTHING_SAID)
    head = "".join(
        f'<th scope="col" style="{CELL}">{each}</th>'
        for each in ("scope", "what it allows", "asked", "granted")
    )
    body = "".join(
        "<tr>"
        f'<th scope="row" style="{CELL};font-weight:normal">{escape(row[0])}</th>'
        + "".join(f'<td style="{CELL}">{_said(each)}</td>' for each in row[1:])
        + "</tr>"
        for row in rows
    )
    more = f"<div>... and {left} more</div>" if left else ""
    return _block(
        '<table style="border-collapse:collapse;line-height:1.4">'
        '<caption style="text-align:left;font-weight:bold;padding:2px 0;'
        'white-space:nowrap">'
        f"Scopes of {escape(quote(token.target))}: asked for and granted</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}",
        "",
    )


def granted_text(token: Token, scopes: Mapping[str, str]) -> str:
    """Return what a server granted beside what was asked for, a line each."""
    rows, left = _granted(token, scopes)
    if not rows:
        return _NOTHING_SAID
    width = max(len(row[0]) for row in rows)
    lines = [
        f"  {name:<{width}}  {'granted' if granted == 'yes' else 'NOT granted':<11}"
        f"  {'asked for' if asked == 'yes' else 'not asked for'}"
        for name, _, asked, granted in rows
    ]
    return "\n".join(["Scopes:", *lines, *([f"  ... and {left} more"] * bool(left))])


def held_text(token: Token) -> str:
    """Return a sentence about a token that was got."""
    until = (
        "" if token.expires_at is None else f" until {token.expires_at:%H:%M:%S} UTC"
    )
    return f"The token of {quote(token.target)} is {status(token)}{until}."


_NOTHING_SAID = "The server did not say which scopes it granted."


def _granted(
    token: Token, scopes: Mapping[str, str]
) -> tuple[list[tuple[str, str, str, str]], int]:
    """Return scope, description, asked, granted in words; and how many are left out."""
    asked, granted = token.scopes_requested, token.scopes
    if not granted:
        return [], 0
    # What is missing is what one looks for.
    names = sorted(asked | granted, key=lambda name: (name in granted, name))
    words = {True: "yes", False: "no"}
    rows = [
        (
            quote(name, 80),
            quote(scopes.get(name, ""), 160),
            words[name in asked],
            words[name in granted],
        )
        for name in names[:MOST_SCOPES]
    ]
    return rows, len(names) - len(rows)


def _said(word: str) -> str:
    return f"<b>{word}</b>" if word == "no" else escape(word)


def _block(html: str, style: str, *, role: str = "") -> str:
    said = f' role="{role}"' if role else ""
    return (
        f'<div class="tex2jax_ignore mathjax_ignore"{said} style="{style}">{html}</div>'
    )
