"""Certificates and keys as credentials name them: a PEM file, or PEM text."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from oauthmagic.errors import CommandError
from oauthmagic.redaction import Secret

_BEGINS = "-----BEGIN"
#: More than any chain needs.
_MOST_BYTES = 1 << 20


def is_text(value: str | Secret) -> bool:
    """Return whether a value is PEM text and not the name of a file."""
    text = value.reveal() if isinstance(value, Secret) else value
    return text.lstrip().startswith(_BEGINS)


def read_pem(value: str | Secret, what: str) -> Secret:
    """Return the PEM text of a credential.

    Args:
        value: PEM text, or the path of a PEM file.
        what: The credential's name, for errors.

    Raises:
        CommandError: The file cannot be read, or a key file is open to others.
    """
    if is_text(value):
        return value if isinstance(value, Secret) else Secret(value)
    path = Path(value.reveal() if isinstance(value, Secret) else value).expanduser()
    text = _text(path, what)
    if isinstance(text, CommandError):
        raise text
    return text


def _text(path: Path, what: str) -> Secret | CommandError:
    """Return a file's text; an error is a value, so that no traceback shows a key."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST_BYTES:
            return CommandError(f"The file named by {what} is not a PEM file.")
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        hint = "Check the path."
        return CommandError(f"The file named by {what} cannot be read.", hint=hint)
    others = stat.S_IRWXG | stat.S_IRWXO
    if "PRIVATE KEY" in text and os.name == "posix" and status.st_mode & others:
        return CommandError(
            f"The key file named by {what} can be read by others.",
            hint=f"chmod 600 {path}",
        )
    return Secret(text)
