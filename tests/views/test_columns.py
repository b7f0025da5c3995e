"""What is turned by column is what `json_normalize` gives, by value, type and order."""

import gc
import json
import tracemalloc

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from scales import scaled

from oauthmagic.errors import ReplyError
from oauthmagic.views.columns import MOST_SHAPES, Columns, Ragged
from oauthmagic.views.frames import bodies_frame, flat_frame, paged_frame

NAMES = st.sampled_from(["", "a", "b", "c", "a.b", "é", "value"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1]),
    st.floats(),
    st.text(max_size=3),
    st.sampled_from(["2030-01-01", "2030-01-01T09:00:00Z", "nan", "1"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)
    ),
    max_leaves=8,
)
RECORDS = st.dictionaries(NAMES, VALUES, max_size=5)


@st.composite
def alike(draw):
    """Return records that mostly have the same members, as an API's records do."""
    kinds = draw(
        st.dictionaries(
            NAMES,
            st.one_of(
                st.sampled_from([st.booleans(), st.integers(), st.floats(), st.text()]),
                st.just(SCALARS),
                st.just(VALUES),
                st.dictionaries(NAMES, st.just(SCALARS), max_size=3).map(
                    st.fixed_dictionaries
                ),
            ),
            max_size=4,
        )
    )
    sometimes = draw(st.dictionaries(NAMES, st.just(VALUES), max_size=2))
    record = st.fixed_dictionaries(
        kinds,
        optional={name: of for name, of in sometimes.items() if name not in kinds},
    )
    return draw(st.lists(record, max_size=12))


def assert_same(found, rows):
    """Compare a table with pandas' own, its kinds of columns included."""
    assert_frame_equal(
        found, pd.json_normalize(rows), check_column_type=True, check_exact=True
    )


@settings(max_examples=scaled(80, 20_000))
@given(st.one_of(alike(), st.lists(RECORDS, max_size=6)))
def test_records_become_what_json_normalize_makes_of_them(rows):
    """Whatever members they have, lack, nest or mix."""
    assert_same(flat_frame(rows), rows)


@settings(max_examples=scaled(50, 10_000))
@given(st.lists(alike(), max_size=4))
def test_pages_become_what_json_normalize_makes_of_all_their_records(pages):
    """Also where a column begins, ends or changes its type with a page."""
    found = paged_frame(lambda: (list(page) for page in pages))

    assert_same(found, [row for page in pages for row in page])


@settings(max_examples=scaled(50, 10_000))
@given(alike().filter(all))
def test_bodies_become_what_json_normalize_makes_of_their_objects(rows):
    """One body, one row; NaN, half pairs and long integers as Python reads them."""
    bodies = [json.dumps(row).encode() for row in rows]

    assert_same(bodies_frame(bodies), [json.loads(body) for body in bodies])


def test_objects_come_after_the_others_on_the_first_level_only():
    """That is the order of `json_normalize`."""
    rows = [{"a": {"b": {"c": 1}, "d": 2}, "e": 3}]

    assert list(flat_frame(rows)) == ["e", "a.b.c", "a.d"]


@pytest.mark.parametrize(
    "rows",
    [
        [{"a.b": 1, "a": {"b": 2}}, {"a.b": 3, "a": {"b": 4}}],
        [{"a.b": 1}, {"a": {"b": 2}}],
        [{f"k{number}": number} for number in range(MOST_SHAPES + 2)],
        [{}, {}],
        [],
        [{"": {"a": 1, "": {"b": 2}}, ".c": 3}],
    ],
    ids=["two of a name", "two apart", "many shapes", "empty", "none", "no names"],
)
def test_what_cannot_be_turned_is_normalized(rows):
    """The result is the same, only later."""
    assert_same(flat_frame(rows), rows)


def test_too_many_shapes_are_left_to_json_normalize():
    """A few are put together by name: members that are left out are usual."""
    columns = Columns(look=set)
    columns.add([{"a": 1}, {"a": 2, "b": 3}, {"a": {"c": 4}}, {}])
    with pytest.raises(Ragged):
        columns.add([{f"k{number}": 1} for number in range(MOST_SHAPES + 2)])


def test_one_record_with_many_members_among_many_takes_no_memory():
    """A cell for each of them in every row would be a hundred million."""
    rows = [{"a": number} for number in range(1000)]
    rows[500] = {f"k{number}": number for number in range(100_000)}

    tracemalloc.start()
    with pytest.raises(ReplyError, match="1,000 rows by 100,001 columns"):
        paged_frame(lambda: [rows])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 64 * 2**20


def test_the_table_of_bodies_has_their_rows():
    """A row without an answer is empty; what is no object stands in `value`."""
    bodies = [b'{"a": {"b": 1}}', None, b"[1, 2]", b"<p>no</p>", b"", b"7", b"\xff"]

    frame = bodies_frame(bodies)

    assert list(frame.index) == list(range(len(bodies)))
    assert frame["a.b"].tolist()[:1] == [1]
    assert frame["a.b"].isna().sum() == len(bodies) - 1
    assert frame["value"][2] == [1, 2]
    assert frame["value"][3] == "<p>no</p>"
    assert frame["value"][5] == 7
    assert frame["value"][6] == "\ufffd"
    assert frame["value"].isna().tolist() == [
        True,
        True,
        *[False] * 2,
        True,
        *[False] * 2,
    ]


def test_bodies_of_which_no_table_can_be_made_stay_as_texts():
    """A server with a name of its own for each member costs no answer."""
    rows = [{f"{row}-{number}": 1 for number in range(99)} for row in range(999)]
    bodies = [json.dumps(row).encode() for row in rows]

    frame = bodies_frame(bodies)

    assert list(frame) == ["value"]
    assert json.loads(frame["value"][998]) == rows[998]


def test_a_body_that_is_nested_too_deep_stays_a_text():
    """Nothing but its text can be shown."""
    deep = b"[" * 100_000 + b"]" * 100_000

    assert bodies_frame([deep, b'{"a": 1}'])["value"][0] == deep.decode()
    assert bodies_frame([b'{"a": %s}' % (b"[" * 200 + b"]" * 200)])["value"].size == 1


@pytest.mark.parametrize("running", [True, False])
def test_the_collector_is_as_it_was(running):
    """Also after a failure."""
    was = gc.isenabled()
    seen = []

    def pages():
        seen.append(gc.isenabled())
        yield [{"a": 1}]
        raise ValueError

    try:
        (gc.enable if running else gc.disable)()
        with pytest.raises(ValueError, match=r"^$"):
            paged_frame(pages)
        after = gc.isenabled()
    finally:
        (gc.enable if was else gc.disable)()

    assert seen == [False]
    assert after is running
