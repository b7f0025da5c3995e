"""What a provider says of itself: names, URLs, grants, scopes, tenants, settings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import OAuthMagicError
from oauthmagic.oauth import clients, grants
from oauthmagic.oauth.scopes import SCOPE_TOKEN
from oauthmagic.oauth.targets import ENVIRONMENTS, check_name, parse_target
from oauthmagic.transport.urls import parse_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oauthmagic.providers.environments import Environment
    from oauthmagic.providers.provider import Provider

_PLACE = re.compile(r"\{([^{}]*)\}")


def check_data(provider: Provider) -> Iterator[str]:
    """Yield what is wrong with the data of a provider."""
    yield from _names(provider)
    yield from _environments(provider)
    yield from _grants(provider)
    yield from _scopes(provider)
    yield from _tenants(provider)
    yield from _settings(provider)


def _names(provider: Provider) -> Iterator[str]:
    yield from _refusal("name", check_name, provider.name)
    if not provider.title.strip():
        yield "title is empty: cards and errors call the provider by it."
    for what in ("redirect_uri", "documentation"):
        if url := getattr(provider, what):
            yield from _refusal(what, parse_url, url)


def _environments(provider: Provider) -> Iterator[str]:
    if not provider.environments:
        yield "environments is empty: there is nowhere to go."
    if ("demo" in provider.environments) != bool(provider.simulator):
        yield "A demo environment and a simulator come together or not at all."
    known = {*provider.settings, *(["tenant"] if provider.tenants is not None else [])}
    for name, environment in provider.environments.items():
        where = f"environments[{name!r}]"
        if name not in ENVIRONMENTS:
            yield f"{where}: the name is none of {', '.join(ENVIRONMENTS)}."
        if environment.name != name:
            yield f"{where}: it calls itself {environment.name!r}."
        places = {
            place
            for url in (*_urls(environment).values(), environment.api_base)
            for place in _PLACE.findall(url)
        }
        for place in sorted(places - known):
            yield f"{where}: nothing fills in {{{place}}}."
        if not places - known:
            yield from _filled(where, provider, environment)


def _filled(where: str, provider: Provider, environment: Environment) -> Iterator[str]:
    """Yield what is wrong with an environment whose places can be filled in."""
    values = {
        name: next(iter(known.values()), "")
        for name, known in provider.settings.items()
    }
    tenant = next(iter(provider.tenants or {}), "example")
    try:
        environment = environment.at({"tenant": tenant, **values})
    except OAuthMagicError as error:
        yield f"{where}: {error}"
        return
    if parse_url(environment.api_base).query:
        yield f"{where}: api_base has a query."
    is_known = "authorization_endpoint" in environment.endpoints
    if (
        "authorization_code" in provider.grants
        and not is_known
        and not environment.is_to_be_discovered
    ):
        yield f"{where}: authorization_code is offered without authorization_endpoint."


def _urls(environment: Environment) -> dict[str, str]:
    urls = {"token_endpoint": environment.token_endpoint, **environment.endpoints}
    return {name: url for name, url in urls.items() if url}


def _grants(provider: Provider) -> Iterator[str]:
    if provider.default_grant not in provider.grants:
        yield f"default_grant {provider.default_grant!r} is not one of grants."
    else:
        yield from _refusal("default_grant", provider.check_grant, None)
    if provider.token_endpoint_auth_method not in clients.AUTH_METHODS:
        known = ", ".join(clients.AUTH_METHODS)
        yield f"token_endpoint_auth_method is none of {known}."
    if provider.basic_encoding not in clients.BASIC_ENCODINGS:
        yield f"basic_encoding is none of {', '.join(clients.BASIC_ENCODINGS)}."
    for grant in provider.grants:
        if grants.grant_named(grant) != grant:
            yield f"grants: {grant!r} is {grants.grant_named(grant)!r} on the wire."


def _scopes(provider: Provider) -> Iterator[str]:
    for scope, description in provider.scopes.items():
        if not SCOPE_TOKEN.fullmatch(scope):
            yield f"scopes: {scope!r} is not a scope by RFC 6749, section 3.3."
        if not str(description or "").strip():
            yield f"scopes: {scope!r} has no description."
    yield from _refusal(
        "default_scopes", provider.check_scopes, provider.default_scopes
    )


def _tenants(provider: Provider) -> Iterator[str]:
    for tenant, title in (provider.tenants or {}).items():
        text = f"acme/{tenant}@sandbox"
        try:
            if parse_target(text, default_environment="sandbox").tenant != tenant:
                yield f"tenants: {tenant!r} cannot be written in a target."
        except OAuthMagicError as error:
            yield f"tenants: {error}"
        if not isinstance(title, str):
            yield f"tenants: {tenant!r} has no text as its name."
    if provider.tenants is not None and not provider.tenant_kind.strip():
        yield "tenant_kind is empty: errors call a tenant by it."


def _settings(provider: Provider) -> Iterator[str]:
    for name, values in provider.settings.items():
        if not values:
            yield f"settings: {name!r} has no value, so it has no default."
        if name == "tenant":
            yield "settings: 'tenant' has a meaning of its own."
    days = provider.settings.get(provider.consent_days, {})
    if provider.consent_days and not days:
        yield f"consent_days: there is no setting {provider.consent_days!r}."
    if not all(value.isdecimal() for value in days.values()):
        yield "consent_days: its values are not numbers of days."
    if not re.fullmatch(r"(https?://[^/]+)?/[!-~]*|", provider.probe):
        yield f"probe: {provider.probe!r} is not a path."
    if provider.step_up not in ("", "sca"):
        yield f"step_up: {provider.step_up!r} is not 'sca' or ''."


def _refusal(what: str, check: Any, value: Any) -> Iterator[str]:
    try:
        check(value)
    except OAuthMagicError as error:
        yield f"{what}: {error}"
