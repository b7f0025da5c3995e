"""A notebook as the texts that it is made of, nothing left out.

Formats 3 and 4 of `nbformat`. Sources, outputs in every MIME type, attachments and
the state of widgets are taken one by one; whatever else a notebook holds is read as
the JSON that it is.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from oauthmagic.scan.judges import Context
from oauthmagic.scan.parts import (
    Damaged,
    Part,
    Slot,
    dumped,
    mapping,
    numbered,
    rest_of,
    text_of,
)
from oauthmagic.scan.readings import text_in
from oauthmagic.scan.values import decoded
from oauthmagic.scan.widgets import widgets_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: The tag of a cell whose finds were looked at and accepted.
ALLOW_TAG = "oauthmagic-allow"
OLDEST, NEWEST = 3, 4
# Of a kernel whose programs assign without quotes.
_SHELLS = frozenset({"bash", "sh", "shell", "zsh", "powershell", "dotenv"})
# Where format 3 kept what format 4 keeps in `data`.
_OLD_MIMES = (
    *("html", "json", "javascript", "latex", "svg", "png", "jpeg", "jpg", "pdf"),
)
_TEXTUAL = ("text/", "application/json", "application/javascript", "image/svg")
_MIME = re.compile(r"[a-z]+/[a-z0-9.+-]{1,60}")
_BINARY = ("image/", "audio/", "video/", "application/")
_TEXTUAL_OLD = ("html", "json", "javascript", "latex", "svg")


def read_notebook(text: str) -> dict[str, Any]:
    """Read the JSON of a notebook.

    Raises:
        Damaged: It is none, or has two members of one name, of which others would
            see only one.
    """
    try:
        value = json.loads(text, object_pairs_hook=_unique)
    except RecursionError:
        raise Damaged("it is nested too deep") from None
    except ValueError:
        raise Damaged("it is not JSON") from None
    if not isinstance(value, dict):
        raise Damaged("it is not a JSON object")
    return value


def parts_of(notebook: Mapping[str, Any]) -> list[Part]:
    """Return the texts of a notebook.

    Raises:
        Damaged: It has not the form of a notebook.
    """
    try:
        return list(_parts(notebook))
    except RecursionError:
        raise Damaged("it is nested too deep") from None


def _parts(notebook: Mapping[str, Any]) -> Iterator[Part]:
    version = notebook.get("nbformat")
    if not isinstance(version, int) or not OLDEST <= version <= NEWEST:
        raise Damaged("its nbformat is neither 3 nor 4")
    rest = {key: value for key, value in notebook.items() if not _is_format(key)}
    metadata = mapping(rest.get("metadata", {}), "its metadata")
    is_shell = _language(metadata) in _SHELLS
    cells: list[tuple[Slot, Any]] = []
    if "cells" in rest:
        cells += numbered(rest.pop("cells"), ("cells",), "its cells")
    for keys, each in numbered(
        rest.pop("worksheets", []), ("worksheets",), "its worksheets"
    ):
        sheet = dict(mapping(each, "a worksheet"))
        cells += numbered(sheet.pop("cells", []), (*keys, "cells"), "its cells")
        yield from rest_of(sheet, None, "worksheet", keys)
    if version == NEWEST and "cells" not in notebook:
        raise Damaged("it has no cells")
    for number, (keys, cell) in enumerate(cells, 1):
        yield from _cell(cell, number, keys, is_shell=is_shell)
    if "widgets" in metadata:
        widgets = metadata["widgets"]
        rest["metadata"] = {k: v for k, v in metadata.items() if k != "widgets"}
        yield from widgets_of(mapping(widgets, "its widget state"))
    yield from rest_of(rest, None, "metadata", ())


def _cell(cell: Any, number: int, keys: Slot, *, is_shell: bool) -> Iterator[Part]:
    rest = dict(mapping(cell, f"cell {number}"))
    metadata = mapping(rest.get("metadata", {}), f"the metadata of cell {number}")
    tags = metadata.get("tags", [])
    allowed = isinstance(tags, list) and ALLOW_TAG in tags
    for part in _in_cell(rest, number, keys, is_shell=is_shell):
        yield part._replace(allowed=allowed)
    rest.pop("id", None)
    for part in rest_of(rest, number, "metadata", keys):
        yield part._replace(allowed=allowed)


def _in_cell(
    rest: dict[str, Any], number: int, keys: Slot, *, is_shell: bool
) -> Iterator[Part]:
    """Yield what is known of a cell, and take it out of `rest`."""
    is_code = rest.get("cell_type") == "code"
    for name in ("source", "input"):
        if name in rest:
            text = text_of(rest.pop(name), f"the source of cell {number}")
            context = Context.TEXT
            if is_code:
                is_command = is_shell or text.lstrip().startswith("%%")
                context = Context.COMMANDS if is_command else Context.CODE
            yield Part(number, "source", text, context, slot=(*keys, name))
    outputs = rest.pop("outputs", None) or []
    for place, (slot, output) in enumerate(
        numbered(outputs, (*keys, "outputs"), f"the outputs of cell {number}"), 1
    ):
        name = f"output {place}"
        yield from _output(
            dict(mapping(output, f"{name} of cell {number}")), number, name, slot
        )
    attachments = mapping(rest.pop("attachments", None) or {}, "the attachments")
    if attachments:
        slot = (*keys, "attachments")
        names = "\n".join(attachments)
        yield Part(number, "attachments", names, Context.TEXT, slot=slot)
    for place, (name, bundle) in enumerate(attachments.items(), 1):
        yield from _bundle(
            mapping(bundle, "an attachment"),
            Part(
                number,
                f"attachment {place}",
                "",
                Context.TEXT,
                slot=(*keys, "attachments", name),
            ),
            is_base64=True,
        )


def _output(rest: dict[str, Any], number: int, name: str, slot: Slot) -> Iterator[Part]:
    part = Part(number, name, "", Context.OUTPUT, slot=slot)
    for old in (key for key in ("text", *_OLD_MIMES) if key in rest):
        value = rest.pop(old)
        mime = old if old in _TEXTUAL_OLD else "text/plain" if old == "text" else ""
        text = _mime_text(value, mime, f"{name} of cell {number}")
        yield part._replace(text=text)
    data = rest.pop("data", None) or {}
    yield from _bundle(mapping(data, f"the data of {name}"), part)
    if "traceback" in rest or "evalue" in rest:
        lines = rest.pop("traceback", None) or []
        if not isinstance(lines, list):
            lines = [lines]
        said = [rest.pop("ename", ""), rest.pop("evalue", ""), *lines]
        text = "\n".join(
            text_of(each, f"the traceback of cell {number}") for each in said
        )
        yield part._replace(text=text)
    yield from rest_of(rest, number, f"{name}, metadata", slot, Context.OUTPUT)


def _bundle(
    bundle: Mapping[str, Any], part: Part, *, is_base64: bool = False
) -> Iterator[Part]:
    """Yield the texts of a MIME bundle, plain text first."""
    for mime in sorted(bundle, key=lambda mime: (mime != "text/plain", mime)):
        text = _mime_text(bundle[mime], mime, part.name)
        is_plain = mime == "text/plain" or not _MIME.fullmatch(mime)
        name = part.name if is_plain else f"{part.name} ({mime})"
        # An attachment is base64, whatever it is; some write texts as they are.
        inner = text_in("".join(text.split())) if is_base64 else ""
        yield part._replace(text=inner or text, name=name)


def _mime_text(value: Any, mime: str, what: str) -> str:
    """Return what a MIME type says: text as it is, base64 as what is in it."""
    if isinstance(value, dict) or (
        mime.endswith("json") and not isinstance(value, str)
    ):
        return dumped(value)
    text = text_of(value, what)
    is_textual = mime.startswith(_TEXTUAL) or mime in _TEXTUAL_OLD or "+" in mime
    if mime and (is_textual or not mime.startswith(_BINARY)):
        return text
    blob = "".join(text.split())
    # What is no base64 is read as it is.
    return text if decoded(blob) is None else text_in(blob)


def _is_format(key: str) -> bool:
    return key in {"nbformat", "nbformat_minor"}


def _language(metadata: Mapping[str, Any]) -> str:
    for name in ("language_info", "kernelspec"):
        info = metadata.get(name)
        language = (
            info.get("language") or info.get("name") if isinstance(info, dict) else ""
        )
        if isinstance(language, str) and language:
            return language.lower()
    return ""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Damaged("it has two members of one name")
    return members
