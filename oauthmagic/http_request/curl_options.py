"""The options of a pasted cURL command: what they ask for, and what is left out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from oauthmagic.errors import RequestSyntaxError, SecretOnLine, UnknownName
from oauthmagic.http_request.shell_words import Word

if TYPE_CHECKING:
    from collections.abc import Callable

_SHORT = {
    "A": "user-agent",
    "b": "cookie",
    "d": "data",
    "e": "referer",
    "E": "cert",
    "F": "form",
    "f": "fail",
    "g": "globoff",
    "G": "get",
    "H": "header",
    "I": "head",
    "i": "include",
    "k": "insecure",
    "L": "location",
    "m": "max-time",
    "N": "no-buffer",
    "n": "netrc",
    "o": "output",
    "O": "remote-name",
    "s": "silent",
    "S": "show-error",
    "T": "upload-file",
    "U": "proxy-user",
    "u": "user",
    "v": "verbose",
    "w": "write-out",
    "X": "request",
    "x": "proxy",
    "#": "progress-bar",
    "0": "http1.0",
    "4": "ipv4",
    "6": "ipv6",
}
#: Options that say how curl works, and nothing of the request.
_SILENT = frozenset(
    [
        "compressed",
        "silent",
        "show-error",
        "verbose",
        "include",
        "fail",
        "fail-with-body",
        "globoff",
        "path-as-is",
        "progress-bar",
        "no-progress-meter",
        "no-buffer",
        "http1.0",
        "http1.1",
        "http2",
        "ipv4",
        "ipv6",
        "tlsv1.2",
        "tlsv1.3",
    ]
)
_SILENT_WITH_VALUE = frozenset(["write-out", "connect-timeout", "retry", "retry-delay"])
#: Options that are left out, and why.
_NOTED = {
    "netrc": "-n is left out: the token is added by itself.",
    "location": "-L is left out: redirects are not followed, so that the token goes "
    "nowhere else.",
    "insecure": "-k is left out: the server's certificate is always verified; a "
    "provider's ca_file names an authority of its own.",
    "remote-name": "-O is left out: --save FILE on the line of %%api saves the reply.",
}
_NOTED_WITH_VALUE = {
    "output": "-o is left out: --save FILE on the line of %%api saves the reply.",
    "proxy": "-x is left out: proxies come from the environment (HTTPS_PROXY).",
    "noproxy": "--noproxy is left out: proxies come from the environment (NO_PROXY).",
    "cacert": "--cacert is left out: a provider's ca_file names its authority.",
    "cert": "--cert is left out: the client's certificate comes with its credentials.",
    "key": "--key is left out: the client's key comes with its credentials.",
}
_SECRET = {
    "user": "-u",
    "oauth2-bearer": "--oauth2-bearer",
    "cookie": "-b",
    "proxy-user": "-U",
    "pass": "--pass",
}
_DATA = frozenset(
    ["data", "data-ascii", "data-raw", "data-binary", "data-urlencode", "json"]
)
_WITH_VALUE = (
    _DATA
    | _SILENT_WITH_VALUE
    | frozenset(_NOTED_WITH_VALUE)
    | frozenset(_SECRET)
    | frozenset(
        [
            "request",
            "header",
            "user-agent",
            "referer",
            "form",
            "form-string",
            "url",
            "max-time",
            "upload-file",
        ]
    )
)
_FLAGS = _SILENT | frozenset(_NOTED) | {"get", "head"}
#: Headers that are the client's to write, or a browser's own business.
_LEFT_OUT = re.compile(
    r"(?i)(?::.*|sec-.*|proxy-.*|content-length|connection|keep-alive|accept-encoding|"
    r"host|te|dnt|expect|upgrade|upgrade-insecure-requests|priority|transfer-encoding)"
)
_CREDENTIALS = ("authorization", "cookie", "dpop")
#: Headers that carry a key; it may come from a variable.
_KEY_HEADER = re.compile(
    r"(?:x-)?(?:api|access|auth|secret|session|security|subscription|csrf|xsrf)"
    r"[-_]?(?:key|token)|(?:x-)?apikey|ocp-apim-subscription-key|private-token|"
    r"sca-authorization"
)
_ONLY_NAMES = re.compile(
    r"(?:(?:bearer|basic|dpop|token) )?\{\{\w+\}\}|", re.IGNORECASE
)
GONE = (
    "The token is added by itself. Delete the command from the cell, and change the "
    "secret if it was a real one."
)
BY_NAME = (
    "Put it into a variable without showing (name = getpass.getpass()) and write "
    "{{name}} in its place. Change it if it was a real one."
)


@dataclass(kw_only=True, slots=True)
class Command:
    """What a command asks for.

    Attributes:
        method: As named, or "".
        urls: Where to.
        headers: Names and values, in order.
        data: What -d and its kin give, each.
        file: The file that is the body, or "".
        parts: What -F gives, with the name of its option.
        as_query: Whether the data are part of the URL (-G).
        is_json: Whether they are JSON.
        timeout: The seconds of -m, or "".
        untyped: Whether curl's own Content-Type is taken away.
        notes: What was left out, and why.
    """

    method: str = ""
    urls: list[Word] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    file: str = ""
    parts: list[tuple[str, str]] = field(default_factory=list)
    as_query: bool = False
    is_json: bool = False
    timeout: str = ""
    untyped: bool = False
    notes: list[str] = field(default_factory=list)

    def upload(self, name: str) -> None:
        """Send a file, as -T does."""
        self.file, self.method = name, self.method or "PUT"

    def note(self, text: str) -> None:
        """Say once what was left out."""
        if text not in self.notes:
            self.notes.append(text)


def read_options(words: list[Word]) -> Command:
    """Return what the words of a command, behind `curl`, ask for.

    Raises:
        RequestSyntaxError: An option has no value, or one that cannot be read.
        UnknownName: An option is not known.
        SecretOnLine: One carries a secret, which is not repeated.
    """
    command = Command()
    left = list(words)
    while left:
        _take(command, left)
    return command


def _take(command: Command, words: list[Word]) -> None:
    """Take one option or URL from the front of the words."""
    word = words.pop(0)
    text = word.text
    if not text.startswith("-") or text == "-":
        command.urls.append(word)
        return
    if text.startswith("--"):
        _apply(command, text[2:], words, None)
        return
    # Several letters in one word, the last with its value: -sSXPOST.
    letters = text[1:]
    while letters:
        name = _SHORT.get(letters[0])
        if name is None:
            kind, shown = "cURL option", f"-{letters[0]}"
            raise UnknownName(kind, shown, [f"-{each}" for each in _SHORT])
        letters = letters[1:]
        if name in _WITH_VALUE and letters:
            _apply(command, name, words, Word(text=letters, variables=word.variables))
            return
        _apply(command, name, words, None)


def _apply(command: Command, name: str, words: list[Word], value: Word | None) -> None:
    """Apply an option, whose value is given or the next word."""
    if name not in _WITH_VALUE | _FLAGS:
        known = sorted(_WITH_VALUE | _FLAGS)
        kind, shown = "cURL option", f"--{name}"
        raise UnknownName(kind, shown, [f"--{each}" for each in known])
    if name in _FLAGS:
        _set(command, name)
        return
    if value is None:
        if not words:
            msg = f"The cURL option --{name} has no value."
            raise RequestSyntaxError(msg, hint="Paste the command whole.")
        value = words.pop(0)
    if name in _SECRET:
        _drop_secret(command, _SECRET[name], value.text)
    elif name in _NOTED_WITH_VALUE:
        command.note(_NOTED_WITH_VALUE[name])
    elif name not in _SILENT_WITH_VALUE:
        _TAKERS.get(name, _take_data)(command, name, value)


def _set(command: Command, name: str) -> None:
    """Apply an option without a value."""
    if name == "get":
        command.as_query = True
    elif name == "head":
        command.method = "HEAD"
    elif name in _NOTED:
        command.note(_NOTED[name])


def _take_header(command: Command, _: str, value: Word) -> None:
    name, colon, content = value.text.partition(":")
    if not colon:
        # curl writes an empty header so: `Name;`.
        name, content = value.text.removesuffix(";"), ""
        if name == value.text:
            msg = "A header of the cURL command has no colon."
            raise RequestSyntaxError(msg, hint="They look like -H 'Accept: text/csv'.")
    elif not content.strip():
        # It takes away one of curl's own.
        command.untyped |= name.strip().lower() == "content-type"
        return
    folded = name.strip().lower()
    if folded in _CREDENTIALS:
        _drop_secret(command, f"the header {name.strip()}", content.strip())
    elif _KEY_HEADER.fullmatch(folded) and "{{" not in content:
        msg = f"The cURL command carries a secret ({folded}). Nothing was sent."
        raise SecretOnLine(msg, hint=BY_NAME)
    elif _LEFT_OUT.fullmatch(folded):
        if not folded.startswith((":", "sec-")) and folded not in ("expect", "host"):
            command.note(f"{name.strip()} is left out: it is the client's to write.")
    else:
        command.headers.append((name.strip(), content.strip()))


def _take_form(command: Command, name: str, value: Word) -> None:
    command.parts.append((name, value.text))


def _take_data(command: Command, name: str, value: Word) -> None:
    text = value.text
    if name == "json":
        command.is_json = True
    if name == "data-urlencode":
        command.data.append(_url_encoded(text))
    elif text.startswith("@") and name != "data-raw":
        if command.data or command.file:
            msg = "The cURL command joins a file and other data."
            raise RequestSyntaxError(msg, hint="A body is a file, or text.")
        command.file = text[1:]
        if name == "data":
            command.note("The file is sent as it is: -d would take its line ends out.")
    else:
        command.data.append(text)


_TAKERS: dict[str, Callable[[Command, str, Word], None]] = {
    "header": _take_header,
    "user-agent": lambda command, _, value: command.headers.append(
        ("User-Agent", value.text)
    ),
    "referer": lambda command, _, value: command.headers.append(
        ("Referer", value.text)
    ),
    "form": _take_form,
    "form-string": _take_form,
    "url": lambda command, _, value: command.urls.append(value),
    "request": lambda command, _, value: setattr(command, "method", value.text),
    "max-time": lambda command, _, value: setattr(command, "timeout", value.text),
    "upload-file": lambda command, _, value: command.upload(value.text),
}


def _drop_secret(command: Command, what: str, value: str) -> None:
    """Leave out what names a variable or nothing; refuse a secret written out.

    Raises:
        SecretOnLine: It is one; it is not repeated.
    """
    if not _ONLY_NAMES.fullmatch(value):
        msg = f"The cURL command carries a secret ({what}). Nothing was sent."
        raise SecretOnLine(msg, hint=GONE)
    command.note(
        f"{what[0].upper()}{what[1:]} is left out: the token is added by itself."
    )


def _url_encoded(text: str) -> str:
    name, sign, value = text.partition("=")
    if "@" in text.partition("=")[0]:
        msg = "--data-urlencode with a file is not read here."
        raise RequestSyntaxError(msg, hint="Read the file in Python: {{name}}.")
    if not sign:
        name, value = "", text
    parts = re.split(r"(\{\{\w+\}\})", value)
    encoded = "".join(
        part if index % 2 else quote(part, safe="") for index, part in enumerate(parts)
    )
    return f"{name}={encoded}" if name else encoded
