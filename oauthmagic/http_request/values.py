"""From a Python value to the text that stands for it in a request.

Only plain scalars pass. The base type's own method is used, never one that the
value brings along, so filling in a request runs nobody's code.
"""

from __future__ import annotations

import math
import numbers
import operator
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, SupportsIndex

from oauthmagic.errors import RequestSyntaxError

if TYPE_CHECKING:
    from collections.abc import Callable

    from oauthmagic.http_request.templates import Reference

_ALLOWED = "Text, numbers, true or false, dates and times can be put into a request"
_NOT_PLAIN = {
    type(None): "None",
    float: "not a finite number",
    Decimal: "not a finite number",
    int: "an integer of too many digits",
}
# numpy's bool is registered nowhere; its name differs between numpy 1 and 2.
_NUMPY_BOOL = {("numpy", "bool"), ("numpy", "bool_")}


@dataclass(frozen=True, kw_only=True, slots=True)
class Value:
    """A value, ready to be encoded for the field that it goes into.

    Attributes:
        text: The text; never shown.
        bare: Whether the text is a JSON number, `true` or `false`, and may stand
            in a JSON body without quotes.
    """

    text: str
    bare: bool = False

    def __repr__(self) -> str:
        return f"Value(<{len(self.text)} characters>, bare={self.bare})"


def read_value(value: object, reference: Reference) -> Value:
    """Return the text for a value.

    Args:
        value: What was found under the reference's name.
        reference: Where it is to go.

    Raises:
        RequestSyntaxError: The value is not a plain scalar. The message names its
            type and never the value.
    """
    # type(), for isinstance() would ask the value's own __class__.
    kind = type(value)
    plain = _scalar(value, kind)
    if plain is None:
        advice = (
            " Use .reveal() where you mean it." if kind.__name__ == "Secret" else ""
        )
        what = _NOT_PLAIN.get(kind, f"of type {kind.__name__}")
        msg = f"The value of {reference} is {what} and cannot be filled in."
        raise RequestSyntaxError(msg, hint=f"{_ALLOWED}.{advice}")
    try:
        plain.text.encode("utf-8")
    except UnicodeEncodeError:
        msg = f"The value of {reference} is not valid Unicode text."
        raise RequestSyntaxError(
            msg, hint="It holds half of a surrogate pair; decode its source as UTF-8."
        ) from None
    return plain


def _scalar(value: object, kind: type) -> Value | None:
    if (kind.__module__, kind.__name__) in _NUMPY_BOOL:
        return Value(text=_boolean(value), bare=True)
    if kind.__name__ == "NaTType":  # pandas' missing datetime is a datetime
        return None
    for base, write, bare in _WRITERS:
        if issubclass(kind, base):
            text = write(value)
            return None if text is None else Value(text=text, bare=bare)
    return None


def _boolean(value: object) -> str:
    return "true" if value else "false"


def _integer(value: SupportsIndex) -> str | None:
    try:
        return int.__repr__(operator.index(value))
    except ValueError:  # more digits than Python writes
        return None


def _float(value: float) -> str | None:
    return float.__repr__(value) if math.isfinite(value) else None


def _decimal(value: Decimal) -> str | None:
    return Decimal.__str__(value) if Decimal.is_finite(value) else None


#: Base type, how it is written, whether that is a bare JSON value. The first that
#: fits counts: a bool is an int, and a datetime is a date.
_WRITERS: tuple[tuple[type, Callable[[Any], str | None], bool], ...] = (
    (str, str.__str__, False),
    (bool, _boolean, True),
    (int, _integer, True),
    (float, _float, True),
    (Decimal, _decimal, True),
    (numbers.Integral, _integer, True),  # numpy's integers, out of a DataFrame
    (datetime, datetime.isoformat, False),
    (date, date.isoformat, False),
    (time, time.isoformat, False),
)
