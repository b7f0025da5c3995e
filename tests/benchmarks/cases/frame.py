"""100 pages of 1,000 nested records each, from bytes to one DataFrame."""

import gc
import json
import random

from measuring import Table, ratio, shown, spread

BESIDE = "json + json_normalize, page by page"


def pages(count):
    """Return pages as an API sends them: an envelope, nested records, a list."""
    chance = random.Random(5)

    def record(number):
        geo = {
            "lat": round(chance.uniform(-90, 90), 5),
            "lon": round(chance.uniform(-180, 180), 5),
        }
        return {
            "id": number,
            "uuid": f"{chance.getrandbits(128):032x}",
            "created": f"2029-{1 + number % 12:02d}-{1 + number % 28:02d}T12:00:00Z",
            "user": {
                "id": chance.randrange(5000),
                "name": f"user {number % 997}",
                "address": {
                    "city": chance.choice(["Oslo", "Lima", "Pune"]),
                    "geo": geo,
                },
            },
            "metrics": {"views": chance.randrange(10**6), "ratio": chance.random()},
            "tags": ["a", "b", "c"][: 1 + number % 3],
            "amount": round(chance.uniform(0, 1e4), 2),
            "note": None if number % 4 else "lorem ipsum",
            "active": number % 2 == 0,
        }

    return [
        json.dumps({"items": [record(page * 1000 + n) for n in range(1000)]}).encode()
        for page in range(count)
    ]


def normalize(setting):
    """Return what most programs do."""
    import pandas as pd

    bodies = pages(setting["pages"])
    pd.json_normalize([{"a": [1]}])
    return lambda: facts(
        pd.concat(
            [pd.json_normalize(json.loads(body)["items"]) for body in bodies],
            ignore_index=True,
        )
    )


def ours(reader):
    """Return our way with one of the two readers, five secrets to look for included."""

    def ready(setting):
        from oauthmagic.redaction import Secret
        from oauthmagic.views import json_bodies
        from oauthmagic.views.frames import flat_frame, paged_frame

        read = getattr(json_bodies, reader)
        if reader == "quick_reader":
            import orjson  # noqa: F401 - left out where there is none

            read = read()
        bodies = pages(setting["pages"])
        kept = [Secret(f"bench-{number}-{'x9Y' * 40}") for number in range(5)]
        flat_frame([{"a": [1]}])
        assert kept
        return lambda: facts(
            paged_frame(lambda: (read(body)["items"] for body in bodies))
        )

    return ready


def facts(frame):
    """Return what has to be the same whichever way it was made."""
    assert gc.isenabled()
    return {"shape": list(frame.shape), "sum": int(frame["metrics.views"].sum())}


WAYS = {
    BESIDE: normalize,
    "oauthmagic, standard library": ours("_read"),
    "oauthmagic with orjson": ours("quick_reader"),
}


def measure(bench):
    """Return the table."""
    count = bench.size(100)
    found = bench.ways("frame", WAYS, {"pages": count})
    assert (
        len(
            {
                str((each["shape"], each["sum"]))
                for way in found.values()
                for each in way
            }
        )
        == 1
    )
    rows = [
        (
            name,
            spread([1000 * each["cpu"] for each in measured], "{:.0f}"),
            shown(ratio(found, BESIDE, name), "{:.1f} x"),
            spread([each["peak"] for each in measured], "{:.0f}"),
        )
        for name, measured in found.items()
    ]
    return [
        Table(
            f"{count * 1000:,} nested records to a DataFrame",
            ("way", "CPU ms", "faster", "peak MiB above the pages"),
            rows,
        )
    ]
