"""How the simulated Paysafe answers and refuses.

Source: docs.paysafe.com, embedded wallets, error handling: the wrapper
`{"error": {"code", "message", "details", "fieldErrors"}}` and codes `DW-...`; 422 is
never used. Which shape the token endpoint has is not documented, so there are two
families: `oauth` (RFC 6749, section 5.2) and `wrapper`. Our inventions: every code
but those named as documented in `oauthmagic.sandbox.paysafe_resources`, and which
status goes with which.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from oauthmagic.errors import UnknownName
from oauthmagic.sandbox.answers import JSON, Answer, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Request


Header = tuple[str, str]
FAMILIES: Final = ("oauth", "wrapper")
NO_STORE: Final = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))


def json_answer(status: int, members: Mapping[str, object], *headers: Header) -> Answer:
    """Return an answer with a JSON body, its members in the order given.

    Args:
        status: HTTP status code.
        members: The members of the JSON object.
        headers: More headers, before the content type.
    """
    return Answer(
        status=status,
        headers=(*headers, ("Content-Type", JSON)),
        body=json.dumps(members, separators=(",", ":")).encode("ascii"),
    )


def wrapper(
    status: int,
    code: str,
    message: str,
    *headers: Header,
    field_errors: Mapping[str, str] | None = None,
    **more: object,
) -> Refusal:
    """Return a refusal in Paysafe's wrapper, ready to be raised.

    Args:
        status: HTTP status code.
        code: `DW-...`.
        message: One sentence.
        headers: More headers.
        field_errors: What is wrong, by field.
        more: More members, beside `error`.
    """
    error: dict[str, object] = {"code": code, "message": message, "details": []}
    error["fieldErrors"] = [
        {"field": field, "error": fault}
        for field, fault in (field_errors or {}).items()
    ]
    return Refusal(json_answer(status, {"error": error, **more}, *headers))


def invalid_field(field: str, fault: str) -> NoReturn:
    """Refuse a request for one of its fields.

    Raises:
        Refusal: Always.
    """
    raise wrapper(
        400,
        "DW-BAD-REQUEST",
        "One or more fields of the request are invalid.",
        field_errors={field: fault},
    )


@dataclass(frozen=True, slots=True)
class TokenErrors:
    """Shapes the errors of the token endpoint.

    Args:
        family: One of `FAMILIES`.

    Raises:
        UnknownName: There is no such family.
    """

    family: str

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            kind = "error family"
            raise UnknownName(kind, self.family, FAMILIES)

    def refusal(
        self, status: int, error: str, description: str, *headers: Header
    ) -> Refusal:
        """Return a refusal, ready to be raised.

        Args:
            status: HTTP status code.
            error: The code of RFC 6749, section 5.2.
            description: One sentence.
            headers: More headers.
        """
        headers = (*headers, *NO_STORE)
        if self.family == "wrapper":
            code = "DW-" + error.upper().replace("_", "-")
            return wrapper(status, code, description, *headers)
        members = {"error": error, "error_description": description}
        return Refusal(json_answer(status, members, *headers))

    def invalid_request(self, description: str) -> Refusal:
        """Refuse a request that lacks a parameter, repeats one or is malformed."""
        return self.refusal(400, "invalid_request", description)

    def invalid_grant(self, description: str) -> Refusal:
        """Refuse a user, a code or a refresh token."""
        return self.refusal(400, "invalid_grant", description)

    def invalid_client(self, description: str) -> Refusal:
        """Refuse a client, and say how it authenticates (RFC 6749, section 5.2)."""
        challenge = ("WWW-Authenticate", 'Basic realm="Authentication"')
        return self.refusal(401, "invalid_client", description, challenge)


def invalid_token(description: str, *, error: str = "invalid_token") -> Refusal:
    """Refuse an access token; that there is a Bearer challenge is our invention.

    Args:
        description: One sentence.
        error: The challenge's code; "" where no token was sent (RFC 6750, 3.1).
    """
    challenge = 'Bearer realm="Authentication"'
    if error:
        challenge += f', error="{error}", error_description="{description}"'
    return wrapper(401, "DW-UNAUTHORIZED", description, ("WWW-Authenticate", challenge))


def too_many_requests(
    wait: int, message: str = "The rate limit is exceeded."
) -> Refusal:
    """Return the refusal 429 (RFC 6585, section 4).

    Args:
        wait: Whole seconds for `Retry-After`.
        message: What there was too much of.
    """
    return wrapper(429, "DW-TOO-MANY-REQUESTS", message, ("Retry-After", str(wait)))


def http_error(error: HTTPException) -> Answer:
    """Return the answer to a request that no endpoint can take."""
    if isinstance(error, NotFound):
        return wrapper(404, "DW-NOT-FOUND", "There is nothing at this path.").answer
    if isinstance(error, MethodNotAllowed):
        allowed = ("Allow", ", ".join(sorted(error.valid_methods or ())))
        message = "This path has another method."
        return wrapper(405, "DW-METHOD-NOT-ALLOWED", message, allowed).answer
    message = f"{error.name}."
    return wrapper(error.code or 500, "DW-BAD-REQUEST", message).answer


def json_body(request: Request, *, optional: bool = False) -> dict[str, Any]:
    """Return the members of a request's JSON object.

    Args:
        request: The request.
        optional: Whether no body at all counts as an empty object.

    Raises:
        Refusal: The body is of another type, or is no JSON object.
    """
    if optional and not request.get_data():
        return {}
    if not request.is_json:
        invalid_field("Content-Type", "The body must be application/json.")
    try:
        members = request.get_json()
    except (HTTPException, RecursionError):
        invalid_field("body", "The body is not JSON.")
    if not isinstance(members, dict):
        invalid_field("body", "A JSON object is expected.")
    return members
