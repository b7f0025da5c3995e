"""What the people who run this machine offer to every user of it, and what they forbid.

`OAUTHMAGIC_PROVIDERS` lists files like those of `%token add`, and folders of them.
One may also say `allow_production = false`, with or without a provider.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from oauthmagic.errors import EnvironmentRefused, OAuthMagicError, ProviderFileError
from oauthmagic.providers.catalogue import Catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oauthmagic.oauth.targets import Target

#: The environment variable: a list of paths, as in PATH.
VARIABLE = "OAUTHMAGIC_PROVIDERS"


class Site:
    """The providers of this machine, and whether production is let in.

    Args:
        paths: The value of `VARIABLE`; its files are read at the first use.
        is_public: Whether this machine is open to the world, as a Binder is.
    """

    def __init__(self, paths: str = "", *, is_public: bool = False) -> None:
        self.is_public = is_public
        self._paths = paths
        self._read: tuple[Catalogue, str] | None = None
        self._lock = threading.RLock()

    @property
    def catalogue(self) -> Catalogue:
        """The providers that can be named.

        Raises:
            ProviderFileError: A file of the site cannot be used; it is named. Nothing
                goes on before it can: it may be the one that allows no production.
        """
        return self._files_read()[0]

    def check_allowed(self, target: Target) -> None:
        """Refuse production where there is to be none, before anything is asked.

        Raises:
            EnvironmentRefused: This is a public Binder, or the site says so.
        """
        closed_by = self._files_read()[1]
        if target.environment != "production" or not (self.is_public or closed_by):
            return
        why = "on a public Binder nothing is private"
        if not self.is_public:
            why = f"{closed_by} allows no production on this machine"
        msg = f"{target} is refused: {why}."
        raise EnvironmentRefused(
            msg,
            hint="Use a demo or a sandbox here, and production on a machine of your "
            "own.",
        )

    def _files_read(self) -> tuple[Catalogue, str]:
        with self._lock:
            if self._read is None:
                catalogue = Catalogue()
                self._read = catalogue, _read_files(self._paths, catalogue)
            return self._read


def _read_files(paths: str, catalogue: Catalogue) -> str:
    """Read every file; return the one that allows no production, or ""."""
    closed_by = ""
    if not paths:
        return closed_by
    from oauthmagic.providers.file import read_site_file  # noqa: PLC0415 - seldom
    from oauthmagic.session.additions import read_text  # noqa: PLC0415 - the same

    for path in _files(paths):
        provider, allows_production = read_site_file(
            read_text(path), source=str(path), folder=path.parent
        )
        if not allows_production:
            closed_by = closed_by or str(path)
        if provider is not None:
            try:
                catalogue.offer(provider)
            except OAuthMagicError as error:
                msg = f"{path}: {error}"
                raise ProviderFileError(msg, hint=error.hint) from None
    return closed_by


def _files(paths: str) -> Iterator[Path]:
    for each in filter(None, paths.split(os.pathsep)):
        path = Path(each).expanduser()
        if path.is_dir():
            yield from sorted(path.glob("*.toml"))
        else:
            yield path
