"""The operating system's keyring: a place for one key, or for all records.

A keyring that is missing, locked, slow, or that cuts what it is given is a typed
error that names another store; there is no silent way to plain text.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import (
    KeyringMissing,
    StoreDamaged,
    StoreUnavailable,
    StoreWriteFailed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from oauthmagic.store.locks import Locks

SERVICE = "oauthmagic"
#: Seconds that a keyring may take: long enough for somebody to unlock it.
PATIENCE = 20.0
#: Characters of one item. Windows keeps 2,560 bytes, in UTF-16.
MAX_ITEM = 1000
_INDEX = "index"
#: Backends that keep what they are given where anybody can read it, or nowhere.
_UNSAFE = ("plaintext", "null", "fail")


class Keyring:
    """The keyring, with a deadline for each question to it.

    Args:
        backend: A backend of the package `keyring`; without it, the one that the
            package chooses, and only when it is first needed.
        patience: Seconds to wait for it.
    """

    def __init__(self, backend: Any = None, *, patience: float = PATIENCE) -> None:
        self._backend = backend
        self._patience = patience

    def name(self) -> str:
        """Return what the backend is called; nothing is read.

        Raises:
            StoreUnavailable: There is none, or none that is safe.
        """
        return str(self._asked(lambda backend: getattr(backend, "name", backend)))

    def get(self, name: str) -> str | None:
        """Return an item, or None if there is none.

        Raises:
            StoreUnavailable: There is no keyring, or it does not answer.
        """
        found = self._asked(lambda backend: backend.get_password(SERVICE, name))
        return found if isinstance(found, str) else None

    def set(self, name: str, value: str) -> None:
        """Keep an item, and look whether it was kept whole.

        Raises:
            StoreUnavailable: It was not, or there is no keyring, or no answer.
        """
        self._asked(lambda backend: backend.set_password(SERVICE, name, value))
        if self.get(name) != value:
            del value  # no frame of an error keeps it
            with contextlib.suppress(StoreUnavailable):
                self.delete(name)  # half of it helps nobody
            raise StoreUnavailable("The keyring did not keep what it was given.")

    def delete(self, name: str) -> None:
        """Remove an item; do nothing if there is none.

        Raises:
            StoreUnavailable: There is no keyring, or it does not answer.
        """
        if self.get(name) is not None:
            self._asked(lambda backend: backend.delete_password(SERVICE, name))

    def _asked(self, question: Callable[[Any], Any]) -> Any:
        """Return the answer to one question, asked in a thread of its own.

        A keyring may open a window, and waits for as long as nobody looks at it.
        """
        outcome: dict[str, Any] = {}

        def ask() -> None:
            try:
                outcome["answer"] = question(self._chosen())
            except StoreUnavailable as error:
                outcome["error"] = error.with_traceback(None)
            except Exception as error:  # noqa: BLE001 - backends raise what they like
                kind = type(error).__name__
                msg = f"The keyring cannot be used ({kind})."
                outcome["error"] = StoreUnavailable(msg)

        thread = threading.Thread(target=ask, daemon=True, name="oauthmagic-keyring")
        thread.start()
        thread.join(self._patience)
        if not outcome:
            msg = f"The keyring did not answer within {self._patience:g} seconds."
            raise StoreUnavailable(msg, hint="Unlock it, then try again.")
        if "error" in outcome:
            raise outcome["error"]
        return outcome["answer"]

    def _chosen(self) -> Any:
        if self._backend is None:
            try:
                import keyring  # noqa: PLC0415 - an extra
            except ImportError:
                msg = "The package keyring is not installed."
                hint = 'pip install "oauthmagic[keyring]"'
                raise KeyringMissing(msg, hint=hint) from None
            self._backend = keyring.get_keyring()
        for backend in (self._backend, *getattr(self._backend, "backends", ())):
            kind = type(backend)
            words = f"{kind.__module__}.{kind.__qualname__}".lower()
            if any(word in words for word in _UNSAFE):
                self._backend = None
                raise KeyringMissing("There is no keyring here that keeps secrets.")
        return self._backend


class KeyringShelf:
    """A shelf of keyring items, each small enough for every keyring.

    A record is cut into parts of its own; the item under its name, which says how
    many there are, is written last. Whoever reads finds the old record or the new.

    Args:
        keyring: The keyring.
        locks: Hold the list of names together.
    """

    def __init__(self, keyring: Keyring, locks: Locks) -> None:
        self._keyring = keyring
        self._locks = locks

    def names(self) -> list[str]:
        """Return the names of all records."""
        found = self._read(_INDEX)
        return [] if found is None else sorted(found.decode().split())

    def read(self, name: str) -> bytes | None:
        """Return a record, or None if there is none.

        Raises:
            StoreDamaged: A part of it is gone.
        """
        return self._read(name)

    def mark(self, name: str) -> object:
        """Return what changes when a record does, or None if there is none."""
        return self._keyring.get(name)

    def write(self, name: str, record: bytes) -> None:
        """Keep a record; one writer at a time.

        Raises:
            StoreWriteFailed: The old record is still there.
        """
        with self._changing("The token was NOT saved"):
            self._write(name, record)
            with self._locks.held(_INDEX):
                names = self.names()
                if name not in names:
                    self._write(_INDEX, " ".join([*names, name]).encode())

    def remove(self, name: str) -> None:
        """Remove a record; do nothing if there is none.

        Raises:
            StoreWriteFailed: It is still there.
        """
        with self._changing("The token was not removed from the keyring"):
            with self._locks.held(_INDEX):
                left = [each for each in self.names() if each != name]
                self._write(_INDEX, " ".join(left).encode())
            head = self._head(name)
            self._keyring.delete(name)
            self._drop(name, head)

    @contextmanager
    def _changing(self, failed: str) -> Iterator[None]:
        try:
            yield
        except StoreUnavailable as error:
            why = str(error).removesuffix(".")
            raise StoreWriteFailed(f"{failed} ({why}).") from None

    def _read(self, name: str) -> bytes | None:
        head = self._head(name)
        if head is None:
            return None
        turn, count = head
        found = (self._keyring.get(f"{name}/{turn}/{each}") for each in range(count))
        parts = [part for part in found if part is not None]
        if len(parts) == count:
            with contextlib.suppress(binascii.Error):
                return base64.b64decode("".join(parts), validate=True)
        raise StoreDamaged("A record in the keyring is not whole.")

    def _write(self, name: str, record: bytes) -> None:
        before = self._head(name)
        turn = 1 + (before[0] if before else 0)
        text = base64.b64encode(record).decode()
        parts = [text[at : at + MAX_ITEM] for at in range(0, len(text), MAX_ITEM)]
        for number, part in enumerate(parts):
            self._keyring.set(f"{name}/{turn}/{number}", part)
        self._keyring.set(name, json.dumps([turn, len(parts)]))
        self._drop(name, before)

    def _drop(self, name: str, head: tuple[int, int] | None) -> None:
        turn, count = head or (0, 0)
        for number in range(count):
            self._keyring.delete(f"{name}/{turn}/{number}")

    def _head(self, name: str) -> tuple[int, int] | None:
        """Return which turn a record is in, and of how many parts it is."""
        found = self._keyring.get(name)
        if found is None:
            return None
        try:
            turn, count = json.loads(found)
            if type(turn) is type(count) is int and 0 <= count <= 1 << 13:
                return turn, count
        except (ValueError, TypeError):
            pass
        raise StoreDamaged("A record in the keyring is not one of ours.")
