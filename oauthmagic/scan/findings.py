"""What a scan found, for reading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import visible

if TYPE_CHECKING:
    from oauthmagic.scan.texts import Hit


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Finding:
    """A secret that was found, without its value.

    Attributes:
        path: The file.
        cell: The number of the cell, from 1; None outside of cells.
        part: Which part of it: `source`, `output 1`, `attachment 'a.txt'` ...; empty
            in a file that is no notebook.
        line: The number of the line in that part, from 1.
        kind: What it is, in one word.
        title: What it is, in a sentence.
        excerpt: What stands before it in its line, and a mask in its place.
        fingerprint: Eight hexadecimal digits of its keyed hash: the same for the same
            value in one run.
        advice: What to do about it.
    """

    path: str
    cell: int | None
    part: str
    line: int
    kind: str
    title: str
    excerpt: str
    fingerprint: str
    advice: str

    @property
    def place(self) -> str:
        """Where it is, in words: `demo.ipynb:cell 3, output 1, line 2`."""
        cell = f"cell {self.cell}" if self.cell is not None else ""
        words = [word for word in (cell, self.part, f"line {self.line}") if word]
        return f"{visible(self.path)}:{', '.join(words)}"

    def __str__(self) -> str:
        return f"{self.place}: {self.title} - {self.excerpt} ({self.fingerprint})"

    def __repr__(self) -> str:
        return f"<Finding {self}>"

    def as_dict(self) -> dict[str, Any]:
        """Return the finding for JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


def finding_of(hit: Hit, path: str, cell: int | None = None, part: str = "") -> Finding:
    """Return a hit with its place."""
    return Finding(
        path=path,
        cell=cell,
        part=part,
        line=hit.line,
        kind=hit.kind.name,
        title=hit.kind.title,
        excerpt=hit.excerpt,
        fingerprint=hit.fingerprint,
        advice=hit.kind.advice,
    )
