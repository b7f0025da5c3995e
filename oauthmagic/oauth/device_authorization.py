"""The device authorization request and its response: RFC 8628, sections 3.1 and 3.2.

The token request that follows is `oauthmagic.oauth.grants.device_code`; when it may be
sent again is for `oauthmagic.flows.device_logins`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import InvalidDeviceResponse, OAuthMagicError
from oauthmagic.oauth.grants import with_scope
from oauthmagic.oauth.responses import read_error_response, seconds_in, token_in
from oauthmagic.oauth.strict_json import read_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from oauthmagic.oauth.grants import Parameters
    from oauthmagic.redaction import Secret

#: The largest response that is read.
MAX_BYTES = 64 * 1024
#: Section 3.2: how often to ask where the server does not say, in seconds.
INTERVAL = 5
#: Section 3.5: by how much to ask less often after `slow_down`.
SLOWER = 5
#: The longest a device login may take, in seconds: nobody keeps a code for a day.
MAX_LIFE = 24 * 3600

# Section 6.1: something that people can type. Blanks stand within some.
_USER_CODE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x21-\x7e])?")


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceAuthorization:
    """A device authorization response, checked.

    Attributes:
        device_code: What the client asks with.
        user_code: What the user enters.
        verification_uri: Where; it has yet to pass the URL gate.
        verification_uri_complete: Where, with the code in it, or "".
        expires_in: Whole seconds that both codes live.
        interval: Whole seconds between two questions, at least.
    """

    device_code: Secret
    user_code: str
    verification_uri: str
    verification_uri_complete: str = ""
    expires_in: int
    interval: int = INTERVAL


def device_authorization_request(scopes: Iterable[str]) -> Parameters:
    """Build a device authorization request (section 3.1); the client adds its own."""
    return with_scope({}, scopes)


def read_device_authorization_response(
    status: int, header: Callable[[str], str | None], body: bytes
) -> DeviceAuthorization | OAuthMagicError:
    """Read the answer to a device authorization request.

    Args:
        status: HTTP status code.
        header: Returns the value of a header by its name, or None.
        body: The decoded body.

    Returns:
        The response, or the error to raise.
    """
    if not 200 <= status < 300:  # noqa: PLR2004
        return read_error_response(status, header, body)
    try:
        members = read_object(body, max_bytes=MAX_BYTES)
        if "error" in members and "device_code" not in members:
            return read_error_response(status, header, body)
        return _read_members(members)
    except ValueError as error:
        msg = f"The device authorization response was refused: {error}."
        return InvalidDeviceResponse(msg)


def _read_members(members: dict[str, Any]) -> DeviceAuthorization:
    device_code = token_in(members, "device_code")
    expires_in = seconds_in(members, "expires_in", least=1)
    if device_code is None or expires_in is None:
        msg = f"it has no {'expires_in' if device_code else 'device_code'}"
        raise ValueError(msg)
    user_code = _text(members, "user_code")
    if not _USER_CODE.fullmatch(user_code):
        msg = "it has no user_code that people can type"
        raise ValueError(msg)
    # Google calls it by the name that the drafts had.
    name = "verification_uri" if "verification_uri" in members else "verification_url"
    interval = seconds_in(members, "interval", least=0)
    # Zero would mean to ask without a pause.
    interval = INTERVAL if interval is None else max(interval, 1)
    if interval >= expires_in:
        msg = "its interval is not shorter than its life"
        raise ValueError(msg)
    uri = _text(members, name)
    if not uri:
        msg = "it has no verification_uri"
        raise ValueError(msg)
    return DeviceAuthorization(
        device_code=device_code,
        user_code=user_code,
        verification_uri=uri,
        verification_uri_complete=_text(members, "verification_uri_complete"),
        expires_in=min(expires_in, MAX_LIFE),
        interval=interval,
    )


def _text(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str | None):
        msg = f"its {name} is not a text"
        raise ValueError(msg)  # noqa: TRY004 - one kind of error for the reader
    return value or ""
