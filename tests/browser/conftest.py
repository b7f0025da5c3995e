"""One Jupyter server for all of these tests, a browser for each file of them."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest
from browsing import Desk, Hub, chromium, pictures

from tests.conftest import COMPONENTS, missing

#: What the desks of a test are kept under.
DESKS = pytest.StashKey[list[Desk]]()

EXTENSION = Path(__file__).parents[2] / "oauthmagic" / "server" / "oauthmagic.json"


def pytest_collection_modifyitems(items):
    """Let a test whose browser waited in vain run once more; the report says so.

    Two cores may have better to do for a minute, and nothing else is forgiven.
    """
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun="TimeoutError"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Keep what the browser showed when a test failed."""
    report = yield
    if call.excinfo is not None and call.when == "call":
        for number, desk in enumerate(item.stash.get(DESKS, ())):
            said = desk.last_words(f"failed-{item.name}-{number}")
            report.sections.append((f"desk {number}", said))
    return report


def pytest_terminal_summary(terminalreporter):
    """Say where the pictures are."""
    if any(pictures().iterdir()):
        terminalreporter.write_line(f"pictures: {pictures()}")


@pytest.fixture(scope="session")
def hub(tmp_path_factory):
    """A Jupyter server under a prefix, with our extension; see `browsing.Hub`."""
    hub = Hub(tmp_path_factory.mktemp("hub"))
    enabled = hub.home / ".jupyter" / "jupyter_server_config.d"
    enabled.mkdir(parents=True)
    # As the wheel does; tests/server/test_wheel.py sees to that.
    shutil.copy(EXTENSION, enabled / EXTENSION.name)
    with hub.running():
        yield hub


# Not for the whole session: while it runs, no other test can run an event loop.
@pytest.fixture(scope="module")
def browser():
    """An installed Chromium."""
    with chromium(COMPONENTS["chromium"].find() or "") as browser:
        yield browser


class Trusting:
    """A browser that takes the simulators' own certificates."""

    def __init__(self, browser):
        self._browser = browser

    def new_page(self, **options):
        """Open a page."""
        return self._browser.new_page(ignore_https_errors=True, **options)


@pytest.fixture
def desk(hub, browser, request):
    """Return what opens a notebook in a front end; see `browsing.Desk`."""
    opened = request.node.stash[DESKS] = []

    def sit(front_end, name):
        package = {"lab": "jupyterlab"}.get(front_end, front_end)
        if importlib.util.find_spec(package) is None:
            missing(f"package {package}")
        opened.append(Desk(Trusting(browser), hub, front_end, name))
        return opened[-1]

    yield sit
    for each in opened:
        each.close()
