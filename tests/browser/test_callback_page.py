"""The page that a browser ends on, with whatever in its address."""

from __future__ import annotations

import http.server
import json
import threading

import pytest
from callback_doors import Login

pytestmark = pytest.mark.needs("chromium")

SCRIPT = "<script>alert(1)</script>"
HOSTILE = {
    "error_description": f"{SCRIPT}<img src=x onerror=alert(1)>",
    "x": "';alert(1)//\"><svg onload=alert(1)>",
    "__proto__": "javascript:alert(1)",
}


class Redirecting(http.server.BaseHTTPRequestHandler):
    """Sends the browser back, as a provider does."""

    def do_GET(self):
        """Redirect it."""
        self.send_response(302)
        self.send_header("Location", self.server.where)
        self.end_headers()

    def log_message(self, *_):
        """Print nothing."""


def test_nothing_of_an_address_is_shown_run_or_kept(browser, tmp_path):
    """No dialog, no request, no code in the address bar or the history."""
    login = Login("http://127.0.0.1:0/cb", {})
    origin = login.asked["redirect_uri"].removesuffix("/cb")
    page = browser.new_page()
    dialogs, requests = [], []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: requests.append(request.url))
    console = []
    page.on("console", lambda message: console.append(message.text))

    bank = http.server.HTTPServer(("127.0.0.1", 0), Redirecting)
    bank.where = f"{origin}{login.good(**HOSTILE)}"
    threading.Thread(target=bank.handle_request, daemon=True).start()
    page.goto(f"http://127.0.0.1:{bank.server_port}/")
    page.get_by_role("heading", name="Go back to your notebook").wait_for()
    page.screenshot(path=tmp_path / "callback.png")

    assert login.over.wait(10)
    assert page.url == f"{origin}/cb"
    assert dialogs == []
    assert console == []
    assert len(requests) == 2
    bank.server_close()
    history = page.context.new_cdp_session(page).send("Page.getNavigationHistory")
    kept = json.dumps([history, page.content(), page.context.storage_state()])
    assert "c0de" not in kept
    assert "alert(1)" not in kept
    assert login.asked["state"] not in kept
    # Its script runs in an origin of its own, which sees nothing of Jupyter's.
    assert page.evaluate("() => window.origin") == "null"
    page.close()
