"""Outcomes that may be errors.

A reader of something secret returns its error instead of raising it, so that the
frames that held the secret are not in the traceback.
"""

from __future__ import annotations

from typing import TypeVar

from oauthmagic.errors import OAuthMagicError

T = TypeVar("T")


def settled(outcome: T | OAuthMagicError) -> T:
    """Return an outcome, or raise the error that it is."""
    if isinstance(outcome, OAuthMagicError):
        raise outcome
    return outcome
