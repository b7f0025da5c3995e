"""The seam between the runtime and a place that keeps tokens.

`exclusive` is the only way to write: lock, read again, renew, write, use. Whoever
comes second finds the new token and renews nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from oauthmagic.errors import StoreDamaged
    from oauthmagic.oauth.tokens import Token, TokenKey


#: What `Session(store=...)` takes by name.
KINDS = ("memory", "file", "keyring")
#: The variable that seals the file store.
PASSPHRASE = "OAUTHMAGIC_STORE_PASSPHRASE"  # noqa: S105 - the name of a variable

#: The variable that names another directory for it, for example on a local disk where
#: the home directory is on a network without locks.
DIRECTORY = "OAUTHMAGIC_STORE_DIRECTORY"


@dataclass(frozen=True, kw_only=True, slots=True)
class Damage:
    """A record that cannot be read, or is not as it was written.

    Attributes:
        target: The target that it says it is of, which nothing proves; "" where it
            does not say.
        why: What is wrong with it.
    """

    target: str
    why: StoreDamaged


class Entry(Protocol):
    """One key of the store while nobody else can write it."""

    @property
    def token(self) -> Token | None:
        """The token held now, read after the lock was had."""
        ...

    def next_generation(self) -> int:
        """Return a number that no token of this key has had."""
        ...

    def write(self, token: Token, *, latest: bool = False) -> None:
        """Keep a token; when this returns, it is as safe as the store is.

        Args:
            token: The token, of this entry's key.
            latest: Whether it was just obtained or adopted, and not only renewed.

        Raises:
            StoreWriteFailed: It is kept in memory until it can be written.
        """
        ...

    def delete(self) -> None:
        """Forget the token; forget nothing if there is none."""
        ...


class Store(Protocol):
    """Keeps tokens by what they belong to."""

    def exclusive(self, key: TokenKey) -> AbstractContextManager[Entry]:
        """Return the entry of a key, locked until the context ends."""
        ...

    def tokens(self) -> list[Token]:
        """Return the tokens that can be read, the latest obtained or adopted last."""
        ...

    def damaged(self) -> list[Damage]:
        """Return what is wrong with the records that cannot be read."""
        ...

    def discard(self, target: str) -> int:
        """Remove the damaged records of a target; return how many.

        Args:
            target: The target that they say they are of; "" for those that do not say.
        """
        ...

    def unsaved(self, key: TokenKey) -> str:
        """Return why a key's token could not be saved yet, or ""."""
        ...

    def clear(self) -> int:
        """Forget every token, those that cannot be read included; return how many."""
        ...
