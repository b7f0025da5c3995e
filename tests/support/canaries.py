"""Values that must turn up nowhere, and the search for them.

    assert traces_of(Path("nb.ipynb").read_bytes(), "Canary-1") == []

The forms are written down here without the package's own list, of which they are the
test. `tests/notebook/test_search.py` plants leaks and sees them found.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import html
import json
import re
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_COLOURS = re.compile(rb"(?:\x1b|\\+(?:u001b|x1b))\[[0-9;]*m")
_TAGS = re.compile(rb"</?(?:span|b|i|em|strong)\b[^<>]*>")


@functools.cache
def forms_of(value: str) -> dict[str, bytes]:
    """Return the forms in which a value may have been written down, by name."""
    raw = value.encode()
    escaped = json.dumps(value)[1:-1]
    forms = {
        "plain": raw,
        "latin-1": value.encode("latin-1", "replace"),
        "utf-16-le": value.encode("utf-16-le"),
        "utf-16-be": value.encode("utf-16-be"),
        "utf-16-le, read as text": value.encode("utf-16-le").decode("latin-1").encode(),
        "utf-16-be, read as text": value.encode("utf-16-be").decode("latin-1").encode(),
        "percent": urllib.parse.quote(value, safe="").encode(),
        "percent, slashes kept": urllib.parse.quote(value).encode(),
        "percent, lower case": urllib.parse.quote(value, safe="").lower().encode(),
        "form": urllib.parse.quote_plus(value).encode(),
        "json": escaped.encode(),
        "json in json": json.dumps(escaped)[1:-1].encode(),
        "json, utf-8": json.dumps(value, ensure_ascii=False)[1:-1].encode(),
        "html": html.escape(value).encode(),
        "repr": repr(value)[1:-1].encode(),
        "ascii": ascii(value)[1:-1].encode(),
        "reversed": value[::-1].encode(),
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "hex with colons": raw.hex(":").encode(),
    }
    for name, encode, block in (
        ("base64", base64.b64encode, (3, 4)),
        ("base64url", base64.urlsafe_b64encode, (3, 4)),
        ("base32", base64.b32encode, (5, 8)),
    ):
        size, characters = block
        for shift in range(size):
            encoded = encode(b"\0" * shift + raw)
            # Whole blocks of the value alone, whatever stands around it.
            first = -(-shift // size) * characters
            last = (shift + len(raw)) // size * characters
            forms[f"{name}, shifted by {shift}"] = encoded[first:last]
    return forms


def traces_of(where: object, value: str) -> list[str]:
    """Return the names of the forms in which a value stands in text or bytes."""
    return _traces(_views(where), value)


def leaks(
    places: dict[str, object], canaries: Sequence[str]
) -> list[tuple[str, str, str]]:
    """Return where canaries stand: place, canary and form."""
    return [
        (place, canary, form)
        for place, text in places.items()
        for views in [_views(text)]
        for canary in canaries
        for form in _traces(views, canary)
    ]


def _traces(views: bytes, value: str) -> list[str]:
    return [name for name, form in forms_of(value).items() if form in views]


def _views(where: object) -> bytes:
    """Return a text as it is, and without what may stand between its characters.

    Colours are put there in a text and in JSON (a notebook), tags in HTML.
    """
    found = where if isinstance(where, bytes) else str(where).encode()
    bare = _TAGS.sub(b"", _COLOURS.sub(b"", found))
    views = {found, bare}
    if b"&" in bare:
        unescaped = html.unescape(bare.decode("utf-8", "surrogateescape"))
        views.add(unescaped.encode("utf-8", "surrogateescape"))
    return b"\0\n\0".join(views)


def notebook_places(path: Path) -> dict[str, object]:
    """Return the parts of a saved notebook, each as text, and the file itself."""
    book = json.loads(path.read_text(encoding="utf-8"))
    places: dict[str, object] = {f"{path.name}": path.read_bytes()}
    places["metadata"] = _texts(book["metadata"])
    for number, cell in enumerate(book["cells"]):
        for part, value in cell.items():
            places[f"cell {number} {part}"] = _texts(value)
        for name, files in cell.get("attachments", {}).items():
            # They are base64 by the format, whatever is in them.
            decoded = [base64.b64decode(each) for each in files.values()]
            places[f"cell {number} {name}"] = b"\n".join(decoded)
    return places


def files_below(folder: Path) -> dict[str, object]:
    """Return the bytes of every file below a folder, and their names."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            # A journal of SQLite comes and goes while this looks.
            with contextlib.suppress(FileNotFoundError):
                found[str(path)] = path.read_bytes()
    return found | {f"the names below {folder.name}": "\n".join(found)}


def processes_below(pid: int) -> list[int]:
    """Return a process and all that it started, as long as they live."""
    found = [pid]
    for each in found:
        for children in Path(f"/proc/{each}/task").glob("*/children"):
            found += map(int, children.read_text().split())
    return found


def command_lines(pids: list[int]) -> dict[str, object]:
    """Return what everybody on this machine can read of processes."""
    return {
        f"/proc/{pid}/cmdline": Path(f"/proc/{pid}/cmdline").read_bytes()
        for pid in pids
    }


def _texts(value: object) -> str:
    """Return every text in JSON data, without JSON's own escapes."""
    if isinstance(value, dict):
        return "\n".join(f"{key}\n{_texts(each)}" for key, each in value.items())
    if isinstance(value, list):
        return "\n".join(map(_texts, value))
    return str(value)
