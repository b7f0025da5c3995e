"""Telling the server that a token is no longer needed: RFC 7009."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthmagic.flows.token_requests import build_request
from oauthmagic.oauth.responses import MAX_BYTES, read_error_response

if TYPE_CHECKING:
    from oauthmagic.flows.token_requests import Endpoint
    from oauthmagic.redaction import Secret
    from oauthmagic.transport.wire import Transport


def revoke_token(
    transport: Transport, endpoint: Endpoint, token: Secret, token_type_hint: str
) -> None:
    """Revoke one token (section 2.1).

    A server answers 200 for a token that it does not know, too (section 2.2).

    Args:
        transport: What sends it.
        endpoint: The `revocation_endpoint`, and as which client.
        token: The token.
        token_type_hint: "access_token" or "refresh_token".

    Raises:
        OAuthError: The server refused.
        RateLimited: HTTP 429.
        UnexpectedRedirect: The server redirects; nothing was sent on.
        TransportError: No usable answer came.
    """
    response = transport.send(
        build_request(endpoint, {"token": token, "token_type_hint": token_type_hint}),
        timeout=endpoint.timeout,
        limit=MAX_BYTES,
    )
    if 200 <= response.status < 300:  # noqa: PLR2004
        return
    raise read_error_response(response.status, response.header, response.body)
