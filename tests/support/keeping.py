"""Tokens to keep, and a disk that fails at the step that a test names."""

import errno
import os
import signal
from datetime import UTC, datetime, timedelta

from oauthmagic.oauth.tokens import Token
from oauthmagic.redaction import Secret
from oauthmagic.store.disks import Disk

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def make_token(number=1, **changes):
    """Return a token; the same number gives the same one."""
    fields = {
        "target": "acme@sandbox",
        "access_token": Secret(f"fake-access-{number}"),
        "refresh_token": Secret(f"fake-refresh-{number}"),
        "scopes": frozenset({"a", "b"}),
        "scopes_requested": frozenset({"a", "b"}),
        "grant": "password",
        "client_id": "me",
        "subject": "jö",
        "issued_at": NOW,
        "expires_at": NOW + timedelta(seconds=300),
        "fingerprint": "c907d15f",
        "reason": "asked for",
        "generation": number,
        "clock": lambda: NOW,
    }
    return Token(**fields | changes)


def keep(store, token, **kwargs):
    """Write a token as the runtime does: under its lock."""
    with store.exclusive(token.key) as entry:
        entry.write(token, **kwargs)


def sound(store):
    """Return the tokens of a store; raise the first thing that is wrong with it."""
    for damage in store.damaged():
        raise damage.why
    return store.tokens()


def texts(store):
    """Return the access tokens of a store, in its order."""
    return [token.access_token.reveal() for token in sound(store)]


class FailingDisk(Disk):
    """A disk of which the k-th call fails, or kills the process, or is partial.

    Args:
        at: The number of the call, counted from 1; 0 never fails.
        code: The error number; None kills the process instead.
        ever_after: Whether every later call fails, too, as on a full disk.
    """

    def __init__(self, at=0, code=errno.ENOSPC, *, ever_after=False):
        self.at = at
        self.code = code
        self.ever_after = ever_after
        self.calls = []

    def _step(self, name):
        self.calls.append(name)
        count = len(self.calls)
        if self.at and (count == self.at or (self.ever_after and count > self.at)):
            if self.code is None:
                os.kill(os.getpid(), signal.SIGKILL)
            raise OSError(self.code, os.strerror(self.code))

    def open(self, path, flags):
        """Open, or fail."""
        if not str(path).endswith(".lock"):
            self._step("open")
        return super().open(path, flags)

    def write(self, handle, data):
        """Write half of it, so that there is a second step; or fail."""
        self._step("write")
        return super().write(handle, data[: max(1, len(data) // 2)])

    def sync(self, handle):
        """Synchronize, or fail."""
        self._step("sync")
        super().sync(handle)

    def move(self, source, target):
        """Move, or fail."""
        self._step("move")
        super().move(source, target)

    def remove(self, path):
        """Remove, or fail."""
        self._step("remove")
        super().remove(path)
