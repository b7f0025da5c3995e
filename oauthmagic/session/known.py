"""The secrets of this user that must be in no file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from oauthmagic.redaction import Secret
from oauthmagic.session.credentials import concealed
from oauthmagic.session.stores import lasting_store, store_directory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oauthmagic.oauth.tokens import Token

# Of variables that are secrets by what they hold, or of another name.
_KEY = "PRIVATE KEY-----"
_PASSPHRASE = "_PASSPHRASE"  # noqa: S105 - the end of a variable's name


def known_secrets(environ: Mapping[str, str]) -> list[Secret]:
    """Return the secrets that this process can know without asking anybody.

    Args:
        environ: The environment; client secrets, passwords, passphrases and keys of
            `OAUTHMAGIC_*` are taken, and the tokens of the file store, if it opens.
    """
    variables = concealed(environ)
    found = []
    for name, value in variables.items():
        if isinstance(value, Secret):
            found.append(value)
        elif name.endswith(_PASSPHRASE) or _KEY in value:
            found.append(Secret(value))
    for token in _stored(variables):
        held = (token.access_token, token.refresh_token, token.id_token)
        found += [secret for secret in held if secret is not None]
    return found


def _stored(variables: Mapping[str, str | Secret]) -> list[Token]:
    """Return the tokens of the file store; none where there is no store of ours."""
    try:
        if not (store_directory(variables) / "key.json").exists():
            return []  # a scanner makes no store
        return lasting_store("file", variables, clock_of=lambda _: _now).tokens()
    except Exception:  # noqa: BLE001 - the rest of a scan and of a saving goes on
        # Whoever cannot open it cannot know what it holds.
        return []


def _now() -> datetime:
    return datetime.now(UTC)
