"""A clock that stands still."""

from datetime import UTC, datetime

import pytest


@pytest.fixture
def demo_clock():
    """Return a clock."""
    return lambda: datetime(2030, 1, 1, 9, tzinfo=UTC)
