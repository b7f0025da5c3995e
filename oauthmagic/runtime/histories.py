"""When tokens were issued and renewed in this process: times, never a token."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauthmagic.store.forks import begins_anew_in_children

if TYPE_CHECKING:
    from datetime import datetime

    from oauthmagic.oauth.tokens import Token, TokenKey

#: How many generations of a token are remembered.
MOST = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Generation:
    """One access token: a token between two renewals.

    Attributes:
        issued_at: When its answer came.
        expires_at: When it ends, or None if that is not known.
        refresh_expires_at: When the refresh token with it ends, or None.
        number: Which one it is, counted as long as the token is held.
        is_renewal: Whether it followed another without anybody asking for it.
        reason: Why it was obtained or renewed.
    """

    issued_at: datetime
    expires_at: datetime | None
    refresh_expires_at: datetime | None
    number: int
    is_renewal: bool
    reason: str


class Histories:
    """The generations of each token, oldest first; safe to use from several threads."""

    def __init__(self) -> None:
        self._kept: dict[TokenKey, deque[Generation]] = {}
        self._lock = threading.Lock()
        begins_anew_in_children(self)

    def begin_anew(self) -> None:
        """Take, in a forked child, a lock of its own."""
        self._lock = threading.Lock()

    def add(self, token: Token, *, is_renewal: bool = False) -> None:
        """Remember a token that has just been issued."""
        with self._lock:
            kept = self._kept.setdefault(token.key, deque(maxlen=MOST))
            kept.append(_generation(token, is_renewal=is_renewal))

    def forget(self, key: TokenKey) -> None:
        """Forget the generations of a token."""
        with self._lock:
            self._kept.pop(key, None)

    def clear(self) -> None:
        """Forget the generations of every token."""
        with self._lock:
            self._kept.clear()

    def of(self, token: Token) -> tuple[Generation, ...]:
        """Return the generations of a token up to the one given, which is the last.

        Another kernel may have renewed it: what is missing is not known here.

        Args:
            token: The token as it is held now.
        """
        with self._lock:
            kept = [*self._kept.get(token.key, ())]
        if kept and kept[-1].number == token.generation:
            return tuple(kept)
        # Another process has renewed it, or had it before this one began.
        own = _generation(token, is_renewal=bool(kept))
        return (*(each for each in kept if each.number < own.number), own)


def _generation(token: Token, *, is_renewal: bool) -> Generation:
    return Generation(
        issued_at=token.issued_at,
        expires_at=token.expires_at,
        refresh_expires_at=token.refresh_expires_at,
        number=token.generation,
        is_renewal=is_renewal,
        reason=token.reason,
    )
