"""What a row's request is: the same on the short way as when it is filled in alone."""

from datetime import UTC, datetime
from decimal import Decimal

import pandas as pd
import pytest
from answering import Api, answer
from hypothesis import given, settings
from hypothesis import strategies as st
from scales import scaled

from oauthmagic.batch.templates import RowTemplate
from oauthmagic.errors import CommandError, OAuthMagicError, UnknownName
from oauthmagic.http_request import parse
from oauthmagic.transport.urls import resolve
from oauthmagic.transport.wire import WireRequest

BASE = "https://api.acme.example/v1"
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def gate(request):
    """Return a request that passed the gate."""
    return WireRequest(
        method=request.method,
        url=str(resolve(request.target, api_base=BASE, origins=())),
        headers=request.headers,
        body=request.body,
    )


def read(text, frame, names=None):
    """Return a request with the columns of a frame in it."""
    return RowTemplate(
        next(iter(parse(text))),
        frame,
        names or {},
        checked=gate,
        clock=lambda: NOW,
        files=lambda _: b"",
    )


def one_by_one(text, frame):
    """Return what each row's request would be alone, None for one that is refused."""
    made = []
    for row in frame.to_dict("records"):
        try:
            filled = next(iter(parse(text))).fill(
                row.__getitem__, now=NOW, guid=lambda: "", files=lambda _: b""
            )
            made.append(gate(filled).url)
        except OAuthMagicError:
            made.append(None)
    return made


TARGETS = [
    "GET /a/{{x}}",
    "GET /a/{{x}}/b?c={{y}}&d=1",
    "GET /a.{{x}};v={{y}}/..b",
    "GET /a?b={{x}}{{y}}",
    "GET /a%2F{{x}}",
    "GET /{{x}}{{y}}?",
    "@z = {{x}}-{{y}}\nGET /a/{{z}}",
    "@z = fixed value\nGET /a/{{z}}/{{x}}",
]
VALUES = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        ["", ".", "..", "%2e", "2e", "a/b", "a b", "é", "..;", "\n", "x" * 300]
    ),
    st.integers(-(10**20), 10**20),
    st.booleans(),
    st.none(),
)


@settings(max_examples=scaled(150, 5_000), deadline=None)
@given(
    text=st.sampled_from(TARGETS),
    rows=st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=6),
)
def test_the_short_way_and_the_long_way_say_the_same(text, rows):
    """Whatever stands in a column, and wherever it is to go."""
    frame = pd.DataFrame(rows, columns=["x", "y"], dtype=object)
    expected = one_by_one(text, frame)

    try:
        template = read(text, frame)
    except OAuthMagicError:
        assert not any(expected)
        return
    made, errors = template.requests(0, len(frame))

    urls = [getattr(each, "url", each) for each in made]
    assert urls == expected
    assert {*errors} == {place for place, url in enumerate(urls) if url is None}


@pytest.mark.parametrize(
    ("text", "is_short"),
    [
        ("GET /a/{{x}}?b={{y}}", True),
        ("GET /a/{{x}}\nX-Fixed: {{name}}", True),
        ("GET /a/{{x}}\nX-Row: {{y}}", False),
        ("GET /a/{{x}}\nX-Request-ID: {{$guid}}", False),
        ("GET /a/{{x}}?at={{$timestamp}}", False),
        ('PUT /a/{{x}}\n\n{"a": 1}', True),
        ('PUT /a/{{x}}\n\n{"a": {{y}}}', False),
    ],
)
def test_what_differs_in_the_url_alone_is_read_once(text, is_short):
    """Everything else is filled in for each row."""
    frame = pd.DataFrame({"x": [1, 2], "y": [3, 4]})

    assert read(text, frame, {"name": "value"}).is_url_only is is_short


def test_an_unknown_name_is_refused_before_anything_is_sent():
    """With the column that was meant."""
    frame = pd.DataFrame({"account_id": [1]})

    with pytest.raises(UnknownName, match="Did you mean 'account_id'"):
        read("GET /a/{{acount_id}}", frame)


@pytest.mark.parametrize(
    "frame",
    [
        [{"x": 1}],
        pd.Series([1], name="x"),
        pd.DataFrame([[1, 2]], columns=["x", "x"]),
        pd.DataFrame({"x": []}),
    ],
    ids=["list", "series", "two of one name", "empty"],
)
def test_what_is_no_frame_of_rows_is_refused(frame):
    """And nothing is sent."""
    with pytest.raises(OAuthMagicError):
        read("GET /a/{{x}}", frame)


