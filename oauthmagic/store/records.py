"""A token as bytes and back: what lies sealed in a store that outlives its process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from oauthmagic.oauth.strict_json import read_object
from oauthmagic.oauth.tokens import Token
from oauthmagic.redaction import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from oauthmagic.oauth.tokens import Clock, TokenKey

    #: From a target to its time; in a demo that is not ours.
    ClockOf = Callable[[str], Clock]

#: The most bytes of one record; tokens with all their claims have a few thousand.
MAX_BYTES = 4 << 20

_SECRETS = ("access_token", "refresh_token", "id_token")
_TIMES = ("issued_at", "expires_at", "refresh_expires_at")
_SCOPES = ("scopes", "scopes_requested")
_TEXTS = (
    "target",
    "token_type",
    "grant",
    "client_id",
    "subject",
    "fingerprint",
    "reason",
    "alias",
    "note",
)


_NUMBERS = ("generation", "order")


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """A token of a store, and its place there: the latest has the greatest."""

    token: Token
    order: int


def key_bytes(key: TokenKey) -> bytes:
    """Return what a token belongs to, the same bytes for equal keys only."""
    parts = [key.target, key.client_id, key.subject, key.alias, sorted(key.scopes)]
    return json.dumps(parts).encode()


def to_bytes(kept: Kept) -> bytes:
    """Return a token as JSON; to be sealed at once."""
    token = kept.token
    members: dict[str, Any] = {name: getattr(token, name) for name in _TEXTS}
    for name in _SECRETS:
        secret = getattr(token, name)
        members[name] = None if secret is None else secret.reveal()
    for name in _TIMES:
        time = getattr(token, name)
        members[name] = None if time is None else time.astimezone(UTC).isoformat()
    for name in _SCOPES:
        members[name] = sorted(getattr(token, name))
    members |= {"generation": token.generation, "order": kept.order}
    return json.dumps(members).encode()


def from_bytes(record: bytes, clock_of: ClockOf) -> Kept | None:
    """Return the token of a record, or None if it is no such record.

    Args:
        record: What `to_bytes` returned.
        clock_of: From a target to its time.
    """
    try:
        return _kept(read_object(record, max_bytes=MAX_BYTES), clock_of)
    except (ValueError, TypeError, OverflowError):
        return None


def _kept(members: dict[str, Any], clock_of: ClockOf) -> Kept:
    if {*members} != {*_TEXTS, *_SECRETS, *_TIMES, *_SCOPES, *_NUMBERS}:
        msg = "it has other members than a token"
        raise ValueError(msg)
    fields = {name: _checked(members[name], str) for name in _TEXTS}
    for name in _SECRETS:
        if members[name] is not None:
            fields[name] = Secret(_checked(members[name], str))
        else:
            fields[name] = None
    for name in _TIMES:
        if members[name] is not None:
            fields[name] = datetime.fromisoformat(_checked(members[name], str))
    for name in _SCOPES:
        scopes = _checked(members[name], list)
        fields[name] = frozenset(_checked(scope, str) for scope in scopes)
    fields["generation"] = _checked(members["generation"], int)
    token = Token(**fields, clock=clock_of(fields["target"]))
    return Kept(token=token, order=_checked(members["order"], int))


def _checked(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        msg = "a member is of another kind"
        raise TypeError(msg)
    return value
