"""How the simulated STET bank answers and refuses.

Source: bodies that a client of BPCE recorded. A resource says
`{"timestamp","status","error","message","path"}`, but for a bad token
`{"errorMessage"}`, both without a challenge; the token endpoint speaks RFC 6749.
The provider's page says instead that a 401 has "an error equal to invalid_token".
So there are two families:

    bpce  as recorded
    rfc   as the page and RFC 6750 say it: `error` in the body and in a challenge;
          a certificate of somebody else is 401 (RFC 8705), not 403
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from oauthmagic.errors import UnknownName
from oauthmagic.sandbox.answers import JSON, Answer, Refusal

if TYPE_CHECKING:
    from datetime import datetime

FAMILIES: Final = ("bpce", "rfc")
SIGNATURES: Final = ("required", "checked", "ignored")


@dataclass(kw_only=True, slots=True)
class Settings:
    """What can differ from bank to bank, or is not documented.

    Attributes:
        errors: One of `FAMILIES`.
        signatures: `"checked"` verifies what is signed; `"required"` wants it;
            `"ignored"` does not look.
        signed_method: `"real"`, or `"post"` for a bank that expects `post` in
            `(request-target)` whatever the method is.
        strict: Refuse `scope` where a code is exchanged or a token refreshed.
        refresh_days: How long after the customer's authentication a refresh token
            works: 90 (older pages) or 180 (newer ones).
        access_seconds: Life of a customer's access token.
        page_size: Transactions in one page.
        quota: Calls a day without the customer.
    """

    errors: str = "bpce"
    signatures: str = "checked"
    signed_method: str = "real"
    strict: bool = False
    refresh_days: int = 90
    access_seconds: int = 300
    page_size: int = 20
    quota: int = 4

    def __post_init__(self) -> None:
        for kind, value, known in (
            ("error family", self.errors, FAMILIES),
            ("setting for signatures", self.signatures, SIGNATURES),
            ("signed method", self.signed_method, ("real", "post")),
        ):
            if value not in known:
                raise UnknownName(kind, value, known)


class BankRefusal(Exception):
    """Raised where a resource is refused; the answer depends on the family.

    Args:
        status: HTTP status code.
        message: What the bank says.
        error: The code of RFC 6750, section 3.1, if there is one.
        scope: The scope that the request needs, if that is why.
    """

    def __init__(
        self, status: int, message: str, error: str = "", scope: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.error = error
        self.scope = scope


def json_of(status: int, members: object = None, *headers: tuple[str, str]) -> Answer:
    """Return an answer as a bank writes it: UTF-8; without members, no body.

    Args:
        status: HTTP status code.
        members: What becomes JSON, or None.
        headers: More headers.
    """
    if members is None:
        return Answer(status=status, headers=headers)
    text = json.dumps(members, separators=(",", ":"), ensure_ascii=False)
    return Answer(
        status=status,
        headers=(*headers, ("Content-Type", f"{JSON};charset=UTF-8")),
        body=text.encode(),
    )


def refusal_answer(
    refusal: BankRefusal, *, family: str, path: str, now: datetime
) -> Answer:
    """Return the answer to a resource request that is refused.

    Args:
        refusal: Why.
        family: One of `FAMILIES`.
        path: The path that was asked for.
        now: The time (aware).
    """
    status, error = refusal.status, refusal.error
    needs = f', scope="{refusal.scope}"' if refusal.scope else ""
    challenge = ("WWW-Authenticate", f'Bearer error="{error}"{needs}')
    if family == "rfc" and error:
        members = {"error": error, "error_description": refusal.message}
        return json_of(status, members, challenge)
    if status == HTTPStatus.UNAUTHORIZED:
        return json_of(status, {"errorMessage": refusal.message})
    recorded = {
        "timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        "status": status,
        "error": HTTPStatus(status).phrase,
        "message": refusal.message,
        "path": path,
    }
    # No 403 for a scope was recorded; that it has a challenge is our invention.
    return json_of(status, recorded, *[challenge] * bool(refusal.scope))


def oauth_refusal(status: int, error: str, description: str) -> Refusal:
    """Return the refusal of a token request (RFC 6749, section 5.2).

    Args:
        status: HTTP status code.
        error: The code.
        description: Our explanation.
    """
    members = {"error": error, "error_description": description}
    return Refusal(
        json_of(status, members, ("Cache-Control", "no-store"), ("Pragma", "no-cache"))
    )
