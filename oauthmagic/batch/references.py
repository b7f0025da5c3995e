"""Which names decide what a request becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthmagic.http_request.templates import references

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oauthmagic.http_request import RequestTemplate, Template
    from oauthmagic.http_request.variables import Variable


def free_names(template: RequestTemplate) -> list[str]:
    """Return the names that the cell does not define, each once."""
    variables = with_theirs(template.variables)
    found = dict.fromkeys(
        each.name
        for each in template.references()
        if each.name not in {own.name for own in template.variables}
    )
    for variable in variables:
        theirs = {own.name for own in variable.variables}
        found |= dict.fromkeys(
            each.name for each in references(variable.value) if each.name not in theirs
        )
    return [*found]


def with_theirs(variables: Iterable[Variable]) -> list[Variable]:
    """Return variables and those that they refer to, each once."""
    found: dict[int, Variable] = {}
    waiting = [*variables]
    while waiting:
        variable = waiting.pop()
        if variable.line not in found:
            found[variable.line] = variable
            waiting += variable.variables
    return [found[line] for line in sorted(found)]


def names_behind(value: Template, variables: Iterable[Variable]) -> set[str]:
    """Return every name that decides what a template becomes."""
    named = {each.name for each in references(value)}
    own = {each.name: each for each in variables}
    behind = with_theirs(own[name] for name in named if name in own)
    return named.union(
        *({each.name for each in references(variable.value)} for variable in behind)
    )
