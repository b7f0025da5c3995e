"""From the text of a cell or an `.http` file to request templates."""

from __future__ import annotations

import re
import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING

from oauthmagic.errors import RequestSyntaxError
from oauthmagic.http_request.bodies import Line, read_body
from oauthmagic.http_request.directives import Directives, is_comment
from oauthmagic.http_request.foreign import refuse_door, refuse_line
from oauthmagic.http_request.headers import check_once, read_header
from oauthmagic.http_request.request_lines import (
    EXAMPLE,
    METHODS,
    read_request_line,
    without_version,
)
from oauthmagic.http_request.requests import RequestTemplate
from oauthmagic.http_request.targets import read_target
from oauthmagic.http_request.templates import (
    is_name,
    joined,
    read_template,
    references,
)
from oauthmagic.http_request.variables import Variables

if TYPE_CHECKING:
    from oauthmagic.http_request.templates import Template

#: The most characters of a text, and the most requests in it.
MOST_CHARACTERS = 1 << 20
MOST_REQUESTS = 1000

# Control characters, and halves of surrogate pairs, which UTF-8 cannot hold.
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_VARIABLE = re.compile(r"@\s*([^\s=:]*)\s*(:?=)?[ \t]*(.*)")
_CONTINUED = re.compile(r"[ \t]+[?&/]|[?&]")


def parse(text: str) -> tuple[RequestTemplate, ...]:
    """Read the requests of a text, in order.

    Args:
        text: One or more requests, separated by lines that begin with `###`.

    Raises:
        RequestSyntaxError: Something cannot be read, is too long or belongs to another
            tool; the message names the line.
        UnknownName: A method or built-in is not known.
    """
    if len(text) > MOST_CHARACTERS:
        msg = f"The text has more than {MOST_CHARACTERS:,} characters."
        raise RequestSyntaxError(msg, hint="Put a long body into a file: '< ./file'.")
    variables = Variables()
    requests: list[RequestTemplate] = []
    lines_of: dict[str, int] = {}
    for title, lines in _blocks(_lines(text)):
        request = _read_request(title, lines, variables)
        if request is None:
            continue
        if len(requests) == MOST_REQUESTS:
            msg = f"Line {request.line} begins request number {MOST_REQUESTS + 1}."
            raise RequestSyntaxError(
                msg, hint=f"A cell takes {MOST_REQUESTS}; divide them among several."
            )
        if request.name is not None:
            line = lines_of.setdefault(request.name, request.line)
            if line != request.line:
                msg = (
                    f"The request in line {request.line} has the name of the one in "
                    f"line {line}: {request.name}."
                )
                raise RequestSyntaxError(msg, hint="Give each its own '# @name'.")
        requests.append(request)
    if not requests:
        msg = "There is no request in this text."
        raise RequestSyntaxError(msg, hint=EXAMPLE)
    defined = tuple(variables.known)
    return tuple(replace(request, defined=defined) for request in requests)


def _lines(text: str) -> list[Line]:
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if re.match(r"\n*[ \t]+\S", text):
        # A request in a triple-quoted string is indented as a whole.
        text = textwrap.dedent(text)
    # Not splitlines(), which breaks at characters that are text here.
    lines = list(enumerate(text.split("\n"), start=1))
    for line, content in lines:
        if _NOT_TEXT.search(content):
            msg = f"Line {line} holds a control character or broken text."
            raise RequestSyntaxError(msg, hint="Type the line anew.")
    return lines


def _blocks(lines: list[Line]) -> list[tuple[str, list[Line]]]:
    blocks: list[tuple[str, list[Line]]] = [("", [])]
    for line, text in lines:
        if text.startswith("###"):
            blocks.append((text.lstrip("#").strip(), []))
        else:
            blocks[-1][1].append((line, text))
    return blocks


def _read_request(
    title: str, lines: list[Line], variables: Variables
) -> RequestTemplate | None:
    directives = Directives()
    start = _read_preamble(lines, directives, variables)
    if start == len(lines):
        return None
    line, text = lines[start]
    method, begun = read_request_line(text.strip(), line)
    parts = [*begun]
    position = start + 1
    while position < len(lines) and lines[position][1].strip():
        number, continued = lines[position]
        refuse_line(continued.strip(), number)
        if not is_comment(continued):
            if not _CONTINUED.match(continued):
                break
            # The template of each line keeps its own line numbers.
            parts += read_template(without_version(continued.strip(), number), number)
        directives.read(continued, number)
        position += 1
    constants = variables.constants(references(parts))
    target = read_target(joined(parts), constants, line)
    headers, position = _read_headers(lines, position, directives)
    check_once(headers, line)
    request = RequestTemplate(
        method=method,
        target=target,
        headers=tuple(headers),
        body=read_body(lines[position:], headers),
        name=directives.name,
        title=title,
        timeout=directives.timeout,
        line=line,
    )
    return replace(request, variables=variables.bind(request.references()))


def _read_preamble(
    lines: list[Line], directives: Directives, variables: Variables
) -> int:
    for index, (line, text) in enumerate(lines):
        stripped = text.strip()
        if not stripped:
            continue
        if is_comment(stripped):
            directives.read(stripped, line)
        elif stripped.startswith("@"):
            _read_variable(stripped, line, variables)
        else:
            refuse_door(stripped, line)
            return index
    return len(lines)


def _read_variable(text: str, line: int, variables: Variables) -> None:
    match = _VARIABLE.fullmatch(text)
    name, sign, value = match.groups() if match else ("", None, "")
    if sign == ":=":
        msg = f"The ':=' in line {line} is a feature of httpyac, not of %%api."
        raise RequestSyntaxError(msg, hint="Write '@name = value'.")
    if not sign or not is_name(name):
        msg = f"The variable in line {line} is not written '@name = value'."
        raise RequestSyntaxError(msg, hint="For example: @account = 4711")
    variables.define(name, read_template(value.strip(), line), line)


def _read_headers(
    lines: list[Line], position: int, directives: Directives
) -> tuple[list[tuple[str, Template]], int]:
    headers: list[tuple[str, Template]] = []
    while position < len(lines):
        line, text = lines[position]
        if not text.strip():
            break
        refuse_line(text.strip(), line)
        if is_comment(text):
            directives.read(text.strip(), line)
        else:
            _refuse_misplaced(text, line)
            headers.append(read_header(text.rstrip(), line))
        position += 1
    return headers, position


def _refuse_misplaced(text: str, line: int) -> None:
    if text.startswith("@"):
        msg = f"The variable in line {line} stands behind the request line."
        raise RequestSyntaxError(msg, hint="Put '@name = value' above it.")
    if _CONTINUED.match(text):
        msg = f"Line {line} continues the target behind a header."
        raise RequestSyntaxError(msg, hint="Put it right below the request line.")
    if text[0] in " \t":
        msg = f"Line {line} is indented and continues nothing."
        raise RequestSyntaxError(
            msg,
            hint="Headers begin at the margin; indented lines continue the target and "
            "begin with '?', '&' or '/'.",
        )
    first = text.split(maxsplit=1)[0]
    if first.upper() in METHODS and ":" not in first:
        msg = f"Line {line} begins another request."
        raise RequestSyntaxError(msg, hint="Put a line '###' between two requests.")
