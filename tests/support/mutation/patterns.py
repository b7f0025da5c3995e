"""The changes of a regular expression: each one lets more or less through."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPPOSITES = {**dict(zip("sSwWdD", "SsWwDd", strict=True)), **dict.fromkeys("bBAZ", "")}
_TOKEN = re.compile(
    r"""
    (?P<escape>\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.))
    | (?P<klass>\[\^?\]?(?:\\.|[^\]\\])*\])
    | (?P<look>\(\?<?[=!])
    | (?P<open>\((?:\?(?:[aiLmsux]+\)|[aiLmsux-]*:|>|P<\w+>))?)
    | (?P<close>\))
    | (?P<bar>\|)
    | (?P<bounds>\{(?P<least>\d*)(?P<comma>,?)(?P<most>\d*)\})
    | (?P<times>[*+?])(?P<manner>[+?]?)
    | (?P<anchor>[\^$])
    | (?P<comment>\#[^\n]*)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_MEMBER = re.compile(
    r"(\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)|[^\\])"
    r"(?:-(\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)|[^\\\]]))?",
    re.DOTALL,
)


def variations(pattern: str, flags: int = 0) -> list[str]:
    """Return the changed patterns that compile, each once.

    Members of a class and alternatives are left out, ranges made narrower, classes
    and their escapes turned around, bounds moved by one, anchors and looks around
    taken away. What costs time only (possessive or not) is left as it is.
    """
    found = {}
    for changed in _variations(pattern, verbose=bool(flags & re.VERBOSE)):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                re.compile(changed, flags)
            except (re.error, Warning):
                continue
        found[changed] = None
    found.pop(pattern, None)
    return list(found)


def _variations(  # noqa: C901, PLR0912 - a table of tokens
    pattern: str, *, verbose: bool
) -> Iterator[str]:
    # Where each open group begins and its alternatives do.
    groups: list[tuple[re.Match[str] | None, list[int]]] = [(None, [0])]
    for token in _TOKEN.finditer(pattern):
        if verbose and token["comment"]:
            continue
        before, after = pattern[: token.start()], pattern[token.end() :]
        kind = token.lastgroup
        if token["escape"] and token[0][1] in _OPPOSITES:
            opposite = _OPPOSITES[token[0][1]]
            yield before + (opposite and f"\\{opposite}") + after
        elif token["klass"]:
            yield from (before + each + after for each in _classes(token[0]))
        elif token["look"] or (token["open"] and not token[0].endswith(")")):
            groups.append((token, [token.end()]))
        elif token["bar"]:
            groups[-1][1].append(token.end())
        elif token["close"]:
            opening, starts = groups.pop()
            yield from _alternatives(pattern, starts, token.start())
            if opening is not None and opening["look"]:
                yield pattern[: opening.start()] + after
        elif token["bounds"]:
            for name in ("least", "most"):
                if token[name]:
                    start, end = token.span(name)
                    for number in (int(token[name]) - 1, int(token[name]) + 1):
                        yield pattern[:start] + str(number) + pattern[end:]
        elif token["times"]:
            other = {"*": "+", "+": "*", "?": ""}[token["times"]]
            yield before + other + (token["manner"] if other else "") + after
        elif kind == "anchor":
            yield before + after
    yield from _alternatives(pattern, groups[-1][1], len(pattern))


def _alternatives(pattern: str, starts: list[int], end: int) -> Iterator[str]:
    if len(starts) == 1:
        return
    parts = [
        pattern[start : following - 1]
        for start, following in zip(starts, [*starts[1:], end + 1], strict=True)
    ]
    for place in range(len(parts)):
        rest = "|".join(parts[:place] + parts[place + 1 :])
        yield pattern[: starts[0]] + rest + pattern[end:]


def _classes(text: str) -> Iterator[str]:
    negated = text.startswith("[^")
    inside = text[2 if negated else 1 : -1]
    opening = "[^" if negated else "["
    yield ("[" if negated else "[^") + inside + "]"
    members = list(_MEMBER.finditer(inside))
    for member in members:
        before, after = inside[: member.start()], inside[member.end() :]
        if len(members) > 1:
            yield opening + before + after + "]"
        if member[2]:
            first, last = member[1], member[2]
            if len(first) == 1:
                narrower = re.escape(chr(ord(first) + 1))
                yield f"{opening}{before}{narrower}-{last}{after}]"
            if len(last) == 1:
                narrower = re.escape(chr(ord(last) - 1))
                yield f"{opening}{before}{first}-{narrower}{after}]"
