"""A package that offers a provider: built, installed and tested as its author would."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import oauthmagic
from oauthmagic.errors import CommandError

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "tests" / "example_provider"
FILES = ("pyproject.toml", "oauthmagic_acme.py", "test_oauthmagic_acme.py")
MOST_LINES = 120


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return a folder with the example as an installer leaves it, fetching nothing."""
    source = tmp_path_factory.mktemp("source")
    for name in FILES:
        shutil.copy(EXAMPLE / name, source)
    wheels, target = source / "dist", tmp_path_factory.mktemp("installed")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)],
        cwd=source,
        capture_output=True,
        check=True,
    )
    (wheel,) = wheels.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


@pytest.fixture
def visible(installed, monkeypatch):
    """Let this process see the installed package, for one test."""
    monkeypatch.syspath_prepend(installed)
    yield
    sys.modules.pop("oauthmagic_acme", None)


def test_it_is_one_page():
    """Adapter, test and packaging are under 120 lines in all, and no other file."""
    lines = [(EXAMPLE / name).read_text().splitlines() for name in FILES]

    assert sum(map(len, lines)) < MOST_LINES


def test_its_own_test_passes_where_it_is_installed(installed, tmp_path):
    """As its author runs it: with oauthmagic and the package, and nothing of ours."""
    test = shutil.copy(EXAMPLE / FILES[-1], tmp_path)
    path = os.pathsep.join([str(installed), str(ROOT)])

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


@pytest.mark.usefixtures("visible")
def test_it_stands_in_the_tables():
    """Beside the built-in ones, with its scopes."""
    session = oauthmagic.Session()

    providers = session.providers().set_index("provider")

    assert list(providers.index) == ["acme", "paysafe", "revsto", "stet"]
    assert providers.loc["acme", "title"] == "Acme Bank"
    assert list(session.scopes("acme").scope) == ["accounts", "payments"]


@pytest.mark.usefixtures("visible")
def test_its_name_is_taken():
    """A file cannot stand in for an installed provider; a copy has another name."""
    session = oauthmagic.Session()
    acme = session.provider("acme")

    with pytest.raises(CommandError, match="the name of an installed provider"):
        session.add(acme)
    session.add(acme, name="acme2")

    assert session.provider("acme2").title == "Acme Bank"
