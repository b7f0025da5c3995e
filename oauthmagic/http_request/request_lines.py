"""Request lines: a method, a target and, as other tools write it, a version.

RFC 9112, section 3. Methods are typed in either case, as other tools take them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from oauthmagic.errors import RequestSyntaxError, UnknownName
from oauthmagic.http_request.targets import begin_with_slash
from oauthmagic.http_request.templates import read_template

if TYPE_CHECKING:
    from oauthmagic.http_request.templates import Template

#: RFC 9110, section 9.3, and RFC 5789; CONNECT and TRACE are not for APIs.
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
EXAMPLE = "Write a request, for example:\nGET /accounts\nAccept: application/json"

_VERSION = re.compile(r"(?<![ \t])[ \t]+HTTP/(?:1\.[01]|[23](?:\.0)?)[ \t]*$")
_WRONG_VERSION = re.compile(r"[ \t]HTTP/\S*[ \t]*$")
_METHOD = re.compile(r"([A-Za-z]+)(?:[ \t]+(.*))?")
_WHOLE_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_METHOD_AND_SIGN = re.compile(rf"(?i)\W*(?:{'|'.join(METHODS)})\b\W")


def read_request_line(text: str, line: int) -> tuple[str, Template]:
    """Read the method, GET without one, and what the line has of the target.

    Raises:
        RequestSyntaxError: There is no target.
        UnknownName: The method is not known.
    """
    if text.startswith(("/", "{{")) or _WHOLE_URL.match(text):
        return "GET", read_template(without_version(text, line), line)
    match = _METHOD.fullmatch(text)
    if match is None:
        msg = f"Line {line} is not a request: no method and no path."
        # Something like `GET: /accounts` or `- GET /accounts`, or a bare path.
        has_method = _METHOD_AND_SIGN.match(text) or not text[0].isalnum()
        path = text.split(maxsplit=1)[0]
        raise RequestSyntaxError(
            msg, hint=EXAMPLE if has_method else begin_with_slash(path)
        )
    word, target = match[1], match[2]
    if word.upper() not in METHODS:
        kind, hint = "HTTP method", f"Known: {', '.join(METHODS)}. {EXAMPLE}"
        raise UnknownName(kind, word, METHODS, where=f" in line {line}", hint=hint)
    target = without_version(f" {target or ''}", line).strip()
    if not target:
        msg = f"The request in line {line} has a method and no target."
        raise RequestSyntaxError(msg, hint=f"For example: {word.upper()} /accounts")
    return word.upper(), read_template(target, line)


def without_version(text: str, line: int) -> str:
    """Return a line without the HTTP version at its end.

    Raises:
        RequestSyntaxError: It is no version.
    """
    kept = _VERSION.sub("", text)
    if kept == text and _WRONG_VERSION.search(text):
        msg = f"The HTTP version in line {line} is none."
        raise RequestSyntaxError(msg, hint="Leave it out, or write HTTP/1.1.")
    return kept
