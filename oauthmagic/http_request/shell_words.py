"""The words of one shell command, read and never run (POSIX, 2.2; bash, 3.1.2).

Not `shlex`: that knows neither `$'...'`, in which browsers write what has quotes in it,
nor whether a `$` stood in single quotes and is text, or is a variable.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from oauthmagic.errors import RequestSyntaxError

_VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})", re.ASCII)
_ANSI = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "e": "\x1b",
    "E": "\x1b",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "?": "?",
}
_NUMBER = re.compile(
    r"x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})"
)
#: What would make more of a command than one command.
_MORE = {
    "|": "a pipe",
    ";": "a second command",
    "&": "a second command",
    "<": "a redirection",
    ">": "a redirection",
    "(": "a subshell",
    ")": "a subshell",
    "`": "a command inside a command",
}
_ONE = (
    "Paste one cURL command, from 'curl' to its end, as 'Copy as cURL (bash)' gives it."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """One word of a command.

    Attributes:
        text: Its text; a variable stands there as `{{name}}`.
        variables: The names of the variables in it.
    """

    text: str
    variables: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Word(<{len(self.text)} characters>)"


def read_words(text: str) -> list[Word]:
    """Return the words of a command.

    Raises:
        RequestSyntaxError: A quote is not closed, or it is more than one command.
    """
    return _Reader(text).words()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text.replace("\r\n", "\n").strip()
        self._place = 0
        self._found: list[Word] = []
        self._word: list[str] | None = None
        self._variables: list[str] = []

    def words(self) -> list[Word]:
        text = self._text
        while self._place < len(text):
            character = text[self._place]
            if character in " \t\n":
                self._end(character)
            elif character == "'":
                self._add(self._until("'"))
            elif character == '"':
                self._double()
            elif character == "\\":
                self._escape()
            elif text.startswith("$'", self._place):
                self._place += 1
                self._ansi()
            elif character == "$":
                self._variable()
            elif character in _MORE:
                raise self._refusal(f"There is {_MORE[character]} in it")
            elif character == "#" and self._word is None:
                end = text.find("\n", self._place)
                self._place = len(text) if end < 0 else end
            else:
                self._add(character)
                self._place += 1
        self._end("")
        return self._found

    def _add(self, text: str) -> None:
        if self._word is None:
            self._word = []
        self._word.append(text)

    def _end(self, character: str) -> None:
        if self._word is not None:
            word = Word(text="".join(self._word), variables=tuple(self._variables))
            self._found.append(word)
            self._word, self._variables = None, []
        self._place += 1
        if character == "\n" and self._found:
            rest = self._text[self._place :].lstrip()
            if rest and not rest.startswith("#"):
                raise self._refusal("A second command follows")

    def _until(self, quote: str) -> str:
        end = self._text.find(quote, self._place + 1)
        if end < 0:
            raise self._refusal("A quotation mark is not closed")
        inside = self._text[self._place + 1 : end]
        self._place = end + 1
        return inside

    def _escape(self) -> None:
        after = self._text[self._place + 1 : self._place + 2]
        if after not in ("\n", ""):
            self._add(after)
        self._place += 2

    def _double(self) -> None:
        self._add("")
        self._place += 1
        while True:
            character = self._text[self._place : self._place + 1]
            if not character:
                raise self._refusal("A quotation mark is not closed")
            if character == '"':
                self._place += 1
                return
            if character == "\\":
                after = self._text[self._place + 1 : self._place + 2]
                if after != "\n":
                    self._add(after if after in '"\\$`' and after else f"\\{after}")
                self._place += 2
            elif character == "$":
                self._variable()
            elif character == "`":
                raise self._refusal(f"There is {_MORE['`']} in it")
            else:
                self._add(character)
                self._place += 1

    def _variable(self) -> None:
        match = _VARIABLE.match(self._text, self._place)
        if match is None:
            if self._text.startswith(("$(", "${"), self._place):
                raise self._refusal(f"There is {_MORE['`']} in it")
            self._add("$")
            self._place += 1
            return
        name = match[1] or match[2]
        self._add(f"{{{{{name}}}}}")
        self._variables.append(name)
        self._place = match.end()

    def _ansi(self) -> None:
        """Read `$'...'`, with the escapes of ANSI C."""
        self._add("")
        self._place += 1
        octets = bytearray()
        while True:
            character = self._text[self._place : self._place + 1]
            if not character:
                raise self._refusal("A quotation mark is not closed")
            self._place += 1
            if character == "'":
                break
            if character != "\\":
                octets += character.encode()
                continue
            number = _NUMBER.match(self._text, self._place)
            if number is not None:
                self._place = number.end()
                octets += self._numbered(number)
                continue
            after = self._text[self._place : self._place + 1]
            self._place += 1
            octets += _ANSI.get(after, f"\\{after}").encode()
        try:
            self._add(octets.decode())
        except UnicodeDecodeError:
            raise self._refusal("It holds bytes that are no UTF-8 text") from None

    def _numbered(self, number: re.Match[str]) -> bytes:
        """Return what a numbered escape stands for: a byte, or a character."""
        for group, base in ((1, 16), (4, 8)):
            if number[group]:
                return bytes([int(number[group], base) & 0xFF])
        point = int(number[2] or number[3], 16)
        if point > 0x10FFFF or 0xD800 <= point < 0xE000:  # noqa: PLR2004 - Unicode's
            raise self._refusal("An escape in it is no character")
        return chr(point).encode()

    def _refusal(self, what: str) -> RequestSyntaxError:
        return RequestSyntaxError(
            f"The cURL command cannot be read: {what}.", hint=_ONE
        )
