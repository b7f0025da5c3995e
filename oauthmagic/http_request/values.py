"""From a Python value to the text that stands for it in a request.

Only plain scalars pass (`scalars`); what is refused is named by its type, with what
to do about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from oauthmagic.errors import RequestSyntaxError
from oauthmagic.http_request.scalars import scalar_text

if TYPE_CHECKING:
    from oauthmagic.http_request.templates import Reference

_ALLOWED = (
    "Text, numbers, true or false, dates and times, UUIDs can be put into a request."
)
_NOT_PLAIN = {
    type(None): "None",
    float: "not a finite number",
    Decimal: "not a finite number",
    int: "an integer of too many digits",
}
_MISSING = (
    "Write null in the JSON body itself, or leave the field out; "
    "or give NAME a value first."
)
_BODY = (
    "It can be the whole body: payload = {}, and {{{{payload}}}} alone below the "
    "headers. A single value goes in by a name of its own."
)
_JSON = _BODY.format("json.dumps(NAME)")
_NO_NUMBER = "JSON has no such number. Give NAME a finite one."
_FLOATS = ("float", "float16", "float32", "float64", "longdouble", "Decimal")
_UNIT = "Choose a unit: seconds = NAME.total_seconds(), and {{seconds}} here."
_OTHER = f"{_ALLOWED} Make a text of it: text = str(NAME), and {{{{text}}}} here."
#: What to do about a value, by the name of its type.
_REMEDIES = {
    "NoneType": _MISSING,
    "NAType": _MISSING,
    "NaTType": _MISSING,
    **dict.fromkeys(_FLOATS, _NO_NUMBER),
    "dict": _JSON,
    "list": _JSON,
    "tuple": _JSON,
    "ndarray": _BODY.format("json.dumps(NAME.tolist())"),
    "Series": _BODY.format("NAME.to_json(orient='values')"),
    "DataFrame": _BODY.format("NAME.to_json(orient='records')"),
    "bytes": "Make a text of it: text = NAME.decode(), and {{text}} here.",
    "timedelta": _UNIT,
    "Timedelta": _UNIT,
    "Secret": f"{_ALLOWED} Use .reveal() where you mean it.",
}


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
    found, kind = scalar_text(value), type(value)
    # Tracebacks show what a frame still has.
    del value
    if found is None:
        raise _refusal(kind, reference)
    text, bare = found
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        msg = f"The value of {reference} is not valid Unicode text."
        raise RequestSyntaxError(
            msg, hint="It holds half of a surrogate pair; decode its source as UTF-8."
        ) from None
    return Value(text=text, bare=bare)


def _refusal(kind: type, reference: Reference) -> RequestSyntaxError:
    what = _NOT_PLAIN.get(kind, f"of type {kind.__name__}")
    remedy = _REMEDIES.get(kind.__name__, _OTHER)
    return RequestSyntaxError(
        f"The value of {reference} is {what} and cannot be filled in.",
        hint=remedy.replace("NAME", reference.name),
    )
