"""`Retry-After`: RFC 9110, section 10.2.3."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthmagic.transport.retry_after import parse_retry_after

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


@given(st.text(max_size=40))
def test_any_value_is_survived(value):
    """Property: a number of seconds that is not negative, or None."""
    found = parse_retry_after(value, NOW)

    assert found is None or found >= 0
