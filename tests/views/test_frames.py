"""Rows as a DataFrame: of a size in proportion, and without known secrets."""

import base64
import json
import tracemalloc

import pandas as pd
import pytest

from oauthmagic.errors import ReplyError
from oauthmagic.redaction import MASK, Secret
from oauthmagic.views.frames import flat_frame

TOKEN = "canary-Zq9xT7wB3kL5mN8-frames"


@pytest.fixture
def token():
    """A token that the redactor knows."""
    return Secret(TOKEN)


@pytest.mark.parametrize(
    "cell",
    [
        TOKEN,
        f"Bearer {TOKEN}",
        base64.b64encode(TOKEN.encode()).decode(),
        [{"header": ["authorization", TOKEN]}],
    ],
    ids=["plain", "in a text", "base64", "in a list"],
)
def test_a_token_in_a_cell_is_masked(token, cell):
    """An API that repeats what it got; the other cells are as they were."""
    rows = [{"echo": {"got": cell}, "id": 7, "name": "Zoë"}, {"id": 8, "name": "x"}]

    frame = flat_frame(rows)

    assert TOKEN not in frame.to_json()
    assert MASK in frame.to_json(force_ascii=False)
    assert list(frame["id"]) == [7, 8]
    assert frame["id"].dtype == "int64"
    assert list(frame["name"]) == ["Zoë", "x"]
    assert rows[0]["echo"]["got"] == cell
    assert token


def test_a_token_in_a_column_s_name_or_a_plain_row_is_masked(token):
    """Names of members are a server's words, too."""
    assert list(flat_frame([{TOKEN: 1}]).columns) == [MASK]
    assert list(flat_frame(["a", TOKEN])["value"]) == ["a", MASK]
    assert token


def test_rows_without_a_token_are_left_alone(token):
    """Not even copied, so that types are what they were."""
    rows = [{"a": 1.5, "b": True, "c": None, "d": [1, {"e": "f"}]}]

    frame = flat_frame(rows)

    assert frame["d"][0] is rows[0]["d"]
    assert [str(dtype) for dtype in frame.dtypes[:2]] == ["float64", "bool"]
    assert token


def deep(levels, inner):
    """Return a value inside so many objects."""
    for _ in range(levels):
        inner = {"a": inner}
    return inner


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{f"k{number}": 1} for number in range(4000)], "4,000 rows by 4,000 columns"),
        ([{"a": {f"k{row}-{n}": 1 for n in range(9)}} for row in range(999)], "999"),
        ([deep(200, 1)], "levels"),
        ([{"a": json.loads("[" * 200 + "]" * 200)}], "levels"),
        ([{"a" * 600: {"b" * 600: 1}}], "names"),
    ],
    ids=["wide", "wide inside", "deep", "deep list", "long names"],
)
def test_a_table_out_of_proportion_is_refused(rows, said):
    """53 KiB of distinct names would be a quarter of a gigabyte of empty cells."""
    tracemalloc.start()
    with pytest.raises(ReplyError) as caught:
        flat_frame(rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert said in str(caught.value)
    assert ".frame(" in caught.value.hint
    assert peak < 8 * 2**20


def test_a_table_in_proportion_is_made():
    """Many rows, many columns, or some gaps are no reason to refuse."""
    assert flat_frame([{"a": 1, "b": {"c": 2}}] * 20_000).shape == (20_000, 2)
    assert flat_frame([dict.fromkeys(map(str, range(900)), 1)] * 20).shape == (20, 900)
    assert flat_frame([{"a": 1}, {"b": 2}, {}]).shape == (3, 2)


@pytest.mark.parametrize(
    "body", [b'["\\ud800"]', b'[{"a": "x\\udc00y", "\\ud800": 1}]']
)
def test_half_of_a_pair_is_a_sign_that_something_was_there(body):
    """JSON can name it, Arrow takes no such text; the other cells stay as they are."""
    rows = json.loads(body)

    table = flat_frame(rows)

    assert len(table) == 1
    if _has_arrow():
        shown = repr(table)
        assert not any("\ud800" <= each <= "\udfff" for each in shown)
        assert "�" in shown


def _has_arrow():
    return getattr(pd.Series(["a"]).dtype, "storage", "") == "pyarrow"
