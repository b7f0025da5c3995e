"""Tokens that were got elsewhere, as their owner hands them over."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import CommandError, EnvironmentRefused, did_you_mean
from oauthmagic.oauth.responses import MAX_TOKEN
from oauthmagic.oauth.scopes import normalise_scopes
from oauthmagic.oauth.targets import environment_of
from oauthmagic.oauth.tokens import Token
from oauthmagic.redaction import Secret

if TYPE_CHECKING:
    from oauthmagic.oauth.tokens import Clock

_VISIBLE = re.compile(r"[\x21-\x7e]+")
_DIGITS = re.compile(r"[0-9]{1,10}")
#: The longest life that makes sense, in seconds.
_LONGEST = 10**10


@dataclass(frozen=True, kw_only=True, slots=True)
class Adopted:
    """The members of a token response that matter, checked."""

    access_token: Secret | None
    refresh_token: Secret | None
    expires_in: int | None
    refresh_expires_in: int | None
    scopes: frozenset[str]
    #: The target of the `Token` that they are from; "" for a mapping.
    target: str = ""

    def token(self, *, target: str, client_id: str, alias: str, clock: Clock) -> Token:
        """Return them as a token that begins now.

        Raises:
            EnvironmentRefused: They are from a token of another environment.
        """
        if self.target and environment_of(self.target) != environment_of(target):
            msg = f"This is a token of {self.target}, not of {target}."
            raise EnvironmentRefused(msg, hint=f"Adopt it as {self.target}.")
        now = clock()
        ends = [
            None if seconds is None else now + timedelta(seconds=seconds)
            for seconds in (self.expires_in, self.refresh_expires_in)
        ]
        return Token(
            target=target,
            access_token=self.access_token,
            refresh_token=self.refresh_token,
            scopes=self.scopes,
            scopes_requested=self.scopes,
            grant="adopted",
            client_id=client_id,
            issued_at=now,
            expires_at=ends[0],
            refresh_expires_at=ends[1],
            reason="adopted",
            alias=alias,
            clock=clock,
        )


def read_adopted(tokens: object) -> Adopted | CommandError:
    """Read a mapping with the members of a token response, or a `Token`.

    Returns:
        What it holds (other members are ignored), or the error to raise: the
        caller first forgets the mapping, so that no traceback shows it. No value
        is quoted.
    """
    target = ""
    if isinstance(tokens, Token):
        target = tokens.target
        tokens = {
            "access_token": tokens.access_token,
            "refresh_token": tokens.refresh_token,
            "expires_in": (left := tokens.remaining()) and left.total_seconds(),
            "scope": sorted(tokens.scopes),
        }
    if not isinstance(tokens, Mapping):
        return CommandError(
            f"Tokens to adopt are a mapping, not {type(tokens).__name__}.",
            hint="Its keys: access_token, refresh_token, expires_in, scope.",
        )
    try:
        return replace(_adopted(tokens), target=target)
    except CommandError as error:
        return error.with_traceback(None)


def _adopted(tokens: Mapping[str, Any]) -> Adopted:
    names = ("access_token", "refresh_token")
    found = {name: _token(tokens, name) for name in names}
    if not any(found.values()):
        near = next(filter(None, (did_you_mean(str(key), names) for key in tokens)), "")
        msg = f"There is neither an access_token nor a refresh_token in it.{near}"
        raise CommandError(msg)
    kind = tokens.get("token_type") or "Bearer"
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise CommandError("Only tokens of the token_type Bearer can be adopted.")
    return Adopted(
        access_token=found["access_token"],
        refresh_token=found["refresh_token"],
        expires_in=_seconds(tokens, "expires_in"),
        refresh_expires_in=_seconds(tokens, "refresh_expires_in"),
        scopes=frozenset(normalise_scopes(tokens.get("scope") or ())),
    )


def _token(tokens: Mapping[str, Any], name: str) -> Secret | None:
    value = tokens.get(name)
    if isinstance(value, Secret):
        value = value.reveal()
    if value is None or value == "":
        return None
    if (
        not isinstance(value, str)
        or not _VISIBLE.fullmatch(value)
        or len(value) > MAX_TOKEN
    ):
        msg = f"The {name} is not a text that can be a token."
        raise CommandError(
            msg, hint='Give the token alone, without "Bearer" and without blanks.'
        )
    return Secret(value)


def _seconds(tokens: Mapping[str, Any], name: str) -> int | None:
    value = tokens.get(name)
    if value is None:
        return None
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    wrong = isinstance(value, bool) or not isinstance(value, int | float)
    if wrong or not math.isfinite(value) or abs(value) > _LONGEST:
        msg = f"The {name} is not a number of seconds."
        raise CommandError(msg)
    return max(math.floor(value), 0)
