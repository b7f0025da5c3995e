"""JSON from a stranger: bounded, without duplicates, never a surprise.

Python's own reader takes the last of two members of one name, accepts NaN, and
answers deep nesting with `RecursionError` and long integers with `ValueError`.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

#: The deepest nesting accepted.
MAX_DEPTH = 32
#: The longest integer accepted; Python itself refuses more than 4300 digits.
MAX_DIGITS = 100

# Possessive, and matching an unfinished string too, so that hostile text costs
# no more than its length.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*"?', re.DOTALL)
_BRACKET = re.compile(rb"[\[{\]}]")


def read_object(
    body: bytes, *, max_bytes: int, max_depth: int = MAX_DEPTH
) -> dict[str, Any]:
    """Read one JSON object.

    Args:
        body: UTF-8 text; a byte order mark is skipped.
        max_bytes: The most bytes to look at.
        max_depth: The deepest nesting accepted.

    Raises:
        ValueError: Why it is not accepted, as half a sentence that quotes
            nothing of the body.
    """
    if len(body) > max_bytes:
        msg = f"it is larger than {max_bytes // 1024} KiB"
        raise ValueError(msg)
    if _depth(body) > max_depth:
        msg = f"it is nested more than {max_depth} deep"
        raise ValueError(msg)
    try:
        value = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_int=_integer,
        )
    except UnicodeDecodeError:
        msg = "it is not UTF-8"
        raise ValueError(msg) from None
    except json.JSONDecodeError:
        msg = "it is not JSON"
        raise ValueError(msg) from None
    if not isinstance(value, dict):
        msg = f"it is {_KINDS[type(value)]}, not an object"
        raise ValueError(msg)  # noqa: TRY004 - one kind of error, whatever the cause
    return value


_KINDS = {
    list: "a list",
    str: "a text",
    bool: "a boolean",
    type(None): "null",
    int: "a number",
    float: "a number",
}


def _depth(body: bytes) -> int:
    """Return an upper bound of the nesting, without reading the values."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        msg = "it has two members of one name"
        raise ValueError(msg)
    return members


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        msg = f"it holds a number of more than {MAX_DIGITS} digits"
        raise ValueError(msg)
    return int(digits)


def _no_constant(name: str) -> NoReturn:
    msg = f"it holds {name}, which JSON does not know"
    raise ValueError(msg)
