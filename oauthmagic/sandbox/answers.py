"""An answer, before there is any HTTP around it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON: Final = "application/json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a simulated server says.

    Attributes:
        status: HTTP status code.
        headers: Names and values, in order.
        body: The bytes; never shown, for they may hold tokens.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)


class Refusal(Exception):
    """Raised where a request is refused; carries the answer.

    Args:
        answer: What to send.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def json_answer(
    status: int,
    members: Mapping[str, object],
    *headers: tuple[str, str],
    content_type: str = JSON,
) -> Answer:
    """Return an answer with a JSON body, its members in the order given.

    Args:
        status: HTTP status code.
        members: The members of the JSON object.
        headers: More headers, before the content type.
        content_type: Media type, with parameters if any.
    """
    # PHP's json_encode: no spaces, ASCII only, slashes escaped.
    text = json.dumps(members, separators=(",", ":")).replace("/", "\\/")
    return Answer(
        status=status,
        headers=(*headers, ("Content-Type", content_type)),
        body=text.encode("ascii"),
    )


def refuse(status: int, error: str, description: str, **more: object) -> NoReturn:
    """Refuse a request where no page shows how; the body is our invention.

    Args:
        status: HTTP status code.
        error: Our code for it.
        description: Our explanation.
        more: More members of the body.

    Raises:
        Refusal: Always.
    """
    members = {"error": error, "error_description": description, **more}
    raise Refusal(json_answer(status, members))


def invalid(field: str, description: str) -> NoReturn:
    """Refuse a request for one of its fields.

    Args:
        field: Where it is, for example `accounting[0].amount`.
        description: What is wrong with it.

    Raises:
        Refusal: Always.
    """
    refuse(400, "invalid_request", description, field=field)
