"""The default store: the memory of one session, gone with it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oauthmagic.oauth.tokens import Token, TokenKey


class MemoryStore:
    """Keeps tokens in a dictionary, one lock for each key."""

    def __init__(self) -> None:
        # Dictionaries keep the order of insertion; the latest comes last.
        self._tokens: dict[TokenKey, Token] = {}
        self._locks: dict[TokenKey, threading.Lock] = {}
        self._guard = threading.Lock()

    @contextmanager
    def exclusive(self, key: TokenKey) -> Iterator[MemoryEntry]:
        """Return the entry of a key, locked until the context ends."""
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            yield MemoryEntry(self._tokens, key, self._guard)

    def tokens(self) -> list[Token]:
        """Return the tokens held, the latest obtained or adopted last."""
        with self._guard:
            return list(self._tokens.values())


class MemoryEntry:
    """One key of a `MemoryStore`, held under its lock."""

    __slots__ = ("_guard", "_key", "_tokens")

    def __init__(
        self, tokens: dict[TokenKey, Token], key: TokenKey, guard: threading.Lock
    ) -> None:
        self._tokens = tokens
        self._key = key
        self._guard = guard

    @property
    def token(self) -> Token | None:
        """The token held now."""
        with self._guard:
            return self._tokens.get(self._key)

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
