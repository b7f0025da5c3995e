"""Cards for pending actions, as users see and use them."""

from __future__ import annotations

import json
import random
import urllib.parse
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from oauthmagic.sandbox.serving import serve
from oauthmagic.sandbox.stet import create
from oauthmagic.views.callback_pages import DONE

pytestmark = pytest.mark.needs("chromium")

BANK = "bank/13807@sandbox"
SETUP = """
import json, oauthmagic
from dataclasses import replace
from oauthmagic.providers.environments import SandboxEnvironment
from oauthmagic.providers.stet import PROVIDER
%load_ext oauthmagic
place = json.load(open("{place}"))
demo = PROVIDER.environments["demo"]
moved = lambda url, to: url.replace("https://www.{{tenant}}.stet.demo.invalid",
                                    to + "/{{tenant}}")
ends = {{name: moved(url, place["pages" if name == "authorization_endpoint" else "api"])
        for name, url in demo.endpoints.items()}}
sandbox = SandboxEnvironment(token_endpoint=moved(demo.token_endpoint,
    place["api"]), api_base=moved(demo.api_base, place["api"]), endpoints=ends,
    ca_file=place["ca"])
oauthmagic.current_session().add(replace(PROVIDER, name="bank",
                                         environments={{"sandbox": sandbox}}))
credentials = place["credentials"]
"""
ASK = f"%token {BANK} --credentials credentials"
USE = f"%%api {BANK} --frame --out accounts\nGET /accounts"


def real_clock():
    """Return the real time: TLS knows no other."""
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def bank():
    """A bank with keys of its own, over mutual TLS, and its pages once more without."""
    bank = create(real_clock, random.Random(1), fresh_keys=True)  # noqa: S311 - reproducible
    authority = bank.authority.certificate
    with (
        serve(bank.wsgi_app, clock=real_clock, client_authority=authority) as api,
        serve(bank.wsgi_app, clock=real_clock) as pages,
    ):
        bank.places = {"api": api.url, "pages": pages.url, "ca": str(api.ca_file)}
        yield bank


@pytest.fixture
def waiting(hub, bank, tmp_path):
    """Return what writes a notebook that asks for a login."""

    def write(name, redirect_uri):
        clients = bank._bank._clients
        (client_id, client), *_ = clients.items()
        uris = (*client.redirect_uris, redirect_uri)
        clients[client_id] = replace(client, redirect_uris=uris)
        place = tmp_path / "place.json"
        credentials = {**bank.CREDENTIALS, "redirect_uri": redirect_uri}
        place.write_text(json.dumps({**bank.places, "credentials": credentials}))
        hub.write(name, SETUP.format(place=place), ASK, USE)

    return write


def accept(desk):
    """Open the bank's page by the card's own link, and accept there."""
    with desk.page.expect_popup() as opened:
        desk.page.get_by_role("link", name="Open the login page").last.click()
    page = opened.value
    page.get_by_role("button", name="Accept").click()
    return page


def assert_nothing_stays(desk, *values):
    """No place where something is kept holds a code that came back."""
    for place, text in desk.traces().items():
        for value in values:
            assert value not in text, place


@pytest.mark.parametrize("front_end", ["lab", "notebook"])
def test_a_redirect_comes_back_by_the_jupyter_server(desk, hub, waiting, front_end):
    """Under a prefix as on Binder: nothing is pasted, and the card ends by itself."""
    callback = f"{hub.origin}{hub.prefix}oauthmagic/callback"
    waiting(f"route-{front_end}.ipynb", callback)
    desk = desk(front_end, f"route-{front_end}.ipynb")
    desk.run(0)
    desk.run(1)
    desk.wait_for_text("This notebook's Jupyter Server answers at /user/jo/oauthmagic")
    desk.picture("card-redirect")
    came = []
    desk.page.context.on(
        "response",
        lambda response: came.append(response) if callback in response.url else None,
    )

    page = accept(desk)
    page.get_by_text("Go back to your notebook").wait_for()
    page.wait_for_url(callback)
    (answer,) = [each for each in came if "code=" in each.url]
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(answer.url).query)
    page.screenshot(path=str(desk.picture("callback")).replace("callback", "back"))
    assert answer.status == 200
    assert page.content().encode()[:60] == DONE.replace(b"\n", b"")[:60]
    entries = page.context.new_cdp_session(page).send("Page.getNavigationHistory")
    assert query["code"][0] not in json.dumps(entries)
    page.close()

    desk.wait_for_text("Done: the token is here.")
    desk.run(2)
    desk.wait_for_text("accounts: DataFrame")
    desk.picture("card-redirect-done")
    assert desk.dialogs == []
    assert_nothing_stays(desk, query["code"][0])


