"""Ten thousand authorized GETs, 64 at once: our engine and client beside others.

Each way is a process of its own, from its imports on; all ways in every round, in
mixed order. `wrk` is the limit of the machine. With `--delay` the API answers after so
many seconds, and what counts is the time by the clock.

    python tests/benchmarks/engines.py [--rounds 3] [--scheme https] [--delay 0.05]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from loopback import (
    CLIENT_CORE,
    TOKEN,
    Nginx,
    Slow,
    pin,
    print_table,
    requests_per_second,
    spread,
)

AT_ONCE = 64
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


def with_engine(url, ca_file, count, *, with_threads=False):
    """Send through the engine."""
    from oauthmagic.transport.engines import (  # noqa: PLC0415 - in its own process
        ThreadedEngine,
        engine_for,
    )
    from oauthmagic.transport.http import HttpTransport  # noqa: PLC0415 - as above
    from oauthmagic.transport.wire import WireRequest  # noqa: PLC0415 - as above

    transport = HttpTransport(ca_file=ca_file)
    headers = tuple(HEADERS.items())

    def run():
        make = ThreadedEngine if with_threads else engine_for
        engine = make(transport, AT_ONCE)
        begun, bodies = 0, []
        while len(bodies) < count:
            for _ in range(min(engine.room(), count - begun)):
                request = WireRequest(
                    method="GET", url=f"{url}?n={begun}", headers=headers
                )
                engine.submit(begun, request, timeout=30, limit=1 << 25)
                begun += 1
            arrived = engine.poll(1)
            bodies += [each.response.body if each.response else b"" for each in arrived]
        engine.close()
        return bodies

    return run


def with_threads(url, ca_file, count):
    """Send through the engine that works without the extra."""
    return with_engine(url, ca_file, count, with_threads=True)


def with_tasks(get, opened, count):
    """Have 64 tasks send what is left, one request after the other."""

    async def run():
        numbers, bodies = iter(range(count)), [b""] * count
        async with opened() as client:

            async def work():
                for number in numbers:
                    bodies[number] = await get(client)

            await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        return bodies

    return lambda: asyncio.run(run())


def with_our_client(url, ca_file, count, *, fast=True):
    """Send through `session.aclient`."""
    if not fast:
        sys.modules["pycurl"] = None
    from sessions import session_at  # noqa: PLC0415 - as above

    base = url.rpartition("/")[0]
    session = session_at(base, Path(tempfile.mkdtemp()), ca_file)

    async def get(client):
        return (await client.get(url)).content

    return with_tasks(get, lambda: session.aclient("bench@sandbox"), count)


def with_our_client_without(url, ca_file, count):
    """Send through `session.aclient`, without the extra."""
    return with_our_client(url, ca_file, count, fast=False)


def with_httpx(url, ca_file, count):
    """Send through the library's own asynchronous client."""
    import httpx  # noqa: PLC0415 - as above

    async def get(client):
        return (await client.get(url)).content

    limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    return with_tasks(
        get,
        lambda: httpx.AsyncClient(
            headers=HEADERS, verify=str(ca_file), timeout=60, limits=limits
        ),
        count,
    )


def with_authlib(url, ca_file, count):
    """Send through Authlib's client, on httpx2 where that is installed."""
    import warnings  # noqa: PLC0415 - as above

    warnings.simplefilter("ignore")
    import httpx2  # noqa: PLC0415 - as above
    from authlib.integrations.httpx_client import (  # noqa: PLC0415 - as above
        AsyncOAuth2Client,
    )

    async def get(client):
        return (await client.get(url)).content

    limits = httpx2.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    token = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600}
    return with_tasks(
        get,
        lambda: AsyncOAuth2Client(
            "me", token=token, verify=str(ca_file), timeout=60, limits=limits
        ),
        count,
    )


