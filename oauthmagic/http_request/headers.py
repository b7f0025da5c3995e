"""Header lines: RFC 9110, section 5, and the names that are not the cell's to set."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from oauthmagic.errors import RequestSyntaxError
from oauthmagic.http_request.templates import literals, read_template, references

if TYPE_CHECKING:
    from oauthmagic.http_request.templates import Template

#: The most characters in one header line.
LONGEST = 8192

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110, section 5.6.2
_VALUE = re.compile(r"[\t\x20-\x7e]*")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_ADDED = "Leave the line out: oauthmagic writes it when the request is sent."
_REFUSED = {
    "authorization": "Leave the line out: the target's token is added by itself.",
    "dpop": "Leave the line out: the proof is added with the token.",
    "cookie": "Requests here carry a token and no cookies.",
    "content-length": _ADDED,
    "transfer-encoding": _ADDED,
    "connection": _ADDED,
    "keep-alive": _ADDED,
    "accept-encoding": _ADDED,
    "te": "Trailers are not read here; leave the line out.",
    "trailer": "Trailers are not sent here; leave the line out.",
    "upgrade": "Connections are not upgraded here; leave the line out.",
    "expect": "Nothing waits for a 100 here; leave the line out.",
    "x-request-type": "GraphQL requests are a feature of VS Code REST Client.",
}
_PROXY = "Proxies are set up in the environment, not in a request."
#: Twice, they would leave open which one counts.
_ONCE = ("host", "content-type")


def read_header(text: str, line: int) -> tuple[str, Template]:
    """Read one `Name: value` line.

    Raises:
        RequestSyntaxError: It is none, or its name is not the cell's to set.
    """
    name, colon, value = text.partition(":")
    if not colon or text[:1] in tuple('{["<'):
        msg = f"Line {line} is not a header; headers look like 'Accept: text/csv'."
        raise RequestSyntaxError(
            msg, hint="A body needs a blank line between the headers and itself."
        )
    if not _TOKEN.fullmatch(name):
        msg = (
            f"The header name in line {line} is not a token (RFC 9110, section 5.6.2)."
        )
        raise RequestSyntaxError(
            msg,
            hint="Letters, digits and - go into a name, with no blank before the "
            "colon; a variable may only stand in the value.",
        )
    folded = name.lower()
    reason = _PROXY if folded.startswith("proxy-") else _REFUSED.get(folded)
    if reason:
        msg = f"The header {name} in line {line} cannot be set in a request."
        raise RequestSyntaxError(msg, hint=reason)
    template = read_template(value.strip(" \t"), line)
    if folded == "content-type" and any(references(template)):
        msg = f"Content-Type in line {line} must be written out, without variables."
        raise RequestSyntaxError(
            msg, hint="It decides how the values in the body are encoded."
        )
    check_value(name, literals(template), line)
    return name, template


def check_value(name: str, value: str, line: int) -> str:
    """Return a header value without the blanks around it.

    Raises:
        RequestSyntaxError: It could end the header or is too long. The message does
            not quote the value.
    """
    if not _VALUE.fullmatch(value):
        control = _CONTROL.search(value)
        kind = "a line break or control character" if control else "non-ASCII text"
        msg = f"The value of the header {name} in line {line} holds {kind}."
        raise RequestSyntaxError(
            msg,
            hint="A header value is one line of ASCII text (RFC 9110, section 5.5).",
        )
    if len(name) + len(value) > LONGEST:
        msg = f"The header {name} in line {line} is longer than {LONGEST} characters."
        raise RequestSyntaxError(msg, hint="Send long data in the body.")
    return value.strip(" \t")


def check_once(headers: list[tuple[str, Template]], line: int) -> None:
    """Refuse a second Host or Content-Type.

    Raises:
        RequestSyntaxError: There is one.
    """
    names = [name.lower() for name, _ in headers]
    for name in _ONCE:
        if names.count(name) > 1:
            msg = f"The request in line {line} has more than one header {name.title()}."
            raise RequestSyntaxError(msg, hint="Keep the one that you mean.")
