"""What every test gets: a clean environment, and words for what it needs.

A test that cannot do without a program of this machine says so, in one of two ways:

    @pytest.mark.needs("chromium", "npm")
    def test_the_card_can_be_read_in_a_browser(component):
        chromium = component("chromium")  # its path

Where the program is missing, the test is skipped with the reason. With
`OAUTHMAGIC_REQUIRE=all` in the environment it fails instead: that is how CI makes
sure that nothing is left out. `COMPONENTS` lists the names.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import pytest
from environs import SETTINGS, settings_of
from hypothesis import settings
from scales import SOAK

from oauthmagic.redaction import forget_the_gone

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# How long an example takes is the machine's business: two cores may be shared.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

#: Read before `clean_environ` hides it from the tests.
REQUIRE_ALL = os.environ.get("OAUTHMAGIC_REQUIRE") == "all"


@dataclass(frozen=True, kw_only=True, slots=True)
class Component:
    """A program that some tests need.

    Attributes:
        names: The names it goes by; the first that is found is taken.
        least: The oldest major version that will do; 0 for any.
    """

    names: tuple[str, ...]
    least: int = 0

    def find(self) -> str | None:
        """Return the path of the program, or None."""
        paths = (shutil.which(name) for name in self.names)
        return next((path for path in paths if path and self._is_enough(path)), None)

    def _is_enough(self, path: str) -> bool:
        if not self.least:
            return True
        done = subprocess.run([path, "--version"], capture_output=True, check=False)
        found = re.search(rb"\d+", done.stdout)
        return found is not None and int(found[0]) >= self.least


COMPONENTS = {
    "chromium": Component(
        names=("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    ),
    "curl": Component(names=("curl",)),
    "git": Component(names=("git",)),
    "node": Component(names=("node", "nodejs"), least=22),
    "npm": Component(names=("npm",)),
}


def require(name: str) -> str:
    """Return the path of a component; skip the test, or fail it, where it is missing.

    Args:
        name: A key of `COMPONENTS`.
    """
    path = COMPONENTS[name].find()
    if path is None:
        least = COMPONENTS[name].least
        missing(f"{name} {least} or newer" if least else name)
    return path


def missing(what: str) -> NoReturn:
    """Skip the test; fail it where everything is required."""
    if REQUIRE_ALL:
        pytest.fail(f"OAUTHMAGIC_REQUIRE=all, and there is no {what} here")
    pytest.skip(f"needs {what}")


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave the long runs to `make soak`, and everything else to `make test`."""
    chosen, left = [], []
    for item in items:
        is_long = item.get_closest_marker("soak") is not None
        prints = "figure" in getattr(item, "fixturenames", ())
        wanted = is_long or prints if SOAK else not is_long
        (chosen if wanted else left).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = chosen


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Carry out the `needs` marks of a test."""
    for mark in item.iter_markers("needs"):
        for name in mark.args:
            require(name)


@pytest.fixture
def component() -> Callable[[str], str]:
    """Return `require`: name to path, or the test is skipped."""
    return require


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Return a function that prints a measured number at the end of the run.

    Its arguments are what was measured, in words, and what came out:
    `figure("8 processes on one expired token: refreshes", "1 in 20 of 20 trials")`.
    """

    def record(what: str, came_out: object) -> None:
        record_property("figure", f"{what}: {came_out}")

    return record


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures of a run."""
    figures = [
        str(value)
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == "figure" and getattr(report, "when", "") == "call"
    ]
    if figures:
        terminalreporter.section("figures" + " (the whole)" * SOAK)
        for line in sorted(figures):
            terminalreporter.line(line)


@pytest.fixture(autouse=True)
def _no_secrets_of_others() -> None:
    """Let no secret of one test mask a word in another."""
    forget_the_gone()


@pytest.fixture(autouse=True)
def clean_environ(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Hide the developer's settings from a test, and give it a home of its own.

    Session-scoped fixtures are older than this one; they see the real environment.

    Returns:
        The home directory, empty.
    """
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if SETTINGS.fullmatch(name):
            monkeypatch.delenv(name)
    for name, value in settings_of(home).items():
        monkeypatch.setenv(name, value)
    return home
