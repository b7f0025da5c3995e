from __future__ import annotations

import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oauthmagic.oauth.strict_json import MAX_DEPTH, MAX_DIGITS, read_object

LIMIT = 1 << 20


def read(text):
    """Read a text, or bytes, within a mebibyte."""
    body = text if isinstance(text, bytes) else text.encode()
    return read_object(body, max_bytes=LIMIT)


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("{}", {}),
        (' \t\r\n{"a" : [1, -0, 2.5, true, null, "é"]} ', None),
        ('{"": ""}', {"": ""}),
        ('{"a": "\\"}{[\\\\"}', {"a": '"}{[\\'}),
        ('{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('{"a": {"b": 1}, "b": {"b": 1}}', {"a": {"b": 1}, "b": {"b": 1}}),
    ],
)
def test_an_object_is_read(text, members):
    """A name may stand again in another object."""
    assert read(text) == (json.loads(text) if members is None else members)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is not JSON"),
        ("{", "it is not JSON"),
        ("}", "it is not JSON"),
        ('{"a": 01}', "it is not JSON"),
        ('{"a": .5}', "it is not JSON"),
        ('{"a": "\t"}', "it is not JSON"),
        ("{a: 1}", "it is not JSON"),
        ("[]", "it is a list, not an object"),
        ('"{}"', "it is a text, not an object"),
        ("1", "it is a number, not an object"),
        ("1.5", "it is a number, not an object"),
        ("false", "it is a boolean, not an object"),
        ("null", "it is null, not an object"),
        ('{"a": 1, "a": 1}', "it has two members of one name"),
        ('{"a": [{"b": 1, "\\u0062": 2}]}', "it has two members of one name"),
        ('{"a": NaN}', "it holds NaN, which JSON does not know"),
        ('{"a": Infinity}', "it holds Infinity, which JSON does not know"),
        (b'{"a": "\xff"}', "it is not UTF-8"),
        ('{"a": "plainly-fake"}'.encode("utf-16"), "it is not UTF-8"),
    ],
)
def test_anything_else_is_refused_with_the_reason(text, why):
    """The reason is half a sentence and quotes nothing of the text."""
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - compared below
        read(text)

    assert str(refused.value) == why
    # Python's own errors carry the text; no traceback shows them.
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_size_is_bounded():
    """As many bytes as are allowed, and not one more."""
    body = b'{"a": 1}'

    assert read_object(body, max_bytes=8) == {"a": 1}
    with pytest.raises(ValueError, match="larger than 0 KiB"):
        read_object(body, max_bytes=7)
    with pytest.raises(ValueError, match="larger than 1024 KiB"):
        read(b" " * (LIMIT + 1))


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1, 200_000])
@pytest.mark.parametrize(("opening", "closing"), [('{"a":', "}"), ("[", "]")])
def test_depth_is_bounded(depth, opening, closing):
    """Before it is read: a reader that descends would run out of stack."""
    inner = depth - 1
    text = '{"a":' + opening * inner + "1" + closing * inner + "}"
    if depth == MAX_DEPTH:
        assert read(text)["a"]
        return
    with pytest.raises(ValueError, match=r"nested more than 32 deep|larger"):
        read(text)


BRACKETS = "[" * (MAX_DEPTH + 1)


@pytest.mark.parametrize(
    "text",
    [
        f'{{"a": "{BRACKETS}"}}',
        f'{{"{BRACKETS}": ""}}',
        f'{{"": "{BRACKETS}"}}',
        f'{{"a": "\\"{BRACKETS}"}}',
        f'{{"a": "\\n{BRACKETS}\\\\"}}',
        f'{{"a": "\\\\", "b": "{BRACKETS}"}}',
        f'{{"a": [{"[], {}, " * MAX_DEPTH}[]]}}',
    ],
)
def test_only_what_is_open_counts_as_depth(text):
    """Not the brackets of texts, whatever is escaped there, nor what was closed."""
    assert read(text) == json.loads(text)


@pytest.mark.parametrize("inner", ["[]", "{}", '"]"', '"}"', '"\\"]"'])
def test_nothing_hides_the_depth(inner):
    """What was closed is no credit for what is opened later."""
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    with pytest.raises(ValueError, match="nested more than 32 deep"):
        read(f'{{"a": [{f"{inner}, " * 9}{deep}]}}')


@pytest.mark.parametrize(
    "text",
    [f'"{BRACKETS}', f'"a{BRACKETS}\\', f'"\\{BRACKETS}', f'"\\\\"x"{BRACKETS}'],
)
def test_brackets_in_an_unfinished_text_are_no_depth(text):
    """It is no JSON, and that is what is said."""
    with pytest.raises(ValueError, match="it is not JSON"):
        read(text)


@pytest.mark.parametrize("digits", [MAX_DIGITS, MAX_DIGITS + 1, 5001])
def test_the_length_of_integers_is_bounded(digits):
    """Python would refuse more than 4300 digits in its own words."""
    text = f'{{"a": {"9" * digits}}}'
    if digits == MAX_DIGITS:
        assert read(text) == {"a": int("9" * digits)}
        return
    with pytest.raises(ValueError, match="it holds a number of more than 100 digits"):
        read(text)


@pytest.mark.parametrize(
    "body",
    [
        b'"' * LIMIT,
        b'"\\' * (LIMIT // 2),
        b'{"a": "' + b"\\" * (LIMIT - 10),
        b"[" * LIMIT,
        b"]" * (LIMIT // 2) + b"[" * (LIMIT // 2),
        b"9" * LIMIT,
        b'{"a": ' + b"9" * (LIMIT - 10) + b"}",
        b'{"a": 1.' + b"9" * (LIMIT - 10) + b"}",
        b'{"a": 1e' + b"9" * (LIMIT - 10) + b"}",
        b" " * LIMIT,
    ],
    ids=range(10),
)
def test_hostile_text_costs_no_more_than_its_length(body):
    """1 MiB in a moment, whatever it is made of."""
    begun = time.process_time()
    try:
        read(body)
    except ValueError as error:
        assert "999" not in str(error)  # noqa: PT017 - some are read, some not

    assert time.process_time() - begun < 2


@given(st.binary())
@example(b"[" * 40)
@example(b'"\\')
def test_any_bytes_give_an_object_or_a_reason(body):
    """Nothing but `ValueError`, and never Python's own words."""
    try:
        members = read(body)
    except ValueError as error:
        assert (type(error), str(error)[:3]) == (ValueError, "it ")  # noqa: PT017
    else:
        assert members == json.loads(body.decode("utf-8-sig"))


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.booleans())))
def test_what_python_writes_is_read_as_it_was(members):
    """Every object that is not deep, whatever texts are in it."""
    assert read(json.dumps(members)) == members
    plain = json.dumps(members, ensure_ascii=False)
    assert read(plain.encode("utf-8", "surrogatepass")) == members


def test_a_longer_text_may_be_deeper():
    """Where the caller says so, and no deeper than that."""
    body = b'{"a":' * 40 + b"1" + b"}" * 40

    assert read_object(body, max_bytes=1000, max_depth=40)
    with pytest.raises(ValueError, match="nested more than 39 deep"):
        read_object(body, max_bytes=1000, max_depth=39)
