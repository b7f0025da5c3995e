"""The sequence diagram of what was exchanged: text, HTML, and Markdown with Mermaid.

No script, no picture, no colour of its own: it can be read in both themes, in a
terminal and by a screen reader. Every text may come from a stranger and is escaped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from oauthmagic.redaction import quote, redact
from oauthmagic.runtime.traces import API, BROWSER, NOTEBOOK, SERVER

if TYPE_CHECKING:
    from oauthmagic.runtime.traces import Exchange

#: Who takes part, from left to right.
PARTICIPANTS = (BROWSER, NOTEBOOK, SERVER, API)
#: The columns of a terminal that a diagram fills.
WIDTH = 84
_WIDEST_GAP = 50
#: What Mermaid shows as it is; everything else is written as an entity of its own.
_TAME = re.compile(r"[^A-Za-z0-9 /.,_()?=-]")
_CELL = "padding:2px 0;vertical-align:top;text-align:center"
_LINE = "flex:1;border-top:1px"


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class ShownTrace:
    """What was exchanged for a target up to now, redacted; a notebook draws it.

    Attributes:
        target: Whose exchanges they are.
        exchanges: Oldest first.
        forgotten: How many earlier ones are no longer remembered.
    """

    target: str
    exchanges: tuple[Exchange, ...]
    forgotten: int = 0

    def __len__(self) -> int:
        return len(self.exchanges)

    def __repr__(self) -> str:
        return trace_text(self)

    @property
    def markdown(self) -> str:
        """The diagram in Mermaid's language, and each exchange to open."""
        return trace_markdown(self)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {
            "text/plain": trace_text(self),
            "text/html": trace_html(self),
            "text/markdown": trace_markdown(self),
        }


def trace_title(trace: ShownTrace) -> str:
    """Return what a trace is called, and how much of it is there."""
    count = len(trace.exchanges)
    title = f"Trace of {quote(trace.target)}: {count} step{'s' * (count != 1)}"
    return title + (f", and {trace.forgotten:,} before" if trace.forgotten else "")


