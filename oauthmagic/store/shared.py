"""A store that kernels and processes share: sealed records under locks.

Each token is a record of its own (`oauthmagic.store.envelopes`), read anew under its
lock before it is written.
"""

from __future__ import annotations

import contextlib
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from oauthmagic.errors import StoreDamaged, StoreError, StoreWriteFailed
from oauthmagic.store.envelopes import Envelopes, said_target
from oauthmagic.store.forks import begins_anew_in_children
from oauthmagic.store.records import Kept
from oauthmagic.store.stores import Damage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from oauthmagic.keys.sealing import Seal
    from oauthmagic.oauth.tokens import Token, TokenKey
    from oauthmagic.store.locks import Locks
    from oauthmagic.store.records import ClockOf
    from oauthmagic.store.shelves import Shelf

#: Generations of a new token begin at a random number of so many bytes: what a token
#: that was forgotten had is not given again, and nobody has to remember it.
_GENERATION_BYTES = 6


class SharedStore:
    """Keeps tokens sealed on a shelf, one lock for each key.

    Args:
        shelf: Where the records lie.
        seal: Seals them.
        locks: Hold back other threads and processes.
        clock_of: From a target to the time of its tokens.
        randomness: Returns so many random bytes.
    """

    def __init__(
        self,
        shelf: Shelf,
        seal: Seal,
        locks: Locks,
        *,
        clock_of: ClockOf,
        randomness: Callable[[int], bytes],
    ) -> None:
        self._shelf = shelf
        self._envelopes = Envelopes(seal, clock_of)
        self._locks = locks
        self._randomness = randomness
        # What was read before, with the mark of its record.
        self._known: dict[str, tuple[object, Kept]] = {}
        # What could not be written, with the record that it was to replace.
        self._unsaved: dict[str, _Unsaved] = {}
        self._guard = threading.Lock()
        begins_anew_in_children(self)

    def begin_anew(self) -> None:
        """Let go, in a forked child, of what its parent holds."""
        self._guard = threading.Lock()
        self._unsaved = {}

    @contextmanager
    def exclusive(self, key: TokenKey) -> Iterator[SharedEntry]:
        """Return the entry of a key, locked until the context ends.

        Raises:
            StoreBusy: Another kernel held the lock all the time.
        """
        name = self._envelopes.name(key)
        with self._locks.held(name):
            self._save_again(name)
            yield SharedEntry(self, name)

    def tokens(self) -> list[Token]:
        """Return the tokens that can be read, the latest obtained or adopted last."""
        for name in list(self._unsaved):
            with self._locks.held(name):
                self._save_again(name)
        found = list(self._all())
        found.sort(key=lambda kept: (kept.order, kept.token.target))
        return [kept.token for kept in found]

    def damaged(self) -> list[Damage]:
        """Return what is wrong with the records that cannot be read."""
        found = (self._damage(name) for name in self._names())
        return [damage for damage in found if damage is not None]

    def discard(self, target: str) -> int:
        """Remove the damaged records of a target; return how many.

        Args:
            target: The target that they say they are of; "" for those that do not say.

        Raises:
            StoreBusy: Somebody holds the lock of one all the time.
            StoreWriteFailed: Some are still there.
        """
        return sum(self._discard(name, target) for name in self._names())

    def unsaved(self, key: TokenKey) -> str:
        """Return why the token of a key is in memory only, or ""."""
        unsaved = self._unsaved.get(self._envelopes.name(key))
        return unsaved.why if unsaved else ""

    def clear(self) -> int:
        """Remove every record, damaged ones included; return how many.

        Raises:
            StoreWriteFailed: Some are still there.
        """
        names = self._names()
        for name in names:
            with self._locks.held(name):
                self.delete(name)
        return len(names)

    def kept(self, name: str, *, anew: bool = False) -> Kept | None:
        """Return what is held under a name; what could not be written comes first.

        Args:
            name: The record's name.
            anew: Read the record even if it looks as it did. Two writes within one
                tick of the file system's clock look the same.
        """
        saved = self._saved(name, anew=anew)
        unsaved = self._unsaved.get(name)
        if unsaved is None:
            return saved
        if unsaved.replaces == _generation(saved):
            return unsaved.kept
        # Somebody else could write: a newer token in the store wins.
        self._forget_unsaved(name)
        return saved

    def write(self, name: str, token: Token, *, latest: bool) -> None:
        """Keep a token under a name whose lock is held.

        Raises:
            StoreWriteFailed: It is kept in memory until it can be written.
        """
        before = self.kept(name, anew=True)
        order = before.order if before else 0
        if latest or before is None:
            order = 1 + max((each.order for each in self._all()), default=0)
        kept = Kept(token=token, order=order)
        replaces = _generation(self._saved(name))
        try:
            self._write(name, kept)
        except StoreWriteFailed as error:
            self._unsaved[name] = _Unsaved(kept, replaces, str(error))
            # On the disk is a token that was replaced: who sent its refresh token
            # once more would end the login for all.
            self._locks.keep(name)
            raise
        self._forget_unsaved(name)

    def delete(self, name: str) -> None:
        """Forget what is held under a name whose lock is held.

        Raises:
            StoreWriteFailed: It is still there.
        """
        self._forget_unsaved(name)
        if self._shelf.mark(name) is not None:
            self._shelf.remove(name)

    def next_generation(self, name: str) -> int:
        """Return a number that no token under a name has had."""
        kept = self.kept(name)
        if kept is not None:
            return kept.token.generation + 1
        return int.from_bytes(self._randomness(_GENERATION_BYTES))

    def _names(self) -> set[str]:
        return {*self._shelf.names(), *self._unsaved}

    def _all(self) -> Iterator[Kept]:
        for name in self._names():
            # A damaged record of another target must not cost the token at hand.
            with contextlib.suppress(StoreDamaged):
                kept = self.kept(name)
                if kept is not None:
                    yield kept

    def _damage(self, name: str, *, anew: bool = False) -> Damage | None:
        try:
            self.kept(name, anew=anew)
        except StoreDamaged as error:
            said = ""
            with contextlib.suppress(StoreError):
                said = said_target(self._shelf.read(name) or b"")
            return Damage(target=said, why=error.with_traceback(None))
        return None

    def _discard(self, name: str, target: str) -> bool:
        damage = self._damage(name)
        if damage is None or damage.target != target:
            return False
        with self._locks.held(name):
            # Somebody may have got the token anew before the lock was ours.
            if self._damage(name, anew=True) is None:
                return False
            self.delete(name)
        return True

    def _saved(self, name: str, *, anew: bool = False) -> Kept | None:
        """Return the record of a name, from memory if it has not changed."""
        mark = self._shelf.mark(name)
        with self._guard:
            known = self._known.get(name)
        if not anew and mark is not None and known is not None and known[0] == mark:
            return known[1]
        record = self._shelf.read(name)
        if record is None:
            return None
        kept = self._envelopes.opened(name, record)
        with self._guard:
            self._known[name] = mark, kept
        return kept

    def _write(self, name: str, kept: Kept) -> None:
        self._shelf.write(name, self._envelopes.sealed(name, kept))
        mark = self._shelf.mark(name)
        with self._guard:
            self._known[name] = mark, kept

    def _save_again(self, name: str) -> None:
        """Write what could not be written, if it still is the token to keep."""
        unsaved = self._unsaved.get(name)
        if unsaved is None or self.kept(name) is not unsaved.kept:
            return
        try:
            self._write(name, unsaved.kept)
        except StoreError as error:
            unsaved.why = str(error)
        else:
            self._forget_unsaved(name)

    def _forget_unsaved(self, name: str) -> None:
        self._unsaved.pop(name, None)
        self._locks.keep_no_longer(name)


