"""Asking the server what it knows of a token: RFC 7662."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthmagic.flows.token_requests import build_request
from oauthmagic.oauth.introspection import MAX_BYTES, read_introspection
from oauthmagic.oauth.outcomes import settled

if TYPE_CHECKING:
    from oauthmagic.flows.token_requests import Endpoint
    from oauthmagic.oauth.introspection import Introspection
    from oauthmagic.redaction import Secret
    from oauthmagic.transport.wire import Transport


def introspect_token(
    transport: Transport, endpoint: Endpoint, token: Secret, token_type_hint: str
) -> Introspection:
    """Ask about one token (section 2.1).

    Args:
        transport: What sends it.
        endpoint: The `introspection_endpoint`, and as which client.
        token: The token.
        token_type_hint: "access_token" or "refresh_token".

    Raises:
        OAuthError: The server refused to tell.
        RateLimited: HTTP 429.
        ProtocolError: The answer is no introspection response, or a redirect.
        TransportError: No usable answer came.
    """
    response = transport.send(
        build_request(endpoint, {"token": token, "token_type_hint": token_type_hint}),
        timeout=endpoint.timeout,
        limit=MAX_BYTES,
    )
    return settled(read_introspection(response.status, response.header, response.body))
