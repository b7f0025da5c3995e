import pytest
from opened import quick_store


@pytest.fixture
def directory(tmp_path):
    """Where a store lies."""
    return tmp_path / "tokens"


@pytest.fixture
def store(directory):
    """A file store with a key at hand."""
    return quick_store(directory)
