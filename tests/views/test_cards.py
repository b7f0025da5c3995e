"""Cards: what came from the network is shown, and does nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from oauthmagic.errors import AccessDenied, CommandError, UserActionRequired
from oauthmagic.runtime.pending import PendingAction
from oauthmagic.views.cards import card_html, outcome_html
from oauthmagic.views.html import pending_html
from oauthmagic.views.qr_codes import MAX_URL, qr_image

HOSTILE = '<script>alert(1)</script>"onx="$x^2$'


def action(**more):
    """Return a pending action with markup wherever a server may put it."""
    given = {
        "kind": "redirect",
        "target": "acme",
        "asked_by": HOSTILE,
        "wants": (HOSTILE,),
        "url": "https://id.example/authorize?a=b&c=d",
        "expires_at": datetime(2030, 1, 1, tzinfo=UTC),
        "seconds": 600.0,
        "why": HOSTILE,
    }
    return PendingAction(**given | more)


@pytest.mark.parametrize("shown", [card_html, pending_html])
@pytest.mark.parametrize("kind", ["redirect", "device", "sca", "consent"])
def test_markup_is_shown_as_text(shown, kind):
    """In the card as in its static twin."""
    html = shown(action(kind=kind, user_code=HOSTILE))

    assert "<script" not in html
    assert 'onx="' not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "http://evil.example/", "data:text/html,x", "//evil",
     "https://a@evil.example/", 'https://id.example/"onclick="alert(1)'],
)  # fmt: skip
def test_a_link_leads_to_https_alone(url):
    """Anything else is named, and cannot be clicked."""
    for shown in (card_html, pending_html):
        html = shown(action(url=url))
        assert "<a " not in html
        assert "cannot be trusted" in html


def test_a_link_tells_the_page_nothing_of_us():
    """Opened in a tab of its own, by the user's own click."""
    html = card_html(action())

    assert 'target="_blank" rel="noopener noreferrer"' in html
    assert 'href="https://id.example/authorize?a=b&amp;c=d"' in html


def test_the_code_goes_into_the_link_and_the_picture():
    """`verification_uri_complete`, where there is one; the code is shown, too."""
    html = card_html(
        action(
            kind="device",
            url="https://id.example/device",
            complete_url="https://id.example/device?user_code=WDJB",
            user_code="WDJB",
        )
    )

    assert 'href="https://id.example/device?user_code=WDJB"' in html
    assert ">WDJB</span> (at https://id.example/device)" in html
    assert 'alt="QR code of https://id.example/device?user_code=WDJB"' in html


def test_a_long_url_has_no_picture():
    """No camera could read it."""
    assert qr_image("https://id.example/" + "a" * MAX_URL) == ""


def test_a_card_that_is_over_holds_no_link_and_no_code():
    """Only what it was about."""
    html = card_html(action(kind="device", user_code="WDJB"), is_over=True)

    assert "WDJB" not in html
    assert "href" not in html


def test_what_came_of_it_is_said_in_words():
    """With the hint, and what was said besides."""
    refused = AccessDenied(HOSTILE, hint="Run the cell again.")
    asked = UserActionRequired("x", pending=action())

    assert "<script" not in outcome_html(refused)
    assert "Run the cell again." in outcome_html(refused)
    assert "AccessDenied" in outcome_html(refused)
    assert "one thing more is asked" in outcome_html(asked)
    assert "accounts: DataFrame" in outcome_html(None, ["accounts: DataFrame"])
    assert "CommandError: no" in outcome_html(CommandError("no"))
