"""A cURL command as it is pasted, turned into the request of a cell; never run.

Read are the flavours that browsers ("Copy as cURL (bash)") and API documentation
produce. What is made of a command is read back before it is believed: the cell means
what the command meant, to the byte, or it is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from oauthmagic.errors import RequestSyntaxError, SecretOnLine
from oauthmagic.http_request.curl_options import BY_NAME, GONE, read_options
from oauthmagic.http_request.parser import parse
from oauthmagic.http_request.shell_words import read_words

if TYPE_CHECKING:
    from oauthmagic.http_request.curl_options import Command

_BEGINS = re.compile(r"\s*curl(?:\s|$)")
_SECRET_PARAMETER = re.compile(
    r"(?i)(?:access|refresh|id|subject|actor)_token|client_secret|client_assertion|"
    r"password|passwd|code_verifier|api_?key|secret"
)
_SECRET_MEMBER = re.compile(
    rf"[\"'](?:{_SECRET_PARAMETER.pattern.removeprefix('(?i)')})[\"']\s*:\s*"
    r"[\"'](?!\{\{)[^\"']",
    re.IGNORECASE,
)
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"
_BOUNDARY = "part"


@dataclass(kw_only=True, slots=True)
class Pasted:
    """What was made of a cURL command.

    Attributes:
        text: The request as a cell of `%%api`; to keep in place of the command.
        notes: What was left out and why, a sentence each.
    """

    text: str
    notes: tuple[str, ...] = ()


def is_curl(text: str) -> bool:
    """Return whether a cell is a cURL command."""
    return _BEGINS.match(text) is not None


def read_curl(text: str) -> Pasted:
    """Return the request that a pasted cURL command sends.

    Args:
        text: The command.

    Raises:
        RequestSyntaxError: It cannot be read, or cannot be written as a cell.
        UnknownName: It has an option that curl does not, or that is not read here.
        SecretOnLine: It carries a secret, which is not repeated.
    """
    if re.search(r"\^\r?\n", text) or '^"' in text:
        msg = "This is a command for Windows' cmd."
        raise RequestSyntaxError(msg, hint="Copy it as cURL (bash) instead.")
    command = read_options(read_words(text)[1:])
    if len(command.urls) != 1:
        count = "no URL" if not command.urls else "several URLs"
        msg = f"The cURL command has {count}."
        raise RequestSyntaxError(msg, hint="Paste one that sends one request.")
    made = _written(command)
    return Pasted(text=made, notes=tuple(command.notes))


def _check_parameters(text: str) -> None:
    for name, value in parse_qsl(text, max_num_fields=10_000):
        if _SECRET_PARAMETER.fullmatch(name) and "{{" not in value:
            msg = "The cURL command carries a secret, as a parameter. Nothing was sent."
            raise SecretOnLine(msg, hint=GONE)


def _written(command: Command) -> str:
    """Return the command as a cell.

    Raises:
        RequestSyntaxError: A cell cannot mean the same.
    """
    url = command.urls[0].text
    if "://" not in url and not url.startswith(("/", "{{")):
        url = f"https://{url}"
    separator = "" if command.is_json else "&"
    data = separator.join(command.data)
    has_data = bool(command.data)
    if command.as_query and has_data:
        url += ("&" if "?" in url else "?") + data
        data, has_data = "", False
    _check_parameters(url.partition("?")[2])
    names = {name.lower() for name, _ in command.headers}
    headers = list(command.headers)
    body: str | None = None
    method = command.method or "GET"
    if command.parts:
        headers.append(("Content-Type", f"multipart/form-data; boundary={_BOUNDARY}"))
        body, method = _parts(command.parts), command.method or "POST"
    elif command.file or has_data:
        method = command.method or "POST"
        body = f"< {command.file}" if command.file else data
        kind = _JSON if command.is_json else _FORM
        if "content-type" not in names and not command.untyped:
            headers.append(("Content-Type", kind))
        if command.is_json and "accept" not in names:
            headers.append(("Accept", _JSON))
        _check_parameters(data)
        if _SECRET_MEMBER.search(data):
            msg = "The cURL command carries a secret, in its body. Nothing was sent."
            raise SecretOnLine(msg, hint=BY_NAME)
    lines = [f"# @timeout {command.timeout}"] if command.timeout else []
    lines.append(f"{method} {url}")
    lines += [f"{name}: {value}" for name, value in headers]
    text = "\n".join(lines)
    if body:
        text += f"\n\n{body}"
    _read_back(text, method, headers, None if command.file or command.parts else data)
    return text + "\n"


def _parts(parts: list[tuple[str, str]]) -> str:
    lines = []
    for option, text in parts:
        name, sign, value = text.partition("=")
        if not sign:
            msg = "A -F of the cURL command has no '='."
            raise RequestSyntaxError(msg, hint="They look like -F 'file=@./photo.png'.")
        if _SECRET_PARAMETER.fullmatch(name) and "{{" not in value:
            msg = "The cURL command carries a secret, as a parameter. Nothing was sent."
            raise SecretOnLine(msg, hint=GONE)
        quoted = name.replace('"', "%22")
        disposition = f'Content-Disposition: form-data; name="{quoted}"'
        head = [f"--{_BOUNDARY}"]
        more = {}
        if option == "form":
            value, *said = value.split(";")
            more = dict(each.strip().partition("=")[::2] for each in said)
        if option == "form" and value.startswith("@"):
            path = value[1:]
            given = more.get("filename", path.rpartition("/")[2]).strip('"')
            shown = given.replace('"', "%22")
            head.append(f'{disposition}; filename="{shown}"')
            value = f"< {path}"
        else:
            head.append(disposition)
        if more.get("type"):
            head.append(f"Content-Type: {more['type']}")
        lines += [*head, "", value]
    return "\n".join([*lines, f"--{_BOUNDARY}--"])


def _read_back(
    text: str, method: str, headers: list[tuple[str, str]], body: str | None
) -> None:
    """Read a cell that was made, and compare it with what was meant.

    Raises:
        RequestSyntaxError: It means something else, or cannot be read.
    """
    made = parse(text)
    template = made[0]
    if len(made) == 1 and (body is None or any(template.references())):
        return  # files and values are not known here
    if len(made) == 1:
        filled = template.fill(
            dict[str, object]().__getitem__,
            now=datetime(2000, 1, 1, tzinfo=UTC),
            guid=str,
            files=lambda _: b"",
        )
        same_headers = [pair[0] for pair in filled.headers] == [n for n, _ in headers]
        if (
            filled.method == method.upper()
            and (filled.body or b"") == (body or "").encode()
            and same_headers
        ):
            return
    msg = "This cURL command cannot be written as a cell."
    raise RequestSyntaxError(
        msg, hint="Put its body into a file, and send that: --data-binary @body."
    )