@settings(max_examples=scaled(60, 3_000), deadline=None)
@given(
    numbers=st.lists(st.none() | st.integers(1 - 2**53, 2**53 - 1), max_size=8),
    dtype=st.sampled_from(["float64", "Float64", "Int64", "double[pyarrow]"]),
    is_dropped=st.booleans(),
)
def test_integers_that_pandas_widened_are_integers(numbers, dtype, is_dropped):
    """7 is /rows/7 also where another row has no number, or had one before `dropna`."""
    column = pd.array(numbers, dtype="Int64")
    if dtype != "Int64":
        column = pd.Series(column).astype(dtype)
    frame = pd.DataFrame({"id": column})
    if is_dropped:
        frame, numbers = frame.dropna(), [each for each in numbers if each is not None]

    if not any(each is not None for each in numbers):
        with pytest.raises(CommandError, match="Nothing was sent"):
            read("GET /rows/{{id}}", frame)
        return
    template = read("GET /rows/{{id}}", frame)
    made, errors = template.requests(0, len(frame))

    assert made == [None if each is None else f"{BASE}/rows/{each}" for each in numbers]
    assert {*errors} == {place for place, each in enumerate(numbers) if each is None}


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ([1.0, 2.5, None], ["1.0", "2.5", None]),
        ([7.0, float(2**53), None], ["7.0", "9007199254740992.0", None]),
        ([7.0, float("inf")], ["7.0", None]),
        ([-0.0, 7.0], ["0", "7"]),
    ],
    ids=["fractions", "inexact", "infinite", "zero"],
)
def test_other_floats_are_written_as_floats(values, written):
    """Where one is none of the integers, or too large to be one for certain."""
    frame = pd.DataFrame({"x": values})

    made, _ = read("GET /a?x={{x}}", frame).requests(0, len(frame))

    wanted = [each and f"{BASE}/a?x={each}" for each in written]
    assert [getattr(each, "url", each) for each in made] == wanted


@pytest.mark.parametrize(
    "missing", [None, float("nan"), pd.NaT, pd.NA, Decimal("NaN")], ids=repr
)
@pytest.mark.parametrize(
    "text", ["GET /a/{{x}}", 'PUT /a\n\n{"x": {{x}}}', "@z = {{x}}\nGET /a?b={{z}}"]
)
def test_a_missing_value_is_said_of_its_row(text, missing):
    """By the name of its column; the others are sent, also where it is the first."""
    frame = pd.DataFrame({"x": [missing, 7], "y": [1, missing]}, dtype=object)

    made, errors = read(text, frame).requests(0, 2)

    assert [each is None for each in made] == [True, False]
    assert errors == {0: "missing value: {{x}}. Nothing was sent."}


def test_a_frame_of_missing_values_is_refused():
    """With the columns that no row has a value for."""
    frame = pd.DataFrame({"x": [None, 1], "y": [1, None]})

    with pytest.raises(CommandError, match=r"x\}\} or \{\{y") as caught:
        read("GET /a/{{x}}/{{y}}", frame)

    assert "isna" in caught.value.hint


def test_the_first_complete_row_may_come_late():
    """However many come before it."""
    frame = pd.DataFrame({"x": [None] * 5000 + [7]})

    template = read("GET /a/{{x}}", frame)

    assert template.first.url == f"{BASE}/a/7"


def test_a_body_and_headers_have_the_values_of_their_row(tmp_path):
    """Each encoded for its field."""
    api = Api(lambda _: answer(members={}))
    frame = pd.DataFrame({"name": ['A "quoted" one', "B"], "amount": [1, 2.5]})
    text = 'PUT /rows\nX-Name: n{{amount}}\n\n{"name": "{{name}}", "sum": {{amount}}}'

    api.session(tmp_path).map("acme", text, frame, engine=api.engine())

    assert [request.body for request in api.asked] == [
        b'{"name": "A \\"quoted\\" one", "sum": 1.0}',
        b'{"name": "B", "sum": 2.5}',
    ]
    assert [dict(request.headers)["X-Name"] for request in api.asked] == [
        "n1.0",
        "n2.5",
    ]


def test_a_column_comes_before_a_name_of_the_notebook(tmp_path):
    """And the cell's own variable before both."""
    api = Api()
    frame = pd.DataFrame({"x": ["column"], "y": ["column"]})
    text = "@y = cell\nGET /rows/{{x}}?y={{y}}&z={{z}}"
    names = {"x": "notebook", "y": "notebook", "z": "notebook"}

    api.session(tmp_path).map("acme", text, frame, engine=api.engine(), variables=names)

    assert api.asked[0].url.endswith("/rows/column?y=cell&z=notebook")
