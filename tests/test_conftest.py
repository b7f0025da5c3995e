from __future__ import annotations

import os
from pathlib import Path

import pytest

# Importing this module is not what a test of it may do: pytest has it under a name
# of its own. So these run real tests in a directory of their own.
pytest_plugins = ["pytester"]

CONFTEST = Path(__file__).with_name("conftest.py").read_text(encoding="utf-8")
NEEDS_NOTHING_KNOWN = """
    import pytest

    @pytest.mark.needs("node")
    def test_marked(): ...

    def test_asked(component):
        assert component("node").endswith("node")
"""


@pytest.fixture
def inner(pytester, monkeypatch):
    """Return a directory with this conftest and a PATH that leads nowhere else."""
    pytester.makeconftest(CONFTEST)
    pytester.makeini("[pytest]\nmarkers = needs\naddopts = -p no:cacheprovider")
    monkeypatch.setenv("PATH", str(pytester.mkdir("bin")))
    return pytester


def program(inner, name, prints):
    """Put a program on the PATH that prints its version."""
    path = inner.path / "bin" / name
    path.write_text(f"#!/bin/sh\necho {prints}\n", encoding="utf-8")
    path.chmod(0o755)


def test_home_is_empty_and_nobody_s(clean_environ):
    """A test has a home directory of its own."""
    assert Path.home() == clean_environ
    assert list(clean_environ.iterdir()) == []


def test_settings_of_the_developer_are_hidden(inner, monkeypatch):
    """No test sees the settings, proxies or certificates of who runs it."""
    monkeypatch.setenv("OAUTHMAGIC_ENVIRONMENT", "production")
    monkeypatch.setenv("OAUTHMAGIC_ACME_SANDBOX_CLIENT_SECRET", "not-a-secret")
    monkeypatch.setenv("https_proxy", "http://proxy.example")
    monkeypatch.setenv("BINDER_SERVICE_HOST", "127.0.0.1")
    inner.makepyfile("""
        import os

        def test_clean():
            seen = " ".join(os.environ).upper()
            assert "OAUTHMAGIC" not in seen
            assert "PROXY" not in seen
            assert "BINDER" not in seen
    """)

    inner.runpytest_inprocess().assert_outcomes(passed=1)


def test_the_developer_keeps_the_settings(inner, monkeypatch):
    """What was hidden from a test is back after it."""
    monkeypatch.setenv("OAUTHMAGIC_ENVIRONMENT", "production")
    inner.makepyfile("def test_nothing(): ...")

    inner.runpytest_inprocess().assert_outcomes(passed=1)

    assert os.environ["OAUTHMAGIC_ENVIRONMENT"] == "production"


def test_what_is_missing_is_skipped(inner):
    """A test without its program is skipped, and says why."""
    inner.makepyfile(NEEDS_NOTHING_KNOWN)

    result = inner.runpytest_inprocess("-rs")

    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(["*needs node 22 or newer*"])


def test_what_is_missing_fails_where_all_is_required(inner, monkeypatch):
    """`OAUTHMAGIC_REQUIRE=all` turns a skip into a failure."""
    monkeypatch.setenv("OAUTHMAGIC_REQUIRE", "all")
    inner.makepyfile(NEEDS_NOTHING_KNOWN)

    inner.runpytest_inprocess().assert_outcomes(errors=1, failed=1)


def test_what_is_too_old_is_missing(inner):
    """A program below the least version does not count."""
    program(inner, "node", "v20.20.2")
    inner.makepyfile(NEEDS_NOTHING_KNOWN)

    inner.runpytest_inprocess().assert_outcomes(skipped=2)


def test_what_is_there_is_used(inner):
    """A program of the least version is found."""
    program(inner, "node", "v22.0.0")
    inner.makepyfile(NEEDS_NOTHING_KNOWN)

    inner.runpytest_inprocess().assert_outcomes(passed=2)
