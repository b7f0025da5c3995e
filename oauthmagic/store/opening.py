"""Opening a store that lasts: where it lies, and whose key seals it.

The key comes from a passphrase, which beats the keyring, or lies in the keyring of
the operating system. What a key is made with stands beside the records, and a wrong
key is told from a damaged record by a sealed word.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from oauthmagic.errors import (
    StoreDamaged,
    StoreError,
    StoreUnavailable,
    StoreWriteFailed,
)
from oauthmagic.keys.sealing import (
    KEY_BYTES,
    SALT_BYTES,
    ScryptCost,
    Seal,
    key_from_passphrase,
)
from oauthmagic.oauth.strict_json import read_object
from oauthmagic.store.disks import Disk, read_private, write_whole
from oauthmagic.store.keyrings import Keyring, KeyringShelf
from oauthmagic.store.locks import Locks
from oauthmagic.store.shared import SharedStore
from oauthmagic.store.shelves import Directory, reason
from oauthmagic.store.stores import PASSPHRASE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from oauthmagic.redaction import Secret
    from oauthmagic.store.records import ClockOf

_KEY_FILE = "key.json"
_KEY_NAME = "store key"
_CHECKED = b"oauthmagic key 1"
_NO_KEY = (
    f"Set {PASSPHRASE} before the kernel starts, or install a keyring "
    '(pip install "oauthmagic[keyring]"); without either: '
    '%config OAuthMagic.store = "memory".'
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a store that lasts is kept, and with what.

    Attributes:
        directory: Its directory.
        passphrase: What its key is made of, or None for one in the keyring.
        keyring: The operating system's keyring.
        disk: The calls that touch the disk.
        randomness: Returns so many random bytes.
        clock_of: From a target to the time of its tokens.
    """

    passphrase: Secret | None
    randomness: Callable[[int], bytes]
    clock_of: ClockOf
    directory: Path
    keyring: Keyring | None = None
    disk: Disk | None = None


def open_store(kind: str, place: Place) -> SharedStore:
    """Open the store "file" or "keyring"; make it if there is none.

    Raises:
        StoreUnavailable: There is no place or no key for it here.
        StoreDamaged: What its key is made with was changed.
    """
    disk = place.disk or Disk()
    directory = place.directory
    keyring = place.keyring or Keyring()
    shelf = Directory(directory, disk)
    locks = Locks(directory, disk)
    with locks.held("key"):
        if kind == "keyring":
            try:
                key = _key_in(keyring, place, may_make=True)
            except StoreUnavailable as error:
                raise error.with_hint(_no_keyring(place)) from None
            seal = Seal(key, place.randomness)
        else:
            seal = _sealed_with(directory / _KEY_FILE, place, keyring, disk, shelf)
    return SharedStore(
        KeyringShelf(keyring, locks) if kind == "keyring" else shelf,
        seal,
        locks,
        clock_of=place.clock_of,
        randomness=place.randomness,
    )


def _sealed_with(
    path: Path, place: Place, keyring: Keyring, disk: Disk, shelf: Directory
) -> Seal:
    """Return the seal of a directory; the first time, make its key."""
    try:
        found = read_private(path)
    except OSError as error:
        msg = f"The key file of the token store cannot be used ({reason(error)})."
        raise StoreDamaged(msg, hint=_start_anew(path)) from None
    if found is not None:
        return _opened(found, place, keyring, path)
    if shelf.names():
        msg = "The key file of the token store is gone; its records cannot be read."
        raise StoreDamaged(msg, hint=_start_anew(path))
    made = _Key(
        source="keyring" if place.passphrase is None else "passphrase",
        salt=place.randomness(SALT_BYTES),
        cost=ScryptCost(),
    )
    seal = Seal(_key_of(made, place, keyring, may_make=True), place.randomness)
    try:
        write_whole(disk, path, made.to_bytes(seal))
    except OSError as error:
        msg = f"The key file of the token store was not saved ({reason(error)})."
        raise StoreWriteFailed(
            msg, hint='Choose the store "memory" until the disk works.'
        ) from None
    return seal


