"""One authorized GET after the other on one connection."""

import sys

from measuring import Table, ratio, shown, spread
from peers import OURS, SYNC
from servers import SIZE, nginx

WITHOUT = f"{OURS}, without the extra fast"


def ready_for(name):
    """Return the way of a client."""

    def ready(setting):
        if name == WITHOUT:
            sys.modules["pycurl"] = None
        get = SYNC[OURS if name == WITHOUT else name](setting)
        assert len(get()) == SIZE
        for _ in range(50):
            get()

        def go():
            for _ in range(setting["count"]):
                get()

        return go

    return ready


WAYS = {name: ready_for(name) for name in (*SYNC, WITHOUT)}


def measure(bench):
    """Return the table."""
    count = bench.size(2000)
    with nginx() as setting:
        setting |= {"base": setting["http"], "scheme": "http", "count": count}
        found = bench.ways("per_request", WAYS, setting)
    rows = [
        (
            name,
            spread([1e6 * each["cpu"] / count for each in measured], "{:.0f}"),
            shown(ratio(found, name, "httpx")),
        )
        for name, measured in found.items()
    ]
    head = ("client", "CPU µs for each", "/ raw httpx.Client")
    return [Table("Authorized GETs, one after the other", head, rows)]
