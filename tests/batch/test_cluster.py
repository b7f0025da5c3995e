"""Rows that the workers of a Dask cluster send: real processes, a real server."""

import os
import signal
import threading
import time
from itertools import pairwise

import pandas as pd
import pytest
from clusters import CountingApi, cluster
from dask import dataframe as dd

from oauthmagic.errors import (
    CommandError,
    EnvironmentRefused,
    Interrupted,
    LoginRequired,
)

# Dask's own connections and files are closed when its loop gets to it.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """Return a client of two workers."""
    with cluster(tmp_path_factory.mktemp("dask")) as client:
        yield client


def test_a_row_for_each_row(client, tmp_path):
    """In their order, with their index, from pandas and from Dask; one token."""
    rows = pd.DataFrame({"id": range(300), "not_used": "x"}, index=range(1000, 1300))
    with CountingApi() as api, api.session(tmp_path) as session:
        here = session.map("acme", "GET /rows/{{id}}", rows)

        spread = session.map("acme", "GET /rows/{{id}}", rows, engine=client)
        lying = session.map(
            "acme",
            "GET /rows/{{id}}",
            dd.from_pandas(rows, npartitions=3),
            engine="dask",
        )

        first = session.preview_rows(
            "acme", "GET /rows/{{id}}", dd.from_pandas(rows, npartitions=3)
        )
        assert first.endswith("# 300 such requests, one for each row")
        assert isinstance(spread, dd.DataFrame)
        for frame in (spread.compute(), lying.compute()):
            pd.testing.assert_frame_equal(
                frame.drop(columns="elapsed"), here.drop(columns="elapsed")
            )
        assert spread.known_divisions
        assert len(api.asked) == 900
        assert len(api.tokens) == 1


def test_one_renewal_for_all(client, tmp_path):
    """Every worker meets a 401; one of them has the token renewed."""
    rows = pd.DataFrame({"id": range(400)})
    with CountingApi(good_for=200) as api, api.session(tmp_path) as session:
        result = session.map(
            "acme", "GET /rows/{{id}}", rows, engine=client, concurrency=8
        ).compute()

    assert result["status"].eq(200).all()
    assert sorted(api.rows) == [*range(400)]
    assert len(api.tokens) == 2


@pytest.mark.soak
def test_one_rate_and_one_pause(client, tmp_path, figure):
    """100 in a second, of all; a 429 that one worker gets holds for both."""
    rows = pd.DataFrame({"id": range(150)})
    with CountingApi() as api, api.session(tmp_path) as session:
        session.token("acme")
        api.storm = 60
        session.map("acme", "GET /rows/{{id}}", rows, engine=client, rate=100)
        times = [when for _, when in api.asked]

    most = max(sum(begin <= when < begin + 0.5 for when in times) for begin in times)
    figure("requests of two workers in half a second, at 100 in a second", most)
    assert most <= 56  # and what a busy machine sends late
    gaps = [after - before for before, after in pairwise(times)]
    assert max(gaps) >= 0.9
    # What was under way, and what was sent before the others were told.
    quiet = times[gaps.index(max(gaps))]
    assert sum(quiet < when < quiet + 0.9 for when in times) == 0
    assert sorted(api.rows) == [*range(150)]


def test_nothing_of_a_token_is_in_what_dask_keeps(client, tmp_path):
    """Not in the graph, the keys, the results, the logs, the scheduler's memory."""
    rows = pd.DataFrame({"id": range(60)})
    with CountingApi() as api, api.session(tmp_path) as session:
        request = "GET /rows/{{id}}\nX-Typed: a-secret-typed-by-a-user"
        result = session.map("acme", request, rows, engine=client)

        kept = client.run_on_scheduler(_everything)
        kept += repr(client.get_worker_logs()) + repr(client.get_scheduler_logs())
        kept += repr([*client.run(_of_a_worker).values()])
        kept += repr(result.dask)

    assert "oauthmagic-rows-" in kept
    assert "send_part" in kept
    for secret in (*api.tokens, "not-a-real-secret", "a-secret-typed-by-a-user"):
        assert secret not in kept


def _everything(dask_scheduler):
    """Return all that the scheduler keeps of tasks."""
    said = []
    for task in dask_scheduler.tasks.values():
        said.append(repr((task.key, task.run_spec, task.annotations, task.metadata)))
        frames = getattr(task.run_spec, "frames", None) or [b""]
        said += [bytes(frame).decode("latin-1") for frame in frames]
        said.append(repr(getattr(task.run_spec, "header", None)))
    said.append(
        repr(dask_scheduler.events) if hasattr(dask_scheduler, "events") else ""
    )
    return "".join(said)


def _of_a_worker(dask_worker):
    return repr(dict(dask_worker.data)) + repr(dask_worker.state.tasks)


@pytest.mark.soak
def test_ctrl_c_stops_every_worker(client, tmp_path):
    """What is done is there; the rest says that it was not sent."""
    rows = pd.DataFrame({"id": range(4000)})
    with CountingApi(pause=0.01) as api, api.session(tmp_path) as session:
        session.token("acme")

        def interrupt():
            # Not before they send: workers that just began import first.
            end = time.monotonic() + 20
            while len(api.asked) < 50 and time.monotonic() < end:
                time.sleep(0.005)
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=interrupt).start()
        with pytest.raises(Interrupted) as caught:
            session.map("acme", "GET /rows/{{id}}", rows, engine=client, concurrency=4)
        asked = len(api.asked)
        time.sleep(0.3)

        assert len(api.asked) <= asked + 4
    partial = caught.value.partial.compute()
    assert len(partial) == 4000
    assert asked - 4 <= partial["status"].eq(200).sum() <= asked + 4
    assert partial["error"].eq("not sent").sum() >= 4000 - asked - 8


