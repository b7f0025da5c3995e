"""An API's reply, as the user holds it."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, fields
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import ReplyError, SecretRefused, did_you_mean, listed
from oauthmagic.redaction import holds_secret, quote
from oauthmagic.views.charsets import decoded
from oauthmagic.views.json_bodies import read_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from oauthmagic.redaction import Secret

#: How many members an error compares with a name that is not there.
MOST_COMPARED = 300


class Headers(Mapping[str, str]):
    """Response headers, looked up in any case."""

    def __init__(self, items: tuple[tuple[str, str], ...]) -> None:
        self._items: dict[str, str] = {}
        for name, value in items:
            earlier = self._items.get(name.lower())
            self._items[name.lower()] = f"{earlier}, {value}" if earlier else value

    def __getitem__(self, name: str) -> str:
        return self._items[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"<Headers: {', '.join(self._items)}>"


@dataclass(frozen=True, kw_only=True, slots=True)
class Saved:
    """A body that is in a file.

    Attributes:
        path: The file.
        size: Its bytes.
        content_type: The media type that the server named, or "".
    """

    path: str
    size: int
    content_type: str

    def __str__(self) -> str:
        kind = f", {self.content_type}" if self.content_type else ""
        return f"saved as {self.path} ({self.size:,} bytes{kind})"


@dataclass(kw_only=True, slots=True, eq=False, repr=False)
class Reply:
    """The reply to one request.

    Attributes:
        status: HTTP status code.
        headers: The response headers, looked up in any case.
        body: The decoded bytes.
        elapsed: Seconds from the first byte out to the last byte in.
        method: The request's method.
        url: The request's URL.
        hint: What to do next where the status is an error, or "".
        name: The request's name (`# @name`), or "".
        note: What it took: a replay, a wait; or "".
        request: The request as it was sent, as redacted text.
        environment: "demo", "sandbox" or "production".
        envelope: The member that holds the rows of the provider's lists, or "".
        is_empty_list: Whether the provider means an empty list by an error status.
        saved: Where the body is, if it was saved; `body` is then empty.
        pages: The pages behind this one, where they were asked for.
        replies: Every reply of the same call, in order, this one included.
        secrets: What the request was sent with. The body may repeat it, and is shown
            for as long as the reply lives: so long the redactor has to know it.
    """

    status: int
    headers: Headers
    body: bytes
    elapsed: float
    method: str
    url: str
    hint: str = ""
    name: str = ""
    note: str = ""
    request: str = ""
    environment: str = ""
    envelope: str = ""
    is_empty_list: bool = False
    saved: Saved | None = None
    pages: tuple[Reply, ...] = ()
    replies: tuple[Reply, ...] = ()
    secrets: tuple[Secret, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004

    @property
    def reason(self) -> str:
        """The standard phrase of the status, or ""."""
        try:
            return HTTPStatus(self.status).phrase
        except ValueError:
            return ""

    @property
    def text(self) -> str:
        """The body as text, in its charset or UTF-8; what cannot be read becomes �."""
        return decoded(self.body, self.headers.get("content-type", ""))

    @property
    def exchange(self) -> str:
        """The request and this reply, as redacted text, made when asked for."""
        from oauthmagic.views.texts import exchange_text  # noqa: PLC0415 - as __repr__

        return exchange_text(self)

    def json(self) -> Any:
        """Return the body read as JSON.

        Raises:
            ReplyError: It is not JSON.
        """
        with contextlib.suppress(ValueError):
            return read_json(self.body)
        # Not from there: the reader's frames hold the body.
        kind = quote(self.headers.get("content-type", "no media type"), 60)
        msg = f"The body of {self._title()} is not JSON ({kind})."
        raise ReplyError(msg, hint="See it as it is with .text.")

    def frame(self, path: str | None = None) -> pd.DataFrame:
        """Return the rows of a JSON reply as a DataFrame, nested members flattened.

        Args:
            path: Where the rows are, as a dotted path (`"data.accounts"`); without
                it, the provider's own list envelope is unwrapped, or the reply is
                one list, or one row.

        Raises:
            ReplyError: The status is an error, or there are no rows there, or they
                would make a table many times larger than the reply.
        """
        from oauthmagic.views.frames import paged_frame  # noqa: PLC0415 - pandas

        if self.is_empty_list:
            return paged_frame(list)
        if not self.ok:
            msg = f"{self._title()} answered {self.status} {self.reason}: no rows."
            raise ReplyError(msg, hint=self.hint or "See the reply with .text.")
        # One after the other: what a page was read into is gone before the next.
        pages = (self, *self.pages)
        return paged_frame(lambda: (page._rows(path) for page in pages))  # noqa: SLF001 - the same list, gone on

    def _rows(self, path: str | None) -> list[Any]:
        value = self.json()
        for step in path.split(".") if path else ():
            if isinstance(value, list) and step.isdigit() and int(step) < len(value):
                value = value[int(step)]
            elif isinstance(value, dict) and step in value:
                value = value[step]
            else:
                raise _no_such_part(value, step, path or "")
        if isinstance(value, dict) and not path:
            lists = [name for name, rows in value.items() if _is_rows(rows)]
            if self.envelope in value and isinstance(value[self.envelope], list):
                value = value[self.envelope]
            elif len(lists) == 1:
                value = value[lists[0]]
        return value if isinstance(value, list) else [value]

    def _title(self) -> str:
        from oauthmagic.views.masking import shown_url  # noqa: PLC0415 - see __repr__

        return f"{self.method} {shown_url(self.url, 200)}"

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        # A secret cannot be pickled; what was received can, unless it repeats one.
        if holds_secret(self.text) or holds_secret(f"{[*self.headers.items()]}"):
            msg = "This reply repeats a secret, so it cannot be pickled or stored."
            raise SecretRefused(msg, hint="Keep reply.frame(), where it is masked.")
        names = [field.name for field in fields(self)]
        return None, {name: getattr(self, name) for name in names} | {"secrets": ()}

    def __repr__(self) -> str:
        from oauthmagic.views.texts import reply_text  # noqa: PLC0415 - only when shown

        return reply_text(self)

    def _repr_html_(self) -> str:
        from oauthmagic.views.html import reply_html  # noqa: PLC0415 - only when shown

        return reply_html(self)


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def _no_such_part(value: object, step: str, path: str) -> ReplyError:
    """Return the error; the names in it are the server's, as many as it likes."""
    members: list[str] = []
    there = type(value).__name__
    if isinstance(value, dict):
        first = itertools.islice(value, MOST_COMPARED)
        members = [quote(name, 40) or "''" for name in first]
        there = listed(members + [""] * (len(value) - len(members))) or "no member"
    step, path = quote(step, 60), quote(path, 100)
    msg = f"The reply has no {step!r} in {path!r}.{did_you_mean(step, members)}"
    return ReplyError(msg, hint=f"There is: {there}.")
