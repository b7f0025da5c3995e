from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from fractions import Fraction
from uuid import UUID

import numpy as np
import pandas as pd
import pytest

from oauthmagic.errors import RequestSyntaxError, UnknownName
from oauthmagic.http_request import parse
from oauthmagic.redaction import Secret


class Colour(StrEnum):
    """A text with a name."""

    RED = "red"


class Shape(Enum):
    """A text with a name, and a number with one."""

    ROUND = "round"
    SQUARE = 4


class Level(IntEnum):
    """A number with a name."""

    HIGH = 3


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (5, "5"),
        (-1.5, "-1.5"),
        (True, "true"),
        (Decimal("1.10"), "1.10"),
        (date(2026, 3, 1), "2026-03-01"),
        (datetime(2026, 3, 1, 12, tzinfo=UTC), "2026-03-01T12:00:00+00:00"),
        (pd.Timestamp("2026-03-01"), "2026-03-01T00:00:00"),
        (np.int64(5), "5"),
        (np.float64(0.5), "0.5"),
        (np.bool_(False), "false"),  # noqa: FBT003 - the value is the example
        (np.str_("b"), "b"),
        (np.float32(0.1), "0.1"),
        (np.float16(2.5), "2.5"),
        (np.float32(1e20), "1e+20"),
        (np.longdouble("0.1"), "0.1"),
        (np.uint64(2**63), "9223372036854775808"),
        (np.datetime64("2026-03-01"), "2026-03-01"),
        (np.datetime64("2026-03-01", "ns"), "2026-03-01T00:00:00"),
        (np.datetime64("2026-03-01T12:00:00.5", "ns"), "2026-03-01T12:00:00.500000"),
        (
            pd.Timestamp("2026-03-01T00:00:00.123456789Z"),
            "2026-03-01T00:00:00.123456789+00:00",
        ),
        (UUID(int=10), "00000000-0000-0000-0000-00000000000a"),
        (Shape.ROUND, "round"),
        (Colour.RED, "red"),
        (Level.HIGH, "3"),
    ],
)
def test_plain_values_have_one_text_each(fill, value, text):
    """Numbers, truth values and dates look as they do in JSON and ISO 8601."""
    assert fill("GET /a\nX: {{value}}", value=value).headers == (("X", text),)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "None"),
        ([1], "list"),
        ({"a": 1}, "dict"),
        (b"a", "bytes"),
        (object(), "object"),
        (float("nan"), "not a finite number"),
        (float("inf"), "not a finite number"),
        (Decimal("NaN"), "not a finite number"),
        pytest.param(10**5000, "too many digits", id="long"),
        (Fraction(1, 3), "Fraction"),
        (np.float32("nan"), "float32"),
        (np.float64("inf"), "float64"),
        (np.complex64(1), "complex64"),
        (np.datetime64("NaT"), "datetime64"),
        (np.timedelta64(1, "D"), "timedelta64"),
        (np.bytes_(b"a"), "bytes_"),
        (np.array(5), "ndarray"),
        (timedelta(1), "timedelta"),
        (pd.Timedelta("1D"), "Timedelta"),
        (pd.Period("2026-03"), "Period"),
        (Shape.SQUARE, "Shape"),
        (pd.NaT, "NaTType"),
        (pd.NA, "NAType"),
        (pd.DataFrame({"a": [1]}), "DataFrame"),
        (Secret("plainly-fake"), "Secret"),
        pytest.param("\ud800", "not valid Unicode", id="surrogate"),
    ],
)
def test_other_values_are_refused_by_their_type(fill, value, kind):
    """The message names the reference and the type, and not the value."""
    with pytest.raises(RequestSyntaxError, match=kind) as refused:
        fill("GET /a\n\n{{value}}", value=value)

    assert "{{value}} in line 3" in str(refused.value)
    assert "plainly-fake" not in str(refused.value)


@pytest.mark.parametrize(
    ("value", "remedy"),
    [
        (None, "Write null in the JSON body itself"),
        (pd.NA, "Write null in the JSON body itself"),
        ([1], "payload = json.dumps(value), and {{payload}} alone"),
        ({"a": 1}, "payload = json.dumps(value), and {{payload}} alone"),
        (np.array([1]), "payload = json.dumps(value.tolist())"),
        (pd.DataFrame({"a": [1]}), "payload = value.to_json(orient='records')"),
        (float("nan"), "Give value a finite one"),
        (np.float32("nan"), "Give value a finite one"),
        (b"a", "text = value.decode(), and {{text}} here"),
        (timedelta(1), "seconds = value.total_seconds(), and {{seconds}} here"),
        (Fraction(1, 3), "text = str(value), and {{text}} here"),
        (Secret("plainly-fake"), "Use .reveal() where you mean it"),
    ],
)
def test_the_refusal_of_a_value_names_the_remedy(fill, value, remedy):
    """As a line to write, with the name that it is about."""
    with pytest.raises(RequestSyntaxError) as refused:
        fill("GET /a\n\n{{value}}", value=value)

    assert remedy in refused.value.hint


