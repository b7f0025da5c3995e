"""JSON as an API sends it, read with orjson where that is installed.

What comes out is the same with and without it. orjson reads integers over 64 bits
as floats, and refuses what Python's own reader accepts (NaN, half of a surrogate
pair, other encodings than UTF-8): such bodies are read by Python's.
"""

from __future__ import annotations

import importlib
import json
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# So many digits in a row may be an integer over 64 bits.
_LONG = b"0" * 19
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
# Nothing, too: the whole body. Fractions and texts have something else before them.
_BEFORE_INTEGERS = b":,[ \t\r\n-"
_decode = json.JSONDecoder().decode


def read_json(body: bytes) -> Any:
    """Return what a body says, as `json.loads` reads it.

    Raises:
        ValueError: It is not JSON, or deeper than this process can read.
    """
    try:
        return quick_reader()(body)
    except ValueError:
        # Python's own reader decides.
        pass
    try:
        return json.loads(body)
    except RecursionError:
        msg = "it is nested too deep"
        raise ValueError(msg) from None


@cache
def quick_reader() -> Callable[[bytes], Any]:
    """Return the reader for what is usual; it raises `ValueError` for the rest."""
    try:
        loads: Callable[[bytes], Any] = importlib.import_module("orjson").loads
    except ImportError:
        return _read
    return lambda body: loads(body) if not _has_long_number(body) else _read(body)


def _read(body: bytes) -> Any:
    try:
        return _decode(str(body, "utf-8"))
    except RecursionError:
        msg = "it is nested too deep"
        raise ValueError(msg) from None


def _has_long_number(body: bytes) -> bool:
    zeros = body.translate(_DIGITS)
    start = zeros.find(_LONG)
    while start >= 0:
        if zeros[start - 1 : start] in _BEFORE_INTEGERS:
            return True
        digits = len(zeros) - start - len(zeros[start:].lstrip(b"0"))
        start = zeros.find(_LONG, start + digits)
    return False
