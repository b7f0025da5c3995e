"""Read `WWW-Authenticate`: RFC 9110, section 11.6.1; RFC 6750, section 3; RFC 9470.

The field comes from a stranger and often breaks the grammar: commas between
parameters are left out, tokens hold characters that need quotes. What can be read
is read, the rest is passed over, and nothing is ever raised. The time it takes grows
with the length only, and the length is limited.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from oauthmagic.redaction import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: The longest field value that is read.
MAX_LENGTH = 4096
#: Schemes whose challenges say `error` (RFC 6750, section 3; RFC 9449, section 7.1).
BEARER_SCHEMES = ("bearer", "dpop")

# Possessive, so that no character is tried twice by one pattern.
_SEPARATORS = re.compile(r"[ \t\r\n,]*+")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]++")
_EQUALS = re.compile(r"[ \t]*+=[ \t]*+")
_TOKEN68 = re.compile(r"[ \t]++([0-9A-Za-z._~+/-]++=*+)[ \t\r\n]*+(?=,|\Z)")
_QUOTED = re.compile(r'"((?:[^"\\]++|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_BARE = re.compile(r'[^ \t\r\n,"]*+')
_ERROR_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_SECONDS = re.compile(r"[0-9]{1,10}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Challenge:
    """One challenge of a `WWW-Authenticate` field.

    Attributes:
        scheme: The authentication scheme, in lower case.
        parameters: Value by name, names in lower case; of equal names the first
            counts. Not shown: a step-up's parameters speak of one user.
        token68: What stands in the place of parameters (`Negotiate YII...`), or "".
    """

    scheme: str
    parameters: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({}), repr=False
    )
    token68: str = field(default="", repr=False)


class BearerError(NamedTuple):
    """What a resource server says is wrong with a token; "" or None if it does not.

    Attributes:
        error: The code (RFC 6750, section 3.1; RFC 9470, section 3).
        error_description: For the reader; redacted and cut.
        scope: The scopes that the request needs, space-delimited.
        acr_values: The authentication contexts that would do, space-delimited.
        max_age: The most seconds since the user's last active authentication.
    """

    error: str = ""
    error_description: str = ""
    scope: str = ""
    acr_values: str = ""
    max_age: int | None = None


def parse_challenges(
    value: str, *, max_length: int = MAX_LENGTH
) -> tuple[Challenge, ...]:
    """Return the challenges of a `WWW-Authenticate` field, in order.

    Args:
        value: The field's value; several fields are joined by commas first.
        max_length: A longer value gives no challenges at all.
    """
    if len(value) > max_length:
        return ()
    found: list[tuple[str, dict[str, str], str]] = []
    position = 0
    while (position := _end(_SEPARATORS, value, position)) < len(value):
        name = _TOKEN.match(value, position)
        if name is None:
            # A text in quotes that belongs to nothing is passed over as a whole.
            quoted = _QUOTED.match(value, position)
            if quoted is None and value[position] == '"':
                break
            position = quoted.end() if quoted else position + 1
            continue
        equals = _EQUALS.match(value, name.end())
        if equals is None:
            token68 = _TOKEN68.match(value, name.end())
            found.append((name[0].lower(), {}, token68[1] if token68 else ""))
            position = token68.end() if token68 else name.end()
            continue
        text, position = _value(value, equals.end())
        if text is None:
            break
        # A parameter in front of every scheme belongs to none.
        if found:
            found[-1][1].setdefault(name[0].lower(), text)
    return tuple(
        Challenge(
            scheme=scheme, parameters=MappingProxyType(parameters), token68=token68
        )
        for scheme, parameters, token68 in found
    )


def bearer_error(challenges: Iterable[Challenge]) -> BearerError:
    """Return what the first Bearer or DPoP challenge with an `error` says.

    Without such a challenge, the first of those schemes; without one, nothing is said.

    Args:
        challenges: As `parse_challenges` returns them.
    """
    bearer = [each.parameters for each in challenges if each.scheme in BEARER_SCHEMES]
    parameters = next((each for each in bearer if each.get("error")), None)
    if parameters is None:
        parameters = bearer[0] if bearer else {}
    code = parameters.get("error", "")
    seconds = parameters.get("max_age", "")
    return BearerError(
        error=code if _ERROR_CODE.fullmatch(code) else "",
        error_description=quote(parameters.get("error_description")),
        scope=quote(parameters.get("scope")),
        acr_values=quote(parameters.get("acr_values")),
        max_age=int(seconds) if _SECONDS.fullmatch(seconds) else None,
    )


def _value(value: str, position: int) -> tuple[str | None, int]:
    """Return a parameter's value and its end; None where its quotes never close."""
    if value.startswith('"', position):
        quoted = _QUOTED.match(value, position)
        if quoted is None:
            return None, len(value)
        return _ESCAPED.sub(r"\1", quoted[1]), quoted.end()
    end = _end(_BARE, value, position)
    return value[position:end], end


def _end(pattern: re.Pattern[str], value: str, position: int) -> int:
    """Return where a pattern that always matches stops."""
    match = pattern.match(value, position)
    return match.end() if match else position
