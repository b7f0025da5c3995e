"""One authorized GET after the other: what a client costs beside raw httpx.

Each way has its own process, whose turns are mixed; CPU time of the client alone. Our
clients look at the token's end before each request and would replay it after a 401.

    python tests/benchmarks/per_request.py [--rounds 15] [--scheme https]
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from loopback import CLIENT_CORE, TOKEN, Nginx, pin, print_table, spread

RAW = "httpx.Client"
OURS_FAST, OURS = "session.client(), with fast", "session.client(), without"
WAYS = (RAW, OURS_FAST, OURS)
REQUESTS = 200


def client_called(way, base, ca_file, folder):
    """Return a client of httpx for a way."""
    import httpx  # noqa: PLC0415 - in the process of the way

    if way == RAW:
        return httpx.Client(
            base_url=base,
            headers={"Authorization": f"Bearer {TOKEN}"},
            verify=str(ca_file),
        )
    if way == OURS:
        sys.modules["pycurl"] = None
    from sessions import session_at  # noqa: PLC0415 - as above

    return session_at(base, folder, ca_file).client("bench@sandbox")


def serve(way, base, ca_file):
    """Answer each line of the standard input by what a turn took."""
    pin(CLIENT_CORE)
    with (
        tempfile.TemporaryDirectory() as folder,
        client_called(way, base, Path(ca_file), Path(folder)) as client,
    ):
        for _ in range(REQUESTS):
            client.get("/api").raise_for_status()
        for _ in sys.stdin:
            cpu, wall = time.process_time(), time.perf_counter()
            for _ in range(REQUESTS):
                assert len(client.get("/api").content) > 1000
            cpu = (time.process_time() - cpu) / REQUESTS
            print(cpu, (time.perf_counter() - wall) / REQUESTS, flush=True)


def measured(rounds, scheme):
    """Return by way what each round took, in seconds of CPU and by the clock."""
    taken = {way: [] for way in WAYS}
    mixed = random.Random(7)
    with Nginx() as server:
        processes = {
            way: subprocess.Popen(
                [
                    *(sys.executable, __file__, "--serve", way),
                    *(getattr(server, scheme), str(server.ca_file)),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONWARNINGS": "ignore"},
            )
            for way in WAYS
        }
        for _ in range(rounds):
            for way in mixed.sample(WAYS, len(WAYS)):
                process = processes[way]
                process.stdin.write("turn\n")
                process.stdin.flush()
                taken[way].append([float(x) for x in process.stdout.readline().split()])
        for process in processes.values():
            process.communicate()
    return taken


def main():
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--scheme", default="http")
    options.add_argument("--serve", nargs=3)
    given = options.parse_args()
    if given.serve:
        serve(*given.serve)
        return
    taken = measured(given.rounds, given.scheme)
    rows = []
    for way in WAYS:
        both = zip(taken[way], taken[RAW], strict=True)
        ratio = median(ours[0] / raw[0] for ours, raw in both)
        cpu, wall = (
            [each * 1e6 for each in part] for part in zip(*taken[way], strict=True)
        )
        rows.append((way, spread(cpu), spread(wall), f"{ratio:.2f}"))
    print_table(
        f"One authorized GET over {given.scheme}, {given.rounds} rounds",
        ("client", "CPU µs", "µs by the clock", "CPU / raw httpx"),
        rows,
    )


if __name__ == "__main__":
    main()
