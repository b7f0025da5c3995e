"""The store of a session, which can be exchanged while the session lives."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from oauthmagic.errors import EnvironmentRefused, StoreUnavailable, UnknownName
from oauthmagic.redaction import Secret
from oauthmagic.store.memory import MemoryStore
from oauthmagic.store.stores import DIRECTORY, KINDS, PASSPHRASE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime

    from oauthmagic.oauth.tokens import Token, TokenKey
    from oauthmagic.session.worlds import Worlds
    from oauthmagic.store.records import ClockOf
    from oauthmagic.store.shared import SharedStore
    from oauthmagic.store.stores import Damage, Entry, Store


class Stores:
    """A store that stands for the one that was chosen last.

    Args:
        chosen: "memory", "file", "keyring" or a store.
        worlds: Know the time of each target, and whether this machine is public.
        variables: The environment's own (`oauthmagic.session.credentials.concealed`).
        randomness: Returns so many random bytes.

    Raises:
        UnknownName: There is no such store.
        OAuthMagicError: It cannot be used here.
    """

    def __init__(
        self,
        chosen: str | Store,
        worlds: Worlds,
        variables: Mapping[str, str | Secret],
        randomness: Callable[[int], bytes],
    ) -> None:
        self._worlds = worlds
        self._variables = variables
        self._randomness = randomness
        self._opened: dict[str, Store] = {}
        self._current = self._open(chosen)

    def choose(self, chosen: str | Store) -> None:
        """Go on with another store; what memory held goes with it.

        Of two tokens that belong to the same, the one that serves longer stays.

        Raises:
            UnknownName: There is no such store; the old one stays.
            OAuthMagicError: It cannot be used here; the old one stays.
        """
        store = self._open(chosen)
        if store is self._current:
            return
        if isinstance(self._current, MemoryStore):
            for token in self._current.tokens():
                with store.exclusive(token.key) as entry:
                    if entry.token is None or _worth(token) > _worth(entry.token):
                        number = entry.next_generation()
                        entry.write(token.replace(generation=number), latest=True)
            self._current.clear()
        self._current = store

    def exclusive(self, key: TokenKey) -> AbstractContextManager[Entry]:
        """Return the entry of a key, locked until the context ends."""
        return self._current.exclusive(key)

    def tokens(self) -> list[Token]:
        """Return the tokens that can be read, the latest obtained or adopted last."""
        return self._current.tokens()

    def damaged(self) -> list[Damage]:
        """Return what is wrong with the records that cannot be read."""
        return self._current.damaged()

    def discard(self, target: str) -> int:
        """Remove the damaged records of a target; return how many."""
        return self._current.discard(target)

    def unsaved(self, key: TokenKey) -> str:
        """Return why a key's token could not be saved yet, or ""."""
        return self._current.unsaved(key)

    def clear(self) -> int:
        """Forget every token; return how many."""
        return self._current.clear()

    def _open(self, chosen: str | Store) -> Store:
        if not isinstance(chosen, str):
            return chosen
        if chosen not in KINDS:
            raise UnknownName("store", chosen, KINDS)
        if chosen not in self._opened:
            made = MemoryStore() if chosen == "memory" else self._lasting(chosen)
            self._opened[chosen] = made
        return self._opened[chosen]

    def _lasting(self, kind: str) -> Store:
        if self._worlds.is_public:
            msg = "On a public Binder nothing is kept on the disk."
            hint = 'The store "memory" works here; it ends with the kernel.'
            raise EnvironmentRefused(msg, hint=hint)
        return lasting_store(
            kind,
            self._variables,
            clock_of=self._worlds.clock_of,
            randomness=self._randomness,
        )


def _worth(token: Token) -> tuple[bool, bool, datetime]:
    """Return what makes one token better than another that belongs to the same."""
    is_refreshable = token.refresh_token is not None
    return is_refreshable, not token.is_expired(), token.issued_at


def lasting_store(
    kind: str,
    variables: Mapping[str, str | Secret],
    *,
    clock_of: ClockOf,
    randomness: Callable[[int], bytes] = os.urandom,
) -> SharedStore:
    """Open the store "file" or "keyring" of this user.

    Args:
        kind: Which.
        variables: The environment's own (`oauthmagic.session.credentials.concealed`).
        clock_of: From a target to the time of its tokens.
        randomness: Returns so many random bytes.

    Raises:
        StoreError: It cannot be used here.
    """
    from oauthmagic.store.opening import (  # noqa: PLC0415 - imports cryptography
        Place,
        open_store,
    )

    given = variables.get(PASSPHRASE)
    place = Place(
        directory=store_directory(variables),
        passphrase=given if isinstance(given, Secret) else None,
        randomness=randomness,
        clock_of=clock_of,
    )
    return open_store(kind, place)


def store_directory(variables: Mapping[str, str | Secret]) -> Path:
    """Return the directory of the file store, whether there is one or not.

    Raises:
        StoreUnavailable: What the variable names can be no directory.
    """
    from oauthmagic.store.places import user_directory  # noqa: PLC0415 - when chosen

    named = variables.get(DIRECTORY)
    if not named:
        return user_directory()
    try:
        directory = Path(str(named)).expanduser()
        if b"\0" not in os.fsencode(directory):
            return directory
        why = "a path has no NUL"
    except RuntimeError:
        why = "there is no such user"
    except UnicodeEncodeError:
        why = "it cannot be written as a path"
    msg = f"{DIRECTORY} names no directory ({why})."
    hint = "Set it to the path of a directory of yours, or to none; then start anew."
    raise StoreUnavailable(msg, hint=hint)
