"""`--to results.parquet`: into a file, and not through memory."""

import sys

import pandas as pd
import pytest
from answering import Api, answer

from oauthmagic.batch import chunks
from oauthmagic.errors import CommandError, ExtraMissing, Interrupted

ROWS = "GET /rows/{{id}}"
pytest.importorskip("pyarrow")


def number(request):
    """Return the number at the end of a request's path."""
    return int(request.url.rpartition("/")[2])


@pytest.fixture
def small_chunks(monkeypatch):
    """Chunks of a few rows, so that there are many."""
    for module in ("chunks", "scheduler"):
        monkeypatch.setattr(f"oauthmagic.batch.{module}.ROWS", 16)
    monkeypatch.setattr("oauthmagic.session.rows.ROWS", 16)
    return chunks


def rows(count):
    """Return rows with an index of their own."""
    return pd.DataFrame(
        {"id": range(count)},
        index=pd.Index([f"r{n}" for n in range(count)], name="key"),
    )


@pytest.mark.usefixtures("small_chunks")
def test_the_file_has_what_the_frame_would_have(tmp_path):
    """Columns that come late, numbers that become texts, nested members, an index."""

    def decide(request):
        row = number(request)
        if row == 70:
            return answer(404, {"code": "none"})
        members = {"n": row, "deep": {"x": row / 2}, "tags": [{"t": row}]}
        if row > 50:
            members["late"] = "yes"
        if row > 60:
            members["n"] = f"text {row}"
        if row < 20:
            members["tags"] = []
        return answer(members=members)

    api = Api(decide)
    session = api.session(tmp_path)
    path = tmp_path / "results.parquet"

    written = session.map("acme", ROWS, rows(100), engine=api.engine(), to=path)
    frame = session.map("acme", ROWS, rows(100), engine=api.engine())

    read = pd.read_parquet(path)
    assert (written.rows, written.succeeded) == (100, 99)
    assert {*read.columns} == {*frame.columns}
    assert read.index.equals(frame.index)
    assert read["status"].equals(frame["status"])
    assert read["deep.x"].equals(frame["deep.x"])
    assert read["late"].dropna().tolist() == frame["late"].dropna().tolist()
    assert read["n"].dropna().tolist() == [str(each) for each in frame["n"].dropna()]
    assert [*read["tags"].iloc[30]] == [{"t": 30}]
    assert not [*tmp_path.glob(".oauthmagic-*")]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("small_chunks")
def test_an_interruption_leaves_a_file_that_can_be_read(tmp_path):
    """With what is done, and the rest as not sent."""

    def decide(request):
        if number(request) == 60:
            raise KeyboardInterrupt
        return answer(members={"n": number(request)})

    api = Api(decide)
    path = tmp_path / "results.parquet"

    with pytest.raises(Interrupted) as caught:
        api.session(tmp_path).map("acme", ROWS, rows(100), engine=api.engine(), to=path)

    read = pd.read_parquet(path)
    assert caught.value.partial.rows == len(read) == 100
    assert read["n"].dropna().tolist() == [*range(56)]
    assert read["error"].eq("not sent").sum() == 36


@pytest.mark.usefixtures("small_chunks")
def test_with_a_checkpoint_the_file_is_whole_after_a_resume(tmp_path):
    """What was answered before comes out of the checkpoint, a chunk at a time."""
    stop = [True]

    def decide(request):
        if stop and number(request) == 60:
            stop.clear()
            raise KeyboardInterrupt
        return answer(members={"n": number(request)})

    api = Api(decide)
    plan = {"to": tmp_path / "results.parquet", "checkpoint": tmp_path / "c"}
    session = api.session(tmp_path)
    with pytest.raises(Interrupted):
        session.map("acme", ROWS, rows(100), engine=api.engine(), **plan)

    session.map("acme", ROWS, rows(100), engine=api.engine(), **plan)

    assert pd.read_parquet(plan["to"])["n"].tolist() == [*range(100)]
    # Eight were under way when it stopped, five of them were asked twice.
    assert len(api.asked) <= 100 + 8


def test_without_pyarrow_the_extra_is_named(tmp_path, monkeypatch):
    """And nothing is sent."""
    api = Api()
    session = api.session(tmp_path)
    session.token("acme")
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(ExtraMissing, match="pyarrow") as caught:
        session.map("acme", ROWS, rows(1), engine=api.engine(), to=tmp_path / "a")

    assert "oauthmagic[parquet]" in caught.value.hint
    assert api.asked == []


def test_a_folder_is_no_file(tmp_path):
    """And nothing is sent."""
    api = Api()

    with pytest.raises(CommandError, match="no file"):
        api.session(tmp_path).map(
            "acme", ROWS, rows(1), engine=api.engine(), to=tmp_path
        )

    assert api.asked == []
    assert len([*tmp_path.iterdir()]) == 1
