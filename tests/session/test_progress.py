"""What is told while something takes long: progress of pages, and the log."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from oauthmagic import Session
from oauthmagic.transport.wire import WireResponse

TOML = """
[provider]
name = "acme"
[environments.sandbox]
token_endpoint = "https://id.acme.example/token"
api_base = "https://api.acme.example"
"""
TOKEN = "plainly-fake-token-0123456789"


class Pages:
    """Answers ten pages, each after some seconds of a clock of its own."""

    def __init__(self, seconds):
        self.now = datetime(2030, 1, 1, tzinfo=UTC)
        self._step = timedelta(seconds=seconds)

    def send(self, request, **_):
        """Give a page that leads to the next."""
        self.now += self._step
        page = int(request.url.partition("page=")[2].partition("&")[0] or 1)
        link = f'<https://api.acme.example/a?page={page + 1}>; rel="next"'
        headers = (("link", link),) if page < 10 else ()
        return WireResponse(status=200, headers=headers, body=b"[1]")


def session_with(pages, path):
    """Return a session that reads those pages, with a token."""
    session = Session(transport=pages, clock=lambda: pages.now)
    path.write_text(TOML, encoding="utf-8")
    session.add(path)
    session.adopt("acme", {"access_token": TOKEN})
    return session


def test_pages_are_counted_where_they_take_a_while(tmp_path):
    """Not before half a second, and then not at each."""

    def told(seconds):
        said = []
        session = session_with(Pages(seconds), tmp_path / "acme.toml")
        session.api(
            "acme", "GET /a", every_page=True, paged=lambda *each: said.append(each)
        )
        return said

    assert told(0.01) == []
    assert [pages for pages, _, _ in told(0.2)] == [4, 6, 8, 10]
    assert [pages for pages, _, _ in told(3)] == list(range(2, 11))


def test_the_log_says_what_was_exchanged_and_no_secret(tmp_path, caplog):
    """Logger `oauthmagic`, level DEBUG: whom, what, the status and the seconds."""
    caplog.set_level(logging.DEBUG, logger="oauthmagic")
    session = session_with(Pages(0.1), tmp_path / "acme.toml")

    session.api("acme", f"GET /a?page=9&access={TOKEN}")
    session.token("revsto@demo")

    lines = [each.getMessage() for each in caplog.records if each.name == "oauthmagic"]
    assert "acme@sandbox: notebook to API: GET /a 200 OK (0.000 s)" in lines
    assert any("token request (password)" in line for line in lines)
    assert TOKEN not in caplog.text
    assert {each.levelno for each in caplog.records if each.name == "oauthmagic"} == {
        logging.DEBUG
    }


def test_a_secret_that_slips_into_the_log_is_masked(tmp_path, caplog):
    """Whoever writes it there."""
    session_with(Pages(0.1), tmp_path / "acme.toml")

    logging.getLogger("oauthmagic").warning("Oops: %s", TOKEN)

    assert TOKEN not in caplog.text
    assert "Oops: [secret]" in caplog.text
