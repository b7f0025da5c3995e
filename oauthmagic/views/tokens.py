"""A token as it is shown: what is left of it, its scopes, what it says of itself.

Never its text. Everything that comes from a server is escaped, cut, and not typeset as
mathematics; states are words, and colours only repeat them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Any

from oauthmagic.oauth.jwts import KINDS, read_claims
from oauthmagic.oauth.targets import environment_of, production_mark
from oauthmagic.oauth.tokens import Token
from oauthmagic.redaction import quote
from oauthmagic.views.lifetimes import bar_html, bar_text
from oauthmagic.views.markup import CELL, PLAIN, badge, section
from oauthmagic.views.masking import masked
from oauthmagic.views.texts import MOST_SCOPES, token_facts, token_title

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oauthmagic.oauth.jwts import Claims

#: The most claims that are shown, and the most characters of one.
MOST_CLAIMS, LONGEST_CLAIM = 60, 300
#: NumericDate (RFC 7519, section 2): claims that are times.
_TIMES = ("exp", "iat", "nbf", "auth_time", "updated_at")
#: The year 10000 is where Python's times end.
_LATEST = 253402300799
_NOT_KNOWN = "not known"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ShownToken(Token):
    """A token with what is known about it: `%token show` and `Session.show`.

    Attributes:
        descriptions: What each scope of the provider allows.
        claims: What its JWTs say: unverified, unless `verified_by` says otherwise.
    """

    descriptions: Mapping[str, str] = field(default_factory=dict, repr=False)
    claims: tuple[Claims, ...] = field(default=(), repr=False)


def shown_token(
    token: Token,
    *,
    note: str = "",
    descriptions: Mapping[str, str] | None = None,
    claims: tuple[Claims, ...] | None = None,
) -> ShownToken:
    """Return a token with what is known about it.

    Args:
        token: The token.
        note: What its owner should know, in place of its own note.
        descriptions: What each scope of the provider allows.
        claims: What its JWTs say, verified; without it they are read here.
    """
    if claims is None:
        read = (read_claims(getattr(token, kind), kind) for kind in KINDS)
        claims = tuple(each for each in read if each is not None)
    own = {each.name: getattr(token, each.name) for each in fields(Token)}
    own["note"] = note or token.note
    return ShownToken(**own, descriptions=descriptions or {}, claims=claims)


def token_text(token: Token) -> str:
    """Return a token's metadata, a line each."""
    mark = production_mark(environment_of(token.target))
    lines = [f"{token_title(token)} {mark}".rstrip()]
    for name, value in _facts(token):
        lines.append(f"  {name:<14}{value}")
        if name == "status" and (bar := bar_text(token)):
            lines.append(f"  {'':<14}{bar}")
    if isinstance(token, ShownToken):
        rows = _scope_rows(token)
        width = max((len(name) for _, _, name, _ in rows), default=0)
        if rows:
            lines.append(f"  {'scopes':<{width + 4}}requested  granted    it allows")
        lines += [
            f"    {name:<{width + 2}}{asked:<11}{granted:<11}{description}".rstrip()
            for asked, granted, name, description in rows
        ]
        for claims in token.claims:
            lines.append(f"  {claims_title(claims)}")
            lines += [f"    {name:<18}{value}" for name, value in claim_rows(claims)]
    return "\n".join(lines)


