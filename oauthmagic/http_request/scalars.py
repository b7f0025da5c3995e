"""The one text of a plain value, for the types that have one.

The base type's own method is used, never one that the value brings along, so filling
in a request runs nobody's code. What numpy and pandas write is checked against the
form that it must have; neither is imported here.
"""

from __future__ import annotations

import math
import numbers
import operator
import re
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, SupportsIndex
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable

#: A number of JSON (RFC 8259, section 6).
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")

# ISO 8601, from the year down to whatever the value knows.
_MOMENT = re.compile(
    r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2}(?:T[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}"
    r"(?:\.[0-9]+)?)?)?(?:[+-][0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?)?)?)?"
)
# numpy writes all nine digits of a nanosecond; Python as many as say something.
_NO_FRACTION = re.compile(r"\.0+$")
_MICROSECONDS = re.compile(r"(\.[0-9]{6})000$")


def scalar_text(value: object) -> tuple[str, bool] | None:
    """Return the text of a value, and whether it is a bare JSON value.

    Args:
        value: Anything.

    Returns:
        None for a value that has no obvious text.
    """
    # type(), for isinstance() would ask the value's own __class__.
    kind = type(value)
    foreign = next((base for base in kind.__mro__ if _library(base)), None)
    if foreign is not None and not issubclass(kind, (str, float)):
        return _foreign_text(value, foreign)
    if issubclass(kind, Enum) and not issubclass(kind, (str, int, float)):
        # An enumeration of other values could mean its names as well.
        inner = object.__getattribute__(value, "_value_")
        return (str.__str__(inner), False) if issubclass(type(inner), str) else None
    for base, write, bare in _WRITERS:
        if issubclass(kind, base):
            text = write(value)
            return None if text is None else (text, bare)
    return None


def _library(kind: type) -> str:
    root = str(kind.__module__).partition(".")[0]
    return root if root in {"numpy", "pandas"} else ""


def _foreign_text(value: Any, kind: Any) -> tuple[str, bool] | None:
    """Return the text of a scalar of numpy or pandas, as its own type writes it."""
    name = kind.__name__
    if name in {"bool", "bool_"}:  # numpy 2 and 1
        return _boolean(value), True
    if issubclass(kind, numbers.Real):
        text = kind.__str__(value)
        return (text, True) if NUMBER.fullmatch(text) else None
    if name == "datetime64":
        text = kind.__str__(value)
    elif name == "Timestamp":
        text = kind.isoformat(value)
    else:
        return None
    text = _MICROSECONDS.sub(r"\1", _NO_FRACTION.sub("", text))
    return (text, False) if _MOMENT.fullmatch(text) else None


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
    (numbers.Integral, _integer, True),
    (datetime, datetime.isoformat, False),
    (date, date.isoformat, False),
    (time, time.isoformat, False),
    (UUID, UUID.__str__, False),
)
