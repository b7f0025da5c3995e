"""Names and what they stand for: first the cell's own, then the namespace.

A reference is bound to the variable that it means when it is read, so a request holds
the variables that it needs and no others. Looking up is all that happens later. A
value that was looked up is never read for references again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from oauthmagic.errors import RequestSyntaxError, UnknownName
from oauthmagic.http_request.scalars import NUMBER
from oauthmagic.http_request.templates import BUILT_IN, Reference, references
from oauthmagic.http_request.values import Value, read_value

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from oauthmagic.http_request.templates import Template

#: The most characters that a cell variable may stand for. Variables of variables
#: would otherwise double without end.
LONGEST = 65536
#: The most definitions in a cell.
MOST_VARIABLES = 1000

_WORDS = frozenset({"true", "false", "null"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """An `@name = value` of the cell.

    Attributes:
        name: The name.
        value: The value, with references to what was defined before it.
        line: Its line; no other variable has it.
        variables: The variables that its references mean; a name that is not among
            them is one of the namespace.
        constant: The value, where the cell alone says it, else None.
    """

    name: str
    value: Template
    line: int
    # A long chain of variables is one line each, not a nest of them.
    variables: tuple[Variable, ...] = field(default=(), repr=False, compare=False)
    constant: Value | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sources:
    """Where values come from.

    Attributes:
        lookup: Returns a value of the namespace, or raises `KeyError`.
        now: The time for `$timestamp` and `$isoTimestamp`.
        guid: Makes a new identifier for each `$guid`.
        defined: The names of all variables of the cell, for suggestions.
        known_names: The namespace's names, for suggestions.
    """

    lookup: Callable[[str], object]
    now: datetime
    guid: Callable[[], str]
    defined: tuple[str, ...] = ()
    known_names: Collection[str] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """The values of one request, or of one variable.

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
            found = [sources.lookup(name)]
        except KeyError:
            kind = "variable"
            raise UnknownName(
                kind,
                name,
                [*sources.defined, *sources.known_names, *BUILT_IN],
                where=f" in line {reference.line}",
                hint=f"Assign {name} in Python, or write '@{name} = value' above the "
                "request.",
            ) from None
        # Handed on: a traceback would show what stays in this frame.
        return read_value(found.pop(), reference)


class Variables:
    """The cell's own variables, as far as the cell has been read.

    Attributes:
        known: By name, what each name means from here on.
    """

    def __init__(self) -> None:
        self.known: dict[str, Variable] = {}
        self._defined = 0

    def define(self, name: str, value: Template, line: int) -> None:
        """Give a name its meaning for what follows.

        Raises:
            RequestSyntaxError: It stands for too long a text, or there are too many.
        """
        self._defined += 1
        if self._defined > MOST_VARIABLES:
            msg = f"Line {line} defines variable number {MOST_VARIABLES + 1}."
            raise RequestSyntaxError(
                msg, hint=f"A cell takes {MOST_VARIABLES}; use names of the notebook."
            )
        self.known[name] = Variable(
            name=name,
            value=value,
            line=line,
            variables=self.bind(references(value)),
            constant=self._constant(name, value, line),
        )

    def bind(self, used: Iterable[Reference]) -> tuple[Variable, ...]:
        """Return the variables that references mean, each once."""
        names = dict.fromkeys(reference.name for reference in used)
        return tuple(self.known[name] for name in names if name in self.known)

    def constants(self, used: Iterable[Reference]) -> dict[str, str]:
        """Return the texts that the cell alone gives to references."""
        return {
            each.name: each.constant.text for each in self.bind(used) if each.constant
        }

    def _constant(self, name: str, value: Template, line: int) -> Value | None:
        parts: list[Value] = []
        for part in value:
            if isinstance(part, str):
                parts.append(_read(part))
                continue
            variable = self.known.get(part.name)
            if variable is None or variable.constant is None:
                return None
            parts.append(variable.constant)
        return _joined(parts, name, line)


def read_scope(variables: tuple[Variable, ...], sources: Sources) -> Scope:
    """Give variables their values.

    Args:
        variables: Those that a request refers to.
        sources: Where other values come from.

    Raises:
        UnknownName: A variable refers to a name that nothing has.
        RequestSyntaxError: A variable's value is too long or not plain.
    """
    values: dict[int, Value] = {}
    for variable in _needed(variables):
        if variable.constant is not None:
            values[variable.line] = variable.constant
            continue
        scope = _scope_of(variable.variables, values, sources)
        parts = [
            scope.value(part) if isinstance(part, Reference) else _read(part)
            for part in variable.value
        ]
        values[variable.line] = _joined(parts, variable.name, variable.line)
    return _scope_of(variables, values, sources)


def _needed(variables: tuple[Variable, ...]) -> list[Variable]:
    """Return variables with those that they refer to, in the order of the cell.

    No recursion, so a long chain of variables costs its length.
    """
    found: dict[int, Variable] = {}
    waiting = [*variables]
    while waiting:
        variable = waiting.pop()
        if variable.line not in found:
            found[variable.line] = variable
            if variable.constant is None:
                waiting += variable.variables
    return [found[line] for line in sorted(found)]


def _scope_of(
    variables: tuple[Variable, ...], values: Mapping[int, Value], sources: Sources
) -> Scope:
    return Scope(
        sources=sources, own={each.name: values[each.line] for each in variables}
    )


def _read(literal: str) -> Value:
    return Value(
        text=literal, bare=literal in _WORDS or bool(NUMBER.fullmatch(literal))
    )


def _joined(parts: list[Value], name: str, line: int) -> Value:
    # Counted first, for a long value may be referred to very often.
    if sum(len(part.text) for part in parts) > LONGEST:
        msg = (
            f"The variable @{name} in line {line} stands for more than {LONGEST} "
            "characters."
        )
        raise RequestSyntaxError(msg, hint="Refer to the long value itself.")
    if len(parts) == 1:
        # `@amount = {{total}}` is another name for a number, not its text.
        return parts[0]
    return Value(text="".join(part.text for part in parts))
