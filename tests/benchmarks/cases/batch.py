"""Many authorized GETs, 64 at once, bodies of one KiB, no table made of them."""

import asyncio

from measuring import CannotRun, Table, ratio, shown, spread
from peers import aiohttp_async, at_once, authlib_async, httpx_async, our_session
from servers import SIZE, nginx, wrk

OURS = "oauthmagic session.aclient()"
BESIDE = "httpx.AsyncClient"
#: What httpx takes for each makes a whole run minutes.
SLOW = {BESIDE, "Authlib on httpx, async"}


def ready_for(many_of):
    """Return the way of an async client."""

    def ready(setting):
        many = many_of(setting)

        def go():
            bodies = asyncio.run(many(setting["count"]))
            return {"answered": sum(len(each) == SIZE for each in bodies)}

        return go

    return ready


def ours(setting):
    """Return a coroutine function that sends many with our async client."""
    session = our_session(setting, expired=False)
    if not hasattr(session, "aclient"):
        msg = "this checkout has no session.aclient() yet"
        raise CannotRun(msg)

    async def many(count):
        async with session.aclient("bench") as client:

            async def one():
                return (await client.get("/api")).content

            return await at_once(count, 64, one)

    return many


WAYS = {
    BESIDE: ready_for(httpx_async("httpx")),
    "httpx2.AsyncClient": ready_for(httpx_async("httpx2")),
    "Authlib on httpx2, async": ready_for(
        lambda setting: authlib_async(setting, with_httpx=False, expired=False)
    ),
    "aiohttp": ready_for(aiohttp_async),
    OURS: ready_for(ours),
}


def measure(bench):
    """Return the table; httpx sends a tenth of it, for it needs minutes."""
    count = bench.size(10_000)
    with nginx() as setting:
        setting |= {"base": setting["http"], "scheme": "http", "count": count}
        slow = setting | {"count": max(64, count // 10)}
        found = bench.ways(
            "batch", [name for name in WAYS if name not in SLOW], setting
        )
        found |= bench.ways("batch", [name for name in WAYS if name in SLOW], slow)
        limit = wrk(setting["base"] + "/api", 64, 1 if bench.quick else 3)
    for name, measured in found.items():
        for each in measured:
            each["sent"] = slow["count"] if name in SLOW else count
            each["each"] = each["cpu"] / each["sent"]
    rows = []
    for name, measured in found.items():
        sent = measured[0]["sent"]
        rows.append(
            (
                name,
                spread([1e6 * each["each"] for each in measured], "{:.0f}"),
                spread([sent / each["wall"] for each in measured], "{:,.0f}"),
                shown(ratio(found, BESIDE, name, "each"), "{:.0f} x"),
                f"{min(each['answered'] for each in measured):,} of {sent:,}",
            )
        )
    head = ("client", "CPU µs for each", "a second", "less CPU than httpx", "answered")
    lines = [f"wrk, the limit here: {limit:,.0f} a second."]
    return [Table(f"{count:,} authorized GETs, 64 at once", head, rows, lines)]
