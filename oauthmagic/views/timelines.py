"""The timeline of tokens: in words, and as pictures for those who look at it.

Tokens that live in one time share a picture; a demo has a time of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from oauthmagic.oauth.targets import environment_of
from oauthmagic.redaction import quote
from oauthmagic.views.lanes import (
    LEGEND,
    MOST_GENERATIONS,
    Lane,
    lane_name,
    picture_svg,
)
from oauthmagic.views.lifetimes import duration
from oauthmagic.views.markup import CELL, PLAIN, section

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from oauthmagic.oauth.tokens import Token

#: The most lanes that are drawn on one axis.
MOST_LANES = 30
#: What happened.
ISSUED, REFRESHED, OVER, NOW, LOGIN_END = (
    "issued",
    "refreshed",
    "over",
    "now",
    "login ends",
)


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class ShownTimeline:
    """The tokens held and what became of them; a notebook draws it.

    Attributes:
        lanes: One for each token.
    """

    lanes: tuple[Lane, ...]

    def __len__(self) -> int:
        return len(self.lanes)

    def __repr__(self) -> str:
        return timeline_text(self)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": timeline_text(self), "text/html": timeline_html(self)}


def timeline_text(timeline: ShownTimeline) -> str:
    """Return a timeline in words."""
    lines = [_title(timeline.lanes)]
    for lane in timeline.lanes[:MOST_LANES]:
        lines += ["", lane_name(lane)]
        lines += [
            f"  {_moment(at)}  {what:<11}{said}".rstrip()
            for at, what, said in _events(lane)
        ]
    return "\n".join(lines)


def timeline_html(timeline: ShownTimeline) -> str:
    """Return a timeline as a picture for each time there is, and in words."""
    parts = [f"<div><b>{escape(_title(timeline.lanes))}</b></div>"]
    times: dict[str, list[Lane]] = {}
    for lane in timeline.lanes[:MOST_LANES]:
        target = lane.token.target
        is_demo = environment_of(target) == "demo"
        provider = target.partition("@")[0].partition("/")[0]
        times.setdefault(provider if is_demo else "", []).append(lane)
    parts += [picture_svg(lanes) for lanes in times.values()]
    parts.append(f'<div style="opacity:.75">{LEGEND}</div>')
    rows = "".join(
        f'<tr><td style="{CELL}">{escape(lane_name(lane))}</td>'
        f'<td style="{CELL}">{_moment(at)}</td><td style="{CELL}">{what}</td>'
        f'<td style="{CELL}">{escape(said)}</td></tr>'
        for lane in timeline.lanes[:MOST_LANES]
        for at, what, said in _events(lane)
    )
    head = "".join(
        f'<th scope="col" style="{CELL}">{name}</th>'
        for name in ("token", "time (UTC)", "what", "")
    )
    parts.append(
        section(
            "The same in words",
            f'<table style="border-collapse:collapse"><thead><tr>{head}</tr></thead>'
            f"<tbody>{rows}</tbody></table>",
        )
    )
    return f"<div {PLAIN}>{''.join(parts)}</div>"


def _title(lanes: Iterable[Lane]) -> str:
    count = len([*lanes])
    more = f", {MOST_LANES} shown" if count > MOST_LANES else ""
    return f"Timeline of {count} token{'s' * (count != 1)}{more}"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _events(lane: Lane) -> list[tuple[datetime, str, str]]:
    """Return what happened to a token and what will, in order, in words."""
    token, now = lane.token, lane.token.clock()
    drawn = lane.generations[-MOST_GENERATIONS:]
    events = []
    for place, each in enumerate(drawn):
        until = f"valid until {each.expires_at:%H:%M:%S}" if each.expires_at else ""
        said = ", ".join(filter(None, [quote(each.reason, 120), until]))
        events.append((each.issued_at, REFRESHED if each.is_renewal else ISSUED, said))
        following = drawn[place + 1].issued_at if place + 1 < len(drawn) else None
        end = each.expires_at
        if end is not None and (following is None or end < following):
            events.append((end, OVER, "" if end <= now else "if nothing renews it"))
    events.append((now, NOW, _left(token)))
    if token.refresh_expires_at is not None:
        left = (token.refresh_expires_at - now).total_seconds()
        said = f"{duration(left)} left" if left > 0 else "log in again"
        events.append((token.refresh_expires_at, LOGIN_END, said))
    return sorted(events, key=lambda event: event[0])


def _left(token: Token) -> str:
    left = token.remaining()
    if token.access_token is None or left is None:
        return "" if token.access_token else "no access token yet"
    return f"{duration(left.total_seconds())} left" if left else "the token is over"
