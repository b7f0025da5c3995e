"""From credentials to a token: one token request and what follows from its answer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from oauthmagic.errors import InvalidGrant, InvalidRequest, OAuthError, RateLimited
from oauthmagic.flows.token_requests import Endpoint, request_token
from oauthmagic.oauth import grants
from oauthmagic.oauth.tokens import Token, fingerprint

if TYPE_CHECKING:
    from datetime import datetime

    from oauthmagic.oauth.credentials import Credentials
    from oauthmagic.oauth.responses import TokenResponse
    from oauthmagic.runtime.world import World
    from oauthmagic.transport.wire import Headers

#: Codes by which a server says that the credentials themselves are wrong.
WRONG_CREDENTIALS = ("invalid_grant", "invalid_credentials", "invalid_client")


def grant_parameters(
    grant: str, scopes: tuple[str, ...], credentials: Credentials
) -> grants.Parameters:
    """Return the parameters of a grant that needs nobody but these credentials."""
    if grant == "password" and credentials.password is not None:
        return grants.password(credentials.username, credentials.password, scopes)
    if grant == grants.TOKEN_EXCHANGE and credentials.subject_token is not None:
        return grants.token_exchange(
            credentials.subject_token, credentials.subject_token_type, scopes
        )
    return grants.client_credentials(scopes)


def perform(
    world: World,
    credentials: Credentials,
    parameters: grants.Parameters,
    headers: Headers = (),
) -> TokenResponse:
    """Send one token request; its refusals carry the provider's own hint.

    Raises:
        OAuthMagicError: As `oauthmagic.flows.token_requests.request_token`.
    """
    world = world.with_endpoints()
    endpoint = endpoint_of(world, credentials, world.environment.token_endpoint)
    try:
        return request_token(world.transport, endpoint, parameters, headers)
    except (OAuthError, RateLimited) as error:
        status = error.status if isinstance(error, OAuthError) else 429
        raise error.with_hint(world.provider.hint("token", status, error)) from None


def endpoint_of(world: World, credentials: Credentials, url: str) -> Endpoint:
    """Return an endpoint of a world's authorization server, and as which client.

    Raises:
        EnvironmentRefused: The credentials are another target's.
    """
    world.admit(credentials)
    return Endpoint(
        url=url,
        client_id=credentials.client_id,
        client_secret=credentials.client_secret,
        token_endpoint_auth_method=world.provider.token_endpoint_auth_method,
        basic_encoding=world.provider.basic_encoding,
        timeout=world.token_timeout,
        step_up=bool(world.provider.step_up),
    )


def token_after(
    world: World, before: Token, response: TokenResponse, *, reason: str
) -> Token:
    """Return the token that follows `before` by a token response."""
    now = world.clock()
    granted = response.scopes
    return before.replace(
        access_token=response.access_token,
        token_type=response.token_type,
        # RFC 6749, section 6: a new refresh token replaces the old one; none
        # leaves it, and its end.
        refresh_token=response.refresh_token or before.refresh_token,
        refresh_expires_at=_refresh_end(world, before, response),
        id_token=response.id_token or before.id_token,
        # Section 5.1: no scope in the answer means what was asked.
        scopes=before.scopes if granted is None else frozenset(granted),
        issued_at=now,
        expires_at=_later(now, response.expires_in),
        fingerprint=fingerprint(response.access_token, world.fingerprint_key),
        reason=reason,
    )


def _refresh_end(
    world: World, before: Token, response: TokenResponse
) -> datetime | None:
    """Return when the refresh token ends."""
    if response.refresh_expires_in is not None:
        return _later(world.clock(), response.refresh_expires_in)
    if response.refresh_token is None or before.refresh_expires_at is not None:
        # The old one stays; or, at a bank, the new one lives no longer than the old:
        # what counts is when the customer authenticated last.
        keeps = response.refresh_token is None or world.refresh_life is not None
        return before.refresh_expires_at if keeps else None
    if world.refresh_life is None:
        return None
    return world.clock() + timedelta(seconds=world.refresh_life)


def ends_the_refresh_token(error: OAuthError) -> bool:
    """Return whether a server refused the refresh token itself, for good.

    Only `invalid_grant` says so (RFC 6749, section 5.2), and in servers of the
    League family up to 8.5 `invalid_request` with 401. Anything else may be the
    client, its address or the moment.
    """
    return isinstance(error, InvalidGrant) or (
        isinstance(error, InvalidRequest) and error.status == 401  # noqa: PLR2004
    )


def _later(now: datetime, seconds: int | None) -> datetime | None:
    return None if seconds is None else now + timedelta(seconds=seconds)
