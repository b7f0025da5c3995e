"""One token request: build, send, read. RFC 6749, sections 3.2, 4 and 5.

Nothing is retried here: a refused password is sent exactly once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauthmagic.errors import OAuthMagicError
from oauthmagic.oauth import clients, grants
from oauthmagic.oauth.responses import MAX_BYTES, TokenResponse, read_token_response
from oauthmagic.transport.wire import WireRequest

if TYPE_CHECKING:
    from oauthmagic.redaction import Secret
    from oauthmagic.transport.wire import Transport


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """A token endpoint and how this client authenticates there.

    Attributes:
        url: The token endpoint.
        client_id: The client identifier; "" sends none.
        client_secret: The client secret, or None.
        token_endpoint_auth_method: See `oauthmagic.oauth.clients`.
        basic_encoding: "form" or "raw".
        timeout: Seconds for the whole exchange.
    """

    url: str
    client_id: str = ""
    client_secret: Secret | None = None
    token_endpoint_auth_method: str = "client_secret_basic"  # noqa: S105
    basic_encoding: str = "form"
    timeout: float = 8.0


def request_token(
    transport: Transport, endpoint: Endpoint, parameters: grants.Parameters
) -> TokenResponse:
    """Send a token request and return what was granted.

    Args:
        transport: What sends it.
        endpoint: Where to, and as which client.
        parameters: A grant's parameters, from `oauthmagic.oauth.grants`.

    Raises:
        OAuthError: The authorization server refused; one class per code.
        RateLimited: HTTP 429.
        ProtocolError: The answer is not a token response.
        TransportError: No usable answer came.
    """
    response = transport.send(
        build_request(endpoint, parameters), timeout=endpoint.timeout, limit=MAX_BYTES
    )
    outcome = read_token_response(response.status, response.header, response.body)
    if isinstance(outcome, OAuthMagicError):
        raise outcome
    return outcome


def build_request(endpoint: Endpoint, parameters: grants.Parameters) -> WireRequest:
    """Build the HTTP request of a token request."""
    headers, client = (
        clients.authenticate(
            endpoint.token_endpoint_auth_method,
            endpoint.client_id,
            endpoint.client_secret,
            basic_encoding=endpoint.basic_encoding,
        )
        if endpoint.client_id
        else ((), {})
    )
    return WireRequest(
        method="POST",
        url=endpoint.url,
        headers=(
            ("content-type", "application/x-www-form-urlencoded"),
            ("accept", "application/json"),
            *headers,
        ),
        body=grants.encode_form({**parameters, **client}),
    )
