"""Every provider that can be named: built in, installed or added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthmagic.errors import CommandError, ProviderFileError, UnknownName
from oauthmagic.oauth.targets import check_name
from oauthmagic.providers.provider import Provider

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from importlib.metadata import EntryPoint

GROUP = "oauthmagic.providers"


class Catalogue:
    """Finds providers by name; each is imported when it is first asked for."""

    def __init__(self) -> None:
        self._added: dict[str, Provider] = {}
        self._offered: set[str] = set()
        self._installed: dict[str, Provider] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._added, *(each.name for each in _entries())}))

    def get(self, name: str, *, also_known: Iterable[str] = ()) -> Provider:
        """Return a provider.

        Args:
            name: Its name.
            also_known: Other names that could have been meant.

        Raises:
            UnknownName: There is none of this name.
            ProviderFileError: The package that offers it is broken.
        """
        if name in self._added:
            return self._added[name]
        if name not in self._installed:
            entry = next((each for each in _entries() if each.name == name), None)
            if entry is None:
                raise UnknownName(
                    "provider",
                    name,
                    [*self, *also_known],
                    hint=f"Known: {', '.join(self)}. "
                    "%token add FILE.toml adds one of your own.",
                )
            try:
                provider = entry.load()
            except Exception as error:  # noqa: BLE001 - a stranger's package
                msg = f"The provider {name!r} cannot be loaded: {type(error).__name__}."
                raise ProviderFileError(msg) from None
            if not isinstance(provider, Provider):
                msg = f"The entry point {name!r} is not a Provider."
                raise ProviderFileError(msg)
            if provider.name != name:
                msg = f"The entry point {name!r} is the provider {provider.name!r}."
                raise ProviderFileError(msg, hint="Its package must use one name.")
            self._installed[name] = provider
        return self._installed[name]

    def all(self) -> list[tuple[str, Provider | ProviderFileError]]:
        """Return every provider, or why it cannot be had, by name."""
        found: list[tuple[str, Provider | ProviderFileError]] = []
        for name in self:
            try:
                found.append((name, self.get(name)))
            except ProviderFileError as error:
                found.append((name, error))
        return found

    def environments(self, name: str) -> tuple[str, ...]:
        """Return the environments of a provider, as far as known without its code.

        A completion must not run a stranger's package.
        """
        ours = any(
            each.name == name and each.module.startswith("oauthmagic.")
            for each in _entries()
        )
        if name in self._added or name in self._installed or ours:
            return tuple(self.get(name).environments)
        return ()

    def add(self, provider: Provider) -> None:
        """Make a provider known; a later one of the same name replaces it.

        Raises:
            CommandError: The name belongs to a provider that is installed, or that
                this site offers to everybody.
        """
        check_name(provider.name)
        installed = {each.name for each in _entries()}
        is_installed = provider.name in installed
        if is_installed or provider.name in self._offered:
            whose = "an installed provider" if is_installed else "one of this site's"
            msg = f"{provider.name!r} is the name of {whose}."
            raise CommandError(
                msg, hint="Choose another name, in [provider] or with --as NAME."
            )
        # Both would read the same environment variables, and get each other's secrets.
        known = sorted({*self._added, *installed})
        twin = next((each for each in known if _alike(each, provider.name)), None)
        if twin is not None:
            msg = f"{provider.name!r} is too much like the provider {twin!r}."
            raise CommandError(
                msg, hint="Choose a name that differs in more than - or _."
            )
        self._added[provider.name] = provider

    def offer(self, provider: Provider) -> None:
        """Make a provider of the site known, which nobody can replace.

        Raises:
            CommandError: The name is taken.
        """
        self.add(provider)
        self._offered.add(provider.name)


def _alike(one: str, other: str) -> bool:
    return one != other and one.replace("-", "_") == other.replace("-", "_")


def _entries() -> list[EntryPoint]:
    from importlib.metadata import entry_points  # noqa: PLC0415 - brings zip and email

    return sorted(entry_points(group=GROUP), key=lambda each: each.name)
