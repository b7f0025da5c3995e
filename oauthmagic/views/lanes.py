"""Tokens over time as a picture: an SVG without a script or a font of its own.

Each token is a lane: a bar from where it was issued to where it ends or was replaced, a
line where none was good, marks for what happened. A shape and a word say what a colour
says; the words are `oauthmagic.views.timelines`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import TYPE_CHECKING

from oauthmagic.errors import listed
from oauthmagic.oauth.targets import environment_of, production_mark
from oauthmagic.redaction import quote
from oauthmagic.views.lifetimes import COLOUR, duration

if TYPE_CHECKING:
    from oauthmagic.oauth.tokens import Token
    from oauthmagic.runtime.histories import Generation

#: The most generations of a token that are drawn; the last ones are.
MOST_GENERATIONS = 20
#: A token that never ends is drawn for so long after it was issued, at least.
_UNKNOWN_LIFE = timedelta(minutes=5)

_WIDTH, _LEFT, _RIGHT = 720, 10, 710
_LANE, _TOP, _AXIS = 52, 4, 42
_TICKS = 5
_LONGEST_NAME = 60
_MARK = 'stroke="currentColor" stroke-width="1.5"'
_CIRCLE = f'<circle cx="{{x:.1f}}" cy="{{y:.1f}}" r="5" fill="currentColor" {_MARK}/>'
_TRIANGLE = (
    '<path transform="translate({x:.1f} {y:.1f})" d="M-6 5L0 -6L6 5Z" '
    f'fill="currentColor" {_MARK}/>'
)
_DIAMOND = (
    '<path transform="translate({x:.1f} {y:.1f})" d="M-7 0L0 -7L7 0L0 7Z" '
    f'fill="none" {_MARK}/>'
)
_CROSS = (
    '<path transform="translate({x:.1f} {y:.1f})" d="M-5 -5L5 5M-5 5L5 -5" '
    f'fill="none" {_MARK}/>'
)
#: What the shapes of a picture mean, as HTML.
LEGEND = (
    "&#9679; issued &nbsp; &#9650; refreshed &nbsp; &#10005; over &nbsp; &#9671; login "
    "ends &nbsp; bar: good, faint: to come &nbsp; dotted: over"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """One token and what became of it.

    Attributes:
        token: The token as it is held.
        generations: Its access tokens, oldest first.
    """

    token: Token
    generations: tuple[Generation, ...]


def lane_name(lane: Lane) -> str:
    """Return what a token is called: its target, and scopes to tell it by."""
    token = lane.token
    name = quote(token.target, 80)
    if token.alias:
        name = f"{quote(token.alias, 40)} ({name})"
    scopes = listed([quote(each, 30) for each in sorted(token.scopes)], 2)
    mark = production_mark(environment_of(token.target))
    return " ".join(filter(None, [name, mark, f"[{scopes}]" if scopes else ""]))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Axis:
    """Where a time is on a picture."""

    begin: datetime
    end: datetime
    now: datetime

    def place(self, at: datetime) -> float:
        part = (at - self.begin) / (self.end - self.begin)
        return _LEFT + part * (_RIGHT - _LEFT)

    def tick(self, part: float) -> str:
        at = self.begin + (self.end - self.begin) * part
        is_long = self.end - self.begin > timedelta(days=1)
        return f"{at:%m-%d %H:%M}" if is_long else f"{at:%H:%M:%S}"


def picture_svg(lanes: list[Lane]) -> str:
    """Return the lanes of one time as an SVG."""
    drawn = [lane.generations[-MOST_GENERATIONS:] for lane in lanes]
    now = lanes[0].token.clock()
    begin = min(each[0].issued_at for each in drawn)
    end = max([now, *(_end(each) for generations in drawn for each in generations)])
    end = max(end, begin + timedelta(seconds=1))
    axis = _Axis(begin=begin, end=end + (end - begin) * 0.04, now=now)
    bottom = _TOP + _LANE * len(lanes)
    height = bottom + _AXIS
    parts = [
        _lane(lane, generations, _TOP + number * _LANE, axis)
        for number, (lane, generations) in enumerate(zip(lanes, drawn, strict=True))
    ]
    parts.append(_line(_LEFT, _RIGHT, bottom, bottom))
    for index in range(_TICKS):
        part = index / (_TICKS - 1)
        anchor = {0: "start", _TICKS - 1: "end"}.get(index, "middle")
        x = _LEFT + part * (_RIGHT - _LEFT)
        parts.append(_text(x, bottom + 16, axis.tick(part), anchor))
        parts.append(_line(x, x, bottom, bottom + 4))
    here = axis.place(now)
    anchor = "end" if here > (_LEFT + _RIGHT) / 2 else "start"
    parts.append(_line(here, here, bottom + 22, bottom + 36))
    shift = -5 if anchor == "end" else 5
    label = f"now, {now:%Y-%m-%d %H:%M:%S} UTC"
    parts.append(_text(here + shift, bottom + 34, label, anchor))
    said = listed([lane_name(lane) for lane in lanes], 5)
    return (
        f'<svg role="img" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} '
        f'{height}" width="{_WIDTH}" height="{height}" style="max-width:100%;'
        'height:auto;display:block;font-family:inherit;font-size:12px">'
        "<title>Timeline of tokens</title>"
        f"<desc>{escape(said)}. The same is said in words below.</desc>"
        f"{''.join(parts)}</svg>"
    )


def _end(generation: Generation) -> datetime:
    return generation.expires_at or generation.issued_at + _UNKNOWN_LIFE


def _lane(
    lane: Lane, generations: tuple[Generation, ...], top: float, axis: _Axis
) -> str:
    """Return a token's name, its bars and its marks."""
    parts = [_text(_LEFT, top + 16, quote(lane_name(lane), _LONGEST_NAME), "start")]
    middle = top + 34
    following = [*(each.issued_at for each in generations[1:]), None]
    for each, renewed in zip(generations, following, strict=True):
        over = _end(each)
        good_until = over if renewed is None else min(over, renewed)
        left, right = axis.place(each.issued_at), axis.place(good_until)
        here = min(max(axis.place(axis.now), left), right)
        parts.append(_bar(left, here, middle, opacity=1))
        parts.append(_bar(here, right, middle, opacity=0.45))
        until = renewed or axis.now
        if over < until:
            parts.append(_line(right, axis.place(until), middle, middle, "1 4"))
        if over <= until:
            parts.append(_CROSS.format(x=right, y=middle))
        mark = _TRIANGLE if each.is_renewal else _CIRCLE
        parts.append(mark.format(x=left, y=middle))
    here = axis.place(axis.now)
    parts.append(_line(here, here, middle - 10, top + _LANE, "3 2"))
    login_end = lane.token.refresh_expires_at
    if login_end is not None and login_end <= axis.end:
        parts.append(_DIAMOND.format(x=axis.place(login_end), y=middle))
    elif login_end is not None:
        left_over = duration((login_end - axis.now).total_seconds())
        said = f"login ends {login_end:%Y-%m-%d} ({left_over} left) \u2192"
        parts.append(_text(_RIGHT, top + 16, said, "end"))
    return "".join(parts)


def _bar(left: float, right: float, middle: float, *, opacity: float) -> str:
    if right - left < 0.1:  # noqa: PLR2004 - nothing that anybody could see
        return ""
    return (
        f'<rect x="{left:.1f}" y="{middle - 6:.1f}" width="{right - left:.1f}" '
        f'height="12" fill="{COLOUR}" fill-opacity="{opacity:g}" stroke="{COLOUR}"/>'
    )


def _line(x1: float, x2: float, y1: float, y2: float, dashes: str = "") -> str:
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<line x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}" '
        f'stroke="currentColor" stroke-width="1.2"{dashed}/>'
    )


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="currentColor">'
        f"{escape(text)}</text>"
    )
