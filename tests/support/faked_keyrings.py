"""Keyrings that live in a test."""

from __future__ import annotations

import threading

import keyring.backend


class Fake(keyring.backend.KeyringBackend):
    """A keyring in a dictionary; what it does to a value is told by the test.

    Args:
        items: What it holds; two of them on one dictionary are one keyring.
        changed: What becomes of a value that it is given.
        broken: Raised at each question, while it is set.
    """

    priority = 1

    def __init__(self, items=None, *, changed=lambda value: value, broken=None):
        self.items = {} if items is None else items
        self.changed = changed
        self.broken = broken

    def get_password(self, service, username):
        """Return an item."""
        self._check()
        return self.items.get((service, username))

    def set_password(self, service, username, password):
        """Keep an item."""
        self._check()
        self.items[service, username] = self.changed(password)

    def delete_password(self, service, username):
        """Remove an item."""
        self._check()
        del self.items[service, username]

    def _check(self):
        if self.broken is not None:
            raise self.broken


class PlaintextKeyring(Fake):
    """Named as those that keep what they are given where everybody can read it."""


class Slow(Fake):
    """Never answers."""

    def get_password(self, service, username):  # noqa: ARG002 - whatever is asked
        """Wait until the test is over."""
        self.over.wait()

    over = threading.Event()
