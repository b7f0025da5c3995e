"""What is needed for fuzzing, and is not everywhere."""

from __future__ import annotations

import importlib.util
import os

import pytest

#: Read before the tests see a clean environment.
REQUIRE_ALL = os.environ.get("OAUTHMAGIC_REQUIRE") == "all"


@pytest.fixture
def needs_atheris():
    """Skip the test, or fail it where everything is required, without atheris."""
    if importlib.util.find_spec("atheris") is None:
        (pytest.fail if REQUIRE_ALL else pytest.skip)("needs atheris (group `fuzz`)")
