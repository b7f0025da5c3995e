"""The environments of a provider: three types, so that none is taken for another.

What may be where is said by the type: a demo has no host in the world, production is
never on this machine. What belongs to which is held by `oauthmagic.runtime.world`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Final

from oauthmagic.errors import EnvironmentRefused
from oauthmagic.transport.urls import parse_url

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from oauthmagic.transport.urls import Url

_PLACE = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """What every environment has; endpoint names are those of RFC 8414.

    A provider is described with one of the types below, never with this one.

    Attributes:
        token_endpoint: Where token requests go; "" where the metadata of the issuer
            in `endpoints` is to say so, when it is first needed (RFC 8414).
        api_base: What paths in requests are resolved against.
        ca_file: PEM file of a private certificate authority, or None.
        endpoints: Further endpoints by their RFC 8414 names.
        iss_in_response: Whether every authorization response has `iss` (RFC 9207).
        name: "demo", "sandbox" or "production"; the type's own.

    A URL may hold `{tenant}` and the names of the provider's settings in braces;
    `at` fills them in.
    """

    name: ClassVar[str] = ""

    token_endpoint: str
    api_base: str
    ca_file: str | None = None
    endpoints: Mapping[str, str] = field(default_factory=dict)
    iss_in_response: bool = False

    def __post_init__(self) -> None:
        urls = {"token_endpoint": self.token_endpoint, "api_base": self.api_base}
        if self.is_to_be_discovered:
            del urls["token_endpoint"]
        for name, url in (*urls.items(), *self.endpoints.items()):
            self.check_host(name, parse_url(_PLACE.sub("0", url), what=name))

    def check_host(self, what: str, url: Url) -> None:
        """Refuse a URL that this type of environment cannot have.

        Raises:
            EnvironmentRefused: It cannot.
        """

    @property
    def is_to_be_discovered(self) -> bool:
        """Whether the issuer's metadata are to name the endpoints."""
        return not self.token_endpoint and "issuer" in self.endpoints

    def at(self, values: Mapping[str, str]) -> Self:
        """Return this environment for a tenant and the settings in force."""

        def filled(url: str) -> str:
            return _PLACE.sub(lambda place: values[place[1]], url)

        return replace(
            self,
            token_endpoint=filled(self.token_endpoint),
            api_base=filled(self.api_base),
            endpoints={name: filled(url) for name, url in self.endpoints.items()},
        )

    @property
    def token_origins(self) -> frozenset[str]:
        """Return the only origins that the access token may be sent to."""
        declared = (self.api_base, self.token_endpoint, *self.endpoints.values())
        return frozenset(parse_url(url).origin for url in declared if url)


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoEnvironment(Environment):
    """A simulator inside this process; its hosts exist nowhere (RFC 6761, 6.4)."""

    name: ClassVar[str] = "demo"

    def check_host(self, what: str, url: Url) -> None:
        """Refuse every host that could exist."""
        if not url.host.endswith(".invalid"):
            msg = f"{what}: a demo has no host in the world, and {url.host} may be one."
            raise EnvironmentRefused(msg, hint="Write a name that ends in .invalid.")


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxEnvironment(Environment):
    """A provider's own test system, or a server on this machine."""

    name: ClassVar[str] = "sandbox"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductionEnvironment(Environment):
    """Where it counts: over TLS, and never on this machine."""

    name: ClassVar[str] = "production"

    def check_host(self, what: str, url: Url) -> None:
        """Refuse this machine's own addresses, and the scheme that is for them."""
        if url.is_loopback or url.scheme != "https":
            msg = f"{what}: production is not on this machine, and not without TLS."
            raise EnvironmentRefused(msg, hint="Describe it as a sandbox.")


#: The types by their names.
TYPES: Final[Mapping[str, type[Environment]]] = {
    each.name: each
    for each in (DemoEnvironment, SandboxEnvironment, ProductionEnvironment)
}
