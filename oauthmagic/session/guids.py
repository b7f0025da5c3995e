"""Identifiers from given randomness."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def new_guid(randomness: Callable[[int], bytes]) -> str:
    """Return a random UUID (RFC 9562, version 4).

    Args:
        randomness: Returns so many random bytes.
    """
    import uuid  # noqa: PLC0415 - only where one is needed

    return str(uuid.UUID(bytes=randomness(16), version=4))
