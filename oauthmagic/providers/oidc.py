"""Any provider, from its issuer's metadata alone: RFC 8414, OpenID Connect Discovery.

What a document does not say is decided here, once: the environment's API base is
the issuer's origin, the client authenticates in the first way of ours that the
server takes, and machines come before people where it offers both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthmagic.errors import CommandError, DiscoveryFailed, OAuthMagicError
from oauthmagic.oauth import clients, grants
from oauthmagic.oauth.targets import check_name
from oauthmagic.providers.environments import TYPES, Environment
from oauthmagic.providers.provider import Provider
from oauthmagic.transport.urls import parse_url

if TYPE_CHECKING:
    from oauthmagic.oauth.metadata import ServerMetadata

#: First labels of hosts that say what a host does, and not whose it is.
GENERIC_LABELS = (
    "access account accounts api as auth authentication authorization authz connect "
    "dev id identity idp idsrv iam login oauth oauth2 oidc openid preprod secure "
    "server signin sandbox sso staging sts test token uat www"
)
#: The grant to begin with, where more than one is offered.
_PREFERRED = (
    "client_credentials",
    "authorization_code",
    grants.DEVICE_CODE,
    "password",
)
#: RFC 8414, section 2: what is meant where the document says nothing.
_GRANTS_UNSAID = ("authorization_code", "implicit")
_METHODS_UNSAID = ("client_secret_basic",)


def name_for(issuer: str) -> str:
    """Return a name for the provider behind an issuer.

    The first label of the host that is not generic (`GENERIC_LABELS`), not the
    top-level domain, and can be a name: `https://login.eu.acme.example` is `eu`,
    `https://id.acme.example` is `acme`, `https://accounts.google.com` is `google`.

    Args:
        issuer: The issuer, as it was given.

    Raises:
        CommandError: There is no such label.
    """
    host = parse_url(issuer, what="issuer").host
    labels = host.split(".")
    numeric = host.replace(".", "").isdigit() or ":" in host
    for label in [] if numeric else labels[: max(len(labels) - 1, 1)]:
        if label not in GENERIC_LABELS.split() and _can_be_name(label):
            return label
    msg = f"{host} has no part that could name the provider."
    raise CommandError(msg, hint=f"Give it a name: %token add {issuer} --as NAME.")


def provider_of(
    metadata: ServerMetadata, *, name: str, environment: str, api_base: str
) -> Provider:
    """Return the provider that metadata describe.

    Any scope is accepted, for a server need not advertise all (RFC 8414, section 2).

    Args:
        metadata: The metadata; every URL in it has passed the gate.
        name: The provider's name.
        environment: The one environment that the issuer is.
        api_base: What paths are resolved against.

    Raises:
        DiscoveryFailed: It offers no grant, or takes no client, as we perform them.
    """
    offered = _offered(metadata)
    default = next((grant for grant in _PREFERRED if grant in offered), "")
    if not default:
        said = ", ".join(metadata.grant_types_supported or _GRANTS_UNSAID)
        msg = f"{metadata.issuer} offers no grant that this version begins with."
        raise DiscoveryFailed(msg, hint=f"It offers: {said or 'none'}.")
    is_login = default in grants.LOGINS
    has_openid = "openid" in (metadata.scopes_supported or ())
    return Provider(
        name=name,
        title=metadata.issuer,
        environments={environment: environment_of(metadata, environment, api_base)},
        grants=(*offered, "refresh_token"),
        default_grant=default,
        # OpenID Connect Core, section 3.1.2.1: without it, it is another protocol.
        default_scopes=("openid",) if is_login and has_openid else (),
        token_endpoint_auth_method=_method(metadata),
        # OpenID Connect Core, section 5.3: for a token of a user, with this scope.
        probe=metadata.endpoints.get("userinfo_endpoint", "")
        if is_login and has_openid
        else "",
        documentation=metadata.issuer,
    )


def environment_of(metadata: ServerMetadata, name: str, api_base: str) -> Environment:
    """Return the environment that metadata describe."""
    endpoints = {**metadata.endpoints, "issuer": metadata.issuer}
    return TYPES[name](
        token_endpoint=endpoints.pop("token_endpoint"),
        api_base=api_base,
        endpoints=endpoints,
        iss_in_response=metadata.iss_in_response,
    )


def _offered(metadata: ServerMetadata) -> tuple[str, ...]:
    said = metadata.grant_types_supported
    offered = [
        grant
        for grant in dict.fromkeys(_GRANTS_UNSAID if said is None else said)
        if grant in grants.GRANTS and grant != "refresh_token"
    ]
    methods = metadata.code_challenge_methods_supported
    # A login of ours always has a code challenge, and this server would refuse it.
    without_pkce = methods is not None and "S256" not in methods
    if "authorization_endpoint" not in metadata.endpoints or without_pkce:
        offered = [grant for grant in offered if grant != "authorization_code"]
    if "device_authorization_endpoint" not in metadata.endpoints:
        offered = [grant for grant in offered if grant != grants.DEVICE_CODE]
    return tuple(offered)


def _method(metadata: ServerMetadata) -> str:
    said = metadata.token_endpoint_auth_methods_supported
    taken = _METHODS_UNSAID if said is None else said
    for method in clients.AUTH_METHODS:
        if method in taken:
            return method
    msg = f"{metadata.issuer} takes no client authentication that this version does."
    raise DiscoveryFailed(
        msg,
        hint=f"It takes: {', '.join(taken) or 'none'}. "
        f"This version does: {', '.join(clients.AUTH_METHODS)}.",
    )


def _can_be_name(label: str) -> bool:
    try:
        check_name(label)
    except OAuthMagicError:
        return False
    return True
