"""Bodies: a text with references, a file or parts; and how values are encoded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from oauthmagic.errors import RequestSyntaxError
from oauthmagic.http_request.fields import fill_form, fill_json, fill_text
from oauthmagic.http_request.foreign import refuse_line
from oauthmagic.http_request.multipart import (
    FILE,
    File,
    Part,
    fill_parts,
    read_boundary,
    read_file,
    read_parts,
    references_of,
)
from oauthmagic.http_request.templates import literals, read_template, references

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from oauthmagic.http_request.multipart import Piece
    from oauthmagic.http_request.templates import Reference, Template
    from oauthmagic.http_request.variables import Scope

Line = tuple[int, str]
Kind = Literal["json", "form", "text"]

_FILE_INSIDE = re.compile(r"<[ \t]+(?:\.{1,2}/|/)\S")
_LINE_END = re.compile(r"(?<![ \t])[ \t]*\n[ \t]*")
_CHARSET = re.compile(r"(?i);[ \t]*charset=\"?([^\s;\"]+)")  # RFC 9110, 8.3.2
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """The body of a request, values still missing.

    Attributes:
        template: The text; empty where a file or parts are the body.
        file: The file that is the body, or None.
        parts: The parts of a multipart body.
        boundary: What stands between them.
        kind: How values are encoded.
        line: The line that it begins in.
    """

    template: Template = ()
    file: File | None = None
    parts: tuple[Part, ...] = ()
    boundary: str = ""
    kind: Kind = "text"
    line: int

    def fill(self, scope: Scope) -> tuple[Piece, ...]:
        """Return what is sent, values filled in; text is in UTF-8.

        Raises:
            RequestSyntaxError: A value cannot stand where it is asked for.
            UnknownName: A name is not known.
        """
        if self.file is not None:
            return (self.file,)
        if self.parts:
            return fill_parts(self.parts, self.boundary, scope)
        encode = {"json": fill_json, "form": fill_form, "text": fill_text}[self.kind]
        return (encode(self.template, scope).encode("utf-8"),)

    def references(self) -> Iterator[Reference]:
        """Yield the references of the body, in order."""
        yield from references(self.template)
        yield from references_of(self.parts)

    @property
    def content_type(self) -> str | None:
        """What to say of a body whose request does not name its type."""
        named_json = self.file and self.file.name.lower().endswith(".json")
        return "application/json" if self.kind == "json" or named_json else None


def read_body(
    lines: list[Line], headers: Iterable[tuple[str, Template]]
) -> Body | None:
    """Read what follows the blank line; None if that is nothing.

    Blank lines before and after the body are not part of it.

    Args:
        lines: The lines and their numbers.
        headers: The request's headers; Content-Type decides how values are encoded.

    Raises:
        RequestSyntaxError: The body holds another tool's syntax, or cannot be read.
    """
    lines = _trimmed(lines)
    declared = _declared(headers)
    media_type = declared.partition(";")[0].strip().lower()
    if not lines:
        return None
    first = lines[0][0]
    for line, text in lines:
        refuse_line(text, line)
    if media_type.startswith("multipart/"):
        boundary = read_boundary(declared, first)
        is_form = media_type == "multipart/form-data"
        parts = read_parts(lines, boundary, is_form=is_form)
        return Body(parts=parts, boundary=boundary, line=first)
    match = FILE.fullmatch(lines[0][1])
    if match:
        return _whole_file(match[1].rstrip(), lines)
    for line, text in lines:
        if _FILE_INSIDE.match(text):
            msg = f"The file in line {line} is only a part of the body."
            raise RequestSyntaxError(
                msg,
                hint="'< ./file' must be the whole body, or a part of a multipart one.",
            )
    _check_charset(declared, first)
    template = read_template("\n".join(text for _, text in lines), first)
    if media_type == _FORM:
        # Fields on lines of their own are one line when they are sent.
        template = tuple(
            _LINE_END.sub("", part) if isinstance(part, str) else part
            for part in template
        )
    return Body(template=template, kind=_kind(media_type, template), line=first)


def _kind(media_type: str, template: Template) -> Kind:
    if media_type == _FORM:
        return "form"
    if media_type:
        is_json = media_type == "application/json" or media_type.endswith("+json")
        return "json" if is_json else "text"
    start = template[0] if template else ""
    is_json = isinstance(start, str) and start.lstrip()[:1] in {"{", "["}
    return "json" if is_json else "text"


def _trimmed(lines: list[Line]) -> list[Line]:
    filled = [index for index, (_, text) in enumerate(lines) if text.strip()]
    return lines[filled[0] : filled[-1] + 1] if filled else []


def _declared(headers: Iterable[tuple[str, Template]]) -> str:
    return next(
        (literals(value) for name, value in headers if name.lower() == "content-type"),
        "",
    )


def _check_charset(declared: str, line: int) -> None:
    match = _CHARSET.search(declared)
    if match and match[1].lower() not in {"utf-8", "utf8", "us-ascii"}:
        msg = f"The body in line {line} is sent in UTF-8, not in {match[1]}."
        raise RequestSyntaxError(
            msg, hint="Leave the charset out, or send a file: '< ./file'."
        )


def _whole_file(name: str, lines: list[Line]) -> Body:
    first = lines[0][0]
    file = read_file(name, first)
    if len(lines) > 1:
        msg = f"Line {lines[1][0]} stands behind the file that is the whole body."
        raise RequestSyntaxError(
            msg, hint="Put one body there; '###' begins the next request."
        )
    return Body(file=file, line=first)
