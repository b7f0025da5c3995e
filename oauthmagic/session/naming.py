"""The part of a session that knows what can be named, and learns more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthmagic.errors import CommandError
from oauthmagic.oauth.targets import parse_target
from oauthmagic.session.core import Core

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from oauthmagic.oauth.targets import Target
    from oauthmagic.providers.provider import Provider
    from oauthmagic.session.demos import Demo


class Naming(Core):
    """Knows providers, targets, scopes and endpoints."""

    def providers(self) -> pd.DataFrame:
        """Return a table of the providers that can be named."""
        from oauthmagic.views.tables import provider_table  # noqa: PLC0415 - pandas

        return provider_table(self._worlds.catalogue.all())

    def scopes(self, target: str) -> pd.DataFrame:
        """Return a table of a target's scopes: described, requested, granted."""
        from oauthmagic.views.tables import scope_table  # noqa: PLC0415 - pandas

        world, alias = self._holdings.named(target)
        return scope_table(world.provider, self._holdings.held(world, alias))

    def endpoints(self, target: str) -> pd.DataFrame:
        """Return a table of what can be asked of a target, and with which scopes.

        Raises:
            CommandError: None is known.
        """
        from oauthmagic.views.tables import endpoint_table  # noqa: PLC0415 - pandas

        world, alias = self._holdings.named(target)
        if not world.provider.endpoints:
            name = world.provider.name
            msg = f"No endpoints of {name} are known."
            hint = f"An OpenAPI file describes them: %token add {name} --openapi FILE."
            raise CommandError(msg, hint=hint)
        return endpoint_table(world.provider, self._holdings.held(world, alias))

    def add(
        self,
        source: str | Path | Provider | None = None,
        *,
        name: str = "",
        api_base: str = "",
        openapi: str | Path | None = None,
    ) -> str:
        """Make a provider or its endpoints known; return the provider's name.

        A file is read at once, and nothing is sent; where it names an issuer and no
        token_endpoint, the issuer is asked when an endpoint is first needed. An
        issuer's URL is asked at once; `provider(name)` then shows what it said.

        Args:
            source: The path of a TOML file; an issuer, `"https://id.acme.example"`;
                a `oauthmagic.providers.provider.Provider`; or, with `openapi`, the
                name of a provider that is known already, or nothing where that file
                alone describes one.
            name: Another name than the source's own; for an issuer also
                `NAME@production`, for it is a sandbox otherwise.
            api_base: For an issuer, what paths are resolved against; without it,
                the issuer's origin.
            openapi: The path of an OpenAPI 3.0 or 3.1 file (JSON; YAML where a
                package reads it): what `endpoints` then shows.

        Raises:
            ProviderFileError: A file cannot be read, or what it says.
            DiscoveryFailed: There is no metadata at the issuer, or none that may be
                believed.
            CommandError: The name is taken, or is none.
        """
        from oauthmagic.session.additions import described, is_known  # noqa: PLC0415

        provider = described(
            source, self._worlds, name=name, api_base=api_base, openapi=openapi
        )
        if is_known(source, self._worlds.catalogue):
            self._worlds.catalogue.describe(provider)
            return provider.name
        if provider.name in self._holdings.aliases():
            msg = f"{provider.name!r} is the name of a token that is held."
            raise CommandError(msg, hint=f"First: %token forget {provider.name}.")
        self._worlds.catalogue.add(provider)
        return provider.name

    def provider(self, name: str) -> Provider:
        """Return a provider as it describes itself.

        Raises:
            UnknownName: There is none of this name.
        """
        return self._worlds.catalogue.get(name)

    def demo(self, target: str) -> Demo:
        """Return the server's side of a demo: `advance`, `revoke`, `throttle`, ...

        Raises:
            CommandError: The target is not a demo.
        """
        return self._worlds.demo(self._holdings.named(target)[0])

    def names(self) -> dict[str, tuple[str, ...]]:
        """Return what can be typed: providers with their environments, and aliases."""
        catalogue = self._worlds.catalogue
        providers = {name: catalogue.environments(name) for name in catalogue}
        return providers | dict.fromkeys(self._holdings.aliases(), ())

    def targets(self, typed: str = "") -> list[str]:
        """Return the targets and aliases that begin with what is typed.

        A provider with tenants is named up to its tenant first, and up to its
        environment then. No package is run that was not used before.
        """
        from oauthmagic.session.targets import targets  # noqa: PLC0415 - if asked

        return targets(self._worlds.catalogue, self._store.tokens(), typed)

    def known_provider(self, target: str) -> Provider | None:
        """Return the provider of a target or alias, where it is known already.

        What is typed behind the provider's name need not be complete.
        """
        text = self._holdings.aliases().get(target, target)
        return self._worlds.catalogue.known(text.partition("@")[0].partition("/")[0])

    def read_target(self, text: str) -> Target:
        """Return the parts of a target or alias, whether or not they exist.

        Raises:
            CommandError: It does not follow the grammar.
        """
        text = self._holdings.aliases().get(text, text)
        return parse_target(text, default_environment=self._worlds.environment)

    def scope_names(self, target: str) -> list[str]:
        """Return the scopes of a target's provider."""
        return list(self._holdings.named(target)[0].provider.scopes)

    def offered_scopes(self, target: str) -> list[str]:
        """Return the scopes of a target's provider that can be asked for together."""
        provider = self._holdings.named(target)[0].provider
        return [name for name in provider.scopes if name not in provider.not_offered]
