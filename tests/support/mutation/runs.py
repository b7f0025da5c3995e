"""A process for each mutant, and what the tests said.

Whatever is no part of the package is imported once; each mutant is a fork of that
process, with a copy of the package in which the one module is changed. The copy
comes first on the path, of the process and of those that a test starts. The tests
run until the first one fails: those that noticed other mutants first, then the
quickest.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import shutil
import signal
import sys
import time
import tomllib
import traceback
import warnings
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from mutation import examples

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mutation.mutants import Mutant

ROOT = Path(__file__).parents[3]
PACKAGE = "oauthmagic"
DECLARED = ROOT / "tests" / "mutation" / "modules.toml"

KILLED, TIMEOUT, SURVIVED = "killed", "timeout", "survived"

# A mutant gets this many times what the unchanged module took, and some seconds.
_TIMES = 2
_MORE_SECONDS = 5
# A process that waits for ever uses no processor time: less than this in that long.
_LEAST_SECONDS = 0.05
_LONGEST_PAUSE = 15
_LOOK = 0.01
_MOST_MEMORY = 4 << 30


class TestsFailed(Exception):
    """The tests fail without any change, so they can say nothing about one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Baseline:
    """What the tests of a module do when nothing is changed.

    Attributes:
        durations: Seconds by test.
        seconds: Processor time of all of them.
    """

    durations: Mapping[str, float]
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _Desk:
    """A directory that one process works in.

    Attributes:
        path: Holds a copy of the package, and what the tests write.
        notes: What the process has to tell, as JSON.
    """

    path: Path

    @property
    def notes(self) -> Path:
        return self.path / "notes.json"

    def write(self, module: str, source: str) -> None:
        """Put a mutant in the place of its module."""
        path = self.path / module
        path.write_text(source, encoding="utf-8")
        # Whether bytecode is stale is told by size and second only.
        for stale in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
            stale.unlink()

    def read(self) -> dict[str, object]:
        """Return what the last process has told; nothing if it could not."""
        with contextlib.suppress(OSError, ValueError):
            return dict(json.loads(self.notes.read_text(encoding="utf-8")))
        return {}


class _Plugin:
    """Runs tests in an order, and notes how long each takes and which one fails."""

    def __init__(self, order: Mapping[str, float]) -> None:
        self._order = order
        self.durations: defaultdict[str, float] = defaultdict(float)
        self.failed = ""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: self._order.get(item.nodeid, 0))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.durations[report.nodeid] += report.duration
        if report.failed:
            self.failed = report.nodeid


