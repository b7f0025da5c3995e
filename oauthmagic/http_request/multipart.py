"""Multipart bodies, for uploads: RFC 2046, section 5.1; RFC 7578.

Written as JetBrains HTTP Client does: the delimiters are in the cell, each part has
its headers, a blank line and its content, which is text or `< ./file`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauthmagic.errors import RequestSyntaxError
from oauthmagic.http_request.fields import fill_text
from oauthmagic.http_request.templates import literals, read_template, references

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oauthmagic.http_request.templates import Reference, Template
    from oauthmagic.http_request.variables import Scope

    Line = tuple[int, str]

#: The most parts of a body.
MOST_PARTS = 1000

FILE = re.compile(r"<[ \t]+(\S.*)")
_PARAMETER = re.compile(r"(?i);[ \t]*boundary=(?:\"([^\"]*)\"|([^\s;\"]+))")
# RFC 2046, section 5.1.1; what needs no quotes in a header is all that is taken.
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=?-]{1,70}")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NAME = re.compile(r"(?i)form-data[ \t]*;(?:.*;)?[ \t]*name=")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
#: What cannot stand in a quoted name, and how forms write it (RFC 7578, section 2).
_ESCAPES = {'"': "%22", "\r": "%0D", "\n": "%0A"}
_EXAMPLE = (
    "For example:\nContent-Type: multipart/form-data; boundary=part\n\n--part\n"
    'Content-Disposition: form-data; name="file"; filename="passport.png"\n'
    "Content-Type: image/png\n\n< ./passport.png\n--part--"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A file that a body, or a part of one, consists of.

    Attributes:
        name: Its name as written.
        line: The line that names it.
    """

    name: str
    line: int