def test_a_table_of_numbers_is_written_as_pandas_shows_it(fill):
    """What a float of 32 bits means has few digits."""
    column = pd.Series([0.1], dtype="float32")
    text = 'POST /a\n\n{"rate": {{rate}}}'

    assert fill(text, rate=column[0]).body == b'{"rate": 0.1}'


def test_a_type_that_only_says_it_is_numpys_must_write_a_number(fill):
    """What does not look like one is refused."""

    class Liar(Fraction):
        __module__ = "numpy"

        def __str__(self) -> str:
            return '1, "admin": true'

    with pytest.raises(RequestSyntaxError, match="of type Liar"):
        fill('POST /a\n\n{"a": {{value}}}', value=Liar(1))


def test_filling_in_runs_no_code_of_the_value(fill):
    """A text that overrides its own methods is written as the text that it is."""

    class Loud(str):
        __slots__ = ()

        def __str__(self) -> str:
            raise AssertionError

        __format__ = __repr__ = __len__ = __iter__ = __str__

    assert fill("GET /{{value}}", value=Loud("quiet")).target == "/quiet"


def test_built_ins_come_from_what_is_given(fill):
    """Each `$guid` is a new one; the time is the one given, in UTC."""
    request = fill(
        "GET /{{$guid}}?a={{$guid}}\nX: {{ $timestamp }}\nY: {{$isoTimestamp}}"
    )

    assert request.target == "/guid-1?a=guid-2"
    assert request.headers == (("X", "1772368215"), ("Y", "2026-03-01T12:30:15.250Z"))


def test_a_cell_variable_comes_before_the_namespace(fill):
    """Its own references are to what was defined before it, or to the namespace."""
    text = "@a = 1\n@b = {{a}}-{{c}}\n@a = 2\nGET /{{a}}/{{b}}/{{c}}"

    assert fill(text, a="namespace", c="3").target == "/2/1-3/3"


def test_a_variable_may_build_on_the_name_that_it_hides(fill):
    """`@a = {{a}}x` refers to the namespace's a."""
    assert fill("@a = {{a}}x\nGET /{{a}}", a="n").target == "/nx"


def test_a_value_is_never_read_again(fill):
    """What looks like a reference in a value is text."""
    text = 'POST /a\nX: {{a}}\n\n{"b": "{{a}}"}'

    request = fill(text, a="{{secret}}", secret="plainly-fake")

    assert request.headers[0] == ("X", "{{secret}}")
    assert json.loads(request.body) == {"b": "{{secret}}"}


def test_an_unknown_name_has_its_line_and_a_suggestion(fill):
    """Namespace, cell and built-ins are searched for a near one."""
    with pytest.raises(
        UnknownName, match=r"'acount' in line 2\. .* 'account'"
    ) as unknown:
        fill("GET /a\n  /{{acount}}", account=1)

    assert "@acount = value" in unknown.value.hint


def test_only_the_variables_in_use_are_looked_up(fill):
    """A file may define more than its environment offers."""
    assert fill("@unused = {{missing}}\n@used = 1\nGET /{{used}}").target == "/1"


def test_a_near_name_of_the_cell_is_suggested(fill):
    """Used or not, and wherever in the cell it is defined."""
    with pytest.raises(UnknownName, match="Did you mean 'account'"):
        fill("@account = 1\nGET /{{acount}}")


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("@host = https://api.example/v1\nGET {{host}}/a", "https://api.example/v1/a"),
        ("@h = api.example\nGET https://{{h}}/a", "https://api.example/a"),
        (
            "@h = a.example\n@p = 8443\nhttps://{{h}}:{{p}}/a",
            "https://a.example:8443/a",
        ),
        ("@h = a.example\n@b = https://{{h}}\n{{b}}", "https://a.example"),
        ("@v = /v1\n{{v}}/a", "/v1/a"),
    ],
)
def test_a_cells_own_host_variable_stands_for_its_text(fill, text, target):
    """So that files of other tools run; the URL gate decides afterwards."""
    assert fill(text).target == target


@pytest.mark.parametrize(
    "text",
    [
        "GET {{host}}/a",
        "GET https://{{host}}/a",
        "GET https://api.example{{host}}/a",
        "GET https://{{host}}",
        "@h = https://{{host}}\nGET {{h}}/a",
        "@host = https://api.example\n@host = {{host}}{{x}}\nGET {{host}}/a",
        "GET {{$guid}}/a",
    ],
)
def test_a_value_of_the_notebook_does_not_decide_the_host(text):
    """The refusal comes before any value is looked up, and says why."""
    with pytest.raises(
        RequestSyntaxError, match="where the host is decided"
    ) as refused:
        parse(text)

    assert "may not decide where the token goes" in refused.value.hint


