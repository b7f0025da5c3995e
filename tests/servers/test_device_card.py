"""The card of a device login, at a server that nobody here wrote (RFC 8628)."""

from __future__ import annotations

import json

import pytest
from browsing import Desk, Hub, chromium

pytestmark = pytest.mark.needs("chromium")

DEVICE = """
import json, oauthmagic
from oauthmagic.oauth import device_authorization
device_authorization.INTERVAL = 1  # the server names none
%load_ext oauthmagic
place = json.load(open("{place}"))
%token add {issuer} --as acme -q
credentials = place
"""


@pytest.fixture
def hub(tmp_path):
    """A Jupyter server; see `browsing.Hub`."""
    with Hub(tmp_path / "hub").running() as hub:
        yield hub


@pytest.fixture
def browser(component):
    """An installed Chromium."""
    with chromium(component("chromium")) as browser:
        yield browser


def test_a_login_on_another_device_by_card(hub, oidc_server, browser, tmp_path):
    """The card shows code and QR code, and ends by itself; the kernel stays free."""
    client = oidc_server.clients["device"]
    place = tmp_path / "client.json"
    place.write_text(
        json.dumps(
            {"client_id": client.client_id, "client_secret": client.client_secret}
        )
    )
    hub.write(
        "device.ipynb",
        DEVICE.format(place=place, issuer=oidc_server.issuer),
        "%token acme --grant device_code --scope openid api --credentials credentials",
        "1 + 1",
    )
    desk = Desk(browser, hub, "lab", "device.ipynb")
    desk._wait_for_kernel()
    desk.run(0)
    desk.run(1)
    desk.wait_for_text("It ends by itself when you are done there.")
    desk.page.get_by_alt_text("QR code of").last.wait_for()
    desk.picture("card-device")
    desk.run(2)
    desk.page.locator(".jp-OutputPrompt", has_text="[3]").wait_for()

    link = desk.page.get_by_role("link", name="Open the login page").last
    other = browser.new_page()
    other.goto(link.get_attribute("href"))
    other.get_by_role("button", name="Continue").click()
    other.locator('[name="login"]').fill("zoe")
    other.locator('[name="password"]').fill("x")
    other.locator('button[type="submit"]').click()
    other.get_by_role("button", name="Continue").click()
    other.close()

    desk.wait_for_text("Done: the token is here.")
    desk.picture("card-device-done")
    assert desk.dialogs == []
    assert "device_code" not in desk.traces()["log"]
