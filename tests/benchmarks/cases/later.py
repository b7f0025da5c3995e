"""Many requests to an API that answers after 50 ms, 64 at once: by the clock."""

import time

from measuring import Table, in_turn, ratio, shown, spread, way
from peers import aiohttp_async, authlib_async, our_session
from servers import later, wrk

OURS = "oauthmagic session.map()"
WRK = "wrk, the limit here"


def ready_for(many_of):
    """Return the way of an async client."""

    def ready(setting):
        import asyncio

        many = many_of(setting)
        return lambda: {"answered": sum(map(bool, asyncio.run(many(setting["count"]))))}

    return ready


def ours(setting):
    """Return our way; the clock stops when the last answer is there."""
    import pandas as pd

    from oauthmagic.batch import chunks

    session = our_session(setting, expired=False)
    frame = pd.DataFrame({"number": range(setting["count"])})
    warm = our_session(setting, expired=False, client_id="warm")
    warm.map("bench", "GET /api/{{number}}", frame.head(64))
    made, ended = chunks.row_frame, []

    def table(*arguments, **named):
        ended.append(time.perf_counter())
        return made(*arguments, **named)

    chunks.row_frame = table

    def go():
        begun = time.perf_counter()
        result = session.map("bench", "GET /api/{{number}}", frame, concurrency=64)
        answered = int((result["status"] == 200).sum())
        return {"answered": answered, "wall": ended[0] - begun}

    return go


WAYS = {
    "Authlib on httpx2, async": ready_for(
        lambda setting: authlib_async(setting, with_httpx=False, expired=False)
    ),
    "aiohttp": ready_for(aiohttp_async),
    OURS: ours,
}


def measure(bench):
    """Return the table."""
    count = bench.size(10_000)
    with later() as setting:
        setting |= {"base": setting["http"], "scheme": "http", "count": count}
        seconds = 2 if bench.quick else 5

        def once(name):
            if name == WRK:
                rate = wrk(setting["base"] + "/api", 64, seconds)
                return {"wall": count / rate, "answered": count}
            return way("later", name, setting)

        found = in_turn((*WAYS, WRK), bench.rounds, once, print)
    rows = [
        (
            name,
            spread([count / each["wall"] for each in measured], "{:,.0f}"),
            shown(ratio(found, WRK, name, "wall"), "{:.3f}"),
            f"{min(each['answered'] for each in measured):,} of {count:,}",
        )
        for name, measured in found.items()
    ]
    head = ("client", "a second", "/ wrk", "answered")
    title = f"{count:,} requests, each answered after 50 ms, 64 at once"
    return [Table(title, head, rows)]
