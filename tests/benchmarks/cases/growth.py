"""Ten times the rows: ten times the CPU, and no more memory, with `to=`."""

import statistics
import tempfile
from pathlib import Path

from measuring import CannotRun, Table, spread
from peers import our_session
from servers import nginx

TIMES = 1, 3, 10


def rows(times):
    """Return the way of so many times the rows."""

    def ready(setting):
        import pandas as pd

        session = our_session(setting, expired=True)
        if not hasattr(session, "map"):
            msg = "this checkout has no session.map() yet"
            raise CannotRun(msg)
        frame = pd.DataFrame({"number": range(setting["count"] * times)})
        folder = Path(tempfile.mkdtemp(dir=setting["folder"]))
        request = "GET /api/{{number}}"
        session.map("bench", request, frame.head(2000), to=folder / "warm.parquet")

        def go():
            session.map("bench", request, frame, to=folder / "result.parquet")

        return go

    return ready


WAYS = {f"{times} x": rows(times) for times in TIMES}


def measure(bench):
    """Return the table."""
    count = bench.size(10_000)
    with nginx() as setting:
        setting |= {"base": setting["http"], "scheme": "http", "count": count}
        found = bench.ways("growth", WAYS, setting)
    if len(found) < len(TIMES):
        msg = "session.map(to=...) or what it needs is not there; see above"
        raise CannotRun(msg)
    made = []
    for times, measured in zip(TIMES, found.values(), strict=True):
        each = [one["cpu"] / times for one in measured]
        first = [one["cpu"] for one in found["1 x"]]
        made.append(
            (
                f"{count * times:,}",
                spread([1e6 * one / count for one in each], "{:.0f}"),
                f"{statistics.median(a / b for a, b in zip(each, first)):.2f}",
                spread([one["peak"] for one in measured], "{:.0f}"),
            )
        )
    head = ("rows", "CPU µs for each", "/ first line", "peak MiB above its start")
    return [Table("Growth with `to=`", head, made)]
