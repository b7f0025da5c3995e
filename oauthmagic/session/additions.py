"""Providers that a user adds: from a file, an issuer's URL or Python."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

from oauthmagic.errors import CommandError, ProviderFileError
from oauthmagic.oauth.targets import check_name
from oauthmagic.providers.file import read_provider
from oauthmagic.providers.provider import Provider

if TYPE_CHECKING:
    from oauthmagic.providers.catalogue import Catalogue
    from oauthmagic.session.worlds import Worlds


def is_url(source: object) -> bool:
    """Return whether what is to be added is an issuer and no file."""
    return isinstance(source, str) and source.lower().startswith(
        ("https://", "http://")
    )


def described(
    source: str | Path | Provider | None,
    worlds: Worlds,
    *,
    name: str,
    api_base: str,
    openapi: str | Path | None = None,
) -> Provider:
    """Return the provider that a source describes.

    Args:
        source: A path, an issuer's URL or a provider; with `openapi` also the name
            of one that is known, or None.
        worlds: Asks an issuer, and knows providers.
        name: Another name, or "".
        api_base: For an issuer, what paths are resolved against, or "".
        openapi: The path of an OpenAPI file that describes its endpoints.

    Raises:
        OAuthMagicError: As `oauthmagic.Session.add`.
    """
    if openapi is None:
        if source is None:
            msg = "There is nothing to add."
            raise CommandError(msg, hint="Name a file or an issuer's URL.")
        return _of(source, worlds, name=name, api_base=api_base)
    from oauthmagic.session.described_apis import ApiFile  # noqa: PLC0415 - rare

    file = ApiFile(openapi)
    if source is None:
        return file.provider(name)
    if is_known(source, worlds.catalogue):
        if name or api_base:
            msg = f"{source} has its name and its API base already."
            raise CommandError(msg, hint=f"%token add {source} --openapi FILE.")
        return file.describe(worlds.catalogue.get(source))
    return file.describe(_of(source, worlds, name=name, api_base=api_base))


def is_known(source: object, catalogue: Catalogue) -> TypeGuard[str]:
    """Return whether what is to be added is the name of a provider."""
    return isinstance(source, str) and source in catalogue


def _of(
    source: str | Path | Provider, worlds: Worlds, *, name: str, api_base: str
) -> Provider:
    if isinstance(source, str) and is_url(source):
        return worlds.provider_at(source, name=name, api_base=api_base)
    if api_base:
        msg = "api_base is for an issuer's URL."
        raise CommandError(msg, hint="A file or a provider says its own.")
    provider = source if isinstance(source, Provider) else _read(Path(source))
    return replace(provider, name=check_name(name)) if name else provider


def read_text(path: Path) -> str:
    """Return the text of a provider file.

    Raises:
        ProviderFileError: It cannot be read; it is named.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"The provider file {str(path)!r} cannot be read: {_why(error)}."
        raise ProviderFileError(msg, hint="Check the path.") from None


def _read(path: Path) -> Provider:
    path = path.expanduser()
    return read_provider(read_text(path), source=path.name, folder=path.parent)


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or "it is not UTF-8 text"