class Runner:
    """Runs some tests, without a change and with each one.

    Args:
        tests: The paths of the test files, from the root of the project.
        room: A directory for the copies.
        jobs: How many processes run at once.
    """

    def __init__(self, tests: Sequence[str], *, room: Path, jobs: int) -> None:
        left_out = tomllib.loads(DECLARED.read_text(encoding="utf-8"))["left_out"]
        self._tests = [*tests, *(f"--deselect={test}" for test in left_out)]
        self._baseline: Baseline | None = None
        self._desks = [_Desk(path=room / str(number)) for number in range(jobs)]
        for desk in self._desks:
            shutil.copytree(ROOT / PACKAGE, desk.path / PACKAGE)

    def _without_change(self) -> Baseline:
        """Run the tests without a change, and import what they import."""
        desk = self._desks[0]
        _, status, used = os.wait4(self._start(desk, {}, None), 0)
        if status:
            said = (desk.path / "output").read_text(encoding="utf-8", errors="replace")
            raise TestsFailed(f"{' '.join(self._tests)}\n{said}")
        told = desk.read()
        with warnings.catch_warnings(action="ignore"):
            for name in told["imported"]:
                with contextlib.suppress(Exception):
                    importlib.import_module(name)
        return Baseline(
            durations=told["durations"], seconds=used.ru_utime + used.ru_stime
        )

    def outcomes(
        self, module: str, mutants: Sequence[Mutant]
    ) -> Iterator[tuple[Mutant, str]]:
        """Run the tests with each mutant; yield it and what became of it.

        Args:
            module: The path of the module, from the root of the project.
            mutants: Its mutants.

        Raises:
            TestsFailed: One of the tests fails without any change.
        """
        if self._baseline is None:
            self._baseline = self._without_change()
        baseline = self._baseline
        waiting = list(reversed(mutants))
        free = list(self._desks)
        busy: dict[int, tuple[Mutant, _Desk, _Pulse]] = {}
        order = dict(baseline.durations)
        try:
            while waiting or busy:
                while waiting and free:
                    mutant, desk = waiting.pop(), free.pop()
                    desk.write(module, mutant.source())
                    seconds = int(baseline.seconds * _TIMES) + _MORE_SECONDS
                    process = self._start(desk, order, seconds)
                    busy[process] = mutant, desk, _Pulse(process)
                for process, (mutant, desk, pulse) in list(busy.items()):
                    ended, status = os.waitpid(process, os.WNOHANG)
                    if not ended and pulse.is_felt():
                        continue
                    _end(process)
                    if not ended:
                        os.waitpid(process, 0)
                    elif failed := desk.read().get("failed"):
                        order[failed] = min(order.values()) - 1
                    del busy[process]
                    free.append(desk)
                    yield mutant, _outcome(status) if ended else TIMEOUT
                time.sleep(_LOOK)
        finally:
            for process in busy:
                _end(process)
        for desk in self._desks:
            desk.write(module, (ROOT / module).read_text(encoding="utf-8"))

    def _start(
        self, desk: _Desk, order: Mapping[str, float], seconds: int | None
    ) -> int:
        """Fork; return the child's number."""
        desk.notes.unlink(missing_ok=True)
        process = os.fork()
        if not process:
            try:
                self._run(desk, order, seconds)
            except BaseException:  # noqa: BLE001 - a child never returns from here
                traceback.print_exc()
            finally:
                os._exit(1)
        with contextlib.suppress(OSError):
            os.setpgid(process, process)
        return process

    def _run(
        self, desk: _Desk, order: Mapping[str, float], seconds: int | None
    ) -> NoReturn:
        with contextlib.suppress(OSError):
            os.setpgid(0, 0)
        if seconds is not None:
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
            resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
            sys.dont_write_bytecode = True
            os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        output = os.open(desk.path / "output", flags, 0o600)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(ROOT)
        # Its slice is what runs here, even when `make soak` is what called.
        os.environ.pop("OAUTHMAGIC_SOAK", None)
        os.environ["PYTHONPATH"] = str(desk.path)
        sys.path.insert(0, str(desk.path))
        plugin = _Plugin(order)
        code = pytest.main(
            [
                *("-x", "-q", "--tb=short", f"--basetemp={desk.path / 'temporary'}"),
                *("-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:nbval"),
                # What was imported before the fork is.
                *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
                *self._tests,
            ],
            plugins=[examples, plugin],
        )
        told: dict[str, object] = {"failed": plugin.failed}
        if seconds is None:
            told |= {"durations": plugin.durations, "imported": _imported(desk.path)}
        desk.notes.write_text(json.dumps(told), encoding="utf-8")
        sys.stdout.flush()
        os._exit(int(code))


def _end(process: int) -> None:
    """End a process, and what its tests have started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)


class _Pulse:
    """Whether a process, and those that it started, still do something.

    Where the system does not tell, they are believed to.
    """

    def __init__(self, group: int) -> None:
        self._group = group
        self._seconds = -1.0
        self._since = self._looked = time.monotonic()

    def is_felt(self) -> bool:
        """Return False once nothing has been done for long."""
        now = time.monotonic()
        if now < self._looked + 1:
            return True
        self._looked = now
        seconds = self._used()
        if not 0 <= seconds - self._seconds < _LEAST_SECONDS:
            self._seconds, self._since = seconds, now
        return now < self._since + _LONGEST_PAUSE

    def _used(self) -> float:
        ticks = os.sysconf("SC_CLK_TCK")
        used = 0.0
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                # The name, in brackets, may have blanks; what follows has none.
                fields = path.read_text(encoding="utf-8").rpartition(")")[2].split()
                if int(fields[2]) == self._group:
                    used += (int(fields[11]) + int(fields[12])) / ticks
        return used or time.monotonic()


def _imported(desk: Path) -> list[str]:
    """Return the modules that are the same for every mutant."""
    changing = (str(ROOT / "tests"), str(desk))
    return [
        name
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] not in (PACKAGE, "__main__", "conftest")
        and getattr(module, "__spec__", None) is not None
        and not str(getattr(module, "__file__", None) or "").startswith(changing)
    ]


def _outcome(status: int) -> str:
    if status == 0:
        return SURVIVED
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
        return TIMEOUT
    return KILLED
