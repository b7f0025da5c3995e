"""The secrets of this user that must be in no file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthmagic.redaction import Secret
from oauthmagic.session.credentials import concealed

if TYPE_CHECKING:
    from collections.abc import Mapping

# Of variables that are secrets by what they hold, or of another name.
_KEY = "PRIVATE KEY-----"
_PASSPHRASE = "_PASSPHRASE"  # noqa: S105 - the end of a variable's name


def known_secrets(environ: Mapping[str, str]) -> list[Secret]:
    """Return the secrets that this process can know without asking anybody.

    Args:
        environ: The environment; client secrets, passwords, passphrases and keys of
            `OAUTHMAGIC_*` are taken.
    """
    found = []
    for name, value in concealed(environ).items():
        if isinstance(value, Secret):
            found.append(value)
        elif name.endswith(_PASSPHRASE) or _KEY in value:
            found.append(Secret(value))
    return found
