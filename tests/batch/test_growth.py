"""What a row costs does not depend on how many there are."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from answering import Api, AtOnce
from scales import scaled

from oauthmagic.transport.engines import Arrival
from oauthmagic.transport.wire import WireResponse

MEMBERS = {
    "id": "acc-000001",
    "amount": {"value": 12.5, "currency": "EUR"},
    "holder": {"name": "Ann Example", "tags": ["a", "b"]},
    "createdAt": "2030-01-01T09:00:00Z",
}
RESPONSE = WireResponse(status=200, body=json.dumps(MEMBERS).encode(), elapsed=0.01)
PROBE = """
import resource, sys, tempfile, time
from pathlib import Path
import pandas as pd
sys.path[:0] = [{support!r}, {here!r}]
from test_growth import Always
from answering import Api
count = int(sys.argv[1])
with tempfile.TemporaryDirectory() as folder:
    session = Api().session(Path(folder))
    session.map("acme", "GET /rows/{{{{id}}}}", pd.DataFrame({{"id": range(100)}}),
                engine=Always(), to=Path(folder) / "warm.parquet")
    frame = pd.DataFrame({{"id": range(count)}})
    before = time.process_time()
    session.map("acme", "GET /rows/{{{{id}}}}", frame, engine=Always(),
                to=Path(folder) / "rows.parquet", checkpoint=Path(folder) / "c")
    print(time.process_time() - before,
          resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


class Always(AtOnce):
    """An engine that has the same answer to everything, at once."""

    def __init__(self):
        super().__init__(None, 64)

    def poll(self, timeout):
        """Answer everything."""
        del timeout
        waiting, self._waiting = self._waiting, []
        return [Arrival(tag, RESPONSE) for tag, *_ in waiting]


def test_a_row_that_succeeds_costs_microseconds(tmp_path, figure):
    """From a row of the frame to a row of the result, without what sends it."""
    count = scaled(20_000, 100_000)
    session = Api().session(tmp_path)
    frame = pd.DataFrame({"id": range(count)})
    request = "GET /accounts/{{id}}/transactions?limit=5"
    session.map("acme", request, frame[:100], engine=Always())

    before = time.process_time()
    result = session.map("acme", request, frame, engine=Always())
    cost = (time.process_time() - before) / count * 1e6

    figure("a row without its exchange, JSON and frame included", f"{cost:.1f} us")
    assert result["amount.value"].eq(12.5).all()
    # Some 7 on a quiet machine.
    assert cost < 60


@pytest.mark.soak
def test_cost_is_linear_and_memory_flat(figure):
    """10,000 rows and 100,000, each in a process of its own, into a Parquet file."""
    here = Path(__file__).parent
    probe = PROBE.format(support=str(here.parent / "support"), here=str(here))
    seen = {}
    for count in (10_000, 100_000) * 3:
        done = subprocess.run(
            [sys.executable, "-c", probe, str(count)],
            capture_output=True,
            text=True,
            check=True,
            cwd=here.parents[1],
        )
        seen.setdefault(count, []).append([*map(float, done.stdout.split())])
    cpu = {count: min(each[0] for each in runs) for count, runs in seen.items()}
    memory = {count: min(each[1] for each in runs) for count, runs in seen.items()}

    growth = cpu[100_000] / cpu[10_000] / 10
    more = (memory[100_000] - memory[10_000]) / 1024
    figure("CPU of 100,000 rows / 10 x that of 10,000, --to", f"{growth:.2f}")
    figure("memory of 100,000 rows above that of 10,000, --to", f"{more:.0f} MiB")
    assert growth <= 1.15
    assert more <= 40
