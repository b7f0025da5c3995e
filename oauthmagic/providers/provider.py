"""What a provider says of itself, and nothing that it does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from oauthmagic.errors import CommandError, UnknownName
from oauthmagic.oauth import clients, grants
from oauthmagic.transport.urls import parse_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from oauthmagic.errors import OAuthMagicError

    #: (where, status, error) -> hint; where is "token" or "api".
    Explain = Callable[[str, int | None, OAuthMagicError | None], str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """One environment of a provider; endpoint names are those of RFC 8414.

    Attributes:
        name: "demo", "sandbox" or "production".
        token_endpoint: Where token requests go.
        api_base: What paths in requests are resolved against.
        ca_file: PEM file of a private certificate authority, or None.
        endpoints: Further endpoints by their RFC 8414 names.
    """

    name: str
    token_endpoint: str
    api_base: str
    ca_file: str | None = None
    endpoints: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, url in (
            ("token_endpoint", self.token_endpoint),
            ("api_base", self.api_base),
            *self.endpoints.items(),
        ):
            parse_url(url, what=name)

    @property
    def token_origins(self) -> frozenset[str]:
        """Return the only origins that the access token may be sent to."""
        return frozenset(
            parse_url(url).origin for url in (self.api_base, self.token_endpoint)
        )


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
        default_scopes: What is asked for when nothing is; empty sends no `scope`.
        token_endpoint_auth_method: How the client authenticates (RFC 7591).
        basic_encoding: "form" or "raw", see `oauthmagic.oauth.clients`.
        envelope: The member that holds the rows of a list, or "".
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
    default_scopes: tuple[str, ...] = ()
    token_endpoint_auth_method: str = "client_secret_basic"  # noqa: S105
    basic_encoding: str = "form"
    envelope: str = ""
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

    def check_grant(self, grant: str | None) -> str:
        """Return the grant to perform: the one asked for, else the default.

        Raises:
            UnknownName: There is no such grant.
            CommandError: It is not offered here, or not one that begins.
        """
        grant = grant or self.default_grant
        if grant not in grants.GRANTS:
            raise UnknownName("grant", grant, self.grants)
        if grant not in self.grants:
            msg = f"{self.title} does not offer the grant {grant!r}."
            raise CommandError(msg, hint=f"It offers: {', '.join(self.grants)}.")
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
