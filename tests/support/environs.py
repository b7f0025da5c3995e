"""An environment without the developer's settings, with a home of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: What changes how this package, its libraries or Python's own output behave.
SETTINGS = re.compile(
    r"""(?xi)
    OAUTHMAGIC_.* | BINDER_.* | JUPYTER.* | JPY_.* | IPYTHON.* | XDG_.*_(HOME|DIRS)
    | (ALL|FTP|HTTP|HTTPS|NO)_PROXY | NETRC
    | SSL_CERT_(FILE|DIR) | SSLKEYLOGFILE | (CURL|REQUESTS)_CA_BUNDLE
    | PYTHON_KEYRING_.* | BROWSER | FORCE_COLOR | CLICOLOR.* | PYTHON_COLORS
    """
)


def settings_of(home: Path) -> dict[str, str]:
    """Return the variables that make a directory the home of whoever has them."""
    homes = {
        "HOME": home,
        "USERPROFILE": home,
        "APPDATA": home / "AppData" / "Roaming",
        "LOCALAPPDATA": home / "AppData" / "Local",
        "IPYTHONDIR": home / ".ipython",
        "JUPYTER_CONFIG_DIR": home / ".jupyter",
        "JUPYTER_DATA_DIR": home / ".jupyter" / "data",
        "JUPYTER_RUNTIME_DIR": home / ".jupyter" / "runtime",
    }
    return {
        **{name: str(path) for name, path in homes.items()},
        # No test looks into the developer's keyring.
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        # Help texts wrap at the terminal's width.
        "COLUMNS": "88",
        "NO_COLOR": "1",
    }


def clean(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return an environment without the settings in it, at home somewhere else."""
    kept = {
        name: value for name, value in environ.items() if not SETTINGS.fullmatch(name)
    }
    return kept | settings_of(home)