def test_what_cannot_be_renewed_ends_the_run(client, tmp_path, monkeypatch):
    """With the error of the session, and the rows that were answered."""
    rows = pd.DataFrame({"id": range(200)})
    with CountingApi(good_for=50) as api, api.session(tmp_path) as session:
        session.token("acme")

        def renew(*_, **__):
            msg = "The refresh token was refused."
            raise LoginRequired(msg)

        monkeypatch.setattr(session._keeper, "renew", renew)
        with pytest.raises(LoginRequired, match="refused") as caught:
            session.map("acme", "GET /rows/{{id}}", rows, engine=client, concurrency=4)

    partial = caught.value.partial.compute()
    # But for what was under way when the others were told.
    assert 46 <= partial["status"].eq(200).sum() <= 50
    assert len(api.tokens) == 1


def test_a_worker_that_lets_no_production_in_sends_nothing(client, tmp_path):
    """Its own machine says so, whatever the session's does."""
    site = tmp_path / "site.toml"
    site.write_text("allow_production = false\n", encoding="utf-8")

    def set_variable(value):
        os.environ["OAUTHMAGIC_PROVIDERS"] = value

    client.run(set_variable, str(site))
    try:
        with CountingApi() as api, api.session(tmp_path) as session:
            session.adopt("acme@production", {"access_token": "plainly-fake-token"})
            with pytest.raises(EnvironmentRefused, match="allows no production"):
                session.map(
                    "acme@production",
                    "GET /rows/{{id}}",
                    pd.DataFrame({"id": range(10)}),
                    engine=client,
                )
    finally:
        client.run(set_variable, "")


@pytest.mark.parametrize(
    ("target", "options", "said"),
    [
        ("revsto@demo", {}, "lives in this process"),
        ("acme", {"to": "rows.parquet"}, "Dask DataFrame"),
    ],
)
def test_what_a_cluster_cannot_do_is_refused(client, tmp_path, target, options, said):
    """Before anything is sent."""
    rows = pd.DataFrame({"id": [1]})
    with (
        CountingApi() as api,
        api.session(tmp_path) as session,
        pytest.raises(CommandError, match=said),
    ):
        session.map(target, "GET /rows/{{id}}", rows, engine=client, **options)
    assert not api.asked


@pytest.mark.parametrize(
    "has_checkpoint",
    [pytest.param(False, marks=pytest.mark.soak), True],
    ids=["memory", "checkpoint"],
)
def test_a_killed_worker_loses_no_row(client, tmp_path, figure, has_checkpoint):
    """Kill -9 in the middle: at most what was under way there is asked twice."""
    rows = pd.DataFrame({"id": range(1200)})
    checkpoint = tmp_path / "rows" if has_checkpoint else None
    pid = next(iter(client.run(os.getpid).values()))
    with CountingApi(pause=0.002) as api, api.session(tmp_path) as session:

        def kill():
            end = time.monotonic() + 30
            while len(api.asked) < 400 and time.monotonic() < end:
                time.sleep(0.005)
            os.kill(pid, signal.SIGKILL)

        killing = threading.Thread(target=kill)
        killing.start()
        result = session.map(
            "acme",
            "GET /rows/{{id}}",
            rows,
            engine=client,
            concurrency=8,
            checkpoint=checkpoint,
        ).compute()
        killing.join()
        answered = len(api.asked)
        if has_checkpoint:
            again = session.map(
                "acme", "GET /rows/{{id}}", rows, concurrency=8, checkpoint=checkpoint
            )
            assert len(api.asked) == answered
            assert again["row"].tolist() == [*range(1200)]

    assert result["row"].tolist() == [*range(1200)]
    assert {*api.rows} == {*range(1200)}
    twice = answered - 1200
    figure("rows asked twice after kill -9 of one of two workers, 8 at once", twice)
    assert twice <= 8
    assert len(api.tokens) == 1


@pytest.mark.soak
def test_a_cluster_with_tls_is_asked_over_tls(tmp_path):
    """With the cluster's own certificates, on both sides."""
    rows = pd.DataFrame({"id": range(100)})
    with (
        cluster(tmp_path, security=True) as client,
        CountingApi() as api,
        api.session(tmp_path) as session,
    ):
        assert client.scheduler.address.startswith("tls://")
        result = session.map("acme", "GET /rows/{{id}}", rows, engine=client).compute()

    assert result["row"].tolist() == [*range(100)]
    assert len(api.tokens) == 1


def work(row):
    """Keep a processor busy for 20 ms, as a model or a parser would."""
    end = time.thread_time() + 0.02
    while time.thread_time() < end:
        pass
    return row


@pytest.mark.soak
def test_two_workers_are_faster_than_one_process(client, tmp_path, figure):
    """Send 1,000 rows, and work 20 ms on each reply: where it lies."""
    rows = pd.DataFrame({"id": range(1000)})
    with CountingApi() as api, api.session(tmp_path) as session:
        session.token("acme")
        session.map("acme", "GET /rows/{{id}}", rows, engine=client, concurrency=8)

        begun = time.monotonic()
        here = session.map("acme", "GET /rows/{{id}}", rows, concurrency=8)
        one = here["row"].map(work).sum(), time.monotonic() - begun

        begun = time.monotonic()
        spread = session.map(
            "acme", "GET /rows/{{id}}", rows, engine=client, concurrency=8
        )
        column = spread["row"].map(work, meta=("row", "int64"))
        two = column.sum().compute(), time.monotonic() - begun

    assert one[0] == two[0]
    figure(
        "1,000 rows and 20 ms of work on each, two workers", f"{one[1] / two[1]:.2f}x"
    )
