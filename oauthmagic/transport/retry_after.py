"""How long a server asks to wait: RFC 9110, section 10.2.3."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

_DELAY = re.compile(r"[0-9]{1,9}")


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds to wait, or None where the value says nothing usable.

    Args:
        value: The header's value: delay-seconds or an HTTP-date.
        now: The time to measure a date against (aware).
    """
    if value is None:
        return None
    value = value.strip()
    if _DELAY.fullmatch(value):
        return float(value)
    if not value.endswith("GMT"):
        return None
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError, TypeError):
        return None
    if moment.tzinfo is None:
        return None
    return max((moment - now).total_seconds(), 0.0)