def test_the_same_by_pasting(desk, waiting, bank):
    """The URL goes into a hidden field, and stays nowhere."""
    waiting("paste.ipynb", "https://tpp.demo.invalid/oauthmagic/callback")
    desk = desk("lab", "paste.ipynb")
    desk.run(0)
    desk.run(1)
    desk.wait_for_text("it is on no address of this machine")
    href = desk.page.get_by_role("link", name="Open the login page").last
    redirected = bank.decide(href.get_attribute("href"), "accept")
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(redirected).query)

    desk.field("Redirected URL").fill("https://tpp.demo.invalid/oauthmagic/callback")
    desk.button("Send").click()
    desk.wait_for_text("WrongState")
    desk.picture("card-paste-wrong")
    desk.field("Redirected URL").fill(redirected)
    desk.field("Redirected URL").press("Enter")

    desk.wait_for_text("Done: the token is here.")
    desk.picture("card-paste-done")
    assert_nothing_stays(desk, query["code"][0])


TRANSFER = """%%api paysafe/liberty@demo --out transfer
POST /v1/transactions/transfers
Content-Type: application/json
Idempotency-Key: {{$guid}}

{"sourceAccountId": "300101", "destinationAccountId": "300103", "amount": 1250,
 "currencyCode": "EUR", "description": "Shared lunch"}
"""


def test_a_second_factor_by_card(desk, hub):
    """A wrong code leaves tries; the right one sends the request and fills the name."""
    hub.write(
        "sca.ipynb",
        "%load_ext oauthmagic\n%token paysafe/liberty@demo --grant password",
        TRANSFER,
        "transfer.status",
    )
    desk = desk("lab", "sca.ipynb")
    desk.run(0)
    desk.wait_for_text("asks you to confirm with a second factor")
    desk.picture("card-sca")
    desk.field("Code").fill("777001")
    desk.button("Send").click()
    desk.wait_for_text("more allowed")
    desk.picture("card-sca-wrong")
    desk.field("Code").fill("123456")
    desk.button("Send").click()
    desk.wait_for_text("Done: the token is here.")

    desk.run(1)
    desk.page.get_by_label("Code", exact=True).locator("visible=true").wait_for()
    desk.field("Code").fill("123456")
    desk.field("Code").press("Enter")
    desk.wait_for_text("transfer: Reply")
    desk.picture("card-sca-done")
    # A demo's code is told to everybody, also after it was typed.
    assert "[secret]" not in desk.page.locator("body").inner_text()

    assert desk.run(2).strip().startswith("201") or "20" in desk.output(2)
    saved = json.loads(desk.save())
    (states,) = saved["metadata"]["widgets"].values()
    fields = [
        each["state"].get("value", "")
        for each in states["state"].values()
        if each["model_name"] == "PasswordModel"
    ]
    # The demo's own code is the label of a button; no field has it.
    assert fields
    assert set(fields) == {""}
    assert "777001" not in json.dumps(saved)


def test_a_consent_in_the_demo_by_its_words(desk, hub):
    """Buttons play the user's side."""
    hub.write("demo.ipynb", "%load_ext oauthmagic\n%token stet/17515@demo")
    desk = desk("lab", "demo.ipynb")
    desk.run(0)
    desk.wait_for_text("play the user's side")
    desk.picture("card-demo")
    desk.use_theme("dark")
    desk.picture("card-demo")
    desk.button("accept").click()
    desk.wait_for_text("Done: the token is here.")
    desk.picture("card-demo-done")
    assert desk.least_contrast(desk.page.locator(".widget-html-content div div")) >= 4.5


def test_a_card_does_its_work_where_there_are_no_cells(desk, hub):
    """Voila has no prompt and no next cell: the card is all there is."""
    hub.write("voila.ipynb", "%load_ext oauthmagic", "%token stet/17515@demo")
    desk = desk("voila", "voila.ipynb")
    desk.wait_for_text("play the user's side")

    desk.button("accept").click()

    desk.wait_for_text("Done: the token is here.")
    desk.picture("card-voila")
    assert desk.dialogs == []
