"""Scopes: RFC 6749, section 3.3."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from oauthmagic.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterable

#: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


def parse_scope(scope: str) -> tuple[str, ...]:
    """Split a `scope` value into its scopes, each once, in order.

    Raises:
        ValueError: A character that RFC 6749 does not allow in a scope.
    """
    scopes = tuple(dict.fromkeys(part for part in scope.split(" ") if part))
    for each in scopes:
        if not SCOPE_TOKEN.fullmatch(each):
            msg = "a scope has a character that RFC 6749, section 3.3, does not allow"
            raise ValueError(msg)
    return scopes


def normalise_scopes(scopes: str | Iterable[str]) -> tuple[str, ...]:
    """Return scopes as a caller gave them (one text or several), each once, in order.

    Raises:
        CommandError: What was given cannot be a scope.
    """
    parts = [scopes] if isinstance(scopes, str) else list(scopes)
    try:
        return parse_scope(" ".join(parts))
    except (ValueError, TypeError) as error:
        msg = f"Not a scope: {error}."
        raise CommandError(
            msg,
            hint="Separate scopes by blanks: --scope account_view transaction_view.",
        ) from None


def format_scope(scopes: Iterable[str]) -> str:
    """Join scopes for the wire."""
    return " ".join(scopes)
