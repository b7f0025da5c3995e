"""From an expired token to a DataFrame of 10,000 authorized responses, 64 at once."""

import asyncio
import json
import time

from measuring import CannotRun, Table, in_turn, ratio, shown, spread, way
from peers import SYNC, aiohttp_async, authlib_async, our_session
from servers import body, nginx, token_requests, wrk

OURS = "oauthmagic session.map()"
BESIDE = "Authlib async on httpx2"
SLOW = "Authlib async on httpx"
LIMIT = "wrk + orjson"


def counted(setting, go):
    """Return what was asked of the token endpoint meanwhile, and the table's rows."""
    before = token_requests(setting)
    frame = go()
    return {"tokens": token_requests(setting) - before, "shape": list(frame.shape)}


def with_json_normalize(many_of):
    """Return the way of an async client: bodies, `json.loads`, `json_normalize`."""

    def ready(setting):
        import pandas as pd

        pd.json_normalize([json.loads(body())])
        many = many_of(setting)

        def go():
            bodies = asyncio.run(many(setting["count"]))
            return pd.json_normalize([json.loads(each) for each in bodies])

        return lambda: counted(setting, go)

    return ready


def one_by_one(name):
    """Return the way of a client that is used in a loop."""

    def ready(setting):
        import pandas as pd

        pd.json_normalize([json.loads(body())])
        get = SYNC[name](setting, expired=True)
        go = lambda: pd.json_normalize(  # noqa: E731 - as the others have it
            [json.loads(get()) for _ in range(setting["count"])]
        )
        return lambda: counted(setting, go)

    return ready


def ours(setting):
    """Return our way; a first, small one on another session brings the imports."""
    import pandas as pd

    session = our_session(setting, expired=True)
    if not hasattr(session, "map"):
        msg = "this checkout has no session.map() yet"
        raise CannotRun(msg)
    frame = pd.DataFrame({"number": range(setting["count"])})
    warm = our_session(setting, expired=True, client_id="warm")
    warm.map("bench", "GET /api/{{number}}", frame.head(128))

    def go():
        result = session.map("bench", "GET /api/{{number}}", frame, concurrency=64)
        assert (result["status"] == 200).all()
        return result

    return lambda: counted(setting, go)


WAYS = {
    BESIDE: with_json_normalize(
        lambda setting: authlib_async(setting, with_httpx=False, expired=True)
    ),
    SLOW: with_json_normalize(
        lambda setting: authlib_async(setting, with_httpx=True, expired=True)
    ),
    "aiohttp by hand": with_json_normalize(
        lambda setting: aiohttp_async(setting, expired=True)
    ),
    "requests-oauthlib, a loop": one_by_one("requests-oauthlib"),
    "requests_oauth2client, a loop": one_by_one("requests_oauth2client"),
    "google-auth, a loop": one_by_one("google-auth"),
    OURS: ours,
}


def limit(setting):
    """Return what wrk takes for as many requests, and orjson for the bodies."""
    import orjson

    count, text = setting["count"], body().encode()
    each = 1 / wrk(setting["base"] + "/api", 64, 2)
    began = time.process_time()
    for _ in range(count):
        orjson.loads(text)
    return {"wall": count * each + time.process_time() - began}


def measure(bench):
    """Return a table for HTTP, and one for HTTPS where it can be had."""
    count = bench.size(10_000)
    tables = []
    with nginx() as setting:
        schemes = ["http", "https"] if setting["ca"] else ["http"]
        for scheme in schemes:
            setting |= {"base": setting[scheme], "scheme": scheme, "count": count}
            tables.append(table(bench, setting, scheme))
    return tables


def table(bench, setting, scheme):
    """Return the table of one scheme; httpx sends a tenth, for it needs minutes."""
    count = setting["count"]
    slow = setting | {"count": max(64, count // 10)}

    def once(name):
        if name == LIMIT:
            return limit(setting)
        return way("moonshot", name, slow if name == SLOW else setting)

    found = in_turn((*WAYS, LIMIT), bench.rounds, once, print)
    limits = found.pop(LIMIT, [])
    for name, measured in found.items():
        sent = slow["count"] if name == SLOW else count
        for one, least in zip(measured, limits):
            one["limit"] = least["wall"] / count / (one["wall"] / sent)
        for one in measured:
            one["sent"], one["each"] = sent, one["cpu"] / sent
    rows = [
        (
            name,
            spread([1e6 * each["each"] for each in measured], "{:.0f}"),
            shown(ratio(found, BESIDE, name, "each"), "{:.1f} x"),
            shown(ratio(found, SLOW, name, "each"), "{:.0f} x"),
            spread([each["limit"] for each in measured], "{:.2f}") if limits else "-",
            "/".join(sorted({str(each["tokens"]) for each in measured})),
            f"{min(e['shape'][0] for e in measured):,} of {measured[0]['sent']:,}",
        )
        for name, measured in found.items()
    ]
    head = (
        *("client", "CPU µs for each", f"less than {BESIDE}", f"less than {SLOW}"),
        *("of wrk + orjson", "token requests", "rows"),
    )
    title = f"An expired token to a DataFrame of {count:,} responses, {scheme}"
    return Table(title, head, rows)
