"""One token request: build, send, read. RFC 6749, sections 3.2, 4 and 5.

Nothing is retried here: a refused password is sent exactly once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauthmagic.errors import OAuthMagicError, StepUpRequired
from oauthmagic.oauth import clients, grants
from oauthmagic.oauth.responses import MAX_BYTES, TokenResponse, read_token_response
from oauthmagic.oauth.sca import read_challenge
from oauthmagic.transport.wire import WireRequest

if TYPE_CHECKING:
    from oauthmagic.oauth.sca import ScaEvent
    from oauthmagic.redaction import Secret
    from oauthmagic.transport.wire import Headers, Transport, WireResponse


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
        step_up: Whether it may ask for a second factor.
    """

    url: str
    client_id: str = ""
    client_secret: Secret | None = None
    token_endpoint_auth_method: str = "client_secret_basic"  # noqa: S105
    basic_encoding: str = "form"
    timeout: float = 8.0
    step_up: bool = False


def request_token(
    transport: Transport,
    endpoint: Endpoint,
    parameters: grants.Parameters,
    headers: Headers = (),
) -> TokenResponse:
    """Send a token request and return what was granted.

    Args:
        transport: What sends it.
        endpoint: Where to, and as which client.
        parameters: A grant's parameters, from `oauthmagic.oauth.grants`.
        headers: Further headers, for example the proof of a second factor.

    Raises:
        OAuthError: The authorization server refused; one class per code.
        RateLimited: HTTP 429.
        StepUpRequired: The server asks for a second factor first.
        ProtocolError: The answer is not a token response.
        TransportError: No usable answer came.
    """
    response = transport.send(
        build_request(endpoint, parameters, headers),
        timeout=endpoint.timeout,
        limit=MAX_BYTES,
    )
    event = step_up(response) if endpoint.step_up else None
    if event is not None:
        raise StepUpRequired(event)
    outcome = read_token_response(response.status, response.header, response.body)
    del response  # it holds the token
    if isinstance(outcome, OAuthMagicError):
        raise outcome
    return outcome


def step_up(response: WireResponse) -> ScaEvent | None:
    """Return the second factor that a response asks for, or None.

    Raises:
        InvalidChallenge: It asks in a way that cannot be read.
    """
    if response.status != 401:  # noqa: PLR2004
        return None
    return read_challenge(response.joined("www-authenticate"))


def build_request(
    endpoint: Endpoint, parameters: grants.Parameters, more: Headers = ()
) -> WireRequest:
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
            *more,
        ),
        body=grants.encode_form({**parameters, **client}),
    )
