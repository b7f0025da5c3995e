"""A body says the same with orjson as without."""

import importlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scales import scaled

from oauthmagic.views.json_bodies import quick_reader, read_json

BODIES = [
    b'{"a": NaN, "b": -Infinity}',
    b'{"a": 1, "a": 2}',
    b"18446744073709551615",
    b"18446744073709551616",
    b'{"a": [123456789012345678901234567890]}',
    b'{"a":-9223372036854775809}',
    b'{"a": 0.1234567890123456789012, "b": "12345678901234567890"}',
    b'{"a": 1234567890123456789.5e3, "b":12345678901234567890E2}',
    b"-0",
    b"-0.0",
    b"1e400",
    b'"\\ud800"',
    b'"\\ud83d\\ude00"',
    b"\xef\xbb\xbf{}",
    '{"a": "é"}'.encode("utf-16"),
    '"\ud800"'.encode("utf-8", "surrogatepass"),
]


@pytest.fixture(autouse=True, params=["orjson", "json"])
def readers(request, monkeypatch):
    """Read with orjson, then as where there is none."""
    if request.param == "json":
        monkeypatch.setitem(__import__("sys").modules, "orjson", None)
    else:
        importlib.import_module("orjson")
    quick_reader.cache_clear()
    yield
    monkeypatch.undo()
    quick_reader.cache_clear()


def same(found, expected):
    """Return whether two values are one, type by type; NaN is NaN."""
    return repr(found) == repr(expected)


@pytest.mark.parametrize("body", BODIES)
def test_what_readers_disagree_about_is_read_as_python_does(body):
    """NaN, integers over 64 bits, half of a pair, other encodings."""
    assert same(read_json(body), json.loads(body))


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"<p>", b"\xff", b"[1,]", b"1 2", b'"\x01"', b"[" * 100_000, b"01"],
)
def test_what_is_no_json_is_a_value_error(body):
    """However it fails."""
    with pytest.raises(ValueError, match=r"."):
        read_json(body)


NUMBERS = st.from_regex(
    r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,2})?", fullmatch=True
)


@settings(max_examples=scaled(60, 20_000))
@given(st.lists(st.one_of(NUMBERS, st.text().map(json.dumps)), max_size=5))
def test_every_number_and_text_is_read_as_python_does(parts):
    """To the last digit."""
    body = f"[{', '.join(parts)}]".encode()

    assert same(read_json(body), json.loads(body))