@pytest.mark.parametrize(
    ("value", "segment"),
    [
        ("a/b", "a%2Fb"),
        ("a?b#c", "a%3Fb%23c"),
        ("a b;c=1", "a%20b%3Bc%3D1"),
        ("100%", "100%25"),
        ("ü", "%C3%BC"),
        ("...", "..."),
    ],
)
def test_a_value_in_a_path_is_one_segment(fill, value, segment):
    """Nothing in it is a separator (RFC 3986, section 2.2)."""
    assert fill("GET /a/{{x}}/b", x=value).target == f"/a/{segment}/b"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/a/{{x}}", "."),
        ("/a/{{x}}", ".."),
        ("/a/.{{x}}", "."),
        ("/a/{{x}}{{x}}", "."),
        ("/a/{{x}}", "../b"),
        ("/a/{{x}}", "..\\b"),
        ("/a/{{x}}", "..;b"),
        ("/a/{{x}}", "%2e%2e"),
        ("/a/{{x}}/b", ""),
        ("/{{x}}", ""),
        ("/a/{{x}}", "a\nb"),
        ("/a?b={{x}}", "a\r\nb"),
        ("/a?b={{x}}", "\x00"),
    ],
)
def test_a_value_that_would_change_the_path_is_refused(fill, path, value):
    """Dots that climb, segments that vanish, characters that end a line."""
    with pytest.raises(RequestSyntaxError, match=r"value of \{\{x\}\} in line 1"):
        fill(f"GET {path}", x=value)


def test_json_values_keep_their_kind(fill):
    """Inside quotes a value is a string's text; outside, a number or truth value."""
    text = """POST /a

    {"id": "{{id}}", "note": "say: {{note}}!", "value": {{amount}}, "ok": {{ok}},
     "list": [{{id}}, {{rate}}], "{{id}}": {"a": {"b": {{id}}}}}"""

    request = fill(
        text, id=7, note='"quoted" \\ \n é', amount=Decimal("12.50"), ok=True, rate=1e-7
    )

    assert b'"value": 12.50, "ok": true' in request.body
    assert json.loads(request.body) == {
        "id": "7",
        "note": 'say: "quoted" \\ \n é!',
        "value": 12.5,
        "ok": True,
        "list": [7, 1e-07],
        "7": {"a": {"b": 7}},
    }


def test_a_cell_variable_that_reads_as_a_number_is_one_in_json(fill):
    """Its text is the author's; in quotes it stays a string."""
    text = '@n = 12.50\n@m = {{n}}\nPOST /{{n}}\n\n{"a": {{m}}, "b": "{{n}}"}'

    assert fill(text).body == b'{"a": 12.50, "b": "12.50"}'


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"a": {{x}}}', "is a text and stands outside quotes"),
        ("[{{x}}]", "is a text and stands outside quotes"),
        (r'{"a": "\{{x}}"}', "unfinished escape"),
        (r'{"a": "\u00{{x}}"}', "unfinished escape"),
    ],
)
def test_a_text_cannot_become_json_structure(fill, body, message):
    """The refusal says to put quotes around it."""
    with pytest.raises(RequestSyntaxError, match=message):
        fill(f"POST /a\n\n{body}", x='1, "admin": true')


def test_a_finished_escape_before_a_value_is_fine(fill):
    r"""`\\` and `\u00e9` are whole, so what follows them is the value."""
    text = 'POST /a\n\n{"a": "\\\\{{x}}", "b": "\\u00e9{{x}}"}'

    request = fill(text, x="n")

    assert json.loads(request.body) == {"a": "\\n", "b": "én"}


def test_a_text_may_be_the_whole_json_body(fill):
    """What `json.dumps` made can be sent; what is not JSON is refused."""
    text = "POST /a\nContent-Type: application/hal+json\n\n{{payload}}"

    assert fill(text, payload=json.dumps([1, "a"])).body == b'[1, "a"]'
    with pytest.raises(RequestSyntaxError, match="is the whole body and is not JSON"):
        fill(text, payload="{")


def test_other_bodies_take_a_value_as_it_is(fill):
    """XML or text has no encoding that would suit every place in it."""
    text = "POST /a\nContent-Type: text/plain\n\nDear {{name}},"

    assert fill(text, name="a & <b>").body == b"Dear a & <b>,"


def test_a_request_does_not_show_what_was_filled_in(fill):
    """Headers and body may hold personal data; `repr` leaves them out."""
    request = fill("POST /a\nX: {{x}}\n\n{{x}}", x="plainly-fake-value")

    assert "plainly-fake-value" not in repr(request)


def test_a_request_may_give_a_charset_that_is_utf_8(fill):
    """It changes nothing about how values are encoded."""
    text = 'POST /a\nContent-Type: application/json; charset=UTF-8\n\n{"b": "{{b}}"}'

    assert fill(text, b='"é').body == '{"b": "\\"é"}'.encode()
