"""Names and what they stand for: first the cell's own, then the namespace.

Looking up is all that happens. A value that was looked up is never read for
references again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from oauthmagic.errors import RequestSyntaxError, UnknownName
from oauthmagic.http_request.templates import BUILT_IN, Reference, references
from oauthmagic.http_request.values import Value, read_value

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from oauthmagic.http_request.templates import Template

#: The most characters that a cell variable may stand for. Variables of variables
#: would otherwise double without end.
LONGEST = 65536

_JSON_SCALAR = re.compile(
    r"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """An `@name = value` of the cell.

    Attributes:
        name: The name.
        value: The value, with references to what was defined before it.
        line: Its line.
    """

    name: str
    value: Template
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Sources:
    """Where values come from.

    Attributes:
        lookup: Returns a value of the namespace, or raises `KeyError`.
        now: The time for `$timestamp` and `$isoTimestamp`.
        guid: Makes a new identifier for each `$guid`.
        known_names: The namespace's names, for suggestions.
    """

    lookup: Callable[[str], object]
    now: datetime
    guid: Callable[[], str]
    known_names: Collection[str] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """The values of one request.

    Attributes:
        sources: Where values come from that the cell does not define.
        own: The values of the cell's own variables.
    """

    sources: Sources
    own: dict[str, Value] = field(default_factory=dict)

    def value(self, reference: Reference) -> Value:
        """Return the value of a reference.

        Raises:
            UnknownName: Nothing has this name.
            RequestSyntaxError: What has this name is not a plain value.
        """
        name, sources = reference.name, self.sources
        if name in self.own:
            return self.own[name]
        if name == "$guid":
            return read_value(sources.guid(), reference)
        if name == "$timestamp":
            return read_value(int(sources.now.timestamp()), reference)
        if name == "$isoTimestamp":
            moment = sources.now.astimezone(UTC).isoformat(timespec="milliseconds")
            return read_value(moment.replace("+00:00", "Z"), reference)
        try:
            found = sources.lookup(name)
        except KeyError:
            kind = "variable"
            raise UnknownName(
                kind,
                name,
                [*self.own, *sources.known_names, *BUILT_IN],
                where=f" in line {reference.line}",
                hint=f"Assign {name} in Python, or write '@{name} = value' above the "
                "request.",
            ) from None
        return read_value(found, reference)


def read_scope(
    variables: tuple[Variable, ...], used: Iterable[Reference], sources: Sources
) -> Scope:
    """Give the cell's variables their values, those that are used.

    Args:
        variables: All of them, in the order of the cell; a later one hides an
            earlier one of its name.
        used: The references of the request.
        sources: Where other values come from.

    Raises:
        UnknownName: A variable refers to a name that nothing has.
        RequestSyntaxError: A variable's value is too long or not plain.
    """
    # Backwards to see which are needed, then forwards: no recursion, so a long chain
    # of variables costs its length.
    wanted = {reference.name for reference in used}
    needed = []
    for variable in reversed(variables):
        if variable.name in wanted:
            wanted.discard(variable.name)
            wanted |= {reference.name for reference in references(variable.value)}
            needed.append(variable)
    scope = Scope(sources=sources)
    for variable in reversed(needed):
        scope.own[variable.name] = _variable_value(variable, scope)
    return scope


def constants(variables: Iterable[Variable]) -> dict[str, str]:
    """Return the variables that hold nothing but text written in the cell.

    Raises:
        RequestSyntaxError: One of them is too long.
    """
    result: dict[str, str] = {}
    for variable in variables:
        texts = [
            result.get(part.name) if isinstance(part, Reference) else part
            for part in variable.value
        ]
        result.pop(variable.name, None)
        written = [text for text in texts if text is not None]
        if len(written) == len(texts):
            result[variable.name] = _checked("".join(written), variable)
    return result


def _variable_value(variable: Variable, scope: Scope) -> Value:
    parts = [
        scope.value(part)
        if isinstance(part, Reference)
        else Value(text=part, bare=bool(_JSON_SCALAR.fullmatch(part)))
        for part in variable.value
    ]
    if len(parts) == 1:
        # `@amount = {{total}}` is another name for a number, not its text.
        _checked(parts[0].text, variable)
        return parts[0]
    return Value(text=_checked("".join(part.text for part in parts), variable))


def _checked(text: str, variable: Variable) -> str:
    if len(text) > LONGEST:
        msg = (
            f"The variable @{variable.name} in line {variable.line} stands for more "
            f"than {LONGEST} characters."
        )
        raise RequestSyntaxError(msg, hint="Refer to the long value itself.")
    return text
