"""Run the declared tests with branch coverage of the declared modules.

python -m mutation.branches      fails below 100 %
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from mutation.runs import DECLARED, ROOT


def main() -> int:
    """Return 0 if every branch of every declared module is taken, else 1."""
    declared = tomllib.loads(DECLARED.read_text(encoding="utf-8"))
    modules = declared["modules"]
    tests = sorted({test for tests in modules.values() for test in tests})
    tests += [f"--deselect={test}" for test in declared["left_out"]]
    with tempfile.TemporaryDirectory(prefix="coverage-") as room:
        environ = {
            **os.environ,
            "COVERAGE_FILE": str(Path(room) / "data"),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")]),
        }
        environ.pop("OAUTHMAGIC_SOAK", None)
        for arguments in (
            [
                *("run", "-m", "pytest", "-q", "-p", "no:cacheprovider"),
                *("-p", "no:nbval", "-p", "mutation.examples", *tests),
            ],
            ["combine", "--quiet"],
            [
                *("report", "--show-missing", "--fail-under=100", "--precision=2"),
                f"--include={','.join(modules)}",
            ],
        ):
            command = [sys.executable, "-m", "coverage", *arguments]
            done = subprocess.run(command, cwd=ROOT, env=environ, check=False)
            if done.returncode:
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
