"""Bodies: a text with references, or a file; and how values in it are encoded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from oauthmagic.errors import RequestSyntaxError
from oauthmagic.http_request.fields import fill_form, fill_json, fill_text
from oauthmagic.http_request.foreign import refuse_line
from oauthmagic.http_request.templates import literals, read_template

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oauthmagic.http_request.templates import Template
    from oauthmagic.http_request.variables import Scope

Line = tuple[int, str]
Kind = Literal["json", "form", "text"]

_FILE = re.compile(r"<[ \t]+(\S.*)")
_FILE_INSIDE = re.compile(r"<[ \t]+(?:\.{1,2}/|/)\S")
_LINE_END = re.compile(r"(?<![ \t])[ \t]*\n[ \t]*")
_CHARSET = re.compile(r"(?i);[ \t]*charset=\"?([^\s;\"]+)")  # RFC 9110, 8.3.2
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = (
    "Send it in Python: oauthmagic.current_session().client(TARGET).post(PATH, "
    "files={...})."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """The body of a request, values still missing.

    Attributes:
        template: The text, or None where a file is the body.
        file: The file's name as written, or None.
        kind: How values are encoded.
        line: The line that it begins in.
    """

    template: Template | None
    file: str | None
    kind: Kind
    line: int

    def fill(self, scope: Scope) -> bytes:
        """Return the text with its values, in UTF-8.

        Raises:
            RequestSyntaxError: A value cannot stand where it is asked for.
            UnknownName: A name is not known.
        """
        encode = {"json": fill_json, "form": fill_form, "text": fill_text}[self.kind]
        return encode(self.template or (), scope).encode("utf-8")

    @property
    def content_type(self) -> str | None:
        """What to say of a body whose request does not name its type."""
        named_json = self.file is not None and self.file.lower().endswith(".json")
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
        RequestSyntaxError: The body holds another tool's syntax or a type that
            cannot be written yet.
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
        msg = f"The multipart body in line {first} cannot be written in a cell yet."
        raise RequestSyntaxError(msg, hint=_MULTIPART)
    match = _FILE.fullmatch(lines[0][1])
    if match:
        return _read_file(match[1].rstrip(), lines)
    for line, text in lines:
        if _FILE_INSIDE.match(text):
            msg = f"The file in line {line} is only a part of the body."
            raise RequestSyntaxError(msg, hint="'< ./file' must be the whole body.")
    _check_charset(declared, first)
    template = read_template("\n".join(text for _, text in lines), first)
    if media_type == _FORM:
        # Fields on lines of their own are one line when they are sent.
        template = tuple(
            _LINE_END.sub("", part) if isinstance(part, str) else part
            for part in template
        )
    return Body(
        template=template, file=None, kind=_kind(media_type, template), line=first
    )


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


def _read_file(name: str, lines: list[Line]) -> Body:
    first = lines[0][0]
    if "{{" in name:
        msg = f"The file in line {first} must be named without variables."
        raise RequestSyntaxError(msg, hint="Write its path out: '< ./body.json'.")
    if len(lines) > 1:
        msg = f"Line {lines[1][0]} stands behind the file that is the whole body."
        raise RequestSyntaxError(
            msg, hint="Put one body there; '###' begins the next request."
        )
    return Body(template=None, file=name, kind="text", line=first)
