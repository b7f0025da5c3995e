"""A part of a notebook, and what parts have to look like.

What a notebook may not be is an error: a part that was not understood would be a part
that was not searched.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from oauthmagic.redaction import MASK
from oauthmagic.scan.judges import Context
from oauthmagic.scan.kinds import KNOWN, WIDGET
from oauthmagic.scan.known import fingerprint
from oauthmagic.scan.texts import Hit, hits_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from oauthmagic.scan.texts import Search

#: The keys that lead to a part of a notebook.
Slot = tuple[str | int, ...]


class Damaged(Exception):
    """Why a notebook cannot be read, as half a sentence."""


class Part(NamedTuple):
    """A text of a notebook.

    Attributes:
        cell: The number of its cell, from 1; None outside of cells.
        name: What it is: `source`, `output 1`, `metadata` ...
        text: What it says.
        context: How it is to be read.
        allowed: Whether its cell is tagged.
        slot: The keys that lead to it in the notebook.
        password: Whether all of it is the value of a password field.
    """

    cell: int | None
    name: str
    text: str
    context: Context
    allowed: bool = False
    slot: Slot = ()
    password: bool = False

    def hits(self, search: Search) -> list[Hit]:
        """Return the secrets in this part."""
        if self.password:
            mark = fingerprint(self.text, search.key)
            size = len(self.text)
            return [Hit(WIDGET, 0, size, 1, f"value: {MASK}", mark, allowed=False)]
        hits = hits_in(self.text, self.context, search)
        if not self.allowed:
            return hits
        # What is valid now is no example.
        return [hit._replace(allowed=hit.kind is not KNOWN) for hit in hits]


def rest_of(
    rest: Mapping[str, Any],
    cell: int | None,
    name: str,
    slot: Slot,
    context: Context = Context.TEXT,
) -> Iterator[Part]:
    """Yield what nobody asked for by name."""
    for key, value in rest.items():
        text = dumped(value if key == "metadata" and value else {key: value})
        yield Part(cell, name, text, context, slot=slot)


def dumped(value: Any) -> str:
    """Return what is no text as JSON, for reading."""
    return json.dumps(value, indent=1, ensure_ascii=False)


def text_of(value: Any, what: str) -> str:
    """Return a text that may be written as a list of its lines."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return "".join(value)
    raise Damaged(f"{what} is no text")


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    """Return an object, or say what should be one."""
    if not isinstance(value, dict):
        raise Damaged(f"{what} should be an object")
    return value


def numbered(value: Any, keys: Slot, what: str) -> list[tuple[Slot, Any]]:
    """Return the members of a list with their places, or say what should be one."""
    if not isinstance(value, list):
        raise Damaged(f"{what} should be a list")
    return [((*keys, place), each) for place, each in enumerate(value)]
