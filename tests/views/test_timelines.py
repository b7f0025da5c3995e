"""The timeline of tokens: what became of them, as a picture and in words."""

import re
import xml.etree.ElementTree as ET
from datetime import timedelta

import pytest

from oauthmagic import Session
from oauthmagic.errors import CommandError, UserActionRequired
from oauthmagic.views.lanes import Lane
from oauthmagic.views.timelines import MOST_LANES, ShownTimeline

BANK = "stet/17515@demo"
SVG = re.compile(r"<svg.*?</svg>", re.DOTALL)
TAGS = {
    *("div", "b", "svg", "title", "desc", "rect", "line", "circle", "path", "text"),
    *("details", "summary", "table", "thead", "tbody", "tr", "th", "td"),
}


@pytest.fixture
def session():
    """A session in demos."""
    return Session(environ={})


def read_pictures(page):
    """Return the pictures of a page, each of which is well-formed."""
    found = SVG.findall(page)
    return [ET.fromstring(each) for each in found]  # noqa: S314 - our own


def html(timeline):
    """Return a timeline's HTML."""
    return timeline._repr_mimebundle_()["text/html"]


def test_a_timeline_says_what_became_of_a_token(session):
    """Issued, refreshed in time, over, refreshed late; what is to come, too."""
    session.token("revsto@demo", scopes=["account_view"])
    demo = session.demo("revsto@demo")
    demo.advance(275)
    session.api("revsto@demo", "GET /distributor/v1/products")
    demo.advance(400)
    session.token("revsto@demo")
    demo.advance(60)

    timeline = session.timeline()

    assert repr(timeline) == (
        "Timeline of 1 token\n\n"
        "revsto@demo [account_view]\n"
        "  2030-01-01 09:00:00  issued     asked for, valid until 09:05:00\n"
        "  2030-01-01 09:04:35  refreshed  25 s left, renewed from 30 s on, "
        "valid until 09:09:35\n"
        "  2030-01-01 09:09:35  over\n"
        "  2030-01-01 09:11:15  refreshed  the access token had expired, "
        "valid until 09:16:15\n"
        "  2030-01-01 09:12:15  now        4 min 0 s left\n"
        "  2030-01-01 09:16:15  over       if nothing renews it"
    )
    assert len(timeline) == 1


def test_the_end_of_a_login_is_on_it(session):
    """The days of a consent, however far away they are."""
    with pytest.raises(UserActionRequired):
        session.token(BANK)
    session.resume(BANK, answer="accept")
    page, text = html(session.timeline(BANK)), repr(session.timeline(BANK))

    assert "2030-04-01 09:00:00  login ends 90 d 0 h left" in text
    assert "login ends 2030-04-01 (90 d 0 h left)" in page
    session.demo(BANK).advance(91 * 24 * 3600)
    assert "login ends log in again" in repr(session.timeline(BANK))
    assert html(session.timeline(BANK)).count('d="M-7 0L0 -7') == 1


def test_the_picture_is_whole_and_has_a_text_of_its_own(session):
    """Well-formed, role=img, title and description, no script; one for each time."""
    session.token("revsto@demo")
    session.token("revsto@demo", scopes=["posting"], alias="poster")
    session.token("paysafe/liberty@demo", grant="client_credentials")

    page = html(session.timeline())
    pictures = read_pictures(page)

    assert len(pictures) == 2
    for picture in pictures:
        assert picture.get("role") == "img"
        title, description = list(picture)[:2]
        assert title.text == "Timeline of tokens"
        assert "The same is said in words below." in description.text
    assert "poster (revsto@demo) [posting]" in page
    assert {*re.findall(r"<([a-zA-Z]+)", page)} <= TAGS
    assert page.count("<tr") == 1 + 9


def test_a_strangers_text_stays_text(session):
    """Scope names and reasons come from servers."""
    evil = '"><script>alert(1)</script>$x$\x1b[31m\u202e'
    token = session.token("revsto@demo").replace(scopes=frozenset({evil}), reason=evil)
    histories = session._keeper.histories
    timeline = ShownTimeline(
        lanes=(Lane(token=token, generations=histories.of(token)),)
    )

    page = html(timeline)

    assert {*re.findall(r"<([a-zA-Z]+)", page)} <= TAGS
    assert "mathjax_ignore" in page
    for shown in (page, repr(timeline)):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
    assert read_pictures(page)


def test_tokens_without_an_end_and_many_tokens_can_be_drawn(session):
    """Unknown is unknown; what is too much is counted."""
    token = session.token("revsto@demo").replace(expires_at=None)
    later = token.replace(issued_at=token.issued_at + timedelta(days=3), generation=2)
    histories = session._keeper.histories
    lanes = [
        Lane(token=each, generations=histories.of(each)) for each in (token, later)
    ]
    timeline = ShownTimeline(lanes=tuple(lanes * 40))

    page = html(timeline)

    assert f"Timeline of 80 tokens, {MOST_LANES} shown" in page
    assert "01-04 09:00" in page
    assert read_pictures(page)


def test_what_is_forgotten_has_no_timeline(session):
    """Its past goes with it."""
    for target in (None, "revsto@demo"):
        with pytest.raises(CommandError) as caught:
            session.timeline(target)
        assert "No token is held" in str(caught.value)
        assert "%token revsto@demo" in caught.value.hint
    session.token("revsto@demo")
    session.demo("revsto@demo").advance(100)
    session.forget("revsto@demo")
    session.token("revsto@demo")

    assert "09:00:00" not in repr(session.timeline())


def test_who_asks_anew_gets_a_token_that_is_issued_and_not_refreshed(session):
    """`--fresh` is a grant of its own, at whatever time."""
    session.token("revsto@demo")
    session.token("revsto@demo", fresh=True)

    words = [line.split()[2] for line in repr(session.timeline()).splitlines()[3:]]

    assert words == ["issued", "issued", "now", "over"]


def test_what_another_kernel_did_is_not_made_up(session):
    """The last renewal is known, for the token has it; what was between is not."""
    first = session.token("revsto@demo")
    last = first.replace(
        generation=first.generation + 5,
        issued_at=first.issued_at + timedelta(seconds=600),
        expires_at=first.issued_at + timedelta(seconds=900),
    )
    histories = session._keeper.histories

    found = [(each.number, each.is_renewal) for each in histories.of(last)]

    assert found == [(1, False), (6, True)]
    histories.forget(first.key)
    assert [each.is_renewal for each in histories.of(last)] == [False]
