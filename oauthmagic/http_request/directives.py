"""Comments, and the two directives that stand in them: `# @name`, `# @timeout`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from oauthmagic.errors import RequestSyntaxError, UnknownName, did_you_mean
from oauthmagic.http_request.foreign import refuse_directive

_DIRECTIVE = re.compile(r"[ \t]*(?:#+|//)[ \t]*@([A-Za-z][\w-]*)[ \t]*=?[ \t]*(.*)")
_ID = re.compile(r"\w[\w.-]*")
_TIMEOUT = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)[ \t]*(ms|s|m)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}
_KNOWN = ("name", "timeout")
#: The longest `# @timeout`, in seconds.
LONGEST_TIMEOUT = 86_400.0


@dataclass(kw_only=True, slots=True)
class Directives:
    """What the comments of one request say.

    Attributes:
        name: The `# @name`, or None.
        timeout: The `# @timeout` in seconds, or None.
    """

    name: str | None = None
    timeout: float | None = None

    def read(self, text: str, line: int) -> None:
        """Take a directive out of a comment; other comments say nothing.

        Raises:
            RequestSyntaxError: A directive is of another tool or has no good value.
            UnknownName: It looks like a misspelt directive.
        """
        match = _DIRECTIVE.fullmatch(text)
        if match is None:
            return
        directive, value = match[1], match[2].strip()
        refuse_directive(directive, line)
        if directive == "name":
            self.name = _read_name(value, line)
        elif directive == "timeout":
            self.timeout = _read_timeout(value, line)
        elif did_you_mean(directive, _KNOWN):
            kind = "directive"
            raise UnknownName(kind, directive, _KNOWN, where=f" in line {line}")


def is_comment(text: str) -> bool:
    """Return whether a line outside a body is a comment."""
    return text.lstrip(" \t").startswith(("#", "//"))


def _read_name(value: str, line: int) -> str:
    if not _ID.fullmatch(value):
        msg = f"The @name in line {line} is not one word."
        raise RequestSyntaxError(msg, hint="For example: # @name accounts")
    return value


def _read_timeout(value: str, line: int) -> float:
    match = _TIMEOUT.fullmatch(value)
    seconds = float(match[1]) * _SECONDS[match[2] or "s"] if match else 0.0
    if not seconds:
        msg = f"The @timeout in line {line} is not a positive number of seconds."
        raise RequestSyntaxError(
            msg, hint="For example: # @timeout 10, or 500ms, 10s, 2m"
        )
    if seconds > LONGEST_TIMEOUT:
        msg = f"The @timeout in line {line} is longer than a day."
        raise RequestSyntaxError(
            msg, hint="For example, for ten minutes: # @timeout 10m"
        )
    return seconds
