from __future__ import annotations

from datetime import timedelta

from oauthmagic.sandbox.clocks import START
from oauthmagic.sandbox.rate_limits import RateLimit

SECOND = timedelta(seconds=1)


def test_requests_within_the_limit_need_not_wait():
    """Each key has a window of its own."""
    limit = RateLimit(2, 60 * SECOND)

    assert [limit.count(key, START) for key in "aabb"] == [0, 0, 0, 0]


def test_one_more_waits_for_the_rest_of_the_window():
    """Seconds are rounded up: whoever obeys is never early."""
    limit = RateLimit(1, 60 * SECOND)
    limit.count("a", START)

    assert limit.count("a", START + 0.5 * SECOND) == 60
    assert limit.count("a", START + 59.9 * SECOND) == 1
    assert limit.count("a", START + 60 * SECOND) == 0


def test_windows_that_have_ended_are_forgotten():
    """A server that runs for long does not grow."""
    limit = RateLimit(1, 60 * SECOND)
    for number in range(3000):
        limit.count(str(number), START + number * SECOND)

    assert len(limit._windows) < 1100
