"""The token as the user holds it: a frozen snapshot that does not show itself."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from oauthmagic.errors import SecretRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from oauthmagic.redaction import Secret

    Clock = Callable[[], datetime]


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenKey:
    """What a token belongs to; two tokens of one key are the same, renewed."""

    target: str
    client_id: str
    subject: str
    scopes: frozenset[str]
    alias: str = ""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Token:
    """A token at one moment. A refresh gives a new one; this does not change.

    Attributes:
        target: What it is for, for example `"revsto@demo"`.
        access_token: The access token; `.reveal()` gives its text. None where
            only a refresh token was adopted.
        refresh_token: The refresh token, or None.
        token_type: "Bearer".
        scopes: The scopes granted.
        scopes_requested: The scopes asked for.
        grant: The grant that began it; "adopted" for tokens from elsewhere.
        subject: The resource owner's user name, or the client's own id.
        issued_at: When the answer came (aware, UTC).
        expires_at: When the access token ends (aware, UTC), or None if unknown.
        refresh_expires_at: When the refresh token ends, or None if unknown.
        fingerprint: Eight hexadecimal digits of a keyed hash of the access token.
        reason: Why it was obtained or renewed.
        generation: How often it has been renewed.
        alias: The name given with `--as`, or "".
        note: What its owner should know, said once.
    """

    target: str
    access_token: Secret | None
    refresh_token: Secret | None = None
    id_token: Secret | None = None
    token_type: str = "Bearer"  # noqa: S105 - the kind, not a token
    scopes: frozenset[str] = frozenset()
    scopes_requested: frozenset[str] = frozenset()
    grant: str = ""
    client_id: str = ""
    subject: str = ""
    issued_at: datetime
    expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None
    fingerprint: str = ""
    reason: str = ""
    generation: int = 0
    alias: str = ""
    note: str = ""
    clock: Clock = field(repr=False)

    @property
    def key(self) -> TokenKey:
        """Return what this token belongs to."""
        return TokenKey(
            target=self.target,
            client_id=self.client_id,
            subject=self.subject,
            scopes=self.scopes_requested,
            alias=self.alias,
        )

    def remaining(self) -> timedelta | None:
        """Return the life left, never below zero, or None if unknown."""
        if self.expires_at is None:
            return None
        return max(self.expires_at - self.clock(), timedelta(0))

    def is_expired(self, leeway: float = 0) -> bool | None:
        """Return whether the access token is over, or None if that is unknown.

        Args:
            leeway: Seconds before its end from which it counts as over.
        """
        if self.access_token is None:
            return True
        if self.expires_at is None:
            return None
        return self.clock() >= self.expires_at - timedelta(seconds=leeway)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        self.__reduce__()

    def __getstate__(self) -> NoReturn:
        self.__reduce__()

    def __reduce__(self) -> NoReturn:
        msg = "A token cannot be pickled or stored."
        raise SecretRefused(
            msg,
            hint=f"Pass the target's name, {self.target!r}, and ask a Session for "
            "the token there.",
        )

    def __copy__(self) -> Token:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Token:
        return self

    def replace(self, **changes: Any) -> Token:
        """Return a copy with some attributes changed."""
        return dataclasses.replace(self, **changes)


def fingerprint(token: Secret | None, key: bytes) -> str:
    """Return eight hexadecimal digits that tell tokens apart and reveal nothing.

    Args:
        token: The access token.
        key: The session's own key, so that fingerprints cannot be searched for.
    """
    if token is None:
        return ""
    return hmac.new(key, token.reveal().encode(), hashlib.sha256).hexdigest()[:8]
