"""`make bench` runs: whether it measures well is seen in its figures."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent / "benchmarks"


@pytest.fixture
def module(monkeypatch):
    """Return a function that imports a file of the benchmarks."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    for name in ("measuring", "worker", "servers", "peers"):
        monkeypatch.delitem(sys.modules, name, raising=False)

    def load(path):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        found = importlib.util.module_from_spec(spec)
        # Where dataclasses look for it.
        monkeypatch.setitem(sys.modules, path.stem, found)
        spec.loader.exec_module(found)
        return found

    return load


def test_one_case_runs_from_end_to_end():
    """Each way in its own process; a peer that is not there is left out."""
    program = [sys.executable, str(BENCHMARKS / "run.py"), "--quick"]

    done = subprocess.run(
        [*program, "--only", "token_table"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr[-500:]
    assert "| oauthmagic: session.tokens() |" in done.stdout
    assert "A table of 5,000 tokens" in done.stdout


def test_every_case_can_be_read(module):
    """It has ways, or measures from outside, and a sentence that says what."""
    run = module(BENCHMARKS / "run.py")

    files = {path.stem for path in (BENCHMARKS / "cases").glob("*.py")}

    assert files == set(run.CASES)
    for name in files:
        found = run.case(name)
        assert isinstance(found.WAYS, dict)
        assert callable(found.measure)
        assert found.__doc__


def test_figures_are_medians_and_ratios_of_rounds(module):
    """A slow round does not decide; a way that failed is left out, and said."""
    measuring = module(BENCHMARKS / "measuring.py")
    taken = {"ours": [1, 2, 9], "theirs": [4, 8, 30]}
    said = []

    def once(name):
        if name == "broken":
            raise measuring.CannotRun("not installed")
        return {"cpu": taken[name].pop(0)}

    found = measuring.in_turn(["ours", "theirs", "broken"], 3, once, said.append)

    assert measuring.ratio(found, "theirs", "ours") == 4
    assert measuring.ratio(found, "broken", "ours") is None
    assert measuring.spread(each["cpu"] for each in found["ours"]) == "2 (1-9)"
    assert said == ["left out: broken: not installed"]


def test_the_table_stands_between_the_marks(module):
    """The rest of the page is left alone, and a page without marks as it is."""
    run = module(BENCHMARKS / "run.py")
    readme = (BENCHMARKS.parents[1] / "README.md").read_text(encoding="utf-8")

    written = run.written("a\n<!-- bench -->\nold\n<!-- /bench -->\nb", "new")

    assert written == "a\n<!-- bench -->\nnew\n<!-- /bench -->\nb"
    assert all(mark in readme for mark in run.MARKS)
    with pytest.raises(ValueError, match="bench"):
        run.written("a page", "new")