def _opened(found: bytes, place: Place, keyring: Keyring, path: Path) -> Seal:
    key, check = _Key.from_bytes(found)
    if key is None:
        msg = "The key file of the token store was changed."
        raise StoreDamaged(msg, hint=_start_anew(path))
    if key.source == "passphrase" and place.passphrase is None:
        msg = "The token store is sealed with a passphrase, and none is given."
        raise StoreUnavailable(msg, hint=f"Set {PASSPHRASE} before the kernel starts.")
    if key.source == "keyring" and place.passphrase is not None:
        msg = "The token store is sealed with a key in the keyring, not a passphrase."
        raise StoreUnavailable(msg, hint=f"Start the kernel without {PASSPHRASE}.")
    try:
        seal = Seal(_key_of(key, place, keyring, may_make=False), place.randomness)
    except StoreUnavailable as error:
        raise error.with_hint(_look_for_key(key.source, path)) from None
    try:
        right = seal.open(check, key.head()) == _CHECKED
    except ValueError:
        right = False
    if not right:
        what = "passphrase" if key.source == "passphrase" else "key in the keyring"
        msg = f"The {what} is not that of the token store, or its key file was changed."
        raise StoreDamaged(msg, hint=_look_for_key(key.source, path))
    return seal


def _key_of(key: _Key, place: Place, keyring: Keyring, *, may_make: bool) -> bytes:
    if place.passphrase is not None:
        return key_from_passphrase(place.passphrase, key.salt, key.cost)
    return _key_in(keyring, place, may_make=may_make)


def _key_in(keyring: Keyring, place: Place, *, may_make: bool) -> bytes:
    """Return the key that lies in the keyring; make it where that is allowed."""
    try:
        text = keyring.get(_KEY_NAME)
        if text is None and may_make:
            made = base64.b64encode(place.randomness(KEY_BYTES)).decode()
            keyring.set(_KEY_NAME, made)
            text = made
    except StoreError as error:
        raise error.with_hint(_NO_KEY) from None
    key = _decoded(text or "")
    if len(key) != KEY_BYTES:
        msg = "The key of the token store is not in the keyring."
        raise StoreUnavailable(msg, hint="Unlock the keyring that it was made in.")
    return key


@dataclass(frozen=True, kw_only=True, slots=True)
class _Key:
    """What a key is made with; nothing of it is secret."""

    source: str
    salt: bytes
    cost: ScryptCost

    def head(self) -> bytes:
        """Return it as the text that its check is sealed with."""
        salt = base64.b64encode(self.salt).decode()
        members = {"version": 1, "source": self.source, "salt": salt}
        return json.dumps(members | asdict(self.cost)).encode()

    def to_bytes(self, seal: Seal) -> bytes:
        """Return the content of the key file."""
        check = base64.b64encode(seal.seal(_CHECKED, self.head())).decode()
        return json.dumps(json.loads(self.head()) | {"check": check}).encode()

    @classmethod
    def from_bytes(cls, found: bytes) -> tuple[_Key | None, bytes]:
        """Return what stands in a key file, and its check; None if it is none."""
        try:
            members = read_object(found, max_bytes=4096)
            key = cls(
                source=members["source"],
                salt=_decoded(members["salt"]),
                cost=ScryptCost(n=members["n"], r=members["r"], p=members["p"]),
            )
            check = _decoded(members["check"])
            # One spelling only: what differs in a blank was changed.
            spelled = json.loads(key.head()) | {"check": _encoded(check)}
            bearable = (
                key.source in ("passphrase", "keyring") and key.cost.is_bearable()
            )
            if json.dumps(spelled).encode() == found and bearable:
                return key, check
        except (ValueError, TypeError, KeyError, AttributeError):
            pass
        return None, b""


def _start_anew(path: Path) -> str:
    return f"Nothing of it is used. To start anew, remove {path.parent}."


def _no_keyring(place: Place) -> str:
    """Return what to do where the records themselves should lie in the keyring."""
    file = '%config OAuthMagic.store = "file"'
    if place.passphrase is not None:
        return f"{file} needs no keyring: {PASSPHRASE} is set, and seals it."
    return (
        'Unlock or install a keyring (pip install "oauthmagic[keyring]"), or set '
        f"{PASSPHRASE} before the kernel starts and choose {file}; without either: "
        '%config OAuthMagic.store = "memory".'
    )


def _look_for_key(source: str, path: Path) -> str:
    """Return what to do before the records are given up: most keys are not lost."""
    if source == "passphrase":
        first = f"Check {PASSPHRASE} and restart the kernel"
    else:
        first = (
            "Unlock the keyring that the key was made in and restart the kernel "
            '(its package: pip install "oauthmagic[keyring]")'
        )
    return f"{first}; only if it is lost, remove {path.parent}."


def _encoded(found: bytes) -> str:
    return base64.b64encode(found).decode()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
