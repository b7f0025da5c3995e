"""How long a server asks to wait: RFC 9110, section 10.2.3."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oauthmagic.transport.wire import WireResponse

#: What is further away than a day, in seconds, is a mistake or an attack.
FURTHEST = 24 * 3600.0

_DELAY = re.compile(r"[0-9]{1,9}")
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_TIME = "[0-9]{2}:[0-9]{2}:[0-9]{2}"
# RFC 9110, section 5.6.7: the form of today and the two that must still be read.
_DATE = re.compile(
    rf"[MTWFS][a-z]{{2}}, [0-9]{{2}} {_MONTH} [0-9]{{4}} {_TIME} GMT"
    rf"|[MTWFS][a-z]{{5,8}}, [0-9]{{2}}-{_MONTH}-[0-9]{{2}} {_TIME} GMT"
    rf"|[MTWFS][a-z]{{2}} {_MONTH} [ 0-9][0-9] {_TIME} [0-9]{{4}}"
)


def retry_after(response: WireResponse, now: datetime) -> float | None:
    """Return how many seconds a response asks to wait, or None.

    A date is measured against the response's own `Date`, so that it does not matter
    whose clock is wrong.

    Args:
        response: The response.
        now: The time (aware), for one that does not say when it was made.
    """
    made = parse_http_date(response.header("date") or "") or now
    return parse_retry_after(response.header("retry-after"), made)


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds to wait, or None where the value says nothing usable.

    Args:
        value: The header's value: delay-seconds or an HTTP-date.
        now: The time to measure a date against (aware).
    """
    value = (value or "").strip(" \t")
    if _DELAY.fullmatch(value):
        seconds = float(value)
    else:
        moment = parse_http_date(value)
        if moment is None:
            return None
        seconds = max((moment - now).total_seconds(), 0.0)
    return seconds if seconds <= FURTHEST else None


def parse_http_date(value: str) -> datetime | None:
    """Return the time of an HTTP-date, or None where it is none."""
    if not _DATE.fullmatch(value):
        return None
    try:
        # The form without a zone is in UTC as well.
        return parsedate_to_datetime(value).replace(tzinfo=UTC)
    except (ValueError, OverflowError, TypeError):
        return None
