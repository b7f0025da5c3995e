"""A kernel is killed in the middle of many rows, and the next one goes on."""

import json
import subprocess
import sys
import time
from pathlib import Path

import sending_rows
from sending_rows import RowServer

ROWS = 1200


def begin(server, folder):
    """Begin to send rows in a process of their own."""
    return subprocess.Popen(
        [
            sys.executable,
            sending_rows.__file__,
            str(server.port),
            str(folder),
            str(ROWS),
        ],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )


def test_a_killed_kernel_resumes_and_repeats_nothing_that_succeeded(tmp_path, figure):
    """Kill -9 at row 400; at most what was under way just then is asked twice."""
    with RowServer(pause=0.002) as server:
        killed = begin(server, tmp_path)
        end = time.monotonic() + 30
        while len(server.asked) < 400 and time.monotonic() < end:
            time.sleep(0.005)
        killed.kill()
        killed.communicate(timeout=10)
        # What the system still had in its buffers.
        time.sleep(0.1)
        before = len(server.asked)

        output, _ = begin(server, tmp_path).communicate(timeout=60)

        asked = server.asked
    assert 400 <= before < ROWS
    assert json.loads(output) == [*range(ROWS)]
    assert {*asked} == {*range(ROWS)}
    twice = len(asked) - ROWS
    figure("rows asked twice after kill -9 of 1,200 rows, 8 at once", twice)
    assert twice <= 16
