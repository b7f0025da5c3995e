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
        self._tokens: dict[TokenKey, Token] = {}
        self._locks: dict[TokenKey, threading.RLock] = {}
        self._guard = threading.Lock()

    @contextmanager
    def exclusive(self, key: TokenKey) -> Iterator[MemoryEntry]:
        """Return the entry of a key, locked until the context ends."""
        with self._guard:
            lock = self._locks.setdefault(key, threading.RLock())
        with lock:
            yield MemoryEntry(self, key)

    def put(self, token: Token) -> None:
        """Keep a token that was just obtained or adopted: it is now the latest."""
        with self.exclusive(token.key), self._guard:
            # Dictionaries keep the order of insertion; the latest comes last.
            self._tokens.pop(token.key, None)
            self._tokens[token.key] = token

    def delete(self, key: TokenKey) -> None:
        """Forget the token of a key; forget nothing if there is none."""
        with self.exclusive(key), self._guard:
            self._tokens.pop(key, None)

    def tokens(self) -> list[Token]:
        """Return the tokens held, the latest obtained or adopted last."""
        with self._guard:
            return list(self._tokens.values())

    def _read(self, key: TokenKey) -> Token | None:
        with self._guard:
            return self._tokens.get(key)

    def _write(self, key: TokenKey, token: Token) -> None:
        with self._guard:
            self._tokens[key] = token


class MemoryEntry:
    """One key of a `MemoryStore`, held under its lock."""

    __slots__ = ("_key", "_store")

    def __init__(self, store: MemoryStore, key: TokenKey) -> None:
        self._store = store
        self._key = key

    @property
    def token(self) -> Token | None:
        """The token held now."""
        return self._store._read(self._key)  # noqa: SLF001 - one class in two parts

    def write(self, token: Token) -> None:
        """Keep a renewed token; the order of the store does not change."""
        self._store._write(self._key, token)  # noqa: SLF001 - one class in two parts
