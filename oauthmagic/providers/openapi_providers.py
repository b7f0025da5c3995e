"""A provider, from an OpenAPI description alone.

What such a file does not say is decided here, once: the client authenticates with
`client_secret_basic`, machines come before people where there are flows for both, and
the name is that of the API's host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthmagic.errors import CommandError, ProviderFileError
from oauthmagic.oauth.targets import target_to_add
from oauthmagic.providers.environments import TYPES
from oauthmagic.providers.oidc import name_for
from oauthmagic.providers.provider import Provider
from oauthmagic.transport.urls import parse_url

if TYPE_CHECKING:
    from oauthmagic.providers.api_descriptions import ApiDescription, OAuthFlow

#: The grant to begin with, where more than one is described.
_PREFERRED = ("client_credentials", "authorization_code", "password")


def provider_of(description: ApiDescription, name: str, *, source: str) -> Provider:
    """Return the provider that a description describes, with its endpoints.

    Args:
        description: The description.
        name: `NAME` or `NAME@ENVIRONMENT`, or "".
        source: The file, for lines to copy.

    Raises:
        ProviderFileError: It does not say where the API is, or how to get a token.
        CommandError: The name is none.
        UrlRefused: A URL in it cannot be used.
    """
    api_base = next((each for each in description.servers if "://" in each), "")
    if not api_base:
        msg = "It does not say on which server the API is."
        raise ProviderFileError(msg, hint=_with_another(description, source))
    host = parse_url(api_base, what="server").origin
    flows = _flows(description, source)
    first = flows[0]
    target = target_to_add(name or _name(host, source), source)
    endpoints = {}
    for flow in flows:
        if flow.authorization_endpoint:
            endpoints["authorization_endpoint"] = flow.authorization_endpoint
    return Provider(
        name=target.provider,
        title=description.title or target.provider,
        environments={
            target.environment: TYPES[target.environment](
                token_endpoint=first.token_endpoint,
                api_base=api_base.rstrip("/"),
                endpoints=endpoints,
            )
        },
        grants=(*(flow.grant for flow in flows), "refresh_token"),
        default_grant=first.grant,
        scopes=description.scopes,
        endpoints=description.endpoints_at(api_base),
    )


def _flows(description: ApiDescription, source: str) -> list[OAuthFlow]:
    """Return one flow for each grant, those of one token endpoint."""
    by_grant: dict[str, OAuthFlow] = {}
    for flow in description.flows:
        by_grant.setdefault(flow.grant, flow)
    found = [by_grant[grant] for grant in _PREFERRED if grant in by_grant]
    found = [each for each in found if each.token_endpoint]
    if not found:
        msg = "It has no OAuth flow with a tokenUrl that could begin with a token."
        raise ProviderFileError(msg, hint=_with_another(description, source))
    # A client is registered at one authorization server.
    where = found[0].token_endpoint
    return [each for each in found if each.token_endpoint == where]


def _with_another(description: ApiDescription, source: str) -> str:
    other = next(iter(description.issuers), "FILE.toml")
    return f"Say what it leaves out: %token add {other} --openapi {source}"


def _name(origin: str, source: str) -> str:
    try:
        return name_for(origin)
    except CommandError as error:
        hint = f"Give it a name: %token add --openapi {source} --as NAME."
        raise error.with_hint(hint) from None
