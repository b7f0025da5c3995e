"""Values into fields: each field has its own encoding, so that no value leaves it.

Paths and queries: RFC 3986, section 2. JSON: RFC 8259, section 7. Forms: the URL
Standard's application/x-www-form-urlencoded.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from oauthmagic.errors import RequestSyntaxError
from oauthmagic.http_request.headers import check_value
from oauthmagic.http_request.targets import has_dot_segment
from oauthmagic.http_request.templates import Reference, references

if TYPE_CHECKING:
    from oauthmagic.http_request.templates import Template
    from oauthmagic.http_request.variables import Scope

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_IN_STRING = re.compile(r'(?:[^"\\]|\\u[0-9A-Fa-f]{4}|\\[^u])*')


def fill_path(template: Template, scope: Scope, line: int) -> str:
    """Fill a path; a value is part of one segment, whatever it holds.

    Raises:
        RequestSyntaxError: A value would make its segment vanish or climb.
    """
    segments: list[list[str | Reference]] = [[]]
    for part in template:
        if isinstance(part, Reference):
            segments[-1].append(part)
            continue
        first, *others = part.split("/")
        segments[-1].append(first)
        segments.extend([other] for other in others)
    return "/".join(_fill_segment(segment, scope, line) for segment in segments)


def fill_query(template: Template, scope: Scope) -> str:
    """Fill a query; a value adds no parameter.

    Raises:
        RequestSyntaxError: A value holds a control character.
    """
    return "".join(
        _escaped(part, scope) if isinstance(part, Reference) else part
        for part in template
    )


def fill_header(name: str, template: Template, scope: Scope, line: int) -> str:
    """Fill a header value; a value adds no line.

    Raises:
        RequestSyntaxError: The whole is not one line of ASCII text, or too long.
    """
    line = next((reference.line for reference in references(template)), line)
    return check_value(name, fill_text(template, scope), line)


def fill_text(template: Template, scope: Scope) -> str:
    """Fill a text that has no grammar of its own; a value goes in as it is."""
    return "".join(
        scope.value(part).text if isinstance(part, Reference) else part
        for part in template
    )


def fill_form(template: Template, scope: Scope) -> str:
    """Fill a form body; a value adds no field."""
    return "".join(
        quote_plus(scope.value(part).text) if isinstance(part, Reference) else part
        for part in template
    )


def fill_json(template: Template, scope: Scope) -> str:
    """Fill a JSON body; a value is a string's text or a bare number, true or false.

    Raises:
        RequestSyntaxError: A text stands outside quotes, or a backslash right
            before a value.
    """
    if len(template) == 1 and isinstance(template[0], Reference):
        return _whole_json(template[0], scope)
    filled: list[str] = []
    inside: bool | None = False
    for part in template:
        if isinstance(part, str):
            filled.append(part)
            inside = _ends_in_string(part, inside=inside is True)
            continue
        if inside is None:
            msg = f"An unfinished escape stands before the value of {part}."
            raise RequestSyntaxError(
                msg, hint=r"Write \\ for a backslash; the value is escaped by itself."
            )
        value = scope.value(part)
        if inside:
            filled.append(json.dumps(value.text, ensure_ascii=False)[1:-1])
        elif value.bare:
            filled.append(value.text)
        else:
            msg = f"The value of {part} is a text and stands outside quotes."
            raise RequestSyntaxError(
                msg, hint=f'Write "{{{{{part.name}}}}}" with the quotes around it.'
            )
    return "".join(filled)


def _fill_segment(segment: list[str | Reference], scope: Scope, line: int) -> str:
    names = [part for part in segment if isinstance(part, Reference)]
    text = "".join(
        _escaped(part, scope) if isinstance(part, Reference) else part
        for part in segment
    )
    if names and not text:
        msg = f"The value of {names[0]} is empty, so its part of the path would vanish."
        raise RequestSyntaxError(msg, hint="Give it a value before you send.")
    if has_dot_segment(text):
        who = f"The value of {names[0]}" if names else f"A segment in line {line}"
        msg = f"{who} could be read as '.' or '..' in the path."
        raise RequestSyntaxError(msg, hint="Write the path that you mean in full.")
    return text


def _escaped(reference: Reference, scope: Scope) -> str:
    text = scope.value(reference).text
    if _CONTROL.search(text):
        msg = f"The value of {reference} holds a line break or control character."
        raise RequestSyntaxError(msg, hint="Targets hold visible text only.")
    return quote(text, safe="")


def _whole_json(reference: Reference, scope: Scope) -> str:
    """A value that is the whole body cannot break out of anything."""
    text = scope.value(reference).text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        msg = f"The value of {reference} is the whole body and is not JSON."
        raise RequestSyntaxError(
            msg, hint="Give it a text that json.dumps made."
        ) from None
    return text


def _ends_in_string(literal: str, *, inside: bool) -> bool | None:
    """Say whether JSON text ends inside a string; None in an unfinished escape."""
    position = 0
    while True:
        if not inside:
            position = literal.find('"', position) + 1
            if not position:
                return False
        match = _IN_STRING.match(literal, position)
        position = match.end() if match else position
        if position == len(literal):
            return True
        if literal[position] == "\\":
            return None
        inside, position = False, position + 1
