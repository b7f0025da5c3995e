"""`%token add`: a file, or an issuer that is asked, under a name of one's choice."""

from __future__ import annotations

import http.server
import json
import threading

import pytest


class Issuer(http.server.BaseHTTPRequestHandler):
    """Answers its metadata, and nothing else."""

    def do_GET(self):
        """Answer as OpenID Connect Discovery, section 4, has it."""
        issuer = f"http://{self.headers['host']}"
        found = self.path == "/.well-known/openid-configuration"
        body = {"issuer": issuer, "token_endpoint": f"{issuer}/token"}
        body |= {"grant_types_supported": ["client_credentials"]}
        self.send_response(200 if found else 404)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode() if found else b"{}")

    def log_message(self, *_):
        """Keep quiet."""


@pytest.fixture
def issuer():
    """Run an issuer on this machine; return its URL."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Issuer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_issuer_is_asked_and_shown(shell, issuer):
    """Where client secrets will go is seen before any is entered."""
    ran = shell(f"%token add {issuer} --as bank")

    *lines, grants, method = ran.stdout.splitlines()
    assert lines == [
        "Added bank. Next: %token bank",
        f"  token_endpoint: {issuer}/token",
        f"  API base: {issuer} (the issuer's origin; a file names another)",
    ]
    assert grants.startswith("  grants: client_credentials, refresh_token; without")
    assert method == "  client authentication: client_secret_basic"
    assert shell("%token providers").value.provider.eq("bank").any()


def test_an_issuer_without_metadata_is_one_sentence(shell, issuer):
    """With the way on."""
    ran = shell(f"%token add {issuer}/realms/none --as bank")

    assert "There is no metadata at" in str(ran.error)
    assert "%token add FILE.toml" in ran.error.hint


def test_a_host_that_names_nobody_needs_a_name(shell, issuer):
    """The line that works is in the hint."""
    ran = shell(f"%token add {issuer}")

    assert "has no part that could name the provider" in str(ran.error)
    assert f"%token add {issuer} --as NAME" in ran.error.hint


def test_a_file_can_have_another_name(shell, echo_provider):
    """Two files may call themselves the same."""
    ran = shell(f"%token add '{echo_provider()}' --as other")

    assert ran.stdout == "Added other. Next: %token other\n"


def test_quiet_is_quiet(shell, issuer):
    """`-q` shows nothing."""
    assert shell(f"%token add {issuer} --as bank -q").stdout == ""


@pytest.mark.parametrize("name", ["show", "revsto", "bank@demo"])
def test_a_name_that_cannot_be_is_refused(shell, issuer, name):
    """A verb, a provider that is there, a demo."""
    assert shell(f"%token add {issuer} --as {name}").error is not None


API = """
openapi: 3.0.3
info: {title: Shop}
servers: [{url: "https://api.shop.example/v1"}]
security: [{login: [orders]}]
paths:
  /orders:
    get: {summary: List orders}
components:
  securitySchemes:
    login:
      type: oauth2
      flows:
        clientCredentials: {tokenUrl: "https://id.shop.example", scopes: {orders: See}}
"""


@pytest.fixture
def api_file(tmp_path):
    """Write an OpenAPI file; return its path."""
    path = tmp_path / "shop.yaml"
    path.write_text(API, encoding="utf-8")
    return path


def test_an_openapi_file_alone_is_a_provider(shell, api_file):
    """Where its client secrets will go is shown, for nobody typed it."""
    grant = "client_credentials"
    ran = shell(f"%token add --openapi {api_file}")

    assert ran.stdout.splitlines() == [
        "Added shop. Next: %token shop",
        "  1 endpoint: %token endpoints shop@sandbox",
        "  token_endpoint: https://id.shop.example   <- another host: id.shop.example",
        "  API base: https://api.shop.example/v1",
        f"  grants: {grant}, refresh_token; without --grant, {grant}",
        "  client authentication: client_secret_basic",
    ]
    table = shell("%token endpoints shop").value
    assert table.loc[0, ["method", "path", "scopes"]].tolist() == [
        *("GET", "/orders", "orders")
    ]


def test_an_openapi_file_describes_a_provider(shell, api_file, echo_provider):
    """One of a file, an issuer or one that is known."""
    added = shell(f"%token add '{echo_provider()}' --openapi {api_file}")
    known = shell(f"%token add paysafe --openapi {api_file}")

    assert added.stdout.splitlines() == [
        "Added echo. Next: %token echo",
        "  1 endpoint: %token endpoints echo@sandbox",
    ]
    assert known.stdout == ("paysafe: 1 endpoint: %token endpoints paysafe/NAME@demo\n")
    assert shell(f"%token add paysafe --openapi {api_file} -q").stdout == ""


def test_what_is_to_be_added_has_to_be_said(shell):
    """With an example."""
    ran = shell("%token add")

    assert str(ran.error) == "%token add needs one FILE.toml or URL."
    assert "%token demo takes" not in ran.stdout
    refused = shell("%token show revsto@demo --openapi x.yaml")
    assert refused.error.hint == "It is an option of %token add."
