"""An API's reply, as the user holds it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import ReplyError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd


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
        exchange: The exchange as redacted text.
        envelope: The member that holds the rows of the provider's lists, or "".
        pages: The pages behind this one, where they were asked for.
        replies: Every reply of the same call, in order, this one included.
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
    exchange: str = ""
    envelope: str = ""
    pages: tuple[Reply, ...] = ()
    replies: tuple[Reply, ...] = ()

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
        _, _, parameters = self.headers.get("content-type", "").partition("charset=")
        charset = parameters.partition(";")[0].strip(" \"'") or "utf-8"
        try:
            return self.body.decode(charset, "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the body read as JSON.

        Raises:
            ReplyError: It is not JSON.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            kind = self.headers.get("content-type", "no media type")[:60]
            msg = f"The body of {self._title()} is not JSON ({kind})."
            raise ReplyError(msg, hint="See it as it is with .text.") from None

    def frame(self, path: str | None = None) -> pd.DataFrame:
        """Return the rows of a JSON reply as a DataFrame, nested members flattened.

        Args:
            path: Where the rows are, as a dotted path (`"data.accounts"`); without
                it, the provider's own list envelope is unwrapped, or the reply is
                one list, or one row.

        Raises:
            ReplyError: The status is an error, or there are no rows there.
        """
        if not self.ok:
            msg = f"{self._title()} answered {self.status} {self.reason}: no rows."
            raise ReplyError(msg, hint=self.hint or "See the reply with .text.")
        from oauthmagic.views.tables import flat_frame  # noqa: PLC0415 - pandas

        rows = self._rows(path)
        for page in self.pages:
            rows = rows + page._rows(path)  # noqa: SLF001 - the same list, gone on
        return flat_frame(rows)

    def _rows(self, path: str | None) -> list[Any]:
        value = self.json()
        for step in path.split(".") if path else ():
            if isinstance(value, list) and step.isdigit() and int(step) < len(value):
                value = value[int(step)]
            elif isinstance(value, dict) and step in value:
                value = value[step]
            else:
                members = [str(key) for key in value] if isinstance(value, dict) else []
                msg = f"The reply has no {step!r} in {path!r}."
                raise ReplyError(
                    msg + did_you_mean(step, members),
                    hint=f"There is: {', '.join(members) or type(value).__name__}.",
                )
        if isinstance(value, dict) and not path:
            lists = [name for name, rows in value.items() if _is_rows(rows)]
            if self.envelope in value and isinstance(value[self.envelope], list):
                value = value[self.envelope]
            elif len(lists) == 1:
                value = value[lists[0]]
        return value if isinstance(value, list) else [value]

    def _title(self) -> str:
        from oauthmagic.views.texts import shown_url  # noqa: PLC0415 - see __repr__

        return f"{self.method} {shown_url(self.url)}"

    def __repr__(self) -> str:
        from oauthmagic.views.texts import reply_text  # noqa: PLC0415 - only when shown

        return reply_text(self)

    def _repr_html_(self) -> str:
        from oauthmagic.views.html import reply_html  # noqa: PLC0415 - only when shown

        return reply_html(self)


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)
