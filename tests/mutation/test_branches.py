"""Every branch of the modules that secrets depend on is taken."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_branch_of_the_declared_modules_is_taken(figure):
    """By the tests declared for them, in `tests/mutation/modules.toml`."""
    done = subprocess.run(
        [sys.executable, "-m", "mutation.branches"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests" / "support")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    rows = re.findall(r"(?m)^(oauthmagic\S+)(?: +\d+){2} +(\d+) +0 +(\S+)", done.stdout)
    for module, branches, percent in rows:
        figure(f"branch coverage: {module}", f"{percent} of {branches} branches")
    assert rows
