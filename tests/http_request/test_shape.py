"""No value changes the shape of a request: that is what keeps a notebook safe."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from oauthmagic.errors import OAuthMagicError
from oauthmagic.http_request import BUILT_IN, parse

if TYPE_CHECKING:
    from oauthmagic.http_request import HttpRequest

HOSTILE = st.text(
    st.sampled_from("\r\n\t\x00 /\\?&=#%.;:@\"'{}[],<>+a1é\u2028\u0130\U0001f600")
    | st.characters(),
    max_size=12,
)
TRICKS = st.sampled_from(
    ["..", "/..", "//evil.example", "https://evil.example/", "@evil.example",
     "a\r\nAuthorization: x", '", "admin": true, "x": "', '"}', "\\", "\\u0022",
     "###\nGET /b", "\n\n###\n", " HTTP/1.1\r\n\r\n", "?x=1&y=2", "{{$guid}}",
     "..;", "%2e%2e", "{{b}}"]
)  # fmt: skip
VALUES = HOSTILE | TRICKS
NUMBERS = (
    st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()
)
TEXT = """\
@own = {{c}}
POST https://api.example/x/{{a}}/p{{b}}s/{{own}}
    ?k={{a}}&l=1{{b}}
    &m={{own}}
X-A: {{a}}
X-B: pre {{b}} post

{"one": "{{a}}", "two": ["x{{b}}\\\\{{own}}y", {{n}}], "three": {"four": "{{a}}{{b}}"}}
"""
FORM = """\
PUT /f
Content-Type: application/x-www-form-urlencoded

a={{a}}&b=x{{b}}
&c={{own}}
""".replace("own", "c")


def shape(request: HttpRequest) -> tuple[object, ...]:
    """Return what no value may change."""
    path, _, query = request.target.partition("?")
    keys = [pair.partition("=")[0] for pair in query.split("&")]
    names = [name for name, _ in request.headers]
    assert not any(set(value) & set("\r\n\0") for _, value in request.headers)
    assert request.target.isascii()
    assert request.target.isprintable()
    assert " " not in request.target
    return request.method, path.count("/"), path[:22], keys, names


@given(a=VALUES, b=VALUES, c=VALUES, n=NUMBERS)
def test_no_value_changes_the_shape_of_a_request(fill, a, b, c, n):
    """Either the request is refused, or every value stands where it was put."""
    plain = fill(TEXT, a="1", b="1", c="1", n=1)
    try:
        request = fill(TEXT, a=a, b=b, c=c, n=n)
    except OAuthMagicError:
        return

    assert shape(request) == shape(plain)
    path, _, query = request.target.partition("?")
    assert [unquote(part) for part in path.split("/")[4:]] == [a, f"p{b}s", c]
    values = [unquote(pair.partition("=")[2]) for pair in query.split("&")]
    assert values == [a, f"1{b}", c]
    two = [f"x{b}\\{c}y", n]
    assert json.loads(request.body) == {"one": a, "two": two, "three": {"four": a + b}}


@given(a=VALUES, b=VALUES, c=VALUES)
def test_no_value_adds_json_or_form_fields(fill, a, b, c):
    """Bodies take any text, and give it back as it was."""
    body = '{"a": "{{a}}", "b": ["{{b}}{{c}}"]}'
    surrogate = any("\ud800" <= char <= "\udfff" for char in a + b + c)
    try:
        in_json = json.loads(fill(f"POST /j\n\n{body}", a=a, b=b, c=c).body)
        in_form = fill(FORM, a=a, b=b, c=c).body.decode("ascii")
    except OAuthMagicError:
        assert surrogate
        return

    assert in_json == {"a": a, "b": [b + c]}
    pairs = [pair.partition("=") for pair in in_form.split("&")]
    assert [name for name, _, _ in pairs] == ["a", "b", "c"]
    plus = [unquote(value.replace("+", " ")) for _, _, value in pairs]
    assert plus == [a, f"x{b}", c]


@given(a=VALUES, b=VALUES)
def test_a_cells_literal_host_is_the_only_thing_that_sets_the_host(fill, a, b):
    """Whatever the values are, the origin is the one that is written."""
    text = "@host = https://api.example:8443/v1\nGET {{host}}/{{a}}?q={{b}}"
    try:
        request = fill(text, a=a, b=b)
    except OAuthMagicError:
        return

    assert request.target.startswith("https://api.example:8443/v1/")
    assert request.target.count("/") == 4


@given(st.text(max_size=40))
def test_braces_hold_a_name_or_are_refused(inside):
    """No text between braces is anything but a name that is looked up once."""
    try:
        (template,) = parse(f"POST /a\n\n{{{{{inside}}}}}")
    except (OAuthMagicError, ValueError):
        return

    asked = {reference.name for reference in template.references()} - {*BUILT_IN}
    assert all(name.replace("-", "_").isidentifier() for name in asked)
