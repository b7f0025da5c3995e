"""Completion below `%%api`: methods, paths, query parameters, headers, `{{names}}`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from oauthmagic.http_request.request_lines import METHODS
from oauthmagic.http_request.templates import BUILT_IN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from oauthmagic.providers.endpoints import Endpoint, Endpoints

    #: What is typed of a word, and the words that can stand there.
    Found = tuple[str, Iterable[str]]

_REFERENCE = re.compile(r"\{\{[ \t]*([^{}\s]*)$")
_DEFINED = re.compile(r"@[ \t]*([^\s=:]+)")
_NO_REQUEST = re.compile(r"\s*$|[ \t]*(?:#|//)|@")
_REQUEST = re.compile(r"(?:([A-Za-z]+)[ \t]+)?(\S*)$")
_CONTINUED = re.compile(r"[ \t]+[?&]|[?&]")
_VARIABLE = re.compile(r"\{([^{}/]*)\}")


def in_cell(
    above: list[str],
    before: str,
    endpoints: Endpoints | None,
    variables: Callable[[], Iterable[str]],
) -> Found:
    """Return what can stand in a line of a cell.

    Args:
        above: The lines of requests above it.
        before: The line up to the cursor.
        endpoints: What can be asked, where that is known.
        variables: Returns the variables of the notebook.
    """
    if reference := _REFERENCE.search(before):
        own = [name[1] for line in above if (name := _DEFINED.match(line))]
        return _names(reference[1], [*own, *variables()])
    starts = [n for n, line in enumerate(above) if line.startswith("###")]
    block = above[starts[-1] + 1 :] if starts else above
    asked = next(
        (n for n, line in enumerate(block) if not _NO_REQUEST.match(line)), None
    )
    if asked is None:
        is_text = before.strip() and _NO_REQUEST.match(before)
        return ("", []) if is_text else in_request_line(before, endpoints, variables)
    endpoint = _asked(block[asked].strip(), endpoints)
    below = block[asked + 1 :]
    if "" in map(str.strip, below) or endpoint is None:
        return "", []  # a body is nobody's guess
    if _CONTINUED.match(before) and all(map(_CONTINUED.match, below)):
        return _parameters(before, endpoint)
    return before, [f"{name}: " for name in endpoint.parameter_names("header")]


def in_request_line(
    before: str, endpoints: Endpoints | None, variables: Callable[[], Iterable[str]]
) -> Found:
    """Return what can stand in a request line.

    Args:
        before: The line up to the cursor.
        endpoints: What can be asked, where that is known.
        variables: Returns the variables of the notebook.
    """
    if reference := _REFERENCE.search(before):
        return _names(reference[1], variables())
    request = _REQUEST.match(before)
    if request is None:
        return "", []
    method, target = (request[1] or "").upper(), request[2]
    if not method and not target.startswith("/"):
        # Upper and lower case are taken; what is typed must go on as it began.
        is_lower = bool(target) and target.islower()
        return target, [m.lower() if is_lower else m for m in METHODS]
    if endpoints is None:
        return target, []
    if "?" in target:
        endpoint = endpoints.match(method or "GET", _bare(target.partition("?")[0]))
        return _parameters(target, endpoint) if endpoint else (target, [])
    return target, _paths(endpoints, method, target)


def _paths(endpoints: Endpoints, method: str, target: str) -> Iterable[str]:
    """Yield paths that begin as typed, their variables as the language has them."""
    *whole, _ = target.split("/")
    for path, _ in endpoints.beginning(method, _bare(target)):
        rest = "/".join(path.split("/")[len(whole) :])
        yield "/".join([*whole, _VARIABLE.sub(r"{{\1}}", rest)])


def _bare(target: str) -> str:
    """Return a path whose `{{names}}` are any word, for they can be."""
    return re.sub(r"\{\{[^{}/]*\}\}", "0", target)


def _asked(line: str, endpoints: Endpoints | None) -> Endpoint | None:
    method, _, target = line.rpartition(" ")
    path = _bare(target.partition("?")[0])
    return endpoints.match(method.upper() or "GET", path) if endpoints else None


def _parameters(before: str, endpoint: Endpoint) -> Found:
    typed = re.split(r"[?&]", before)[-1]
    names = endpoint.parameter_names("query")
    return typed, [] if "=" in typed else [f"{name}=" for name in names]


def _names(typed: str, names: Iterable[str]) -> Found:
    return typed, [f"{name}}}}}" for name in (*names, *BUILT_IN)]
