"""`%%api TARGET --each FRAME`, and `--all` to its end."""

import pandas as pd
import pytest

from oauthmagic.session import current_session

CELL = "GET /distributor/v1/transactions?limit={{limit}}"
MANY = "%%api revsto@demo --each rows"


@pytest.fixture
def rows(shell):
    """The shell, with five rows in it."""
    shell.names["rows"] = pd.DataFrame({"limit": [1, 2, 3, 4, 0]}, index=[*"abcde"])
    return shell


def test_each_row_is_a_request(rows):
    """The result is the value of the cell, with a row for each."""
    ran = rows(f"{MANY}\n{CELL}")

    assert ran.value["limit"].tolist()[:4] == [1, 2, 3, 4]
    assert [*ran.value.index] == [*"abcde"]
    assert ran.value["status"].tolist() == [200, 200, 200, 200, 400]


def test_out_keeps_the_result_and_says_what_came_of_it(rows):
    """In one line: how many, how many without an error, and which errors."""
    ran = rows(f"{MANY} --out result\n{CELL}")

    assert ran.value is None
    assert len(rows.names["result"]) == 5
    assert ran.lines == ["result: 5 rows, 4 without an error; 400 Bad Request (1)"]


def test_a_result_without_errors_is_said_in_a_line(rows):
    """No kind of error is named where there is none."""
    ran = rows(f"{MANY} --out result\nGET /distributor/v1/products?x={{{{limit}}}}")

    assert ran.error is None
    assert ran.lines == ["result: 5 rows, 5 without an error"]


def test_a_dry_run_shows_the_first_request_and_the_count(rows):
    """And sends nothing."""
    ran = rows(f"{MANY} --dry-run\n{CELL}")

    assert "transactions?limit=1" in ran.stdout
    assert "5 such requests" in ran.stdout
    assert rows.token_requests() == []


def test_an_unknown_column_is_refused_before_anything_is_sent(rows):
    """With the one that was meant."""
    ran = rows(f"{MANY}\nGET /distributor/v1/transactions?limit={{{{limits}}}}")

    assert "Did you mean 'limit'" in str(ran.error)
    assert rows.token_requests() == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (f"{MANY} --all", "--each and --all"),
        (f"{MANY} --save a.json", "--each and --save"),
        ("%%api revsto@demo --rate 5", "--rate is about many rows"),
        ("%%api revsto@demo --yes-post", "--yes-post is about many rows"),
        ("%%api revsto@demo --max-pages 5", "--max-pages says"),
        ("%%api revsto@demo --each nothing", "nothing"),
        (f"{MANY} --rate 0.0", "positive"),
    ],
)
def test_what_does_not_go_together_is_refused(rows, line, why):
    """With a sentence, and nothing is sent."""
    ran = rows(f"{line}\n{CELL}")

    assert why in str(ran.error)
    assert rows.token_requests() == []


def test_a_post_wants_a_key_or_a_word(rows):
    """The error names both."""
    ran = rows(f"{MANY}\nPOST /distributor/v1/hooks\n\n{{}}")

    assert "--yes-post" in ran.error.hint
    assert "$guid" in ran.error.hint


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(rows, tmp_path, monkeypatch):
    """The partial result under its name, the rest as not sent; then the same cell."""
    session = current_session()
    demo = session.demo("revsto@demo")
    send = demo.transport.send
    asked = []

    def interrupted(request, **options):
        asked.append(request.url)
        if request.url.endswith("limit=3") and asked.count(request.url) == 1:
            raise KeyboardInterrupt
        return send(request, **options)

    monkeypatch.setattr(demo.transport, "send", interrupted)
    line = f"{MANY} --out result --checkpoint {tmp_path / 'rows'}\n{CELL}"

    ran = rows(line)

    assert isinstance(ran.error, KeyboardInterrupt)
    assert rows.names["result"]["status"].eq(200).sum() == 2
    assert rows.names["result"]["error"].iloc[-1] == "not sent"
    assert "Run the cell again" in ran.stdout
    rows(line)
    assert rows.names["result"]["status"].tolist() == [200, 200, 200, 200, 400]
    assert sum(url.endswith("limit=1") for url in asked) == 1


def test_progress_says_how_fast_and_how_long(shell):
    """One line, which changes."""
    ran = shell(
        "from oauthmagic.notebook.progress import RowsProgress, PagesProgress\n"
        "RowsProgress()(3_200, 10_000, 812.4, 8.4)\n"
        "RowsProgress()(1, 10_000, 0.5, 19_998)\n"
        "RowsProgress()(10_000, 10_000, 812.4, 0.0)\n"
        "RowsProgress()(0, 10_000, 0.0, float('inf'))\n"
        "RowsProgress()(0, 10_000, 0.0, 40)\n"
        "PagesProgress()(12, 1_200, 4_800)"
    )

    assert ran.lines == [
        "Rows: 3,200 of 10,000 (32 %), 812/s, 8 s left",
        "Rows: 1 of 10,000 (0 %), 0.5/s, 5 h 33 min left",
        "Rows: 10,000 of 10,000 (100 %), 812/s",
        "Rows: 0 of 10,000 (0 %)",
        "Rows: 0 of 10,000 (0 %), the server asked to wait 40 s",
        "Pages: 12, 1,200 rows of 4,800 (25 %)",
    ]


def test_max_pages_caps_a_list_and_says_so(shell):
    """`--all --max-pages 2` gives two pages of three."""
    ran = shell(
        "%api revsto@demo --all --max-pages 2 --frame --out rows "
        "GET /distributor/v1/transactions?limit=25"
    )

    assert len(shell.names["rows"]) == 50
    assert "(2 pages; there are more pages)" in ran.stdout


@pytest.mark.parametrize("ending", ["fails", "interrupted"])
def test_pages_that_came_are_kept(shell, monkeypatch, ending):
    """A page that fails, or Ctrl-C: the rows so far under their name, and the error."""
    demo = current_session().demo("revsto@demo")
    send = demo.transport.send

    def third_fails(request, **options):
        if "offset=50" in request.url:
            if ending == "interrupted":
                raise KeyboardInterrupt
            demo.throttle(3600)
        return send(request, **options)

    monkeypatch.setattr(demo.transport, "send", third_fails)
    ran = shell(
        "%api revsto@demo --all --frame --out rows "
        "GET /distributor/v1/transactions?limit=25"
    )

    assert len(shell.names["rows"]) == 50
    wanted = "KeyboardInterrupt" if ending == "interrupted" else "Page 3 answered 429"
    assert wanted in ran.stdout
