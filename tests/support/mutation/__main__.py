"""Run the tests on the mutants of the declared modules, and count."""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import tempfile
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

from mutation.mutants import mutants_of
from mutation.runs import DECLARED, KILLED, ROOT, SURVIVED, TIMEOUT, Runner

EQUIVALENT = DECLARED.with_name("equivalent.toml")
LEAST_PERCENT = 90


def main() -> int:
    """Return 0 if enough mutants are killed, else 1."""
    options = _options()
    complaints: list[str] = []
    total: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="mutants-") as room:
        # What is tested by the same tests is tested by the same runner.
        runners: dict[str, Runner] = {}
        for module, tests in _read(DECLARED)["modules"].items():
            if options.only and not any(part in module for part in options.only):
                continue
            files = " ".join(tests)
            runner = runners.get(files) or Runner(
                tests, room=Path(room) / str(len(runners)), jobs=options.jobs
            )
            runners[files] = runner
            counted = _run(module, runner, options, complaints)
            print(_line(module, counted), flush=True)
            if not options.sample and _percent(counted) < LEAST_PERCENT:
                complaints.append(f"{module}: under {LEAST_PERCENT} %")
            total += counted
    print(_line("all declared modules", total))
    if _percent(total) < LEAST_PERCENT:
        complaints.append(f"all declared modules: under {LEAST_PERCENT} %")
    print("\n".join(complaints))
    return 1 if complaints else 0


def _run(
    module: str, runner: Runner, options: argparse.Namespace, complaints: list[str]
) -> Counter[str]:
    source = (ROOT / module).read_text(encoding="utf-8")
    mutants = mutants_of(source)
    equivalent = {
        mutant
        for group in _read(EQUIVALENT).get(module, ())
        for mutant in group["mutants"]
    }
    gone = equivalent - {str(mutant) for mutant in mutants}
    complaints += [f"{module}: there is no such mutant: {each}" for each in gone]
    counted = Counter({"mutants": len(mutants), "equivalent": len(equivalent)})
    if not options.equivalent:
        mutants = [each for each in mutants if str(each) not in equivalent]
    if options.sample:
        # The same ones until the module changes.
        seed = hashlib.sha256(source.encode()).digest()
        count = min(options.sample, len(mutants))
        mutants = random.Random(seed).sample(mutants, count)  # noqa: S311 - no secret
    for mutant, outcome in runner.outcomes(module, mutants):
        if str(mutant) not in equivalent:
            counted[outcome] += 1
            if outcome == SURVIVED:
                print(f"{module}:{mutant.line}: survived: {mutant}", flush=True)
        elif outcome != SURVIVED:
            complaints.append(f"{module}: not equivalent, but {outcome}: {mutant}")
    return counted


def _percent(counted: Counter[str]) -> float:
    ran = counted[KILLED] + counted[TIMEOUT] + counted[SURVIVED]
    return 100 * (ran - counted[SURVIVED]) / ran if ran else 100.0


def _line(what: str, counted: Counter[str]) -> str:
    ran = counted[KILLED] + counted[TIMEOUT] + counted[SURVIVED]
    return (
        f"{what}: {_percent(counted):.1f} % of {ran} mutants noticed"
        f" (killed {counted[KILLED]}, timeout {counted[TIMEOUT]},"
        f" survived {counted[SURVIVED]}; {counted['mutants']} there are,"
        f" {counted['equivalent']} of them equivalent)"
    )


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m mutation", description=__doc__)
    parser.add_argument(
        "--sample", type=int, default=0, help="at most so many mutants of each module"
    )
    parser.add_argument(
        "--equivalent", action="store_true", help="try those, too, that are listed so"
    )
    parser.add_argument("--jobs", type=int, default=2, help="how many at once")
    parser.add_argument("only", nargs="*", help="a part of a declared module's path")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
