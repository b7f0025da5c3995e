"""An authorization server on this machine with one client, for forms and browsers."""

from __future__ import annotations

import http.server
import json
import threading
import urllib.parse
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLIENT_ID = "analyst-client"
#: Plainly fake; with what makes encodings differ. Not a local of anything that fails.
SECRET = "Canary-typed-Zq9xT7~wB3+kL5/mN8=="
ACCESS_TOKEN = "Canary-granted-Rf2yH6~pD4+sV1/cX0=="
#: What is granted, whatever is asked for.
GRANTED = "accounts payments"
#: A scope that nobody should have to see, with a description that runs nothing.
HOSTILE = ("x<img>$y$", "<img src=x onerror=alert(1)> $\\\\href{javascript:x}{y}$")


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Answer a token request."""
        self.server.pause.wait(20)  # type: ignore[attr-defined]
        length = int(self.headers.get("Content-Length", 0))
        form = dict(urllib.parse.parse_qsl(self.rfile.read(length).decode()))
        self.server.asked.append(form)  # type: ignore[attr-defined]
        if form.get("client_secret") != SECRET:
            self._answer(401, {"error": "invalid_client"})
            return
        token = {
            "access_token": ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": GRANTED,
        }
        self._answer(200, token)

    def do_GET(self) -> None:
        """Answer an API request."""
        known = self.headers.get("Authorization") == f"Bearer {ACCESS_TOKEN}"
        self._answer(200 if known else 401, {"accounts": []} if known else {})

    def log_message(self, *_: Any) -> None:
        """Print nothing."""

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        said = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)


@contextmanager
def bank() -> Iterator[http.server.ThreadingHTTPServer]:
    """Run the server; `asked` has its token requests, which wait for `pause`."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        server.asked = []  # type: ignore[attr-defined]
        server.pause = threading.Event()  # type: ignore[attr-defined]
        server.pause.set()  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def describe(server: http.server.ThreadingHTTPServer, folder: Path) -> Path:
    """Write the provider file of a server into a folder; return its path."""
    url = f"http://127.0.0.1:{server.server_port}"
    path = folder / "bank.toml"
    path.write_text(
        f"""
        [provider]
        name = "bank"
        title = "Bank <b>of</b> Examples"
        grants = ["client_credentials"]
        token_endpoint_auth_method = "client_secret_post"
        default_scopes = ["accounts"]
        probe = "/accounts"

        [scopes]
        accounts = "See accounts"
        payments = "Pay"
        statements = "See statements"
        '{HOSTILE[0]}' = "{HOSTILE[1]}"

        [environments.sandbox]
        token_endpoint = "{url}/token"
        api_base = "{url}"

        [environments.production]
        token_endpoint = "https://bank.example/token"
        api_base = "https://bank.example"
        """,
        encoding="utf-8",
    )
    return path
