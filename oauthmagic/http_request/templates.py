"""Text with `{{names}}` in it, read once and never read again.

A template is a tuple of literal texts and references. It is split before any
value is known, so no value can add a reference, a line or a field.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from oauthmagic.errors import RequestSyntaxError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: The names that need no definition.
BUILT_IN = ("$guid", "$timestamp", "$isoTimestamp")

_TOKEN_OF_OTHERS = re.compile(r"(?i)\$(?:auth|oidc|aad)")
_RESPONSE_OF_OTHERS = re.compile(r"[\w-]+\.(?:response|request)\b")
_LITERAL_HINT = (
    "Values are looked up, never evaluated: compute the value in Python, give it a "
    "name and write {{name}}. To send the characters {{ themselves, put the text "
    "into a variable."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """A `{{name}}` and the line that it stands in.

    Attributes:
        name: The name; with its `$` for a built-in.
        line: The line's number, counted from 1.
    """

    name: str
    line: int

    def __str__(self) -> str:
        return f"{{{{{self.name}}}}} in line {self.line}"


Template = tuple[str | Reference, ...]


def read_template(text: str, line: int) -> Template:
    """Split a text into literals and references.

    Args:
        text: One or more lines.
        line: The number of the first of them.

    Raises:
        RequestSyntaxError: Braces hold something else than a name.
        UnknownName: A `$` name is not one of `BUILT_IN`.
    """
    parts: list[str | Reference] = []
    end = 0
    while (start := text.find("{{", end)) >= 0:
        line += text.count("\n", end, start)
        close = text.find("}}", start)
        if close < 0:
            msg = f"The braces {{{{ in line {line} are not closed."
            raise RequestSyntaxError(msg, hint=_LITERAL_HINT)
        name = _read_name(text[start + 2 : close].strip(" \t"), line)
        parts += [text[end:start], Reference(name=name, line=line)]
        end = close + 2
    return joined([*parts, text[end:]])


def is_name(text: str) -> bool:
    """Return whether a text can name a variable.

    A Python identifier; with `-` inside, as other tools allow it for a file's own.
    """
    first, *others = text.split("-")
    return first.isidentifier() and all(
        part and f"_{part}".isidentifier() for part in others
    )


def joined(parts: Iterable[str | Reference]) -> Template:
    """Return the parts as a template: neighbouring literals are one, none is empty."""
    result: list[str | Reference] = []
    for is_text, run in groupby(parts, key=lambda part: isinstance(part, str)):
        if is_text:
            text = "".join(map(str, run))
            result += [text] if text else []
        else:
            result += run
    return tuple(result)


def references(template: Iterable[str | Reference]) -> Iterator[Reference]:
    """Yield the references of a template, in order."""
    return (part for part in template if isinstance(part, Reference))


def literals(template: Template) -> str:
    """Return what a template holds without its references."""
    return "".join(part for part in template if isinstance(part, str))


def _read_name(inside: str, line: int) -> str:
    if is_name(inside) or inside in BUILT_IN:
        return inside
    shown = inside if len(inside) <= 40 else inside[:37] + "..."  # noqa: PLR2004
    where = f" in line {line}"
    if _TOKEN_OF_OTHERS.match(inside):
        msg = f"{{{{{shown}}}}}{where} asks for a token."
        raise RequestSyntaxError(
            msg, hint="Leave it out: the target's token is added by itself."
        )
    if inside.startswith("$"):
        name, *arguments = inside.split()
        if name in BUILT_IN and arguments:
            msg = f"{{{{{name}}}}}{where} takes nothing after its name here."
            raise RequestSyntaxError(
                msg, hint="VS Code REST Client has offsets; here compute it in Python."
            )
        kind = "built-in variable"
        raise UnknownName(kind, name, BUILT_IN, where=where)
    if not inside:
        msg = f"The braces {{{{}}}}{where} hold no name."
        raise RequestSyntaxError(msg, hint=_LITERAL_HINT)
    if _RESPONSE_OF_OTHERS.match(inside):
        msg = f"{{{{{shown}}}}}{where} reads another request's exchange."
        raise RequestSyntaxError(
            msg,
            hint="VS Code REST Client and httpyac have that. Here take the value out "
            "of the reply in Python, give it a name and write {{name}}.",
        )
    msg = f"{{{{{shown}}}}}{where} is an expression, not a name."
    raise RequestSyntaxError(
        msg, hint=f"JetBrains HTTP Client and httpyac run code here. {_LITERAL_HINT}"
    )
