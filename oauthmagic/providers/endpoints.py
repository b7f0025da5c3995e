"""The endpoints of an API: what can be asked, with which scopes.

Paths are templates, relative to the API base of an environment, and their variables
stand in braces: `/users/{userId}/accounts` (OpenAPI 3.1, section 4.8.2). What an
endpoint needs is what its description says; the resource server alone decides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

_VARIABLE = re.compile(r"\{[^{}/]*\}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """A parameter of an endpoint.

    Attributes:
        name: Its name.
        place: "path", "query", "header" or "cookie".
        required: Whether the endpoint wants it.
        description: What it is, in a line.
    """

    name: str
    place: str
    required: bool = False
    description: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """A method and a path, with what is known of it.

    Attributes:
        method: The method in upper case.
        path: The path from the API base, with variables in braces.
        summary: What it does, in a line.
        scopes: The sets of scopes of which one is enough; empty where none is
            needed, or none is known.
        parameters: Its parameters.
    """

    method: str
    path: str
    summary: str = ""
    scopes: tuple[frozenset[str], ...] = ()
    parameters: tuple[Parameter, ...] = ()

    @property
    def needs(self) -> str:
        """Return the scopes in words: `pisp`, `cbpii or piisp`, `a + b`; or ""."""
        return " or ".join(" + ".join(sorted(each)) for each in self.scopes if each)

    @property
    def all_scopes(self) -> tuple[str, ...]:
        """Return every scope of which some may be needed, sorted."""
        return tuple(sorted(frozenset[str]().union(*self.scopes)))

    def missing(self, scopes: Collection[str]) -> tuple[str, ...]:
        """Return the fewest scopes that a token with these lacks, sorted."""
        lacking = [sorted(each - set(scopes)) for each in self.scopes]
        fewest: list[str] = min(lacking, key=len) if lacking else []
        return tuple(fewest)

    def parameter_names(self, place: str) -> list[str]:
        """Return the names of its parameters in the path, query, headers or cookies."""
        return [each.name for each in self.parameters if each.place == place]


def endpoint(line: str, summary: str, *scopes: str) -> Endpoint:
    """Return an endpoint from a line, as providers in Python write it.

        endpoint("GET /users/{id}/accounts?limit&offset", "List accounts", "accounts")

    Args:
        line: The method, the path, and the names of query parameters.
        summary: What it does.
        *scopes: The scopes of which one is enough; `"a b"` are two of one set.
    """
    method, _, target = line.partition(" ")
    path, _, query = target.partition("?")
    in_path = [name[1:-1] for name in _VARIABLE.findall(path)]
    return Endpoint(
        method=method,
        path=path,
        summary=summary,
        scopes=tuple(frozenset(each.split()) for each in scopes),
        parameters=(
            *(Parameter(name=name, place="path", required=True) for name in in_path),
            *(Parameter(name=name, place="query") for name in query.split("&") if name),
        ),
    )


class Endpoints(Sequence[Endpoint]):
    """Endpoints in the order in which they were described.

    Args:
        endpoints: Of two of one method and path, the first counts.
    """

    def __init__(self, endpoints: Iterable[Endpoint] = ()) -> None:
        known: dict[tuple[str, str], Endpoint] = {}
        for each in endpoints:
            known.setdefault((each.method, each.path), each)
        self._endpoints = tuple(known.values())
        # A long catalogue is looked at for every request.
        self._split = [(each.path.split("/"), each) for each in self._endpoints]
        self._by_shape: dict[tuple[str, int], list[tuple[list[str], Endpoint]]] = {}
        for each in self._endpoints:
            segments = _segments(each.path)
            shape = each.method, len(segments)
            self._by_shape.setdefault(shape, []).append((segments, each))

    @overload
    def __getitem__(self, place: int) -> Endpoint: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Endpoint, ...]: ...
    def __getitem__(self, place: int | slice) -> Endpoint | tuple[Endpoint, ...]:
        return self._endpoints[place]

    def __len__(self) -> int:
        return len(self._endpoints)

    def __repr__(self) -> str:
        return f"<{len(self)} endpoints>"

    def __hash__(self) -> int:
        return hash(self._endpoints)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Endpoints) and self._endpoints == other._endpoints

    def match(self, method: str, path: str) -> Endpoint | None:
        """Return the endpoint that a request asks for, or None.

        A segment that is written out beats a variable, the leftmost first (OpenAPI
        3.1, section 4.8.8.2: concrete paths are matched before templated ones).

        Args:
            method: The method in upper case.
            path: The path from the API base, as it is sent; without a query.
        """
        asked = _segments(path)
        found = [
            (segments, endpoint)
            for segments, endpoint in self._by_shape.get((method, len(asked)), ())
            if all(map(_fits, segments, asked))
        ]
        if not found:
            return None
        return min(found, key=lambda each: [_variables(part) for part in each[0]])[1]

    def beginning(self, method: str, typed: str) -> Iterator[tuple[str, Endpoint]]:
        """Yield how a path that is being typed can go on, with the endpoint.

        What is typed of whole segments stays as it is; the rest is the template's.

        Args:
            method: The method in upper case, or "" for every one.
            typed: The path up to the cursor.
        """
        *whole, last = typed.split("/")
        for segments, endpoint in self._split:
            if method not in ("", endpoint.method) or len(segments) <= len(whole):
                continue
            rest = segments[len(whole) :]
            if not rest[0].startswith(last):
                continue
            if all(map(_fits, segments, whole)):
                yield "/".join([*whole, *rest]), endpoint


def _segments(path: str) -> list[str]:
    # Servers take a path with and without a slash at its end for the same.
    return path.strip("/").split("/")


def _variables(segment: str) -> int:
    return len(_VARIABLE.findall(segment))


def _fits(template: str, segment: str) -> bool:
    """Return whether a segment is one of a template's; in time that grows with it."""
    if "{" not in template:
        return template == segment
    first, *others = _VARIABLE.split(template)
    if not segment.startswith(first):
        return False
    place = len(first)
    for number, piece in enumerate(others, 1):
        # A variable stands for at least one character.
        is_last = number == len(others)
        at = len(segment) - len(piece) if is_last else segment.find(piece, place + 1)
        if at < place + 1 or not segment.startswith(piece, at):
            return False
        place = at + len(piece)
    return True
