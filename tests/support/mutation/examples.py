"""A pytest plugin: properties are tried with a few examples, always the same ones.

`-p mutation.examples`; what is measured is which branches are taken and which changes
are noticed, and that must not depend on luck.
"""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "few",
    max_examples=25,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def pytest_sessionstart() -> None:
    """Load the profile, after a `conftest.py` that may have one of its own."""
    settings.load_profile("few")
