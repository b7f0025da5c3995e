"""Fuzz one target with atheris: `fuzz_one.py TARGET [libFuzzer's arguments]`.

It ends with a line of JSON on standard output: the inputs tried, the slowest of them,
in seconds of CPU, and its bytes in hexadecimal.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
with atheris.instrument_imports(include=["oauthmagic"]):
    from fuzz_targets import TARGETS

#: The most CPU seconds for one input.
MOST_SECONDS = 1.0


def main() -> None:
    """Fuzz until libFuzzer's limits are reached."""
    target, _ = TARGETS[sys.argv[1]]
    tried, slowest, its_input = 0, 0.0, b""

    def one(data: bytes) -> None:
        nonlocal tried, slowest, its_input
        begun = time.process_time()
        target(data)
        took = time.process_time() - begun
        tried += 1
        if took > slowest:
            slowest, its_input = took, data
            # Now, for the process ends inside of libFuzzer.
            print(  # noqa: T201 - read by the test
                json.dumps({"slowest": round(took, 4), "bytes": len(its_input)}),
                flush=True,
            )
        assert took < MOST_SECONDS, f"{took:.2f} s for {data!r}"

    atheris.Setup([sys.argv[0], *sys.argv[2:]], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
