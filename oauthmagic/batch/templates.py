"""From a request and a frame to the requests of some rows.

A request whose path and query alone differ from row to row is read once: what does not
change is settled, each column is encoded as a whole, and the URL gate is asked once,
for an encoded value cannot leave its segment or its parameter. Every other request is
filled in row by row, and passes the gate row by row.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from hashlib import sha256
from itertools import repeat
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import UUID

from oauthmagic.batch.references import free_names, names_behind, with_theirs
from oauthmagic.errors import CommandError, OAuthMagicError
from oauthmagic.http_request.templates import BUILT_IN, Reference
from oauthmagic.http_request.variables import Scope, Sources, read_scope
from oauthmagic.views.rows import Cells, column_names, is_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    import pandas as pd

    from oauthmagic.batch.chunks import RowRequest
    from oauthmagic.http_request import HttpRequest, RequestTemplate
    from oauthmagic.transport.wire import WireRequest

# Unreserved characters (RFC 3986, section 2.3) that are no dot segment whatever stands
# beside them: a path is split and checked before it is filled in.
_PLAIN = re.compile(r"[A-Za-z0-9_\-~][A-Za-z0-9_.\-~]{0,200}")
#: How many rows are looked at for one that makes a request.
FIRST = 100


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Part:
    """Which part of all rows a frame is.

    Attributes:
        offset: The position of its first row.
        sample: The first of all rows.
        whole: The columns of floats that are integers, in all rows.
    """

    offset: int
    sample: pd.DataFrame
    whole: Iterable[str]


class RowTemplate:
    """A request with the columns of a frame in it.

    Args:
        template: The request.
        frame: The rows.
        names: What else `{{name}}` may mean.
        checked: Makes what is sent of a request, if the URL gate lets it pass.
        clock: Returns the time, for `{{$timestamp}}`.
        files: Returns the bytes of a file.
        part: Which part of all rows the frame is, or None for all.

    Attributes:
        first: The request of the first row that makes one.
        whole: Those of floats that are integers.
        used: The columns that decide what the requests are.
        seed: What each row's `{{$guid}}` is made of: the same for a row that is sent
            once more, also after an interruption.

    Raises:
        CommandError: The frame cannot be used, or it has no rows.
        UnknownName: A name is neither a column nor anything else.
        OAuthMagicError: No row makes a request; it is what is wrong with the first.
    """

    def __init__(
        self,
        template: RequestTemplate,
        frame: pd.DataFrame,
        names: Mapping[str, Any],
        *,
        checked: Callable[[HttpRequest], WireRequest],
        clock: Callable[[], datetime],
        files: Callable[[str], bytes],
        part: Part | None = None,
    ) -> None:
        self._template = template
        self._frame = frame
        self._offset = part.offset if part else 0
        self._names = names
        self._checked = checked
        self._clock = clock
        self.seed = b""
        self._files = files
        self._columns = column_names(frame)
        free = free_names(template)
        self.used = [name for name in free if name in self._columns]
        self._fixed = [name for name in free if name not in self._columns]
        self._cells = Cells(frame, self.used, part.whole if part else None)
        self.whole = self._cells.whole
        # A part need not have a row that makes a request.
        self._seen = Cells(part.sample, self.used, part.whole) if part else self._cells
        scope = self._check_names()
        self.first, target = self._read_first()
        self._pieces = _url_pieces(template, self._columns, scope)
        # What was read is sent: the gate only puts the API base before it.
        target = target.removeprefix(template.target.origin)
        if self._pieces is not None:
            base = self.first.url.removesuffix(target)
            self._pieces = [base, *self._pieces] if target else None
            if base == self.first.url:
                self._pieces = None

    def __len__(self) -> int:
        return len(self._frame)

    @property
    def is_url_only(self) -> bool:
        """Whether nothing but the URL differs from row to row."""
        return self._pieces is not None

    def requests(
        self, start: int, stop: int
    ) -> tuple[list[RowRequest | None], dict[int, str]]:
        """Return the requests of rows, and what is wrong with those that make none.

        Args:
            start: The position of the first.
            stop: The position behind the last.
        """
        errors: dict[int, str] = {}
        made: list[RowRequest | None]
        if self._pieces is None:
            made = [None] * (min(stop, len(self)) - start)
        else:
            made = [*self._urls(start, stop)]
        if None not in made:
            return made, errors
        for place, row in enumerate(self._cells.rows(start, stop)):
            if made[place] is not None:
                continue
            if missing := [name for name in row if is_missing(row[name])]:
                errors[place] = _said_missing(missing)
                continue
            try:
                position = self._offset + start + place
                request = self._checked(self._filled(position, row))
            except OAuthMagicError as error:
                errors[place] = f"{type(error).__name__}: {error}"
            else:
                made[place] = request.url if self._pieces is not None else request
        return made, errors

    def has_own_header(self, names: Iterable[str]) -> bool:
        """Return whether one of the headers is there, and differs from row to row."""
        wanted = {name.lower() for name in names if name}
        own = {*self._columns, "$guid"}
        return any(
            own & names_behind(value, self._template.variables)
            for name, value in self._template.headers
            if name.lower() in wanted
        )

    def fingerprint(self, key: bytes) -> str:
        """Return a hash of the request, of all that it refers to, and of the index.

        Args:
            key: Makes it useless to whoever does not have it.
        """
        template = self._template
        said = (
            template.method,
            template.target,
            template.headers,
            template.body,
            [(each.name, each.value) for each in with_theirs(template.variables)],
            [str(self._names[name]) for name in self._fixed if name in self._names],
        )
        digest = sha256(key)
        digest.update(_bytes(said))
        for start in range(0, len(self), 1 << 16):
            stop = start + (1 << 16)
            digest.update(_bytes(self._frame.index[start:stop].tolist()))
            digest.update(_bytes(self._cells.values(start, stop)))
        return digest.hexdigest()

    def _urls(self, start: int, stop: int) -> Iterator[str | None]:
        """Yield the URLs of rows, None for one that has to be looked at in full."""
        by_name = dict(zip(self.used, self._cells.values(start, stop), strict=True))
        count = min(stop, len(self)) - start
        texts: list[Iterable[str | None]] = [
            map(_plain, by_name[piece.name])
            if isinstance(piece, Reference)
            else repeat(piece, count)
            for piece in self._pieces or ()
        ]
        for row in zip(*texts, strict=True):
            yield None if None in row else "".join(row)

    def _check_names(self) -> Scope:
        """Look up every name once; a column's value is not looked at.

        Raises:
            UnknownName: A name is not known.
            RequestSyntaxError: What has a name is not a plain value.
        """

        def lookup(name: str) -> object:
            return 1 if name in self._columns else self._names[name]

        sources = Sources(
            lookup=lookup,
            now=self._clock(),
            guid=lambda: "",
            defined=self._template.defined,
            known_names=[*self._columns, *self._names],
        )
        scope = read_scope(self._template.variables, sources)
        for reference in self._template.references():
            scope.value(reference)
        return scope

    def _read_first(self) -> tuple[WireRequest, str]:
        failure: OAuthMagicError | None = None
        for position in self._seen.complete(FIRST):
            row = next(self._seen.rows(position, position + 1))
            try:
                request = self._filled(position, row)
                return self._checked(request), request.target
            except OAuthMagicError as error:
                failure = failure or error
        if failure is None:
            msg = "The frame has no rows. Nothing was sent."
            hint = "One request is sent for each row."
            if len(self):
                names = _listed(self.used, "or")
                msg = f"Every row lacks a value for {names}. Nothing was sent."
                hint = "Look at the columns: frame.isna().sum()."
            failure = CommandError(msg, hint=hint)
        raise failure.with_traceback(None)

    def _filled(self, position: int, row: dict[str, Any]) -> HttpRequest:
        numbers = itertools.count()

        def guid() -> str:
            said = f"{position}/{next(numbers)}".encode()
            return str(UUID(bytes=sha256(self.seed + said).digest()[:16], version=4))

        def lookup(name: str) -> object:
            return row[name] if name in row else self._names[name]

        return self._template.fill(
            lookup,
            now=self._clock(),
            guid=guid,
            files=self._files,
            known_names=self._columns,
        )


def _said_missing(names: Iterable[str]) -> str:
    """Return what is said of a row that has no request, for want of a value."""
    return f"missing value: {_listed(names, 'and')}. Nothing was sent."


def _listed(names: Iterable[str], word: str) -> str:
    return f" {word} ".join(f"{{{{{name}}}}}" for name in names)


def _plain(value: object) -> str | None:
    """Return the text of a value that needs no encoding, else None."""
    if type(value) is str:
        return value if _PLAIN.fullmatch(value) else None
    return int.__repr__(value) if type(value) is int else None


def _url_pieces(
    template: RequestTemplate, columns: Iterable[str], scope: Scope
) -> list[str | Reference] | None:
    """Return path and query with what does not change filled in.

    Returns:
        None where more than they differs from row to row, or a value could complete
        what stands beside it.
    """
    own = {*columns, *BUILT_IN}
    variables = template.variables
    body = () if template.body is None else tuple(template.body.references())
    constant = [*(value for _, value in template.headers), body]
    if any(own & names_behind(each, variables) for each in constant):
        return None
    target = template.target
    written: list[str | Reference] = [*target.path]
    if target.query is not None:
        written += ["?", *target.query]
    pieces: list[str | Reference] = []
    mine = {each.name for each in variables}
    for part in written:
        if isinstance(part, str) or (part.name in own and part.name not in mine):
            pieces.append(part)
        elif own & names_behind((part,), variables):
            return None
        else:
            pieces.append(quote(scope.value(part).text, safe=""))
    has_builtin = any(
        isinstance(part, Reference) and part.name in BUILT_IN for part in pieces
    )
    # An escape in the path may be decoded twice, together with what follows it.
    path = itertools.takewhile(lambda part: part != "?", pieces)
    if has_builtin or any(isinstance(part, str) and "%" in part for part in path):
        return None
    return pieces


def _bytes(value: object) -> bytes:
    return repr(value).encode("utf-8", "surrogatepass")
