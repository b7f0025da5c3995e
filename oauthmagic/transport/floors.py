"""The oldest release of a library of a library that may read a server's answers."""

from __future__ import annotations

import re

from oauthmagic.errors import TransportError

#: The first h11 that reads chunked bodies to the letter (CVE-2025-43859); httpx would
#: accept older ones.
OLDEST_H11 = (0, 16)


def check_h11(version: str) -> None:
    """Refuse to send anything where h11 is too old.

    Args:
        version: The one in this process, which is not the one on the disk where that
            was upgraded meanwhile.

    Raises:
        TransportError: It is older than 0.16, or its version cannot be read.
    """
    # Two numbers decide, and nothing that is always installed compares versions.
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < OLDEST_H11:
        msg = (
            f"h11 {version} reads answers of servers too leniently (CVE-2025-43859). "
            "Nothing was sent."
        )
        hint = 'pip install --upgrade "h11>=0.16", then restart the kernel.'
        raise TransportError(msg, sent="no", hint=hint)
