"""What a forked child must not share with its parent: locks, sockets, work under way.

A thread of the parent may hold a lock at the moment of the fork; there is no such
thread in the child, and nobody would ever let go of it.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol

from oauthmagic.redaction.values import register_lock


class _Forked(Protocol):
    def begin_anew(self) -> None: ...


_things: weakref.WeakSet[_Forked] = weakref.WeakSet()


def begins_anew_in_children(thing: _Forked) -> None:
    """Have `thing.begin_anew()` called in each child that this process forks."""
    _things.add(thing)


def _begin_anew() -> None:
    register_lock.release()
    for thing in list(_things):
        thing.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        # The one lock below this layer is held while the process is copied.
        before=register_lock.acquire,
        after_in_parent=register_lock.release,
        after_in_child=_begin_anew,
    )
