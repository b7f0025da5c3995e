"""Ways of doing one thing, each in a process of its own, in turn, with medians.

Machines drift, so figures of two runs say little: the ways take turns in every round,
in another order each time, and ratios are taken inside a round.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
SERVER_CORE, CLIENT_CORE = 1, 0
#: What would change what is measured: proxies, other authorities, no bytecode.
UNSET = (
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"),
    *("all_proxy", "PYTHONDONTWRITEBYTECODE"),
)


class CannotRun(Exception):
    """What a case or a way needs is not there; the message says what."""


@dataclass(frozen=True)
class Table:
    """What a case found.

    Attributes:
        title: What was done.
        head: The names of the columns.
        rows: The texts of the cells.
        lines: Sentences below the table.
    """

    title: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]
    lines: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Return the table as Markdown."""
        rule = "|---|" + "---:|" * (len(self.head) - 1)
        cells = [f"| {' | '.join(row)} |" for row in (self.head, *self.rows)]
        below = ["", *self.lines] if self.lines else []
        return "\n".join([f"**{self.title}**", "", cells[0], rule, *cells[1:], *below])


def pin(core: int) -> None:
    """Keep this process on one core, where there are several."""
    with contextlib.suppress(OSError, AttributeError):
        os.sched_setaffinity(0, {core if core < (os.cpu_count() or 1) else 0})


def surroundings() -> dict[str, str]:
    """Return the environment of a measured process."""
    environ = {name: value for name, value in os.environ.items() if name not in UNSET}
    return environ | {
        "AUTHLIB_INSECURE_TRANSPORT": "1",
        "OAUTHLIB_INSECURE_TRANSPORT": "1",
    }


def process(argv: list[str], timeout: float = 300) -> dict:
    """Run a command; return its seconds, CPU seconds, peak MiB and output."""
    began = time.perf_counter()
    with subprocess.Popen(
        argv,
        env=surroundings(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: pin(CLIENT_CORE),
    ) as child:
        ended = _killed_after(timeout, child)
        out, err = child.stdout.read(), child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        ended.cancel()
    return {
        "wall": time.perf_counter() - began,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak": usage.ru_maxrss / 1024,
        "out": out,
        "err": err,
        "code": child.returncode,
    }


def _killed_after(timeout: float, child: subprocess.Popen) -> threading.Timer:
    timer = threading.Timer(timeout, child.kill)
    timer.daemon = True
    timer.start()
    return timer


def way(case: str, name: str, setting: dict, timeout: float = 300) -> dict:
    """Run one way in a fresh process; see `worker.py` for what that does.

    Raises:
        CannotRun: It failed; with the last line that it wrote.
    """
    argv = [sys.executable, "-W", "ignore", str(HERE / "worker.py"), case, name]
    done = process([*argv, json.dumps(setting)], timeout)
    for line in done["out"].splitlines():
        if line.startswith("measured "):
            return json.loads(line.removeprefix("measured "))
    said = (done["err"].strip().splitlines() or [f"exit code {done['code']}"])[-1]
    raise CannotRun(said[:200])


def in_turn(names, rounds: int, once, say=lambda _: None) -> dict[str, list[dict]]:
    """Run every way once in each round; return what was measured, by way.

    A way that cannot run is left out, and that is said.
    """
    chance = random.Random(7)
    found: dict[str, list[dict]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in chance.sample(list(found), len(found)):
            try:
                found[name].append(once(name))
            except CannotRun as error:
                say(f"left out: {name}: {error}")
                del found[name]
    return found


def spread(values, form: str = "{:.3g}") -> str:
    """Return the median, and the smallest and largest value in brackets."""
    values = list(values)
    middle = form.format(statistics.median(values))
    return f"{middle} ({form.format(min(values))}-{form.format(max(values))})"


def ratio(found: dict, name: str, other: str, of: str = "cpu") -> float | None:
    """Return the median of the ratios in each round, or None where one is left out."""
    if not found.get(name) or not found.get(other):
        return None
    pairs = zip(found[name], found[other], strict=False)
    return statistics.median(one[of] / two[of] for one, two in pairs if two[of])


def shown(value: float | None, form: str = "{:.2f}") -> str:
    """Return a ratio as text, or a dash."""
    return "-" if value is None else form.format(value)
