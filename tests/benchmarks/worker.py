"""One way of one case, in a process of its own: `worker.py CASE WAY SETTING`.

The way is set up first (imports, sessions, what is read from disk), and only what it
then does is measured: seconds, CPU seconds, and the peak above its level before.
"""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))


def case(name: str):
    """Return the module of a case."""
    path = Path(__file__).parent / "cases" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"case_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def peak() -> float:
    """Return the most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(name: str, which: str, setting: str) -> None:
    """Set a way up, measure it, and print what it took as a line of JSON."""
    go = case(name).WAYS[which](json.loads(setting))
    before = peak()
    cpu, wall = time.process_time(), time.perf_counter()
    facts = go()
    took = {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "peak": peak() - before,
    }
    sys.stdout.write(f"\nmeasured {json.dumps(took | (facts or {}))}\n")
    sys.stdout.flush()
    # Some clients' threads would keep the process for seconds.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
