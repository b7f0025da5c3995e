"""Pages behind the first: by each way, to the end, and what is kept where it breaks."""

import json

import pytest
from answering import Api

from oauthmagic.errors import (
    CommandError,
    ConnectionLost,
    Interrupted,
    ReplyError,
    UrlRefused,
)
from oauthmagic.providers.file import read_provider
from oauthmagic.transport.wire import WireResponse

HERE = "https://api.acme.example/v1/list"


def page(number, following="", **members):
    """Return a page of two rows, with a `Link` to the next."""
    headers = (("content-type", "application/json"),)
    if following:
        headers += (("link", f'<{following}>; rel="next"'),)
    rows = [{"row": 2 * number}, {"row": 2 * number + 1}]
    body = json.dumps({"items": rows, **members}).encode()
    return WireResponse(status=200, headers=headers, body=body)


def pages(count, **changes):
    """Return what gives so many pages; changes replace a page by its number."""

    def decide(request):
        number = (
            int(request.url.rpartition("page=")[2] or 0) if "=" in request.url else 0
        )
        change = changes.get(f"page_{number}")
        if callable(change):
            return change()
        last = number + 1 == count
        return change or page(number, "" if last else f"{HERE}?page={number + 1}")

    return decide


def every(api, tmp_path, **options):
    """Ask for every page of a list."""
    session = api.session(tmp_path)
    return session.api("acme", "GET /list", every_page=True, **options)


def test_links_are_followed_to_their_end(tmp_path):
    """RFC 8288: one frame at the end."""
    reply = every(Api(pages(5)), tmp_path)

    assert reply.frame()["row"].tolist() == [*range(10)]


def test_a_number_of_pages_is_the_end(tmp_path):
    """And the note says so; where the list ends there by itself, nothing is said."""
    api = Api(pages(5))

    assert len(every(api, tmp_path, max_pages=3).frame()) == 6
    assert "there are more pages" in every(api, tmp_path, max_pages=3).note
    assert every(api, tmp_path, max_pages=5).note == ""
    assert len(api.asked) == 3 + 3 + 5
    for wrong in (0, -1, 1.5):
        with pytest.raises(CommandError, match="1 or more"):
            every(api, tmp_path, max_pages=wrong)


def lost():
    """Lose the connection."""
    msg = "The connection was lost."
    raise ConnectionLost(msg, sent="yes")


@pytest.mark.parametrize(
    ("third", "kind", "why"),
    [
        (page(2, f"{HERE}?page=1"), ReplyError, "leads back"),
        (page(2, f"{HERE}?page=2"), ReplyError, "leads back"),
        (WireResponse(status=500), ReplyError, "Page 3 answered 500"),
        (WireResponse(status=200, body=b"<html>"), ReplyError, "not JSON"),
        (page(2, "https://evil.example/list"), UrlRefused, "evil.example"),
        (page(2, "https://api.acme.example/a b"), UrlRefused, "blank"),
        (lost, ConnectionLost, "lost"),
    ],
    ids=["cycle", "itself", "500", "no JSON", "elsewhere", "broken", "lost"],
)
def test_what_came_before_a_break_is_kept(tmp_path, third, kind, why):
    """The error says what is wrong with which page, and has the reply so far."""
    api = Api(pages(5, page_2=third))

    with pytest.raises(kind, match=why) as caught:
        every(api, tmp_path)

    partial = caught.value.partial
    assert partial.status == 200
    assert partial.replies == (partial,)
    assert partial.frame()["row"].tolist()[:4] == [0, 1, 2, 3]
    assert len(api.asked) <= 4


def test_an_interruption_keeps_the_pages_that_came(tmp_path):
    """Ctrl-C at the third."""

    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        every(Api(pages(5, page_2=interrupt)), tmp_path)

    assert caught.value.partial.frame()["row"].tolist() == [0, 1, 2, 3]


def test_progress_has_pages_and_rows(tmp_path, monkeypatch):
    """From half a second on, where it takes that long."""
    monkeypatch.setattr("oauthmagic.session.pages.FIRST", 0)
    monkeypatch.setattr("oauthmagic.session.pages.EVERY", 0)
    told = []

    def with_count(request):
        number = int(request.url.rpartition("page=")[2]) if "=" in request.url else 0
        following = f"{HERE}?page={number + 1}" if number < 2 else ""
        return page(number, following, count=6)

    every(Api(with_count), tmp_path, paged=lambda *each: told.append(each))

    assert told == [(1, 2, 6), (2, 4, 6), (3, 6, 6)]


FILE = """
[provider]
name = "acme"
{lines}
[environments.sandbox]
token_endpoint = "https://id.acme.example/token"
api_base = "https://api.acme.example"
"""


@pytest.mark.parametrize(
    ("lines", "body", "query"),
    [
        ('paging = "cursor"', {"next_cursor": "x"}, "?cursor=x"),
        (
            'paging = "cursor"\ncursor_member = "m.n"\ncursor_parameter = "after"',
            {"m": {"n": "x"}},
            "?after=x",
        ),
        (
            'paging = "offset"',
            {"items": [1], "count": 9, "limit": 1, "offset": 0},
            "?limit=1&offset=1",
        ),
        ('paging = "hal"', {"_links": {"next": {"href": "?p=2"}}}, "?p=2"),
    ],
)
def test_a_file_says_how_lists_go_on(tmp_path, lines, body, query):
    """`paging`, and for a cursor where it stands and what it is called."""
    provider = read_provider(
        FILE.format(lines=lines), source="acme.toml", folder=tmp_path
    )

    following = provider.next_page(body, "https://api.acme.example/list", {})

    assert following == f"https://api.acme.example/list{query}"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ('paging = "cursors"', "Did you mean 'cursor'"),
        ('cursor_member = "x"', 'need paging = "cursor"'),
    ],
)
def test_a_way_that_is_not_known_is_refused(tmp_path, lines, why):
    """With the one that was meant."""
    with pytest.raises(Exception, match=why):
        read_provider(FILE.format(lines=lines), source="acme.toml", folder=tmp_path)
