"""A provider that was added, as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthmagic.redaction import quote
from oauthmagic.transport.urls import parse_url

if TYPE_CHECKING:
    from oauthmagic.providers.environments import Environment
    from oauthmagic.providers.provider import Provider

#: The endpoints that this version sends something to.
_SHOWN = (
    "token_endpoint",
    "authorization_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
)


def added_text(provider: Provider, *, is_discovered: bool) -> str:
    """Return what a user should see of a provider that was just added.

    Args:
        provider: The provider.
        is_discovered: Whether an issuer or an OpenAPI file described it: then where
            its client secrets will go is shown, and which of that is on another host.
    """
    names = list(provider.environments)
    target = provider.name if "sandbox" in names else f"{provider.name}@{names[0]}"
    lines = [f"Added {provider.name}. Next: %token {target}"]
    if provider.endpoints:
        lines.append(f"  {endpoints_text(provider)}")
    for environment in provider.environments.values():
        if environment.is_to_be_discovered:
            issuer = environment.endpoints["issuer"]
            lines.append(f"  {issuer} is asked for its endpoints when first needed.")
        elif is_discovered:
            lines += _endpoints(environment)
    if is_discovered:
        default = f"; without --grant, {provider.default_grant}"
        lines += [
            f"  grants: {', '.join(provider.grants)}{default}",
            f"  client authentication: {provider.token_endpoint_auth_method}",
        ]
    return "\n".join(lines)


def endpoints_text(provider: Provider) -> str:
    """Return how many endpoints of a provider are known, and where they are seen."""
    tenants = provider.tenants
    tenant = "" if tenants is None else f"/{next(iter(tenants), 'NAME')}"
    name = next(iter(provider.environments))
    target = f"{provider.name}{tenant}@{name}"
    count = len(provider.endpoints)
    return f"{count:,} endpoint{'s' * (count != 1)}: %token endpoints {target}"


def _endpoints(environment: Environment) -> list[str]:
    known = environment.endpoints.get("issuer", environment.api_base)
    issuer = parse_url(known)
    found = {"token_endpoint": environment.token_endpoint, **environment.endpoints}
    lines = []
    for name in _SHOWN:
        if name in found:
            host = parse_url(found[name]).host
            other = "" if host == issuer.host else f"   <- another host: {host}"
            lines.append(f"  {name}: {quote(found[name])}{other}")
    same = "issuer" in environment.endpoints and environment.api_base == issuer.origin
    note = " (the issuer's origin; a file names another)" if same else ""
    return [*lines, f"  API base: {environment.api_base}{note}"]
