"""Values that do not show, and the one redactor that knows them all.

A `Secret` gives its value only to `.reveal()`. Every live `Secret` is known to
`redact`, so text from a server, an exception or a library's log can be cleaned
without knowing where it came from.

This module imports the standard library only.
"""

from __future__ import annotations

import base64
import html
import json
import logging
import re
import threading
import urllib.parse
import weakref
from typing import TYPE_CHECKING, Any, NoReturn

from oauthmagic.errors import SecretRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MASK = "[secret]"
#: Shorter values would blank out ordinary words; they are masked only where they
#: stand alone.
SHORTEST_IN_TEXT = 6
#: The longest server text that an error may quote.
LONGEST_QUOTE = 300

_live: weakref.WeakValueDictionary[int, Secret] = weakref.WeakValueDictionary()
_live_lock = threading.Lock()
# C0 and C1 controls, the characters that reorder or hide text in a browser, and
# halves of surrogate pairs, which no output can write.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+"
)
_AUTHORIZATION = re.compile(r"(?i)(\b(?:bearer|basic|dpop)\s+)[a-z0-9._~+/=-]{16,}")


class Secret:
    """A text that does not show itself.

    `bool(secret)` is true. Showing it gives `[secret]`; comparing, iterating,
    measuring, pickling or copying it out raises `SecretRefused`.

    Args:
        value: The text to keep.
    """

    __slots__ = ("__weakref__", "_open")
    _open: Callable[[], str]

    def __init__(self, value: str) -> None:
        if not isinstance(value, str):
            msg = f"A secret is a text, not {type(value).__name__}."
            raise SecretRefused(msg, hint="Give it as a string.")
        # Behind a closure: variable inspectors list attributes, not cells.
        object.__setattr__(self, "_open", lambda: value)
        with _live_lock:
            _live[id(self)] = self

    def reveal(self) -> str:
        """Return the value. Whatever you do with it, it is no longer redacted."""
        return self._open()

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return MASK

    def __dir__(self) -> list[str]:
        return ["reveal"]

    def __setattr__(self, name: str, value: object) -> NoReturn:
        self._refuse("changed")

    def __delattr__(self, name: str) -> NoReturn:
        self._refuse("changed")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        msg = "A secret cannot be pickled or stored."
        raise SecretRefused(
            msg,
            hint="Pass the target's name, for example 'revsto@demo', and ask a "
            "Session for the token there.",
        )

    def __eq__(self, other: object) -> bool:
        self._refuse("compared")

    def __hash__(self) -> int:
        self._refuse("hashed")

    def __len__(self) -> int:
        self._refuse("measured")

    def __iter__(self) -> Iterator[str]:
        self._refuse("iterated over")

    def __getitem__(self, index: object) -> str:
        self._refuse("indexed")

    def __contains__(self, item: object) -> bool:
        self._refuse("searched")

    def __add__(self, other: object) -> str:
        self._refuse("joined to a text")

    __radd__ = __add__

    def __bytes__(self) -> bytes:
        self._refuse("turned into bytes")

    def _refuse(self, verb: str) -> NoReturn:
        msg = f"A secret cannot be {verb}."
        raise SecretRefused(msg)


def live_values() -> list[str]:
    """Return the values of all live secrets, longest first."""
    with _live_lock:
        secrets = list(_live.values())
    return sorted({secret.reveal() for secret in secrets}, key=len, reverse=True)


def encodings(value: str) -> list[str]:
    """Return the forms in which a value may turn up in other text, longest first.

    As it is, percent-encoded, as JSON, HTML, Python or hexadecimal text, reversed,
    and in base64 at each of the three alignments it can have inside a longer text.
    """
    raw = value.encode("utf-8", "surrogatepass")
    forms = {
        value,
        urllib.parse.quote(raw, safe=""),
        urllib.parse.quote(raw, safe="").lower(),
        urllib.parse.quote(raw),
        urllib.parse.quote_plus(raw),
        json.dumps(value)[1:-1],
        json.dumps(value)[1:-1].replace("/", "\\/"),
        json.dumps(value, ensure_ascii=False)[1:-1],
        html.escape(value),
        repr(value)[1:-1],
        value.encode("unicode_escape").decode("ascii"),
        value[::-1],
        raw.hex(),
        raw.hex().upper(),
    }
    # RFC 6749, section 2.3.1, writes a client's password as a form before base64.
    for written in {raw, urllib.parse.quote_plus(raw).encode()}:
        for shift in range(3):
            encoded = base64.b64encode(b"\0" * shift + written).decode("ascii")
            # Only the characters that depend on the value alone.
            first = (0, 2, 3)[shift]
            last = (len(written) + shift) * 8 // 6
            part = encoded[first:last]
            forms |= {part, part.translate(str.maketrans("+/", "-_"))}
    return sorted(
        (form for form in forms if len(form) >= SHORTEST_IN_TEXT),
        key=len,
        reverse=True,
    )


def redact(text: str) -> str:
    """Return `text` with every live secret masked, in any of its `encodings`.

    What looks like credentials in an Authorization header is masked as well.
    """
    for value in live_values():
        if len(value) < SHORTEST_IN_TEXT:
            if value:
                text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", MASK, text)
            continue
        for form in encodings(value):
            if form in text:
                text = text.replace(form, MASK)
    return _AUTHORIZATION.sub(rf"\1{MASK}", text)


def quote(text: object, limit: int = LONGEST_QUOTE) -> str:
    """Return text from a server, fit for an error: redacted, visible, cut.

    Args:
        text: What the server sent; anything but a text gives an empty result.
        limit: The most characters to return.
    """
    if not isinstance(text, str):
        return ""
    # Cut last: half a secret would not be known.
    visible = _INVISIBLE.sub(" ", redact(text)).strip()
    return visible if len(visible) <= limit else visible[: limit - 3] + "..."


class RedactingFilter(logging.Filter):
    """Redacts log records, their arguments and their tracebacks included."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the record's message by its redacted form; keep the record."""
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - a broken log call must not break the caller
            message = str(record.msg)
        record.msg, record.args = redact(message), None
        if record.exc_info:
            record.exc_text = redact(
                logging.Formatter().formatException(record.exc_info)
            )
            record.exc_info = None
        return True
