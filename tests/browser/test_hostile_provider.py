"""A provider that attacks wherever it can have a word in: the page stays ours."""

from __future__ import annotations

import http.server
import json
import threading

import pytest
from browsing import ERRORS

from oauthmagic.keys.jwts import rfc7515_a2_key, sign_rs256

pytestmark = pytest.mark.needs("chromium")

SCRIPT = "<script>alert('script')</script>"
IMAGE = "<img src=//evil.example/x onerror=alert('image')>"
TEX = "$x_1$ \\(y\\) $$z$$ \\[w\\] \\begin{equation}v\\end{equation}"
ANSI = "\x1b[31mred\x1b]8;;https://evil.example/\x07link\x1b[2J"
EVIL = f"{SCRIPT}{IMAGE}{TEX}{ANSI}\u202eturned\u2066 https://evil.example/seen"
#: What RFC 6749 lets a scope be, and that is a lot.
SCOPES = ["<script>alert('scope')</script>", "<img/src=x/onerror=alert('s')>", "$x_2$"]
SVG = f'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">{SCRIPT}</svg>'
ANSWERS = {
    "/json": (200, "application/json", json.dumps({EVIL: [EVIL, {EVIL: EVIL}]})),
    "/rows": (200, "application/json", json.dumps([{"id": 1, "text": EVIL, EVIL: 2}])),
    "/csv": (200, "text/csv", f"id,text,{TEX}\n1,{EVIL},=cmd|' /C calc'!A0\n"),
    "/svg": (200, "image/svg+xml", SVG),
    "/html": (200, "text/html", EVIL),
    "/text": (200, f"text/plain; charset={SCRIPT}", EVIL),
    "/type": (200, f"image/png;{SCRIPT}", EVIL),
    "/error": (
        403,
        "application/json",
        json.dumps({"error": "access_denied", "error_description": EVIL}),
    ),
}
PROVIDER = """
[provider]
name = "evil"
title = "Evil"
grants = ["client_credentials"]
token_endpoint_auth_method = "client_secret_post"

[environments.sandbox]
token_endpoint = "{url}/token"
jwks_uri = "{url}/jwks"
api_base = "{url}"
"""
OWN = "from IPython.display import HTML\nHTML('<p id=own>$a_1$</p>')"
CLIENTS = """\
good = {'client_id': 'a', 'client_secret': 'plainly-fake-secret'}
bad = {**good, 'client_id': 'refused'}"""
CELLS = (
    "%load_ext oauthmagic\n%token add evil.toml",
    CLIENTS,
    "%token evil --credentials good",
    "%token show evil",
    "%token show evil --verify",
    "%token timeline",
    "%token",
    "%token scopes evil",
    *(f"%api evil GET {path}" for path in ANSWERS),
    "%api evil --frame GET /rows",
    "%api evil --show exchange GET /json",
    "%token trace evil",
    # Mathematics of the user's own is typeset: the page can do it.
    OWN,
    "%token evil --fresh --credentials bad",
)


class Evil(http.server.BaseHTTPRequestHandler):
    """Answers with markup, formulas and control characters wherever it may."""

    def do_POST(self):
        """Answer a token request."""
        length = int(self.headers.get("Content-Length", 0))
        if b"refused" in self.rfile.read(length):
            said = {"error": "invalid_grant", "error_description": EVIL}
            self._answer(400, "application/json", json.dumps(said))
            return
        claims = {"sub": EVIL, EVIL: EVIL, "exp": 1, "picture": "//evil.example/p.png"}
        token = sign_rs256(claims, {"alg": "RS256", "kid": EVIL}, rfc7515_a2_key())
        said = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": " ".join(SCOPES),
        }
        self._answer(200, "application/json", json.dumps(said))

    def do_GET(self):
        """Answer an API request, or publish the keys."""
        if self.path == "/jwks":
            key = {**rfc7515_a2_key().as_dict(private=False), "kid": EVIL}
            self._answer(200, "application/json", json.dumps({"keys": [key]}))
            return
        self._answer(*ANSWERS[self.path])

    def log_message(self, *_):
        """Print nothing."""

    def _answer(self, status, kind, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module", autouse=True)
def evil(hub):
    """The provider, described in the notebooks' folder."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Evil) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        (hub.folder / "evil.toml").write_text(PROVIDER.format(url=url))
        yield
        server.shutdown()


@pytest.mark.parametrize("front_end", ["lab", "notebook"])
def test_nothing_that_a_provider_says_changes_the_page(hub, desk, front_end):
    """No dialog, no element, no formula, no request: what it says is text."""
    hub.write(f"evil-{front_end}.ipynb", *CELLS)
    desk = desk(front_end, f"evil-{front_end}.ipynb")
    desk.page.set_viewport_size({"width": 1200, "height": 9000})
    asked = []
    desk.page.context.on("request", lambda request: asked.append(request.url))

    desk.run_all()
    desk.page.locator("#own mjx-container").wait_for()
    (error,) = [text for text in desk.errors() if "InvalidGrant" in text]
    desk.picture("hostile-provider")

    output = desk.page.locator(".jp-OutputArea")
    assert desk.page.locator(ERRORS).count() == 1
    assert "script" in error
    typeset = [
        place
        for place, cell in enumerate(desk.page.locator(".jp-CodeCell").all())
        if cell.locator(".jp-OutputArea mjx-container").count()
    ]
    assert typeset == [CELLS.index(OWN)]
    assert output.locator("script, img, iframe, object, embed, form, base").count() == 0
    # Of the timeline; what is around an output has icons.
    assert output.locator(".jp-RenderedHTMLCommon svg").count() == 1
    assert output.locator("[onerror], [onload], [href^='javascript:']").count() == 0
    assert SCRIPT in output.first.page.inner_text("body")
    assert "$x_2$" in desk.output(3)
    assert [url for url in asked if "evil.example" in url] == []
    assert [url for url in asked if not url.startswith((hub.origin, "data:"))] == []
    assert desk.dialogs == []
