"""The default store: the memory of one session, gone with it."""

from __future__ import annotations

import itertools
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from oauthmagic.store.forks import begins_anew_in_children

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oauthmagic.oauth.tokens import Token, TokenKey
    from oauthmagic.store.stores import Damage

#: Said of a token whose refresh token stayed with the parent.
FORKED = (
    "A forked process does not refresh what its parent holds in memory: choose "
    'the store "file", which they share.'
)


class MemoryStore:
    """Keeps tokens in a dictionary, one lock for each key."""

    def __init__(self) -> None:
        begins_anew_in_children(self)
        # Dictionaries keep the order of insertion; the latest comes last.
        self._tokens: dict[TokenKey, Token] = {}
        self._locks: dict[TokenKey, threading.Lock] = {}
        self._guard = threading.Lock()
        # Counted over all keys, so that a token obtained anew is not taken for one
        # that was forgotten.
        self._generations = itertools.count(1)

    def begin_anew(self) -> None:
        """Let go, in a forked child, of what its parent's threads hold.

        Parent and child would each send the refresh token that they both have; a
        server that replaces them takes the second for theft and ends the login.
        """
        self._locks = {}
        self._guard = threading.Lock()
        for key, token in self._tokens.items():
            if token.refresh_token is not None:
                self._tokens[key] = token.replace(refresh_token=None, note=FORKED)

    @contextmanager
    def exclusive(self, key: TokenKey) -> Iterator[MemoryEntry]:
        """Return the entry of a key, locked until the context ends."""
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            yield MemoryEntry(self._tokens, key, self._guard, self._generations)

    def tokens(self) -> list[Token]:
        """Return the tokens held, the latest obtained or adopted last."""
        with self._guard:
            return list(self._tokens.values())

    def damaged(self) -> list[Damage]:
        """Return nothing: what is in memory is as it was put there."""
        return []

    def discard(self, target: str) -> int:  # noqa: ARG002 - of no target
        """Remove nothing: nothing is damaged."""
        return 0

    def unsaved(self, key: TokenKey) -> str:  # noqa: ARG002 - of no key
        """Return "": memory is where they belong."""
        return ""

    def clear(self) -> int:
        """Forget every token; return how many."""
        with self._guard:
            count = len(self._tokens)
            self._tokens.clear()
        return count


class MemoryEntry:
    """One key of a `MemoryStore`, held under its lock."""

    __slots__ = ("_generations", "_guard", "_key", "_tokens")

    def __init__(
        self,
        tokens: dict[TokenKey, Token],
        key: TokenKey,
        guard: threading.Lock,
        generations: Iterator[int],
    ) -> None:
        self._tokens = tokens
        self._key = key
        self._guard = guard
        self._generations = generations

    @property
    def token(self) -> Token | None:
        """The token held now."""
        with self._guard:
            return self._tokens.get(self._key)

    def next_generation(self) -> int:
        """Return a number that no token has had."""
        return next(self._generations)

    def write(self, token: Token, *, latest: bool = False) -> None:
        """Keep a token; only a latest one changes the order of the store."""
        with self._guard:
            if latest:
                self._tokens.pop(self._key, None)
            self._tokens[self._key] = token

    def delete(self) -> None:
        """Forget the token; forget nothing if there is none."""
        with self._guard:
            self._tokens.pop(self._key, None)
