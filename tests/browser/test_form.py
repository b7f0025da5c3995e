"""`%token form` in a browser: filled in, a token got, and nothing of it left behind."""

from __future__ import annotations

import pytest
from browsing import FRONT_ENDS
from canaries import leaks
from loopback_servers import ACCESS_TOKEN, CLIENT_ID, SECRET, bank, describe
from playwright.sync_api import expect

pytestmark = pytest.mark.needs("chromium")

WRONG = "Canary-wrong-Pq7+rT2/xZ=="
CANARIES = (SECRET, WRONG, ACCESS_TOKEN)
LOAD = "%load_ext oauthmagic\n%token add bank.toml"


@pytest.fixture(scope="module", autouse=True)
def server(hub):
    """The server behind `bank`, described in the notebooks' folder."""
    with bank() as server:
        describe(server, hub.folder)
        yield server


def fill(page, secret):
    """Type credentials, as somebody who leaves the field afterwards."""
    page.field("client_id").fill(CLIENT_ID)
    page.field("client_secret").press_sequentially(secret)


@pytest.mark.parametrize("front_end", FRONT_ENDS)
def test_a_secret_is_typed_and_a_token_comes(hub, desk, front_end):
    """Refused, corrected, granted, tried out; in words, in both themes, without trace.

    The scope with markup and mathematics in it runs nothing.
    """
    name = f"bank-{front_end}.ipynb"
    hub.write(name, LOAD, "form = %token form bank\nform", "form.token")
    page = desk(front_end, name)
    page.run_all()
    page.button("Get token").wait_for()

    fill(page, WRONG)
    page.button("Get token").click()
    page.wait_for_text("Check client_id and client_secret")
    page.picture("form-refused")
    page.field("client_secret").press_sequentially(SECRET)
    page.field("statements: See statements").check()
    page.button("Get token").click()
    page.wait_for_text("asked for and granted")
    page.button("Test it").click()
    page.wait_for_text("/accounts: 200 OK")
    page.picture("form")

    table = page.page.locator("table", has_text="asked for and granted")
    rows = [row.inner_text().split("\t") for row in table.locator("tr").all()]
    assert [" ".join(row).split() for row in rows] == [
        ["scope", "what", "it", "allows", "asked", "granted"],
        ["statements", "See", "statements", "yes", "no"],
        ["accounts", "See", "accounts", "yes", "yes"],
        ["payments", "Pay", "no", "yes"],
    ]
    assert page.field("client_secret").input_value() == ""
    if front_end != "voila":
        assert "Token bank@sandbox" in page.run(2)

    # A demo is two choices and a click.
    page.field("Provider").select_option(label="Revsto / TagPay (revsto)")
    # The kernel answers with the environments of this provider.
    page.wait_for_text("%token revsto@sandbox")
    page.field("Environment").select_option("demo")
    page.wait_for_text("a simulator inside this notebook")
    page.button("Get token").click()
    page.wait_for_text("Scopes of revsto@demo: asked for and granted")
    page.picture("form-demo")

    assert page.dialogs == []
    assert page.page.locator("img[src=x], mjx-container").count() == 0
    traces = page.traces()
    assert leaks(traces, CANARIES) == []
    if front_end != "voila":
        assert '"PasswordModel"' in traces["notebook"]


def test_the_form_can_be_read_and_operated_in_both_themes(hub, desk):
    """Production is a word and a colour; contrast; the keyboard alone will do."""
    hub.write("themes.ipynb", LOAD, "%token form bank@production")
    page = desk("lab", "themes.ipynb")
    page.run_all()
    page.button("Get token (PRODUCTION)").wait_for()
    form = page.page.locator(".jp-Cell-outputArea").last
    texts = form.locator(".widget-html-content div, label, pre, button:enabled")

    contrasts = {}
    for theme in ("light", "dark"):
        page.use_theme(theme)
        page.picture("form-production")
        contrasts[theme] = page.least_contrast(texts)
    page.field("Search").focus()
    page.page.keyboard.type("pay")
    # The kernel searches, and the next key must not be faster.
    form.get_by_text("statements: See statements").wait_for(state="hidden")
    page.page.keyboard.press("Tab")
    page.page.keyboard.press("Space")
    page.wait_for_text("%token bank@production --scope accounts payments")
    focused = []
    for _ in range(3):
        page.page.keyboard.press("Tab")
        focused.append(page.page.evaluate("document.activeElement.textContent"))

    assert min(contrasts.values()) >= 4.5, contrasts
    assert focused == ["Select all", "Select none", "Get token (PRODUCTION)"]


def test_no_state_of_a_form_is_saved_with_a_secret(hub, desk):
    """Security G8: in five states, each saved with the widgets' states."""
    hub.write("states.ipynb", LOAD, "%token form bank")
    page = desk("lab", "states.ipynb")
    page.run_all()
    secret = page.field("client_secret")
    found = {}

    fill(page, SECRET)
    assert secret.input_value() == SECRET
    found["typed, still in the field"] = leaks(page.traces(), CANARIES)
    page.field("client_id").focus()
    page.page.get_by_placeholder("entered; type again to replace it").wait_for()
    found["typed, left"] = leaks(page.traces(), CANARIES)
    page.button("Get token").click()
    page.wait_for_text("asked for and granted")
    found["submitted"] = leaks(page.traces(), CANARIES)
    secret.press_sequentially(WRONG)
    page.field("payments: Pay").check()
    page.button("Get token").click()
    page.wait_for_text("Check client_id and client_secret")
    found["submitted twice, an error"] = leaks(page.traces(), CANARIES)
    saved = page.save()
    secret.press_sequentially(SECRET)
    page.field("client_id").focus()
    # The kernel has taken it; the words beside it are those of the first time.
    expect(secret).to_have_value("")
    page.restart()
    found["kernel restarted"] = leaks(page.traces(), CANARIES)

    assert {state: places for state, places in found.items() if places} == {}
    assert '"PasswordModel"' in saved
    assert secret.input_value() == ""
