"""Asking for the keys that an issuer signs with: RFC 7517, section 5."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthmagic.errors import ProtocolError, RateLimited, UnexpectedRedirect
from oauthmagic.keys.key_sets import MAX_BYTES
from oauthmagic.redaction import quote
from oauthmagic.transport.urls import parse_url
from oauthmagic.transport.wire import WireRequest

if TYPE_CHECKING:
    from oauthmagic.transport.wire import Transport


def fetch_key_set(transport: Transport, url: str, *, timeout: float) -> bytes:
    """Return the body of a JWK Set; no token goes with the request.

    Args:
        transport: What sends it.
        url: The `jwks_uri`.
        timeout: Seconds for it.

    Raises:
        UrlRefused: It is no URL that may be asked; nothing was sent.
        UnexpectedRedirect: It redirects: keys are believed from where they are named.
        RateLimited: HTTP 429.
        ProtocolError: Another answer than 200.
        TransportError: No usable answer came.
    """
    parse_url(url, what="jwks_uri")
    request = WireRequest(
        method="GET", url=url, headers=(("accept", "application/json"),)
    )
    response = transport.send(request, timeout=timeout, limit=MAX_BYTES)
    status = response.status
    if status == 200:  # noqa: PLR2004 - nothing else has the keys
        return response.body
    if 300 <= status < 400:  # noqa: PLR2004
        msg = f"The jwks_uri redirects (HTTP {status}); it was not followed."
        hint = "Name the place that it leads to in the provider's file: jwks_uri."
        raise UnexpectedRedirect(msg, hint=hint)
    if status == 429:  # noqa: PLR2004
        wait = quote(response.header("retry-after") or "", 40)
        msg = "The provider answers too many requests to give its keys."
        raise RateLimited(msg, retry_after=wait)
    msg = f"The jwks_uri answered HTTP {status}: there are no keys to verify with."
    raise ProtocolError(msg, hint="Try again in a moment, or ask the provider.")
