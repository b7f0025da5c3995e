"""A request as it was read, and as it is sent: `RequestTemplate`, `HttpRequest`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from oauthmagic.errors import RequestSyntaxError
from oauthmagic.http_request.fields import fill_header, fill_path, fill_query
from oauthmagic.http_request.multipart import File, check_content
from oauthmagic.http_request.templates import references
from oauthmagic.http_request.variables import Sources, read_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from datetime import datetime

    from oauthmagic.http_request.bodies import Body
    from oauthmagic.http_request.multipart import Piece
    from oauthmagic.http_request.targets import Target
    from oauthmagic.http_request.templates import Reference, Template
    from oauthmagic.http_request.variables import Scope, Variable


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpRequest:
    """One request, values filled in; its target has yet to pass the URL gate.

    Attributes:
        method: Upper-case method.
        target: A path from the API base, or a whole URL; percent-encoded.
        headers: Names and values, in order; never shown.
        body: The bytes to send, or None; never shown.
        pieces: What the body was made of: bytes, and files by name.
        name: The `# @name`, or None.
        timeout: The `# @timeout` in seconds, or None.
        line: The line of the request.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes | None = field(default=None, repr=False)
    pieces: tuple[Piece, ...] = field(default=(), repr=False)
    name: str | None = None
    timeout: float | None = None
    line: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestTemplate:
    """One request as it was read: its shape is settled, values are missing.

    Attributes:
        method: Upper-case method.
        target: The target in its parts.
        headers: Names and values, in order.
        body: The body, or None.
        name: The `# @name`, or None.
        title: The text behind the `###` before it.
        timeout: The `# @timeout` in seconds, or None.
        variables: The variables of the cell that its references mean.
        defined: The names of all variables of the cell, for suggestions.
        line: The line of the request line.
    """

    method: str
    target: Target
    headers: tuple[tuple[str, Template], ...] = ()
    body: Body | None = None
    name: str | None = None
    title: str = ""
    timeout: float | None = None
    variables: tuple[Variable, ...] = ()
    defined: tuple[str, ...] = field(default=(), repr=False)
    line: int = 1

    def fill(
        self,
        lookup: Callable[[str], object],
        *,
        now: datetime,
        guid: Callable[[], str],
        files: Callable[[str], bytes],
        known_names: Collection[str] = (),
    ) -> HttpRequest:
        """Return the request with its values filled in, each encoded for its field.

        Args:
            lookup: Returns a value of the namespace, or raises `KeyError`.
            now: The time, aware, for `$timestamp` and `$isoTimestamp`.
            guid: Makes a new identifier for each `$guid`.
            files: Returns the bytes of a file named in `< ./file`; which files may
                be read is its decision.
            known_names: The namespace's names, for suggestions.

        Raises:
            UnknownName: A name is not known; the message names its line.
            RequestSyntaxError: A value cannot stand where it is asked for.
        """
        sources = Sources(
            lookup=lookup,
            now=now,
            guid=guid,
            defined=self.defined,
            known_names=known_names,
        )
        scope = read_scope(self.variables, sources)
        headers = [
            (name, fill_header(name, value, scope, self.line))
            for name, value in self.headers
        ]
        if self.body and self.body.content_type and not self._names_its_type():
            headers.append(("Content-Type", self.body.content_type))
        pieces = self.body.fill(scope) if self.body else ()
        return HttpRequest(
            method=self.method,
            target=self._fill_target(scope),
            headers=tuple(headers),
            body=self._read(pieces, files) if self.body else None,
            pieces=pieces,
            name=self.name,
            timeout=self.timeout,
            line=self.line,
        )

    def references(self) -> Iterator[Reference]:
        """Yield the references of the request itself, in order."""
        yield from references(self.target.path)
        yield from references(self.target.query or ())
        for _, value in self.headers:
            yield from references(value)
        if self.body:
            yield from self.body.references()

    def _names_its_type(self) -> bool:
        return any(name.lower() == "content-type" for name, _ in self.headers)

    def _fill_target(self, scope: Scope) -> str:
        path = fill_path(self.target.path, scope, self.line)
        if self.target.query is None:
            return self.target.origin + path
        return f"{self.target.origin}{path}?{fill_query(self.target.query, scope)}"

    def _read(self, pieces: tuple[Piece, ...], files: Callable[[str], bytes]) -> bytes:
        boundary = self.body.boundary if self.body else ""
        content = bytearray()
        for piece in pieces:
            if not isinstance(piece, File):
                content += piece
                continue
            try:
                read = files(piece.name)
            except OSError as error:
                msg = (
                    f"The file {piece.name!r} in line {piece.line} cannot be read: "
                    f"{error.strerror or type(error).__name__}."
                )
                raise RequestSyntaxError(
                    msg, hint="The path is relative to the notebook."
                ) from None
            content += check_content(read, boundary, piece.line) if boundary else read
        return bytes(content)
