"""The strict reader of introspection responses: RFC 7662, section 2.2.

An outcome is returned, never raised, as for a token response. Every text in a result
is fit to be shown: redacted, visible, cut.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import InvalidIntrospectionResponse, OAuthMagicError
from oauthmagic.oauth.responses import read_error_response
from oauthmagic.oauth.scopes import parse_scope
from oauthmagic.oauth.strict_json import read_object
from oauthmagic.redaction import quote

if TYPE_CHECKING:
    from collections.abc import Callable

#: The `token_type_hint` values of RFC 7009, section 2.1, that RFC 7662 takes over.
KINDS = ("access_token", "refresh_token")
#: The largest introspection response accepted, in bytes; real ones have under 1 KiB.
MAX_BYTES = 64 * 1024
#: The most scopes, and the most audiences, of a token.
MAX_SCOPES, MAX_AUDIENCES = 1000, 100
#: The most characters of a text that are kept: nothing here is more than looked at.
LONGEST = 200
#: The end of the year 9999, in seconds; a time in milliseconds lies behind it.
LATEST = 253_402_300_799


@dataclass(frozen=True, kw_only=True, slots=True)
class Introspection:
    """What an authorization server says of a token, checked and cleaned.

    Attributes:
        active: Whether it is good, as far as the server tells this client.
        scopes: The scopes, or None if the server did not say.
        client_id: The client it was issued to.
        username: The resource owner, for people.
        token_type: "Bearer", "DPoP".
        expires_at: `exp` (aware, UTC), or None.
        issued_at: `iat`, in the same way.
        not_before: `nbf`, in the same way.
        sub: The subject, for machines.
        aud: Whom it is for.
        iss: Who issued it.
        jti: Its identifier.
    """

    active: bool
    scopes: tuple[str, ...] | None = None
    client_id: str = ""
    username: str = ""
    token_type: str = ""
    expires_at: datetime | None = None
    issued_at: datetime | None = None
    not_before: datetime | None = None
    sub: str = ""
    aud: tuple[str, ...] = ()
    iss: str = ""
    jti: str = ""


def read_introspection(
    status: int, header: Callable[[str], str | None], body: bytes
) -> Introspection | OAuthMagicError:
    """Read the answer to an introspection request.

    Args:
        status: HTTP status code.
        header: Returns the value of a header by its name, or None.
        body: The decoded body.

    Returns:
        What it says, or the error to raise.
    """
    if status != 200:  # noqa: PLR2004 - section 2.2 knows no other
        if 200 <= status < 300:  # noqa: PLR2004
            return _invalid(f"its status is {status}, not 200")
        return read_error_response(status, header, body)
    media_type = (header("content-type") or "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        shown = quote(media_type, 60) or "no media type"
        return _invalid(f"its Content-Type is {shown}, not application/json")
    try:
        return _read_members(read_object(body, max_bytes=MAX_BYTES))
    except ValueError as error:
        return _invalid(str(error))


def _read_members(members: dict[str, Any]) -> Introspection:
    active = members.get("active")
    if not isinstance(active, bool):
        msg = "it does not say true or false for active"
        raise ValueError(msg)  # noqa: TRY004 - one kind of error for the reader
    if not active:
        # Whatever else it says, section 2.2 wants nothing said, nothing is known.
        return Introspection(active=False)
    return Introspection(
        active=True,
        scopes=_scopes(members),
        expires_at=_time(members, "exp"),
        issued_at=_time(members, "iat"),
        not_before=_time(members, "nbf"),
        aud=_audiences(members),
        client_id=_text(members, "client_id"),
        username=_text(members, "username"),
        token_type=_text(members, "token_type"),
        sub=_text(members, "sub"),
        iss=_text(members, "iss"),
        jti=_text(members, "jti"),
    )


def _text(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        msg = f"its {name} is not a text"
        raise ValueError(msg)  # noqa: TRY004 - one kind of error for the reader
    return quote(value, LONGEST)


def _scopes(members: dict[str, Any]) -> tuple[str, ...] | None:
    value = members.get("scope")
    if value is None:
        return None
    if not isinstance(value, str):
        msg = "its scope is not a text"
        raise ValueError(msg)  # noqa: TRY004 - one kind of error for the reader
    try:
        scopes = parse_scope(value)
    except ValueError:
        msg = "its scope has characters that no scope may have"
        raise ValueError(msg) from None
    if len(scopes) > MAX_SCOPES:
        msg = f"it has more than {MAX_SCOPES} scopes"
        raise ValueError(msg)
    return tuple(quote(scope, LONGEST) for scope in scopes)


def _audiences(members: dict[str, Any]) -> tuple[str, ...]:
    """Return `aud`: one text, or a list of them (RFC 7519, section 4.1.3)."""
    value = members.get("aud")
    found = [] if value is None else value if isinstance(value, list) else [value]
    if len(found) > MAX_AUDIENCES:
        msg = f"it has more than {MAX_AUDIENCES} audiences"
        raise ValueError(msg)
    if not all(isinstance(each, str) for each in found):
        msg = "its aud is neither a text nor a list of texts"
        raise ValueError(msg)
    return tuple(quote(each, LONGEST) for each in found)


def _time(members: dict[str, Any], name: str) -> datetime | None:
    """Return a time in seconds since 1970 (NumericDate: RFC 7519, section 2)."""
    value = members.get(name)
    if value is None:
        return None
    # bool is an int in Python, not in JSON.
    if isinstance(value, bool) or not isinstance(value, int | float):
        msg = f"its {name} is not a number"
        raise ValueError(msg)  # noqa: TRY004 - one kind of error for the reader
    if not 0 <= value <= LATEST:
        msg = f"its {name} is no time in seconds"
        raise ValueError(msg)
    return datetime.fromtimestamp(math.floor(value), UTC)


def _invalid(why: str) -> InvalidIntrospectionResponse:
    msg = f"The introspection response was refused: {why}."
    return InvalidIntrospectionResponse(msg)
