"""Bodies of replies: tables, trees, pictures, texts; nothing of them is markup."""

import base64
import json
import re
import struct
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthmagic.redaction import Secret
from oauthmagic.views.html import reply_html
from oauthmagic.views.images import LARGEST, picture_in
from oauthmagic.views.replies import Headers, Reply

EVIL = "<img src=x onerror=alert(1)>\"'$x$\\(y\\)\x1b[31m\u202e"
TAGS = {
    *("div", "b", "details", "summary", "table", "thead", "tbody", "tr", "th", "td"),
    *("pre", "img"),
}
GIF = base64.b64decode("R0lGODlhAQABAIAAAAUEBAAAACwAAAAAAQABAAACAkQBADs=")
JPEG = (
    b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xff\xc0\0\x11\x08\0\x20\0\x40"
    b"\3\1\x22\0\2\x11\1\3\x11\1\xff\xd9"
)


def png(width=3, height=2, text=b""):
    """Return a PNG picture."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    line = b"\0" + b"\x2e\x8b\x57" * min(width, 900)
    points = line * min(height, 900)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + (chunk(b"tEXt", b"Comment\0" + text) if text else b"")
        + chunk(b"IDAT", zlib.compress(points))
        + chunk(b"IEND", b"")
    )


def webp(kind, data):
    """Return the beginning of a WebP picture."""
    return b"RIFF\0\0\0\0WEBP" + kind + b"\0\0\0\0" + data


def a_reply(body, kind="application/json", status=200, **changes):
    """Return a reply."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return Reply(
        status=status,
        headers=Headers((("content-type", kind),)),
        body=body,
        elapsed=0.0123,
        method="GET",
        url="https://api.acme.example/items",
        **changes,
    )


def tags(page):
    """Return the elements of a page."""
    return {*re.findall(r"<([a-zA-Z]+)", page)}


def text_of(page):
    """Return what a page says, a line for each element that ends a line."""
    page = re.sub(r"</(?:div|tr|summary|pre)>", "\n", page)
    return re.sub(r"<[^>]*>", " ", page)


def test_an_object_is_a_tree_that_opens_without_a_script():
    """Members with their values, nested ones to open; how many there are."""
    page = reply_html(a_reply({"id": 7, "owner": {"name": "Jo"}, "tags": ["a", None]}))

    assert tags(page) <= TAGS
    assert page.startswith('<div class="tex2jax_ignore mathjax_ignore">')
    lines = [" ".join(line.split()) for line in text_of(page).splitlines()]
    assert [line for line in lines if line] == [
        "GET https://api.acme.example/items: 200 OK (12 ms, 55 bytes)",
        "{3 members}",
        "id : 7",
        "owner : {1 member}",
        "name : &quot;Jo&quot;",
        "tags : [2 items]",
        "0 : &quot;a&quot;",
        "1 : null",
    ]


@pytest.mark.parametrize(
    ("data", "envelope"),
    [
        ([{"id": 1, "to": {"name": "Jo"}}, {"id": 2}], ""),
        ({"items": [{"id": 1, "to": {"name": "Jo"}}, {"id": 2}], "more": []}, "items"),
        ({"accounts": [{"id": 1, "to": {"name": "Jo"}}, {"id": 2}]}, ""),
    ],
)
def test_rows_are_a_table_with_the_tree_behind_it(data, envelope):
    """As `.frame()` would find them: nested members in dotted columns."""
    page = reply_html(a_reply(data, envelope=envelope))

    assert re.findall(r'<th scope="col"[^>]*>([^<]*)<', page) == ["id", "to.name"]
    assert re.findall(r"<td[^>]*>([^<]*)<", page) == ["", "1", "Jo", "2", ""]
    assert "2 rows, 2 columns" in page
    assert "<summary" in page


def test_of_many_rows_some_are_shown_with_a_count():
    """Rows, columns, characters, members: what is left out is counted."""
    rows = [{f"c{column}": "y" * 120 for column in range(30)} for _ in range(100)]

    page = reply_html(a_reply(rows))

    assert "20 of 100 rows, 12 of 30 columns" in page
    assert "y" * 80 + "... 40 more characters" in page
    assert re.search(r"\.\.\. \d+ more</div>", page)
    assert len(page) < 300_000


def test_an_error_is_no_table():
    """What it says is not rows."""
    page = reply_html(a_reply({"errors": [{"code": 1}]}, status=400))

    assert "<table" not in page
    assert "errors" in page


def test_comma_separated_values_are_a_table():
    """With a head, whatever separates them, and quotes as RFC 4180 has them."""
    body = b'id;name\n1;"Jo; the ""first"""\n2;Ann\n'

    page = reply_html(a_reply(body, "text/csv; charset=utf-8"))

    assert re.findall(r'<th scope="col"[^>]*>([^<]*)<', page) == ["id", "name"]
    assert "Jo; the &quot;first&quot;" in page
    assert "2 rows, 2 columns" in page


