"""`make bench`: oauthmagic beside its peers in one run: medians and ratios.

    run.py [--only CASE ...] [--quick] [--rounds N] [--write]

A case is a file in `cases`: `WAYS`, what can be done in which way, and `measure`.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from measuring import HERE, CannotRun, in_turn, way
from worker import case

ROOT = HERE.parents[1]
MARKS = "<!-- bench -->", "<!-- /bench -->"
#: In the order in which they are shown.
CASES = (
    *("moonshot", "later", "batch", "per_request", "stampede", "growth"),
    *("frame", "token_table", "load_time", "first_token", "dispatch"),
)


@dataclass(frozen=True)
class Bench:
    """How a case is to be measured.

    Attributes:
        rounds: How often each way takes its turn.
        quick: Whether to do a twentieth of the work: to see that it runs.
    """

    rounds: int
    quick: bool

    def size(self, whole: int) -> int:
        """Return how much to do of what is done as a whole."""
        return max(1, whole // 20) if self.quick else whole

    def ways(self, name: str, ways, setting: dict) -> dict[str, list[dict]]:
        """Run ways of a case in turn, each in a process of its own."""
        return in_turn(ways, self.rounds, lambda which: way(name, which, setting), say)


def say(text: str) -> None:
    """Say something beside the tables."""
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Measure, print tables, and write them where they were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=CASES, default=CASES)
    parser.add_argument("--quick", action="store_true", help="a twentieth of it")
    parser.add_argument("--rounds", type=int, help="how often each way is measured")
    parser.add_argument("--write", action="store_true", help="into README.md, too")
    asked = parser.parse_args()
    bench = Bench(asked.rounds or (1 if asked.quick else 5), asked.quick)
    parts = [about(bench)]
    for name in asked.only:
        say(f"== {name} ==")
        try:
            found = [table.text() for table in case(name).measure(bench)]
        except CannotRun as error:
            found = [f"`{name}` was left out: {error}."]
        parts += found
        say("\n\n".join(found) + "\n")
        if asked.write:
            # After each case: a run takes long, and may be broken off.
            readme = ROOT / "README.md"
            page = readme.read_text(encoding="utf-8")
            readme.write_text(written(page, "\n\n".join(parts)), encoding="utf-8")
    print("\n\n".join(parts))


def about(bench: Bench) -> str:
    """Return what the figures are figures of."""
    names = ["httpx", "httpx2", "Authlib", "aiohttp", "pycurl", "orjson", "pandas"]
    versions = ", ".join(
        f"{name} {there}" for name in names if (there := release(name))
    )
    git = ("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
    done = subprocess.run(git, capture_output=True, text=True, check=False)
    return (
        f"`make bench` at {done.stdout.strip() or 'a copy'}: medians of {bench.rounds} "
        f"{'round' if bench.rounds == 1 else 'rounds'} (smallest-largest); "
        f"{os.cpu_count()} cores, Python {platform.python_version()}; {versions}."
    )


def release(name: str) -> str:
    """Return the release of a package, or ""."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def written(page: str, text: str) -> str:
    """Return a page with a text between its marks.

    Raises:
        ValueError: The page has no such marks.
    """
    start, end = MARKS
    before, _, rest = page.partition(start)
    _, found, after = rest.partition(end)
    if not found:
        msg = f"There is no {start} ... {end} in the page."
        raise ValueError(msg)
    return f"{before}{start}\n{text}\n{end}{after}"


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
