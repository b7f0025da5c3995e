"""OpenAPI files that a user adds: to a provider, or as one."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from oauthmagic.errors import CommandError, OAuthMagicError, ProviderFileError
from oauthmagic.providers.openapi import read_openapi
from oauthmagic.providers.openapi_providers import provider_of
from oauthmagic.providers.openapi_texts import MOST_BYTES, read_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oauthmagic.providers.api_descriptions import ApiDescription
    from oauthmagic.providers.provider import Provider


class ApiFile:
    """An OpenAPI file, read at once.

    Args:
        path: Its path.

    Raises:
        ProviderFileError: It cannot be read, or describes no endpoint.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path).expanduser()
        with _naming(self._path):
            self._description = _read(self._path)
            if not self._description.endpoints:
                msg = "It describes no endpoint that can be asked."
                raise ProviderFileError(msg, hint="Does it have paths with methods?")

    def describe(self, provider: Provider) -> Provider:
        """Return a provider with the endpoints of this file."""
        api_base = next(iter(provider.environments.values())).api_base
        return replace(provider, endpoints=self._description.endpoints_at(api_base))

    def provider(self, name: str) -> Provider:
        """Return the provider that this file describes by itself.

        Args:
            name: `NAME`, `NAME@ENVIRONMENT`, or "" for the name of its host.

        Raises:
            ProviderFileError: It does not say enough, or the name is none.
        """
        with _naming(self._path):
            return provider_of(self._description, name, source=str(self._path))


def _read(path: Path) -> ApiDescription:
    try:
        # A device or a pipe has no size and may have no end.
        if path.exists() and not path.is_file():
            msg = "It is not a file."
            raise CommandError(msg, hint="Name an OpenAPI file, JSON or YAML.")
        with path.open("rb") as file:
            body = file.read(MOST_BYTES + 1)
    except OSError as error:
        msg = f"It cannot be read: {error.strerror}."
        raise ProviderFileError(msg, hint="Check the path.") from None
    return read_openapi(read_document(body))


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Have every error name the file."""
    try:
        yield
    except OAuthMagicError as error:
        msg = f"{path.name}: {error}"
        raise ProviderFileError(msg, hint=error.hint) from None
