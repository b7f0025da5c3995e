"""From the text of a cell or an `.http` file to request templates."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from oauthmagic.errors import RequestSyntaxError, UnknownName
from oauthmagic.http_request.bodies import Line, read_body
from oauthmagic.http_request.directives import Directives, is_comment
from oauthmagic.http_request.foreign import refuse_door, refuse_line
from oauthmagic.http_request.headers import check_once, read_header
from oauthmagic.http_request.requests import RequestTemplate
from oauthmagic.http_request.targets import read_target
from oauthmagic.http_request.templates import is_name, joined, read_template
from oauthmagic.http_request.variables import Variable, constants

if TYPE_CHECKING:
    from oauthmagic.http_request.templates import Template

#: RFC 9110, section 9.3, and RFC 5789; CONNECT and TRACE are not for APIs.
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

_EXAMPLE = "Write a request, for example:\nGET /accounts\nAccept: application/json"
# Control characters, and halves of surrogate pairs, which UTF-8 cannot hold.
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_VARIABLE = re.compile(r"@\s*([^\s=:]*)\s*(:?=)?[ \t]*(.*)")
_VERSION = re.compile(r"(?<![ \t])[ \t]+HTTP/(?:1\.[01]|[23](?:\.0)?)[ \t]*$")
_WRONG_VERSION = re.compile(r"[ \t]HTTP/\S*[ \t]*$")
_METHOD = re.compile(r"([A-Za-z]+)(?:[ \t]+(.*))?")
_CONTINUED = re.compile(r"[ \t]+[?&/]|[?&]")


def parse(text: str) -> tuple[RequestTemplate, ...]:
    """Read the requests of a text, in order.

    Args:
        text: One or more requests, separated by lines that begin with `###`.

    Raises:
        RequestSyntaxError: Something cannot be read, or belongs to another tool;
            the message names the line.
        UnknownName: A method or built-in is not known.
    """
    variables: list[Variable] = []
    requests: list[RequestTemplate] = []
    for title, lines in _blocks(_lines(text)):
        request = _read_request(title, lines, variables)
        if request is None:
            continue
        for other in requests:
            if request.name is not None and other.name == request.name:
                msg = (
                    f"The request in line {request.line} has the name of the one in "
                    f"line {other.line}: {request.name}."
                )
                raise RequestSyntaxError(msg, hint="Give each its own '# @name'.")
        requests.append(request)
    if not requests:
        msg = "There is no request in this text."
        raise RequestSyntaxError(msg, hint=_EXAMPLE)
    return tuple(requests)


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
    title: str, lines: list[Line], variables: list[Variable]
) -> RequestTemplate | None:
    directives = Directives()
    start = _read_preamble(lines, directives, variables)
    if start == len(lines):
        return None
    line, text = lines[start]
    method, parts = _read_request_line(text.strip(), line)
    position = start + 1
    while position < len(lines) and lines[position][1].strip():
        number, continued = lines[position]
        refuse_line(continued.strip(), number)
        if not is_comment(continued):
            if not _CONTINUED.match(continued):
                break
            # The template of each line keeps its own line numbers.
            parts += read_template(_without_version(continued.strip(), number), number)
        directives.read(continued, number)
        position += 1
    target = read_target(joined(list(parts)), constants(variables), line)
    headers, position = _read_headers(lines, position, directives)
    check_once(headers, line)
    return RequestTemplate(
        method=method,
        target=target,
        headers=tuple(headers),
        body=read_body(lines[position:], headers),
        name=directives.name,
        title=title,
        timeout=directives.timeout,
        variables=tuple(variables),
        line=line,
    )


def _read_preamble(
    lines: list[Line], directives: Directives, variables: list[Variable]
) -> int:
    for index, (line, text) in enumerate(lines):
        stripped = text.strip()
        if not stripped:
            continue
        if is_comment(stripped):
            directives.read(stripped, line)
        elif stripped.startswith("@"):
            variables.append(_read_variable(stripped, line))
        else:
            refuse_door(stripped, line)
            return index
    return len(lines)


def _read_variable(text: str, line: int) -> Variable:
    match = _VARIABLE.fullmatch(text)
    name, sign, value = match.groups() if match else ("", None, "")
    if sign == ":=":
        msg = f"The ':=' in line {line} is a feature of httpyac, not of %%api."
        raise RequestSyntaxError(msg, hint="Write '@name = value'.")
    if not sign or not is_name(name):
        msg = f"The variable in line {line} is not written '@name = value'."
        raise RequestSyntaxError(msg, hint="For example: @account = 4711")
    return Variable(name=name, value=read_template(value.strip(), line), line=line)


def _read_request_line(text: str, line: int) -> tuple[str, Template]:
    if text.startswith(("/", "{{")) or re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        return "GET", read_template(_without_version(text, line), line)
    match = _METHOD.fullmatch(text)
    if match is None:
        msg = f"Line {line} is not a request: no method and no path."
        raise RequestSyntaxError(msg, hint=_EXAMPLE)
    word, target = match[1], match[2]
    if word.upper() not in METHODS:
        kind, hint = "HTTP method", f"Known: {', '.join(METHODS)}. {_EXAMPLE}"
        raise UnknownName(kind, word, METHODS, where=f" in line {line}", hint=hint)
    target = _without_version(f" {target or ''}", line).strip()
    if not target:
        msg = f"The request in line {line} has a method and no target."
        raise RequestSyntaxError(msg, hint=f"For example: {word.upper()} /accounts")
    return word.upper(), read_template(target, line)


def _without_version(text: str, line: int) -> str:
    kept = _VERSION.sub("", text)
    if kept == text and _WRONG_VERSION.search(text):
        msg = f"The HTTP version in line {line} is none."
        raise RequestSyntaxError(msg, hint="Leave it out, or write HTTP/1.1.")
    return kept


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
