"""The one strict reader of token responses: RFC 6749, sections 5.1 and 5.2.

An outcome is returned, never raised: the caller raises it from a frame that
holds no token in plain text, so that no traceback can show one.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import (
    InvalidTokenResponse,
    OAuthError,
    OAuthMagicError,
    RateLimited,
    UnexpectedRedirect,
)
from oauthmagic.oauth.scopes import parse_scope
from oauthmagic.oauth.strict_json import read_object
from oauthmagic.redaction import Secret, quote

if TYPE_CHECKING:
    from collections.abc import Callable

#: The largest token response accepted, in bytes.
MAX_BYTES = 1 << 20
#: The longest life of a token accepted, in seconds: ten years.
MAX_LIFE = 10 * 366 * 24 * 3600
#: The longest token accepted: it must fit a header.
MAX_TOKEN = 64 * 1024
#: What an `error` may be to be repeated (RFC 6749, section 5.2, allows more).
ERROR_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")

_VISIBLE = re.compile(r"[\x21-\x7e]+")
_DIGITS = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenResponse:
    """A successful token response, checked.

    Attributes:
        access_token: The access token.
        token_type: "Bearer".
        expires_in: Whole seconds the access token lives, or None if not said.
        refresh_token: The refresh token, or None.
        refresh_expires_in: Whole seconds the refresh token lives, or None.
        id_token: The ID token, unverified, or None.
        scopes: The scopes granted, or None if the server did not say.
    """

    access_token: Secret
    token_type: str = "Bearer"  # noqa: S105 - the kind, not a token
    expires_in: int | None = None
    refresh_token: Secret | None = None
    refresh_expires_in: int | None = None
    id_token: Secret | None = None
    scopes: tuple[str, ...] | None = None


def read_token_response(
    status: int, header: Callable[[str], str | None], body: bytes
) -> TokenResponse | OAuthMagicError:
    """Read the answer to a token request.

    Args:
        status: HTTP status code.
        header: Returns the value of a header by its name, or None.
        body: The decoded body.

    Returns:
        The token response, or the error to raise.
    """
    if not 200 <= status < 300:  # noqa: PLR2004
        return read_error_response(status, header, body)
    media_type = (header("content-type") or "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        shown = quote(media_type, 60) or "no media type"
        return _invalid(f"its Content-Type is {shown}, not application/json")
    try:
        members = read_object(body, max_bytes=MAX_BYTES)
    except ValueError as error:
        return _invalid(str(error))
    if "error" in members and members.get("access_token") is None:
        return _error_from(members, status)
    return _read_members(members)


def _read_members(members: dict[str, Any]) -> TokenResponse | InvalidTokenResponse:
    try:
        access_token = token_in(members, "access_token")
        if access_token is None:
            return _invalid("it has no access_token")
        token_type = members.get("token_type")
        if not isinstance(token_type, str) or token_type.lower() != "bearer":
            return _invalid(
                "it has no token_type"
                if token_type is None
                else "its token_type is not Bearer"
            )
        return TokenResponse(
            access_token=access_token,
            expires_in=seconds_in(members, "expires_in", least=1),
            refresh_token=token_in(members, "refresh_token"),
            # Keycloak says 0 where a refresh token has no end of its own.
            refresh_expires_in=seconds_in(members, "refresh_expires_in", least=0)
            or None,
            id_token=token_in(members, "id_token"),
            scopes=_scopes(members),
        )
    except ValueError as error:
        return _invalid(str(error))


def token_in(members: dict[str, Any], name: str) -> Secret | None:
    """Return a member that is a token, or None without it.

    Raises:
        ValueError: It is none.
    """
    value = members.get(name)
    if value is None or (value == "" and name != "access_token"):
        return None
    if not isinstance(value, str):
        msg = f"its {name} is not a text"
        raise ValueError(msg)  # noqa: TRY004 - one kind of error for the reader
    if not _VISIBLE.fullmatch(value):
        msg = f"its {name} is empty or has characters that no token may have"
        raise ValueError(msg)
    if len(value) > MAX_TOKEN:
        msg = f"its {name} is longer than {MAX_TOKEN // 1024} KiB"
        raise ValueError(msg)
    return Secret(value)


def seconds_in(members: dict[str, Any], name: str, *, least: int) -> int | None:
    """Return a member that is a number of seconds, floored, or None without it.

    Raises:
        ValueError: It is none.
    """
    value = members.get(name)
    if value is None:
        return None
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    # bool is an int in Python, not in JSON.
    if isinstance(value, bool) or not isinstance(value, int | float):
        msg = f"its {name} is not a number of seconds"
        raise ValueError(msg)  # noqa: TRY004 - one kind of error for the reader
    # Compared as it is: JSON's 1e999 is infinite here, and no integer.
    if not least <= value < MAX_LIFE + 1:
        msg = f"its {name} is not between {least} second and ten years"
        raise ValueError(msg)
    return math.floor(value)


def _scopes(members: dict[str, Any]) -> tuple[str, ...] | None:
    value = members.get("scope")
    if value is None:
        return None
    if not isinstance(value, str):
        msg = "its scope is not a text"
        raise ValueError(msg)  # noqa: TRY004 - one kind of error for the reader
    return parse_scope(value) or None


def read_error_response(
    status: int, header: Callable[[str], str | None], body: bytes
) -> OAuthMagicError:
    """Read the refusal of an authorization server (RFC 6749, section 5.2).

    Args:
        status: HTTP status code, not 2xx.
        header: Returns the value of a header by its name, or None.
        body: The decoded body.
    """
    if 300 <= status < 400:  # noqa: PLR2004
        msg = f"The endpoint answered with a redirect (HTTP {status})."
        return UnexpectedRedirect(msg)
    try:
        members = read_object(body, max_bytes=MAX_BYTES)
    except ValueError:
        members = {}
    if status == 429:  # noqa: PLR2004
        return RateLimited(
            "The authorization server answered HTTP 429: too many requests.",
            retry_after=quote(header("retry-after"), 40),
        )
    return _error_from(members, status)


def _error_from(members: dict[str, Any], status: int) -> OAuthError:
    code = members.get("error")
    description = quote(members.get("error_description"))
    if isinstance(code, dict):
        # Some API gateways wrap their own code and message.
        description = description or quote(code.get("message"))
        code = code.get("code")
    if not isinstance(code, str) or not ERROR_CODE.fullmatch(code):
        return OAuthError(
            description or quote(members.get("message")),
            status=status,
            hint=""
            if members
            else "The answer was not an OAuth error; "
            "check the token endpoint's URL and whether the service is up.",
        )
    # League's own member says which parameter or scope it means.
    detail = quote(members.get("hint"))
    if detail:
        description = f"{description} {detail}".strip()
    return OAuthError.for_code(code)(
        description,
        error=code,
        error_uri=quote(members.get("error_uri")),
        status=status,
    )


def _invalid(why: str) -> InvalidTokenResponse:
    msg = f"The token response was refused: {why}."
    return InvalidTokenResponse(msg)
