"""How much of a token's life is left: in words, as a bar of characters, and in HTML.

In HTML the bar runs down by itself: a CSS animation as long as what is left, without a
script and without the kernel. Where styles are taken out (GitHub, a notebook that is
not trusted), where the reader wants no motion, and in a demo, whose time stands still,
it stands as it was when it was shown. A page that is opened later starts it anew: that
is why the words beside it are times of day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthmagic.oauth.targets import environment_of

if TYPE_CHECKING:
    from datetime import timedelta

    from oauthmagic.oauth.tokens import Token

#: Characters of a bar.
WIDTH = 20
#: At least 3 to 1 against white and against the black of dark themes (WCAG 1.4.11).
COLOUR = "#2e8b57"
_KEYFRAMES = (
    "<style>@media (prefers-reduced-motion:no-preference){"
    ".oauthmagic-life{animation:oauthmagic-life linear forwards;"
    "transform-origin:left}}"
    "@keyframes oauthmagic-life{to{transform:scaleX(0)}}</style>"
)


def duration(seconds: float) -> str:
    """Return a time span in its two largest units."""
    days, rest = divmod(int(seconds), 86400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    if days or hours:
        return f"{days} d {hours} h" if days else f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def share(token: Token) -> float | None:
    """Return which part of its life a token has left; None if that is not known."""
    left = token.remaining()
    if left is None or token.expires_at is None or token.access_token is None:
        return None
    whole: timedelta = token.expires_at - token.issued_at
    if not whole:
        return 0.0
    return max(0.0, min(left / whole, 1.0))


def bar_text(token: Token) -> str:
    """Return the life that is left as a line, or ""."""
    part = share(token)
    if part is None:
        return ""
    full = round(part * WIDTH)
    return f"[{'#' * full}{'-' * (WIDTH - full)}] {_words(token, part)}"


def bar_html(token: Token) -> str:
    """Return the life that is left as a bar with words beside it, or ""."""
    part = share(token)
    left = token.remaining()
    if part is None or left is None:
        return ""
    words = _words(token, part)
    runs = environment_of(token.target) != "demo" and part > 0
    inner = f'<span style="display:block;height:100%;background:{COLOUR}"></span>'
    if runs:
        inner = (
            '<span class="oauthmagic-life" style="display:block;height:100%;'
            f'background:{COLOUR};animation-duration:{left.total_seconds():.0f}s">'
            "</span>"
        )
        words += f" at {token.clock():%H:%M:%S} UTC"
    return (
        f"{_KEYFRAMES if runs else ''}"
        f'<div role="img" aria-label="{words}" style="display:inline-block;'
        "vertical-align:middle;width:14em;height:.7em;border:1px solid currentColor;"
        'border-radius:.4em;overflow:hidden;margin-right:.7em">'
        f'<span style="display:block;width:{part:.1%};height:100%">{inner}</span>'
        f"</div>{words}"
    )


def _words(token: Token, part: float) -> str:
    end = token.expires_at or token.issued_at
    return f"{part:.0%} of {duration((end - token.issued_at).total_seconds())} left"
