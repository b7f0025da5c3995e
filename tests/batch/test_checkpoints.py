"""`--checkpoint`: what was answered is not asked again."""

import json
import stat

import pandas as pd
import pytest
from answering import Api, answer

from oauthmagic.errors import CommandError, Interrupted

ROWS = "GET /rows/{{id}}"


@pytest.fixture
def api():
    """An API that answers each row with its number."""
    return Api(lambda request: answer(members={"row": number(request)}))


def number(request):
    """Return the number at the end of a request's path."""
    return int(request.url.partition("?")[0].rpartition("/")[2])


@pytest.fixture
def run(api, tmp_path):
    """Return a function that sends rows with a checkpoint, in a new session each."""

    def sent(count=50, request=ROWS, target="acme", frame=None):
        rows = pd.DataFrame({"id": range(count)}) if frame is None else frame
        return api.session(tmp_path).map(
            target,
            request,
            rows,
            engine=api.engine(),
            checkpoint=tmp_path / "rows.checkpoint",
        )

    return sent


def test_what_succeeded_is_not_asked_again(api, run):
    """Interrupted at row 20, the next run asks for the rest; the result is whole."""
    plain = api.decide

    def decide(request):
        if number(request) == 20:
            raise KeyboardInterrupt
        return plain(request)

    api.decide = decide
    with pytest.raises(Interrupted):
        run()
    done = api.paths()[:16]
    api.decide, api.asked = plain, []

    result = run()

    assert not {*done} & {*api.paths()}
    assert len(api.asked) == 50 - 16
    assert result["row"].tolist() == [*range(50)]
    assert result["attempts"].eq(1).all()
    api.asked = []
    assert run().equals(result)
    assert api.asked == []


def test_what_failed_is_asked_again(api, run):
    """A 404 and a lost row are no success."""
    plain = api.decide
    api.decide = lambda request: (
        answer(404) if number(request) % 10 == 0 else plain(request)
    )
    first = run()
    api.decide, api.asked = plain, []

    second = run()

    assert first["status"].eq(404).sum() == 5
    assert api.paths() == ["0", "10", "20", "30", "40"]
    assert second["row"].tolist() == [*range(50)]


@pytest.mark.parametrize("cut", [1, 7, 30])
def test_a_torn_record_at_the_end_is_cut_off(api, run, tmp_path, cut):
    """As a process that is killed leaves it; the row is asked again."""
    run()
    path = tmp_path / "rows.checkpoint"
    path.write_bytes(path.read_bytes()[:-cut])
    api.asked = []

    result = run()

    assert api.paths() == ["49"]
    assert result["row"].tolist() == [*range(50)]


def test_a_file_that_was_just_made_is_begun_anew(run, tmp_path):
    """Killed before its first line was whole."""
    (tmp_path / "rows.checkpoint").write_bytes(b'{"format": "oaut')

    assert len(run()) == 50


def test_a_changed_byte_ends_what_is_believed(api, run, tmp_path):
    """The records before it stay good."""
    run()
    path = tmp_path / "rows.checkpoint"
    content = path.read_bytes()
    place = content.rindex(b'"row": 25')
    path.write_bytes(content[:place] + b'"row": 99' + content[place + 9 :])
    api.asked = []

    result = run()

    assert api.paths()[0] == "25"
    assert result["row"].tolist() == [*range(50)]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"request": "GET /others/{{id}}"}, "another request"),
        ({"request": f"{ROWS}\nX-Other: 1"}, "another request"),
        ({"count": 51}, "made for 50 rows"),
        ({"frame": pd.DataFrame({"id": range(1, 51)})}, "other rows"),
        ({"frame": pd.DataFrame({"id": range(50)}, index=range(1, 51))}, "other rows"),
    ],
    ids=["path", "header", "count", "values", "index"],
)
def test_it_belongs_to_one_request_and_its_rows(api, run, change, why):
    """What was changed is refused with a sentence, and nothing is sent."""
    run()
    api.asked = []

    with pytest.raises(CommandError, match=why):
        run(**change)

    assert api.asked == []


def test_a_column_that_the_request_does_not_name_may_change(api, run):
    """It has no part in what is sent."""
    run(frame=pd.DataFrame({"id": range(50), "note": "before"}))
    api.asked = []

    run(frame=pd.DataFrame({"id": range(50), "note": "after"}))

    assert api.asked == []


def test_another_file_is_never_written_to(api, run, tmp_path):
    """It may be anything: a notebook, for example."""
    path = tmp_path / "rows.checkpoint"
    path.write_text('{"cells": []}', encoding="utf-8")

    with pytest.raises(CommandError, match="another file"):
        run()

    assert path.read_text(encoding="utf-8") == '{"cells": []}'
    assert api.asked == []


def test_one_run_at_a_time(api, run):
    """A second one would ask the same rows."""
    seen = []

    def decide(request):
        if not seen:
            seen.append(1)
            with pytest.raises(CommandError, match="in use"):
                run()
        return answer(members={"row": number(request)})

    api.decide = decide

    assert run()["row"].tolist() == [*range(50)]


def test_it_is_the_users_alone_and_holds_no_secret(api, run, tmp_path):
    """Mode 0600; a token that a server repeats is masked, and no request is there."""
    api.decide = lambda request: answer(
        members={"row": number(request), "echo": dict(request.headers)["authorization"]}
    )

    run(3, f"{ROWS}?key=plain&id={{{{id}}}}\nX-Key: {{{{id}}}}")

    path = tmp_path / "rows.checkpoint"
    text = path.read_text(encoding="utf-8")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert '"row": 2' in text
    assert "plainly-fake-token" not in text
    assert "not-a-real-secret" not in text
    assert "rows/" not in text
    assert json.loads(text.splitlines()[0])["rows"] == 3


def test_a_guid_is_the_same_after_an_interruption(api, run):
    """So an idempotency key still says that it is the same request."""
    plain = api.decide
    post = "POST /rows/{{id}}\nIdempotency-Key: {{$guid}}\n\n{}"
    api.decide = lambda _: answer(500)
    run(5, post)
    keys = [dict(request.headers)["Idempotency-Key"] for request in api.asked]
    api.decide, api.asked = plain, []

    run(5, post)

    again = [dict(request.headers)["Idempotency-Key"] for request in api.asked]
    assert again == keys
    assert len({*keys}) == 5
