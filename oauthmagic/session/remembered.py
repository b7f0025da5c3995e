"""Credentials in the operating system's keyring, an item for each field.

In the service "oauthmagic" an item is called `TARGET/FIELD`, for example
`stet/17515@sandbox/client_secret` or, for every tenant, `stet@sandbox/client_secret`.
Other programs can put them there: `keyring set oauthmagic acme@sandbox/client_secret`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from oauthmagic.errors import (
    CommandError,
    EnvironmentRefused,
    KeyringMissing,
)
from oauthmagic.oauth.credentials import (
    SECRET_FIELDS,
    Credentials,
    field_names,
    holds_key,
    read_credentials,
    with_names,
)
from oauthmagic.oauth.outcomes import settled
from oauthmagic.redaction import Secret
from oauthmagic.store.keyrings import MAX_ITEM, Keyring

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oauthmagic.oauth.targets import Target

#: A token to exchange is nothing to keep: it is over soon.
_PASSING = ("subject_token", "subject_token_type")


class Remembered:
    """What the keyring holds for targets.

    Args:
        keyring: The keyring; without it, the operating system's.
    """

    def __init__(self, keyring: Keyring | None = None) -> None:
        self._keyring = keyring or Keyring()
        self._known: dict[str, Credentials] = {}
        #: Whether this machine is open to the world; its keyring is left alone.
        self.is_public = False

    def known(self, target: Target) -> Credentials:
        """Return what was read or kept for a target so far, without asking."""
        return self._known.get(str(target), Credentials())

    def read(self, target: Target, wanted: Iterable[str]) -> Credentials:
        """Return those of the wanted fields that the keyring holds for a target.

        A secret comes with the name that it belongs to. Where there is no keyring,
        nothing is found.

        Raises:
            StoreUnavailable: There is one, and it does not answer.
        """
        if self.is_public or target.environment == "demo":
            return Credentials()
        found: dict[str, str | Secret] = {}
        try:
            for field in with_names(each for each in wanted if each not in _PASSING):
                for name in _item_names(target, field):
                    value = self._keyring.get(name)
                    if value:
                        hidden = field in SECRET_FIELDS or holds_key(value)
                        # A name would be masked wherever it is shown.
                        found[field] = Secret(value) if hidden else value
                        del value
                        break
        except KeyringMissing:
            return Credentials()
        credentials = settled(read_credentials(found))
        credentials = replace(credentials, target=str(target))
        self._known[str(target)] = credentials.over(self.known(target))
        return credentials

    def keep(self, target: Target, credentials: Credentials) -> tuple[str, ...]:
        """Keep credentials for a target; return the names of the fields.

        Raises:
            CommandError: There is nothing to keep, or a value is too long.
            EnvironmentRefused: This machine is public.
            StoreUnavailable: There is no keyring, or it does not answer.
        """
        if self.is_public:
            msg = "On a public Binder no credentials are kept."
            raise EnvironmentRefused(msg, hint="Use the demo here.")
        kept = replace(credentials, subject_token=None, subject_token_type="")
        names = tuple(each for each in field_names() if getattr(kept, each))
        if not names:
            msg = f"There are no credentials of {target} to remember."
            hint = f"Get a token with them first: %token {target}."
            raise CommandError(msg, hint=hint)
        for field in names:
            if len(_text(kept, field)) > MAX_ITEM:
                msg = f"{field} is longer than what every keyring keeps."
                hint = "Save it as a file that only you can read, and give its path."
                raise CommandError(msg, hint=hint)
        for field in names:
            self._keyring.set(_item_names(target, field)[0], _text(kept, field))
        self._known[str(target)] = kept
        return names

    def forget(self, target: Target) -> None:
        """Remove what the keyring holds for this very target, if anything.

        Raises:
            StoreUnavailable: There is no keyring, or it does not answer.
        """
        for field in field_names():
            self._keyring.delete(_item_names(target, field)[0])
        self._known.pop(str(target), None)


def _item_names(target: Target, field: str) -> list[str]:
    """Return the names of an item, the most specific first."""
    names = [f"{target}/{field}"]
    if target.tenant:
        names.append(f"{replace(target, tenant='')}/{field}")
    return names


def _text(credentials: Credentials, field: str) -> str:
    value = getattr(credentials, field)
    return value.reveal() if isinstance(value, Secret) else value
