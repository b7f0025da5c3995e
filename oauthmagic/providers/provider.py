"""What a provider says of itself, and nothing that it does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from oauthmagic.errors import CommandError, UnknownName
from oauthmagic.oauth import clients, grants
from oauthmagic.providers.endpoints import Endpoints
from oauthmagic.providers.paging import by_link_header

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from oauthmagic.errors import OAuthMagicError
    from oauthmagic.providers.environments import Environment
    from oauthmagic.providers.paging import NextPage
    from oauthmagic.providers.preparation import Preflight, Prepare

    #: (where, status, error) -> hint; where is "token" or "api".
    Explain = Callable[[str, int | None, OAuthMagicError | None], str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Provider:
    """A provider of an API that is protected by OAuth 2.0.

    Attributes:
        name: The word used in targets.
        title: Its name for people.
        environments: By name.
        grants: The grants it offers, `grant_type` values.
        default_grant: The one used when none is asked for.
        scopes: Each scope and what it allows; empty means that any is accepted.
        not_offered: Scopes of the standard behind it that this provider refuses.
        default_scopes: What is asked for when nothing is; empty sends no `scope`.
        token_endpoint_auth_method: How the client authenticates (RFC 7591).
        basic_encoding: "form" or "raw", see `oauthmagic.oauth.clients`.
        tenants: The provider's own partitions and their names; None if it has
            none, empty if any word may be one.
        tenant_kind: What a tenant is called there.
        settings: What can be set: the values allowed (the first is the default) and
            what stands for them in a URL.
        redirect_uri: The one registered, where the provider registers one for all.
        pkce: Whether authorization requests have a code challenge; only servers
            that forbid it have a reason for False.
        prepare: Rewrites an API request before it is sent (signatures, headers).
        idempotency_header: The header by which it knows a request that it has seen,
            so that sending it twice does it once; only where it documents one.
        preflight: Looks at the client's certificates before anything is sent.
        consent_days: The setting that says how many days a refresh token lives, where
            the server does not say.
        step_up: The scheme of a 401 challenge that asks for a second factor, or "".
        envelope: The member that holds the rows of a list, or "".
        next_page: Gives the URL of the page behind a page of a list, or "".
        no_rows: Says of an error reply (status, body as JSON) that it means an empty
            list, where a provider answers so.
        probe: What can be asked for without harm to test a token: a path, or a URL
            on a declared origin; or "".
        endpoints: What can be asked, with the scopes that each wants, as far as known.
        explain: Gives the documented cause and next step of a refusal, or "".
        simulator: "module:function" that makes the simulator behind `@demo`.
        documentation: Address of the provider's own page.
    """

    name: str
    title: str
    environments: Mapping[str, Environment]
    grants: tuple[str, ...]
    default_grant: str
    scopes: Mapping[str, str] = field(default_factory=dict)
    not_offered: tuple[str, ...] = ()
    default_scopes: tuple[str, ...] = ()
    token_endpoint_auth_method: str = "client_secret_basic"  # noqa: S105
    basic_encoding: str = "form"
    tenants: Mapping[str, str] | None = None
    tenant_kind: str = "tenant"
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    redirect_uri: str = ""
    pkce: bool = True
    prepare: Prepare | None = None
    idempotency_header: str = ""
    preflight: Preflight | None = None
    consent_days: str = ""
    step_up: str = ""
    envelope: str = ""
    next_page: NextPage = by_link_header
    no_rows: Callable[[int, object], bool] | None = None
    probe: str = ""
    endpoints: Endpoints = field(default_factory=Endpoints)
    explain: Explain | None = None
    simulator: str = ""
    documentation: str = ""

    def environment(self, name: str) -> Environment:
        """Return an environment.

        Raises:
            UnknownName: This provider has no such environment.
        """
        try:
            return self.environments[name]
        except KeyError:
            raise UnknownName(
                "environment", name, self.environments, where=f" of {self.name}"
            ) from None

    def check_tenant(self, tenant: str) -> str:
        """Return the tenant if this provider has it.

        Raises:
            CommandError: It needs one, or has none.
            UnknownName: There is no such tenant.
        """
        if self.tenants is None:
            if tenant:
                msg = f"{self.title} has no tenants."
                raise CommandError(msg, hint=f"Write {self.name}@ENVIRONMENT.")
            return tenant
        example = next(iter(self.tenants), "NAME")
        if not tenant:
            msg = f"{self.title} needs a {self.tenant_kind}."
            raise CommandError(msg, hint=f"For example {self.name}/{example}@demo.")
        if self.tenants and tenant not in self.tenants:
            raise UnknownName(
                self.tenant_kind, tenant, self.tenants, where=f" of {self.name}"
            )
        return tenant

    def check_grant(self, grant: str | None) -> str:
        """Return the grant to perform: the one asked for, else the default.

        Raises:
            UnknownName: There is no such grant.
            CommandError: It is not offered here, or not one that begins.
        """
        grant = grants.grant_named(grant or self.default_grant)
        if grant not in self.grants:
            if grant not in grants.GRANTS:
                raise UnknownName("grant", grant, self.grants)
            msg = f"{self.title} does not offer the grant {grant!r}."
            raise CommandError(msg, hint=f"It offers: {', '.join(self.grants)}.")
        if grant not in grants.GRANTS:
            msg = f"This version of oauthmagic does not perform the grant {grant!r}."
            raise CommandError(msg, hint=f"It performs: {', '.join(grants.GRANTS)}.")
        return grant

    def check_scopes(self, scopes: tuple[str, ...]) -> tuple[str, ...]:
        """Return the scopes if this provider has them all.

        Raises:
            UnknownName: One is unknown.
        """
        for scope in scopes if self.scopes else ():
            if scope not in self.scopes:
                raise UnknownName("scope", scope, self.scopes, where=f" of {self.name}")
        return scopes

    def needed_fields(self, grant: str) -> tuple[str, ...]:
        """Return the names of the credentials that a grant needs."""
        return (
            *clients.needed_fields(self.token_endpoint_auth_method),
            *grants.FIELDS[grant],
        )

    def hint(
        self, where: str, status: int | None, error: OAuthMagicError | None = None
    ) -> str:
        """Return the documented cause and next step of a refusal, or ""."""
        return self.explain(where, status, error) if self.explain else ""
