"""What other tools read in an `.http` file and this one refuses by name.

Sources: the JetBrains HTTP Client reference, the README of VS Code REST Client and
the guide of httpyac.
"""

from __future__ import annotations

import re

from oauthmagic.errors import RequestSyntaxError

_JETBRAINS = "JetBrains HTTP Client"
_REST_CLIENT = "VS Code REST Client"
_HTTPYAC = "httpyac"
_BOTH = f"{_JETBRAINS} and {_HTTPYAC}"
_NOT_JETBRAINS = f"{_REST_CLIENT} and {_HTTPYAC}"

_LINES = (
    (re.compile(r">\s*\{%"), "A response handler script", _BOTH),
    (re.compile(r">\s+\S+\.js\s*$"), "A response handler script", _JETBRAINS),
    (re.compile(r"<\s*\{%"), "A pre-request script", _BOTH),
    (re.compile(r"<\s+\S+\.js\s*$"), "A pre-request script", _JETBRAINS),
    (re.compile(r">>!?\s"), "Writing the response to a file", _JETBRAINS),
    (re.compile(r"<>\s"), "A recorded response", _JETBRAINS),
    (re.compile(r"\?\?\s"), "An assertion", _HTTPYAC),
    (
        re.compile(r"<@"),
        "A file with variables in it",
        f"{_REST_CLIENT} and {_HTTPYAC}",
    ),
)
_DOORS = (
    (re.compile(r"import\s+\S"), "Importing another file", _JETBRAINS),
    (re.compile(r"run\s+\S"), "Running another file's requests", _JETBRAINS),
    (re.compile(r"(?i)graphql\b"), "A GraphQL request", _BOTH),
    (re.compile(r"(?i)grpcs?\b"), "A gRPC request", _BOTH),
    (re.compile(r"(?i)(?:websocket|wss?)\b"), "A WebSocket request", _BOTH),
    (re.compile(r"(?i)(?:sse|event-source)\b"), "An event stream", _HTTPYAC),
    (re.compile(r"(?i)(?:mqtts?|amqps?|rsocket)\b"), "Messaging", _BOTH),
)
_DIRECTIVES = {
    "prompt": _REST_CLIENT,
    "ref": _HTTPYAC,
    "forceref": _HTTPYAC,
    "import": _HTTPYAC,
    "loop": _HTTPYAC,
    "if": _HTTPYAC,
    "disabled": _HTTPYAC,
    "sleep": _HTTPYAC,
    "jwt": _HTTPYAC,
    "response": _HTTPYAC,
    "use-os-credentials": _JETBRAINS,
}


def refuse_line(text: str, line: int) -> None:
    """Refuse a line that is a script, an assertion or a file of another tool.

    Raises:
        RequestSyntaxError: It is one; the message names the tool.
    """
    _refuse(_LINES, text, line)


def refuse_door(text: str, line: int) -> None:
    """Refuse a line that stands for a request and is none over HTTP.

    Raises:
        RequestSyntaxError: It is one; the message names the tool.
    """
    _refuse(_LINES + _DOORS, text, line)


def refuse_directive(name: str, line: int) -> None:
    """Refuse a `# @directive` that would change what the request does.

    Raises:
        RequestSyntaxError: It is one; the message names the tool.
    """
    tool = _DIRECTIVES.get(name.lower())
    if tool:
        msg = f"'@{name}' in line {line} is a directive of {tool}, not of %%api."
        raise RequestSyntaxError(msg, hint="Do that step in Python.")


def _refuse(
    table: tuple[tuple[re.Pattern[str], str, str], ...], text: str, line: int
) -> None:
    for pattern, what, tool in table:
        if pattern.match(text):
            msg = f"{what} in line {line} is a feature of {tool}, not of %%api."
            raise RequestSyntaxError(
                msg, hint="Do that step in Python, before or after the request."
            )