def trace_text(trace: ShownTrace) -> str:
    """Return a trace as a diagram for a terminal."""
    names = _participants(trace)
    gap = min(_WIDEST_GAP, (WIDTH - 14) // max(len(names) - 1, 1))
    places = {name: 6 + gap * index for index, name in enumerate(names)}
    head = _written(places, {place - 4: name for name, place in places.items()}, "")
    lines = [trace_title(trace), "", head]
    for number, each in enumerate(trace.exchanges, start=1):
        lines += _arrows(each, f"{number} {_said(each)}", places)
    return "\n".join([*lines, "", "Each step in full: .exchanges[0].request"])


def trace_html(trace: ShownTrace) -> str:
    """Return a trace as a table whose steps open to what was sent and answered."""
    names = _participants(trace)
    heads = "".join(f'<th scope="col" style="{_CELL}">{name}</th>' for name in names)
    rows = "".join(
        _row(each, number, names)
        for number, each in enumerate(trace.exchanges, start=1)
    )
    return (
        '<table style="border-collapse:collapse;table-layout:fixed;width:100%;'
        'max-width:64em"><caption style="text-align:left;font-weight:bold;'
        f'padding:2px 0">{escape(trace_title(trace))}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    )


def trace_markdown(trace: ShownTrace) -> str:
    """Return a trace in Mermaid's language, and each step to open."""
    names = _participants(trace)
    ids = {name: f"p{index}" for index, name in enumerate(names)}
    lines = [f"    participant {ids[name]} as {name}" for name in names]
    opened = []
    for number, each in enumerate(trace.exchanges, start=1):
        sender, receiver = ids[each.sender], ids[each.receiver]
        said = f"{number} {_said(each)}"
        if sender == receiver:
            lines.append(f"    Note over {sender}: {_mermaid(said)}")
            continue
        lines.append(f"    {sender}->>{receiver}: {_mermaid(said)}")
        if each.outcome:
            lines.append(f"    {receiver}-->>{sender}: {_mermaid(_came(each))}")
        if each.request or each.response:
            opened.append(
                f"<details><summary>{escape(said)}</summary>\n"
                f"<pre>{escape(_full(each))}</pre></details>"
            )
    diagram = "\n".join(["```mermaid", "sequenceDiagram", *lines, "```"])
    title = re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", trace_title(trace))
    return "\n\n".join([f"**{title}**", diagram, *opened])


def _participants(trace: ShownTrace) -> list[str]:
    used = {NOTEBOOK}
    for each in trace.exchanges:
        used |= {each.sender, each.receiver}
    return [name for name in PARTICIPANTS if name in used]


def _said(each: Exchange) -> str:
    notes = f" [{', '.join(each.notes)}]" if each.notes else ""
    # Once more: what was unknown when it was written down may be known by now.
    return quote(f"{each.title}{notes}", 400)


def _came(each: Exchange) -> str:
    took = f", {each.elapsed * 1000:.0f} ms" if each.elapsed else ""
    return f"{each.outcome}{took}"


def _full(each: Exchange) -> str:
    at = f"{each.at:%Y-%m-%d %H:%M:%S} UTC"
    return redact(f"{at}\n{each.request}\n\n{each.response}".rstrip())


def _arrows(each: Exchange, said: str, places: dict[str, int]) -> list[str]:
    """Return the lines of one step: a text and an arrow, there and back."""
    here, there = places[each.sender], places[each.receiver]
    if here == there:
        return [_written(places, {here + 2: f"({said})"}, "│")]
    left, right = sorted((here, there))
    # A text may stand over the lives behind the arrow's end.
    room = WIDTH - left - 3
    lines = []
    for text, going, dash in (
        (said, here < there, "─"),
        (_came(each), here > there, "╌"),
    ):
        if not text:
            continue
        shown = text if len(text) <= room else f"{text[: room - 1]}…"
        line = dash * (right - left - 2)
        lines.append(_written(places, {left + 2: shown}, "│"))
        arrow = f"{line}>" if going else f"<{line}"
        lines.append(_written(places, {left + 1: arrow}, "│"))
    return lines


def _written(places: dict[str, int], texts: dict[int, str], life: str) -> str:
    """Return a line with the lives of those who take part, and texts over them."""
    line = [" "] * (WIDTH * 3)
    for place in places.values():
        line[place : place + len(life)] = life
    for place, text in texts.items():
        line[place : place + len(text)] = text
    return "".join(line).rstrip()


def _row(each: Exchange, number: int, names: list[str]) -> str:
    here, there = names.index(each.sender), names.index(each.receiver)
    left, right = sorted((here, there))
    before = f"<td>{'</td><td>' * (left - 1)}</td>" if left else ""
    after = "<td></td>" * (len(names) - right - 1)
    who = f"{each.sender} to {each.receiver}"
    said = (
        f'<b>{number}</b> {escape(_said(each))} <span style="opacity:.8">({who})</span>'
    )
    cell = f"<div>{said}</div>"
    if each.request or each.response:
        cell = (
            f"<details><summary>{said}</summary>"
            '<pre style="text-align:left;white-space:pre-wrap;overflow-wrap:anywhere;'
            f'margin:4px 0">{escape(_full(each))}</pre></details>'
        )
    if here != there:
        cell += _line(points_right=here < there, style="solid")
    if each.outcome:
        cell += f"<div>{escape(_came(each))}</div>"
        cell += _line(points_right=here > there, style="dashed")
    return (
        f'<tr>{before}<td colspan="{right - left + 1}" style="{_CELL}">{cell}</td>'
        f"{after}</tr>"
    )


def _line(*, points_right: bool, style: str) -> str:
    line = f'<span style="{_LINE} {style} currentColor"></span>'
    ends = f"{line}&#9654;" if points_right else f"&#9664;{line}"
    return (
        f'<div aria-hidden="true" style="display:flex;align-items:center">{ends}</div>'
    )


def _mermaid(text: str) -> str:
    return _TAME.sub(lambda found: f"#{ord(found[0])};", text)