@pytest.mark.parametrize(
    ("body", "media_type", "size"),
    [
        (png(3, 2), "image/png", (3, 2)),
        (GIF, "image/gif", (1, 1)),
        (JPEG, "image/jpeg", (64, 32)),
        (webp(b"VP8X", b"\0\0\0\0\x3f\0\0\x1f\0\0"), "image/webp", (64, 32)),
        (webp(b"VP8L", b"\x2f\x3f\xc0\x07\0"), "image/webp", (64, 32)),
        (webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a\x40\0\x20\0"), "image/webp", (64, 32)),
    ],
    ids=["png", "gif", "jpeg", "webp", "webp lossless", "webp lossy"],
)
def test_a_picture_is_shown_as_itself(body, media_type, size):
    """Known by its bytes; inside the page; its type is ours, not the server's."""
    reply = a_reply(body, 'image/svg+xml"><script>')

    page = reply_html(reply)

    picture = picture_in(body)
    assert (picture.media_type, (picture.width, picture.height)) == (media_type, size)
    assert f'<img src="data:{media_type};base64,' in page
    assert "<script" not in page
    assert f"({picture}: .body has them)" in repr(reply)


@pytest.mark.parametrize(
    "body",
    [
        png(100_000, 100_000),
        png() + b"\0" * LARGEST,
        png(0, 0),
        png()[:20],
        b"\xff\xd8\xff",
        b"\xff\xd8\xff" + b"\0" * 4000,
        webp(b"EVIL", b""),
        b"RIFF\0\0\0\0WAVE",
        b"<svg onload=alert(1)>",
        b"GIF89a",
    ],
    ids=[
        *("many points", "large", "no points", "cut png", "cut jpeg", "no jpeg"),
        *("no webp", "a sound", "svg", "cut gif"),
    ],
)
def test_what_is_none_or_too_large_is_not_shown(body):
    """A browser would unpack it; SVG is a document with scripts."""
    page = reply_html(a_reply(body, "image/png"))

    assert "<img" not in page
    assert "<svg" not in page
    assert len(page) < 10_000


def test_a_body_that_repeats_a_secret_is_text_with_a_mask():
    """In JSON, in a table, in the comment of a picture: it is not taken apart."""
    secret = Secret("canary-Zq9xT7wB3kL5mN8-plainly-fake")
    value = secret.reveal()

    for reply in (
        a_reply([{"id": value}]),
        a_reply({"a": {value: 1}}),
        a_reply(f"a,b\n1,{value}\n".encode(), "text/csv"),
        a_reply(png(text=value.encode()), "image/png"),
        a_reply(json.dumps([{"id": value}]).replace("c", "\\u0063").encode()),
    ):
        page = reply_html(reply)
        assert "canary" not in page
        assert base64.b64encode(value.encode())[8:20].decode() not in page
        assert "<table" not in page
        assert "<img" not in page


def test_members_that_are_secrets_by_name_are_masked():
    """Of tokens that nobody knows yet; in trees, tables, and texts inside them."""
    inner = json.dumps({"refresh_token": "fake-unknown-2"})
    rows = [{"access_token": "fake-unknown-1", "in": inner, "q": "code=fake-unknown-3"}]

    assert "fake-unknown" not in reply_html(a_reply(rows))
    assert "fake-unknown" not in reply_html(a_reply({"a": rows[0]}))


@pytest.mark.parametrize(
    "reply",
    [
        a_reply({EVIL: EVIL}),
        a_reply([{EVIL: EVIL, "n": {EVIL: [EVIL]}}]),
        a_reply(f"{EVIL.replace(chr(34), '')},b\n{EVIL},2\n".encode(), "text/csv"),
        a_reply(EVIL.encode(), "text/html"),
        a_reply(EVIL.encode(), EVIL),
        a_reply({"a": 1}, hint=EVIL, note=EVIL),
    ],
    ids=["tree", "table", "csv", "html", "type", "words"],
)
def test_a_strangers_text_stays_text(reply):
    """No element, no control character, no direction that turns; no mathematics."""
    page = reply_html(reply)

    assert tags(page) <= TAGS - {"img"}
    assert "mathjax_ignore" in page
    assert "\x1b" not in page
    assert "\u202e" not in page


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values | st.lists(st.dictionaries(st.text(max_size=5), json_values)))
def test_any_json_can_be_shown(value):
    """Whatever it is."""
    assert tags(reply_html(a_reply(value))) <= TAGS


@given(st.binary(), st.sampled_from([b"", *(body[:12] for body in (GIF, JPEG, png()))]))
def test_any_bytes_can_be_shown(body, begin):
    """Whatever they are called."""
    for kind in ("text/csv", "application/json", "image/png", ""):
        assert tags(reply_html(a_reply(begin + body, kind))) <= TAGS


def test_a_large_body_is_shown_soon(figure):
    """Half a megabyte of rows, one deep tree, one wide one: each a second at most."""
    rows = [{"id": each, "name": "x" * 50} for each in range(6000)]
    deep = b'{"a":' * 900 + b"1" + b"}" * 900
    wide = {f"k{each}": each for each in range(30_000)}
    took = {}
    for name, body in {"rows": rows, "deep": deep, "wide": wide}.items():
        begun = time.perf_counter()
        page = reply_html(a_reply(body))
        took[name] = time.perf_counter() - begun
        assert len(page) < 200_000
    shown = ", ".join(f"{name} {each * 1000:.0f} ms" for name, each in took.items())
    figure("showing a large reply", shown)
    assert max(took.values()) < 2
