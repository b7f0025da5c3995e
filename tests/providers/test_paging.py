"""From one page to the next, in each provider's own way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthmagic.providers.paging import (
    by_cursor,
    by_hal,
    by_link_header,
    by_meta,
    by_offset,
)

URL = "https://api.acme.example/items?limit=2"


@pytest.mark.parametrize(
    ("value", "following"),
    [
        (
            '<https://api.acme.example/items?p=2>; rel="next"',
            "https://api.acme.example/items?p=2",
        ),
        ("</items?p=2>; rel=next", "https://api.acme.example/items?p=2"),
        (
            '<?p=1>; rel="prev", <?p=3>; rel="last next"',
            "https://api.acme.example/items?p=3",
        ),
        ('<?p=1>; rel="prev"', ""),
        ('<?p=1>; title="rel=next"', ""),
        ("", ""),
    ],
)
def test_a_link_header_names_the_next_page(value, following):
    """RFC 8288; relative to the page's own URL."""
    assert by_link_header({}, URL, {"link": value}) == following


@pytest.mark.parametrize(
    ("links", "following"),
    [
        ({"next": {"href": "/items?page=2"}}, "https://api.acme.example/items?page=2"),
        ({"next": {"href": ""}}, ""),
        ({"next": {}}, ""),
        ({"next": None}, ""),
        ({"prev": {"href": "/x"}}, ""),
        (None, ""),
        ([], ""),
    ],
)
def test_hal_links_are_followed_until_there_is_none(links, following):
    """Hrefs may be relative, absolute or broken."""
    assert by_hal({"_links": links}, URL, {}) == following


@pytest.mark.parametrize(
    ("body", "following"),
    [
        ({"items": [1, 2], "count": 3, "limit": 2, "offset": 0}, "limit=2&offset=2"),
        ({"items": [1], "count": 3, "limit": 2, "offset": 2}, ""),
        ({"items": [], "count": 3, "limit": 2, "offset": 2}, ""),
        ({"items": [1, 2], "limit": 2, "offset": 0}, "limit=2&offset=2"),
        ({"items": [1], "limit": 2, "offset": 0}, ""),
        ({"items": [1, 2], "limit": "2", "offset": 0}, ""),
        ({"items": [1, 2], "limit": True, "offset": 0}, ""),
        ([1, 2], ""),
        (None, ""),
    ],
)
def test_an_envelope_with_limit_and_offset_goes_on(body, following):
    """By the rows that came, until the count is reached or a page is short."""
    query = by_offset(body, URL, {}).partition("?")[2]

    assert query == following


def test_a_meta_with_a_total_goes_on():
    """Other parameters of the query stay."""
    body = {"accounts": [1, 2], "meta": {"limit": 2, "offset": 0, "total": 3}}

    assert by_meta(body, "https://a.example/x?q=1&offset=0", {}) == (
        "https://a.example/x?q=1&limit=2&offset=2"
    )
    assert by_meta({"accounts": [1], "meta": {"limit": 2, "offset": 2}}, URL, {}) == ""
    assert by_meta({"accounts": [1]}, URL, {}) == ""


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["items", "meta", "_links", "next", "href", "limit", "offset"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    "way", [by_link_header, by_hal, by_offset, by_meta, by_cursor()]
)
@given(body=_JSON, link=st.text(max_size=60))
def test_any_reply_is_survived(way, body, link):
    """Property: a URL or nothing, never an exception."""
    assert isinstance(way(body, URL, {"link": link}), str)


@pytest.mark.parametrize(
    ("body", "query"),
    [
        ({"next_cursor": "a b&c"}, "?limit=5&cursor=a+b%26c"),
        ({"next_cursor": 12}, "?limit=5&cursor=12"),
        ({"next_cursor": ""}, ""),
        ({"next_cursor": None}, ""),
        ({"next_cursor": True}, ""),
        ({"next_cursor": {"x": 1}}, ""),
        ([], ""),
    ],
)
def test_a_cursor_goes_into_the_query(body, query):
    """In place of the one before; what is no text or number ends the list."""
    url = "https://api.example/list?cursor=old&limit=5"

    following = by_cursor()(body, url, {})

    assert following == (f"https://api.example/list{query}" if query else "")


def test_a_cursor_may_stand_deeper_and_have_another_name():
    """`cursor_member` is a dotted path."""
    way = by_cursor("meta.next", "after")

    assert way({"meta": {"next": "x"}}, "https://a.example/l", {}).endswith("?after=x")
    assert way({"meta": ["next"]}, "https://a.example/l", {}) == ""
