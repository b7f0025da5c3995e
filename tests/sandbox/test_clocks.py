from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from oauthmagic.errors import CommandError
from oauthmagic.sandbox.clocks import START, DemoClock


def test_time_stands_still():
    """A tutorial's outputs are the same every day."""
    clock = DemoClock()

    assert clock() == clock() == datetime(2030, 1, 1, 9, 0, 0, tzinfo=UTC)


def test_time_moves_when_it_is_moved():
    """Advancing says what time it is then."""
    clock = DemoClock()

    assert clock.advance(301.5) == START + timedelta(seconds=301.5)
    assert clock() == START + timedelta(seconds=301.5)


def test_sleeping_takes_no_time_of_ours():
    """Who sleeps in the demo moves its clock; less than nothing moves nothing."""
    clock = DemoClock()
    clock.sleep(86_400)
    clock.sleep(-5)

    assert clock() == START + timedelta(days=1)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), 1e300])
def test_time_runs_forward_within_the_calendar(seconds):
    """A time that cannot be is refused, and the clock stays."""
    clock = DemoClock()

    with pytest.raises(CommandError):
        clock.advance(seconds)
    assert clock() == START