#: What a body is made of: bytes, and files that are read when it is sent.
Piece = bytes | File


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One part of a multipart body, values still missing.

    Attributes:
        headers: Names and values, in order.
        content: A text, or the file that it is.
        line: The line of its delimiter.
    """

    headers: tuple[tuple[str, Template], ...]
    content: Template | File
    line: int


def read_boundary(content_type: str, line: int) -> str:
    """Return the boundary that a Content-Type names.

    Raises:
        RequestSyntaxError: It names none, or one that is not allowed.
    """
    match = _PARAMETER.search(content_type)
    boundary = (match[1] or match[2] or "") if match else ""
    if not _BOUNDARY.fullmatch(boundary):
        what = "has a boundary that is none" if match else "names no boundary"
        msg = f"The Content-Type of the multipart body in line {line} {what}."
        raise RequestSyntaxError(msg, hint=_EXAMPLE)
    return boundary


def read_parts(lines: list[Line], boundary: str, *, is_form: bool) -> tuple[Part, ...]:
    """Read the parts between delimiters.

    Blank lines around a part's content are not part of it.

    Args:
        lines: The lines of the body and their numbers.
        boundary: What the delimiters are made of.
        is_form: Whether each part must have a name (RFC 7578, section 4.2).

    Raises:
        RequestSyntaxError: A delimiter is missing, or a part cannot be read.
    """
    delimiter, end = f"--{boundary}", f"--{boundary}--"
    first, text = lines[0]
    if text.rstrip() != delimiter:
        msg = f"Line {first} begins no part: the boundary is {boundary!r}."
        raise RequestSyntaxError(msg, hint=_EXAMPLE)
    blocks: list[tuple[int, list[Line]]] = []
    for place, (line, text) in enumerate(lines):
        if text.rstrip() == delimiter:
            blocks.append((line, []))
        elif text.rstrip() == end:
            if place + 1 < len(lines):
                msg = f"Line {lines[place + 1][0]} stands behind the last part."
                hint = "'###' begins the next request."
                raise RequestSyntaxError(msg, hint=hint)
            break
        else:
            blocks[-1][1].append((line, text))
    else:
        msg = f"The multipart body in line {first} has no end."
        raise RequestSyntaxError(msg, hint=f"Write {end!r} behind the last part.")
    if len(blocks) > MOST_PARTS:
        msg = f"The body in line {first} has more than {MOST_PARTS} parts."
        raise RequestSyntaxError(msg, hint="Divide them among several requests.")
    return tuple(_read_part(line, block, is_form=is_form) for line, block in blocks)


def fill_parts(
    parts: tuple[Part, ...], boundary: str, scope: Scope
) -> tuple[Piece, ...]:
    """Return a body with its values; its files have yet to be read.

    Raises:
        RequestSyntaxError: A value cannot stand where it is asked for.
        UnknownName: A name is not known.
    """
    pieces: list[Piece] = []
    written = ""
    for part in parts:
        written += f"--{boundary}\r\n"
        for name, template in part.headers:
            written += f"{name}: {_fill_header(name, template, scope)}\r\n"
        written += "\r\n"
        if isinstance(part.content, File):
            pieces += [written.encode(), part.content]
            written = "\r\n"
            continue
        text = fill_text(part.content, scope)
        check_content(text.encode(), boundary, part.line)
        written += f"{text}\r\n"
    return (*pieces, f"{written}--{boundary}--\r\n".encode())


def check_content(content: bytes, boundary: str, line: int) -> bytes:
    """Return a part's content, which must not end the part by itself.

    Raises:
        RequestSyntaxError: A delimiter is in it.
    """
    # Behind a bare line feed as well, for some servers take that for a line's end.
    if f"\n--{boundary}".encode() in b"\n" + content:
        msg = f"The content of the part in line {line} holds the boundary."
        raise RequestSyntaxError(
            msg, hint="Choose another one, in the Content-Type and the delimiters."
        )
    return content


def _read_part(line: int, lines: list[Line], *, is_form: bool) -> Part:
    headers: list[tuple[str, Template]] = []
    place = 0
    while place < len(lines) and lines[place][1].strip():
        headers.append(_read_header(lines[place][1].strip(), lines[place][0]))
        place += 1
    if is_form and not any(
        name.lower() == "content-disposition" and _NAME.match(literals(value))
        for name, value in headers
    ):
        msg = f"The part in line {line} has no name (RFC 7578, section 4.2)."
        raise RequestSyntaxError(msg, hint=_EXAMPLE)
    content = lines[place:]
    filled = [index for index, (_, text) in enumerate(content) if text.strip()]
    content = content[filled[0] : filled[-1] + 1] if filled else []
    if not content:
        return Part(headers=tuple(headers), content=(), line=line)
    number, text = content[0]
    match = FILE.fullmatch(text)
    if match:
        file = read_file(match[1].rstrip(), number)
        if len(content) > 1:
            msg = f"Line {content[1][0]} stands behind the file that is the part."
            raise RequestSyntaxError(msg, hint="A part is a file or text.")
        return Part(headers=tuple(headers), content=file, line=line)
    # A line of text in a message ends so (RFC 2046, section 4.1.1).
    whole = read_template("\r\n".join(text for _, text in content), number)
    return Part(headers=tuple(headers), content=whole, line=line)


def read_file(name: str, line: int) -> File:
    """Return the file that a `< ./file` line names.

    Raises:
        RequestSyntaxError: A variable is in its name.
    """
    if "{{" in name:
        msg = f"The file in line {line} must be named without variables."
        raise RequestSyntaxError(msg, hint="Write its path out: '< ./body.json'.")
    return File(name=name, line=line)


def _read_header(text: str, line: int) -> tuple[str, Template]:
    name, colon, value = text.partition(":")
    if not colon or not _TOKEN.fullmatch(name):
        msg = f"Line {line} is not a header of a part."
        raise RequestSyntaxError(
            msg, hint="A part needs a blank line between its headers and its content."
        )
    return name, read_template(value.strip(" \t"), line)


def _fill_header(name: str, template: Template, scope: Scope) -> str:
    """Fill a part's header; a value leaves neither its quotes nor its line."""
    filled = []
    for part in template:
        if isinstance(part, str):
            filled.append(part)
            continue
        text = scope.value(part).text
        if _CONTROL.search(text):
            msg = f"The value of {part} holds a control character."
            raise RequestSyntaxError(msg, hint=f"{name} is one line of visible text.")
        filled.append("".join(_ESCAPES.get(each, each) for each in text))
    return "".join(filled)


def references_of(parts: tuple[Part, ...]) -> Iterator[Reference]:
    """Yield the references of parts, in order."""
    for part in parts:
        for _, value in part.headers:
            yield from references(value)
        if not isinstance(part.content, File):
            yield from references(part.content)
