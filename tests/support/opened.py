"""Stores as the tests open them: in a directory of theirs, with a fake passphrase."""

import os
from datetime import UTC, datetime

from oauthmagic.keys.sealing import Seal
from oauthmagic.redaction import Secret
from oauthmagic.store.disks import Disk
from oauthmagic.store.locks import Locks
from oauthmagic.store.opening import Place, open_store
from oauthmagic.store.shared import SharedStore
from oauthmagic.store.shelves import Directory

PASSPHRASE = "fake passphrase of the tests"


def now():
    """Return the time."""
    return datetime.now(UTC)


def file_store(directory, *, disk=None, passphrase=PASSPHRASE, clock=now, **kwargs):
    """Open the encrypted file store of a directory, as a session does."""
    place = Place(
        directory=directory,
        passphrase=None if passphrase is None else Secret(passphrase),
        disk=disk,
        randomness=os.urandom,
        clock_of=lambda _: clock,
        **kwargs,
    )
    return open_store("file", place)


def quick_store(
    directory, *, disk=None, clock=now, patience=20.0, key=b"k" * 32, locks=None
):
    """Open a store with a key at hand: deriving one takes a tenth of a second.

    With its locks in another directory, it is on a host that does not share them.
    """
    disk = disk or Disk()
    return SharedStore(
        Directory(directory, disk),
        Seal(key, os.urandom),
        Locks(locks or directory, disk, patience=patience),
        clock_of=lambda _: clock,
        randomness=os.urandom,
    )
