"""Production is marked wherever it is shown: by a word, and in HTML on a colour."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

import oauthmagic.session
from oauthmagic import Session
from oauthmagic.notebook.pending import answer_to
from oauthmagic.runtime.pending import PendingAction
from oauthmagic.transport.wire import WireResponse
from oauthmagic.views.html import pending_html, reply_html
from oauthmagic.views.tokens import token_html

NOW = datetime(2030, 1, 1, 9, tzinfo=UTC)
ENVIRONMENTS = ("demo", "sandbox", "production")
TOKENS = {"access_token": "fake-access-token", "expires_in": 900}


class Answering:
    """A provider's servers, all of them."""

    def send(self, *_, **__):
        """Answer with a list."""
        json = (("content-type", "application/json"),)
        return WireResponse(status=200, headers=json, body=b'{"items": []}')


@pytest.fixture
def session(monkeypatch):
    """A session that stands where that of the magics does."""
    session = Session(environ={}, transport=Answering(), clock=lambda: NOW)
    monkeypatch.setattr(oauthmagic.session, "_current", session)
    return session


def shown(shell, cell):
    """Return everything that a cell shows: what it prints, and its value's MIME."""
    ran = shell(cell)
    assert ran.error is None, ran.error
    data, _ = shell.shell.display_formatter.format(ran.value)
    return [ran.stdout, *data.values()]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_what_is_shown_of_production_says_so(shell, session, environment):
    """Token, table, reply, its line and the dry run; and of nothing else."""
    target = f"revsto@{environment}"
    session.adopt(target, TOKENS, alias="mine")
    cells = (
        "%token show mine",
        "%token mine",
        "%token",
        "%api mine GET /x",
        "%api mine --out reply GET /x",
        "%%api mine --dry-run\nGET /x",
    )

    for cell in cells:
        views = shown(shell, cell)
        marked = [view for view in views if view and "None" not in view]
        expected = environment == "production"
        assert ["PRODUCTION" in view for view in marked] == [expected] * len(marked)


def test_the_table_has_its_usual_columns_without_production(session):
    """Code that reads it does not see a column come and go, unless there is cause."""
    session.adopt("revsto@sandbox", TOKENS)
    before = list(session.tokens().columns)
    session.adopt("revsto@production", {"access_token": "fake-another"})
    table = session.tokens()

    assert "environment" not in before
    assert list(table.columns) == [before[0], "environment", *before[1:]]
    assert list(table["environment"]) == ["sandbox", "PRODUCTION"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_prompt_for_production_says_so(session, environment):
    """Front ends show prompts as plain text, so the word is all there is."""
    labels = []
    session.prompt = lambda label, _: labels.append(label) or "fake-entered"
    if environment != "demo":
        with pytest.raises(oauthmagic.OAuthMagicError):
            session.token(f"revsto@{environment}")
    action = card(environment)
    answer_to(action, session.prompt)

    assert labels
    marked = ["[PRODUCTION]: " in label for label in labels]
    assert marked == [environment == "production"] * len(labels)


def card(environment):
    """Return a login that waits."""
    return PendingAction(
        kind="redirect",
        target="mine",
        asked_by="Acme Bank",
        environment=environment,
        wants=("accounts: View accounts",),
        url="https://id.acme.example/authorize",
    )


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_card_for_production_says_so(environment):
    """In text and in HTML."""
    action = card(environment)

    for text in (action.describe().splitlines()[0], pending_html(action)):
        assert ("PRODUCTION" in text) == (environment == "production")
        assert "Acme Bank asks you to log in and consent." in text


def test_a_login_and_a_second_factor_know_where_they_are(session):
    """The card of a real login is marked, too."""
    mine = {"client_id": "fake", "client_secret": "fake-secret"}
    with pytest.raises(oauthmagic.UserActionRequired) as asked:
        session.token(
            "paysafe/liberty@production",
            grant="authorization_code",
            credentials=mine | {"redirect_uri": "https://app.acme.example/back"},
        )

    assert asked.value.pending.describe().startswith("[PRODUCTION] Paysafe")


@pytest.mark.needs("chromium")
def test_the_mark_can_be_read_in_a_browser(component, session, tmp_path):
    """White on red, with enough contrast (WCAG 2, 1.4.3) on a light and a dark page."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - with Chromium

    token = session.adopt("revsto@production", TOKENS)
    reply = session.api("revsto@production", "GET /x")
    views = (token_html(token), reply_html(reply), pending_html(card("production")))
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=component("chromium"),
            args=["--disable-gpu", *["--no-sandbox"] * is_root],
            chromium_sandbox=not is_root,
        )
        page = browser.new_page(viewport={"width": 700, "height": 520})
        for name, colours in {
            "light": "background:#fff;color:#000",
            "dark": "background:#111;color:#eee",
        }.items():
            page.set_content(
                f'<body style="{colours};font:14px sans-serif">{"<hr>".join(views)}'
            )
            marks = page.get_by_text("PRODUCTION", exact=True).all()
            styles = [
                mark.evaluate(
                    "e => [getComputedStyle(e).color,"
                    " getComputedStyle(e).backgroundColor]"
                )
                for mark in marks
            ]
            page.screenshot(path=tmp_path / f"{name}.png")
            assert len(marks) == 3
            assert all(mark.is_visible() for mark in marks)
            for front, back in styles:
                assert contrast(front, back) >= 4.5
        browser.close()


def contrast(front, back):
    """Return the contrast of two colours as CSS writes them."""
    low, high = sorted(map(luminance, (front, back)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour):
    """Return the relative luminance of `rgb(r, g, b)`."""
    parts = [int(part) / 255 for part in colour[4:-1].split(",")]
    linear = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    ]
    return sum(
        weight * part
        for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True)
    )


BINDER = (
    "%token revsto@production",
    "%token revsto@production --fresh --grant password",
    "%%api revsto@production\nGET /x",
    "%%api revsto@production --dry-run\nGET /x",
    "%api revsto@production GET /x",
    "%token adopt revsto@production --from got",
    "%token add https://id.acme.example --as acme@production",
    "%token refresh revsto@production",
    "%token revoke revsto@production",
    "oauthmagic.current_session().client('revsto@production')",
    "%config OAuthMagic.environment = 'production'\n%token revsto",
)


def test_a_public_binder_has_no_production(bare_shell, monkeypatch):
    """Whatever the line: refused before any prompt, request or file."""
    asked = []
    monkeypatch.setenv("BINDER_LAUNCH_HOST", "https://hub.example/")
    monkeypatch.setattr("builtins.input", asked.append)
    monkeypatch.setattr("getpass.getpass", asked.append)
    bare_shell("%load_ext oauthmagic\nimport oauthmagic")
    bare_shell.names["got"] = dict(TOKENS)

    for cell in BINDER:
        ran = bare_shell(cell)
        assert type(ran.error).__name__ == "EnvironmentRefused", cell
        assert "public Binder" in ran.stdout
    bare_shell("%config OAuthMagic.environment = 'demo'")

    assert asked == []
    assert bare_shell("%token revsto").error is None