def token_html(token: Token) -> str:
    """Return a token's metadata as a table with a caption; scopes and claims below."""
    rows = []
    for name, value in _facts(token):
        rows.append(_row(name, escape(value)))
        if name == "status" and (bar := bar_html(token)):
            rows.append(_row("life", bar))
    mark = badge(environment_of(token.target))
    table = (
        '<table style="border-collapse:collapse">'
        '<caption style="text-align:left;font-weight:bold;padding:2px 0">'
        f"{escape(token_title(token))}{mark}</caption>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )
    parts = [table]
    if isinstance(token, ShownToken):
        parts.append(_scopes_html(token))
        parts += [_claims_html(claims) for claims in token.claims]
    return f"<div {PLAIN}>{''.join(parts)}</div>"


def _facts(token: Token) -> list[tuple[str, str]]:
    """Return the facts that nothing below says better."""
    below = ("scopes", "not granted") if isinstance(token, ShownToken) else ()
    is_said = bool(token.scopes or token.scopes_requested)
    return [
        (name, value)
        for name, value in token_facts(token)
        if not is_said or name not in below
    ]


def claims_title(claims: Claims) -> str:
    """Return whose claims they are, and whether anybody has looked."""
    whose = f"claims of the {claims.kind.replace('_', ' ')}"
    if claims.verified_by:
        return f"{whose}, verified: {claims.verified_by}"
    return f"{whose}, unverified: nobody has checked who wrote them"


def claim_rows(claims: Claims) -> list[tuple[str, str]]:
    """Return what a JWT says, as texts; the algorithm and key that it names first."""
    said = {"(alg)": claims.header.get("alg"), "(kid)": claims.header.get("kid")}
    said |= masked(dict(claims.values))
    rows = [
        (quote(name, 60), _claim(name, value))
        for name, value in [*said.items()][:MOST_CLAIMS]
        if value is not None
    ]
    if len(said) > MOST_CLAIMS:
        rows.append(("...", f"{len(said) - MOST_CLAIMS} more"))
    return rows


def _claim(name: str, value: Any) -> str:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        text = " ".join(value)
    else:
        text = f"{value}"
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if name in _TIMES and is_number and 0 <= value <= _LATEST:
        text += f" ({datetime.fromtimestamp(int(value), UTC):%Y-%m-%d %H:%M:%S} UTC)"
    return quote(text, LONGEST_CLAIM)


def _scope_rows(token: ShownToken) -> list[tuple[str, str, str, str]]:
    """Return asked, granted, name and description of the scopes that matter."""
    asked, granted = token.scopes_requested, token.scopes
    names = [*sorted(granted), *sorted(asked - granted)][:MOST_SCOPES]
    return [
        (
            "yes" if name in asked else "no",
            ("yes" if name in granted else "no") if granted else _NOT_KNOWN,
            quote(name, 60),
            quote(token.descriptions.get(name, ""), 160),
        )
        for name in names
    ]


def _scopes_html(token: ShownToken) -> str:
    rows = _scope_rows(token)
    if not rows:
        return ""
    names = ("scope", "what it allows", "requested", "granted")
    head = "".join(f'<th scope="col" style="{CELL}">{each}</th>' for each in names)
    body = "".join(
        f'<tr><th scope="row" style="{CELL};font-weight:normal">{escape(name)}</th>'
        f'<td style="{CELL}">{escape(description)}</td>'
        f'<td style="{CELL}">{asked}</td><td style="{CELL}">{_yes(granted)}</td></tr>'
        for asked, granted, name, description in rows
    )
    total = len(token.scopes | token.scopes_requested)
    more = f" ({len(rows)} of {total})" if total > len(rows) else ""
    return section(
        f"Scopes{more}",
        f'<table style="border-collapse:collapse"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>",
        is_open=True,
    )


def _yes(granted: str) -> str:
    return f"<b>{granted}</b>" if granted == "no" else granted


def _claims_html(claims: Claims) -> str:
    rows = "".join(_row(name, escape(value)) for name, value in claim_rows(claims))
    title = claims_title(claims)
    return section(
        f"{title[0].upper()}{title[1:]}",
        f'<table style="border-collapse:collapse"><tbody>{rows}</tbody></table>',
    )


def _row(name: str, html: str) -> str:
    return (
        f'<tr><th scope="row" style="{CELL};font-weight:normal;opacity:.8">'
        f'{escape(name)}</th><td style="{CELL}">{html}</td></tr>'
    )
