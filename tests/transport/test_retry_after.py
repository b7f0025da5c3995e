"""`Retry-After`: RFC 9110, section 10.2.3."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthmagic.transport.retry_after import parse_retry_after, retry_after
from oauthmagic.transport.wire import WireResponse

NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Tue, 01 Jan 2030 00:01:00 GMT", 60.0),
        ("Tue, 01 Jan 2019 00:01:00 GMT", 0.0),
        ("-1", None),
        ("1.5", None),
        ("1e3", None),
        ("٣", None),
        ("99999999999999999999", None),
        ("86400", 86400.0),
        ("86401", None),
        ("1, 2", None),
        ("+1", None),
        ("0x10", None),
        ("Tuesday, 01-Jan-30 00:00:05 GMT", 5.0),
        ("Tue Jan  1 00:00:05 2030", 5.0),
        ("Wed, 02 Jan 2030 00:00:00 GMT", 86400.0),
        ("Wed, 02 Jan 2030 00:00:01 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
        ("Tue, 01 Jan 0000 00:00:00 GMT", 0.0),
        ("Tue, 1 Jan 2030 00:00:05 GMT", None),
        ("Tue, 01 Jan 2030 00:00:05 UTC", None),
        ("Tue, 01 Jan 2030 00:00:05", None),
        ("2030-01-01T00:00:05Z", None),
        ("Tue, 01 Jan 2030 00:01:00 +0000", None),
        ("Tue, 99 Jan 2030 00:01:00 GMT", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_seconds_or_a_date_and_nothing_else(value, seconds):
    """A date that is over means no wait; what is unusable means no answer."""
    assert parse_retry_after(value, NOW) == seconds


MADE = "Tue, 01 Jan 2019 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ((("date", MADE), ("retry-after", "Tue, 01 Jan 2019 12:00:07 GMT")), 7.0),
        ((("date", MADE), ("retry-after", "7")), 7.0),
        ((("date", "now"), ("retry-after", "Tue, 01 Jan 2030 00:00:07 GMT")), 7.0),
        ((("retry-after", "Tue, 01 Jan 2030 00:00:07 GMT"),), 7.0),
        ((("date", MADE), ("retry-after", "Tue, 01 Jan 2030 00:00:07 GMT")), None),
        ((("date", MADE),), None),
    ],
    ids=["skew", "seconds", "no date", "none", "far", "nothing"],
)
def test_a_date_is_measured_against_the_responses_own(headers, seconds):
    """A server whose clock is eleven years slow asks for seven seconds all the same."""
    response = WireResponse(status=429, headers=headers)

    assert retry_after(response, NOW) == seconds


DATES = st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1)).map(  # noqa: DTZ001 - of UTC
    lambda moment: format_datetime(moment.replace(tzinfo=UTC), usegmt=True)
)


@given(DATES, DATES)
def test_any_two_dates_are_survived(value, made):
    """Property: between no time and a day, or None."""
    headers = (("date", made), ("retry-after", value))
    found = retry_after(WireResponse(status=503, headers=headers), NOW)

    assert found is None or 0 <= found <= 86400


@given(st.text(max_size=40))
def test_any_value_is_survived(value):
    """Property: a number of seconds that is not negative, or None."""
    found = parse_retry_after(value, NOW)

    assert found is None or found >= 0