class SharedEntry:
    """One key of a `SharedStore`, held under its lock."""

    __slots__ = ("_name", "_store")

    def __init__(self, store: SharedStore, name: str) -> None:
        self._store = store
        self._name = name

    @property
    def token(self) -> Token | None:
        """The token held now, read anew if it has changed."""
        kept = self._store.kept(self._name, anew=True)
        return None if kept is None else kept.token

    def next_generation(self) -> int:
        """Return a number that no token of this key has had."""
        return self._store.next_generation(self._name)

    def write(self, token: Token, *, latest: bool = False) -> None:
        """Keep a token; when this returns, it is on the disk.

        Raises:
            StoreWriteFailed: It is kept in memory until it can be written.
        """
        self._store.write(self._name, token, latest=latest)

    def delete(self) -> None:
        """Forget the token; forget nothing if there is none.

        Raises:
            StoreWriteFailed: It is still there.
        """
        self._store.delete(self._name)


class _Unsaved:
    """A token that could not be written."""

    __slots__ = ("kept", "replaces", "why")

    def __init__(self, kept: Kept, replaces: int | None, why: str) -> None:
        self.kept = kept
        self.replaces = replaces
        self.why = why


def _generation(kept: Kept | None) -> int | None:
    return None if kept is None else kept.token.generation