def with_aiohttp(url, ca_file, count):
    """Send through aiohttp."""
    import ssl  # noqa: PLC0415 - as above

    import aiohttp  # noqa: PLC0415 - as above

    context = ssl.create_default_context(cafile=ca_file)

    async def get(client):
        async with client.get(url, headers=HEADERS) as reply:
            return await reply.read()

    return with_tasks(
        get,
        lambda: aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context, limit=AT_ONCE)
        ),
        count,
    )


OURS = "our engine, with fast"
WRK = "wrk"
WAYS = {
    OURS: with_engine,
    "our engine, without": with_threads,
    "session.aclient(), with fast": with_our_client,
    "session.aclient(), without": with_our_client_without,
    "httpx.AsyncClient": with_httpx,
    "Authlib's async client on httpx2": with_authlib,
    "aiohttp": with_aiohttp,
}


def once(way, url, ca_file, count):
    """Measure one way in this process and print it."""
    pin(CLIENT_CORE)
    run = WAYS[way](url, ca_file, count)
    cpu, wall = time.process_time(), time.perf_counter()
    bodies = run()
    taken = time.process_time() - cpu, time.perf_counter() - wall
    good = sum(len(body) > 1000 for body in bodies)
    print(json.dumps([*taken, good]), flush=True)
    os._exit(0)


def measured(ways, url, ca_file, count, rounds):
    """Return by way what each round took; ways that cannot run here are left out."""
    taken = {way: [] for way in ways}
    mixed = random.Random(7)
    for _ in range(rounds):
        for way in mixed.sample(list(taken), len(taken)):
            if way == WRK:
                rate = requests_per_second(url)
                if rate is None:
                    del taken[way]
                else:
                    taken[way].append([float("nan"), count / rate, count])
                continue
            done = subprocess.run(
                [
                    sys.executable,
                    __file__,
                    "--once",
                    way,
                    url,
                    str(ca_file),
                    str(count),
                ],
                capture_output=True,
                text=True,
                check=False,
                timeout=500,
            )
            if done.returncode:
                print(f"left out: {way}: {done.stderr.strip()[-120:]}", file=sys.stderr)
                del taken[way]
            else:
                taken[way].append(json.loads(done.stdout))
    return taken


def main():
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--count", type=int, default=10_000)
    options.add_argument("--scheme", default="http")
    options.add_argument("--delay", type=float, default=0)
    options.add_argument("--only", default="", help="parts of names, with | between")
    options.add_argument("--once", nargs=4)
    given = options.parse_args()
    if given.once:
        way, url, ca_file, count = given.once
        once(way, url, ca_file, int(count))
        return
    wanted = given.only.split("|")
    ways = [way for way in (*WAYS, WRK) if any(part in way for part in wanted)]
    with Nginx() as quick, Slow(given.delay) as slow:
        url = f"{getattr(quick, given.scheme)}/api"
        if given.delay:
            url = f"{slow.http}/api"
        taken = measured(ways, url, quick.ca_file, given.count, given.rounds)
    rows = []
    for way, rounds in taken.items():
        cpu, wall, good = zip(*rounds, strict=True)
        rates = [given.count / each for each in wall]
        ours = [a[0] / b[0] for a, b in zip(rounds, taken[OURS], strict=True)]
        limit = [a[1] / b[1] for a, b in zip(taken.get(WRK, ()), rounds, strict=False)]
        rows.append(
            (
                way,
                spread([each / given.count * 1e6 for each in cpu]),
                f"{median(ours):.1f}",
                spread(rates),
                f"{median(limit):.3f}" if limit else "",
                f"{min(good)} of {given.count}",
            )
        )
    after = f", answers after {given.delay} s" if given.delay else ""
    print_table(
        f"{given.count} GETs over {given.scheme}, {AT_ONCE} at once{after}, "
        f"{given.rounds} rounds",
        ("client", "CPU µs a request", "CPU / ours", "requests/s", "/ wrk", "answered"),
        rows,
    )


if __name__ == "__main__":
    main()
