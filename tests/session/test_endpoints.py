"""Endpoints of a provider: from OpenAPI files, in a table, in hints."""

from __future__ import annotations

import pytest

from oauthmagic import Session
from oauthmagic.errors import CommandError, ProviderFileError
from oauthmagic.transport.wire import WireResponse

TOML = """
[provider]
name = "acme"
[scopes]
accounts = "See accounts"
[environments.sandbox]
token_endpoint = "https://id.acme.example/token"
api_base = "https://api.acme.example"
"""
API = """
openapi: 3.1.0
info: {title: Acme Accounts}
servers: [{url: https://api.acme.example/v2}]
security: [{login: [accounts]}]
paths:
  /accounts/{id}:
    get: {summary: Show one}
components:
  securitySchemes:
    login:
      type: oauth2
      flows:
        authorizationCode:
          authorizationUrl: https://id.acme.example/authorize
          tokenUrl: https://id.acme.example/token
          scopes: {accounts: See accounts}
        clientCredentials:
          tokenUrl: https://id.acme.example/token
          scopes: {accounts: See accounts}
        password: {tokenUrl: "https://other.example/token"}
"""
NO_PATHS = API.partition("paths:")[0]
NO_FLOW = API.replace("tokenUrl", "x-tokenUrl")


@pytest.fixture
def written(tmp_path):
    """Return what writes a file, and gives its path."""

    def write(text, name="api.yaml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def session():
    """Return a session."""
    return Session()


def lines(table):
    """Return a table's methods, paths and scopes."""
    return [" ".join(row) for row in table[["method", "path", "scopes"]].to_numpy()]


def test_a_file_gets_endpoints(session, written):
    """`add(FILE.toml, openapi=FILE)`: paths are relative to the file's API base."""
    name = session.add(written(TOML, "acme.toml"), openapi=written(API))

    assert name == "acme"
    assert lines(session.endpoints("acme")) == ["GET /v2/accounts/{id} accounts"]
    assert session.endpoints("acme").covered.isna().all()


def test_a_provider_that_is_known_gets_endpoints(session, written):
    """A built-in one, and one that was added; nothing else of it changes."""
    path = written(API.replace("/v2", ""))
    session.add(written(TOML, "acme.toml"))
    before = session.provider("revsto")

    assert session.add("revsto", openapi=path) == "revsto"
    assert session.add("acme", openapi=path) == "acme"

    assert lines(session.endpoints("acme")) == ["GET /accounts/{id} accounts"]
    assert len(session.endpoints("revsto@demo")) == 1
    assert session.provider("revsto").scopes == before.scopes
    assert len(Session().endpoints("revsto@demo")) == len(before.endpoints)
    with pytest.raises(CommandError, match="has its name"):
        session.add("acme", openapi=path, name="other")


def test_an_openapi_file_can_be_a_provider(session, written):
    """It says where the API is and how to get a token; machines come first."""
    name = session.add(openapi=written(API))

    provider = session.provider(name)
    environment = provider.environments["sandbox"]
    assert name == "acme"
    assert provider.title == "Acme Accounts"
    assert provider.grants == (
        *("client_credentials", "authorization_code", "refresh_token"),
    )
    assert provider.default_grant == "client_credentials"
    assert environment.token_endpoint == "https://id.acme.example/token"
    assert environment.api_base == "https://api.acme.example/v2"
    assert environment.endpoints == {
        "authorization_endpoint": "https://id.acme.example/authorize"
    }
    assert provider.scopes == {"accounts": "See accounts"}
    assert lines(session.endpoints("acme")) == ["GET /accounts/{id} accounts"]
    shop = session.add(openapi=written(API), name="shop@production")
    assert list(session.provider(shop).environments) == ["production"]


@pytest.mark.parametrize(
    ("text", "name", "why", "hint"),
    [
        (
            NO_FLOW,
            "",
            "no OAuth flow with a tokenUrl",
            "%token add FILE.toml --openapi",
        ),
        (
            API.replace("https://api.acme.example", ""),
            *("", "on which server", "--openapi"),
        ),
        (
            API.replace("https://id.acme", "http://id.acme"),
            *("", "without encryption", "Write https"),
        ),
        (API.replace("//api.acme", "//10.0.0.1"), "", "could name", "--as NAME"),
        (API, "a@demo", "cannot be added as", "NAME@production"),
        (NO_PATHS, "", "describes no endpoint", "paths with methods"),
        ("swagger: '2.0'", "", "Swagger 2.0", "Converters"),
    ],
)
def test_what_does_not_say_enough_is_told_what_to_do(
    session, written, text, name, why, hint
):
    """With the file's name and a line that works."""
    with pytest.raises(ProviderFileError) as caught:
        session.add(openapi=written(text), name=name)

    assert str(caught.value).startswith("api.yaml: ")
    assert why in str(caught.value)
    assert hint in caught.value.hint


def test_the_issuer_of_a_description_is_the_hint(session, written):
    """Where it names one, that line says the rest."""
    scheme = "type: openIdConnect\n      openIdConnectUrl: https://id.acme.example"
    text = NO_FLOW.replace("type: oauth2", scheme)

    with pytest.raises(ProviderFileError) as caught:
        session.add(openapi=written(text))

    assert "%token add https://id.acme.example --openapi" in caught.value.hint


def test_what_cannot_be_opened_is_a_sentence(session, tmp_path):
    """A folder, nothing, and nothing at all."""
    with pytest.raises(ProviderFileError, match="It is not a file"):
        session.add(openapi=tmp_path)
    with pytest.raises(ProviderFileError, match=r"none\.yaml: It cannot be read"):
        session.add(openapi=tmp_path / "none.yaml")
    with pytest.raises(CommandError, match="nothing to add"):
        session.add()


def test_endpoints_that_nobody_described_are_no_empty_table(session, written):
    """The line that describes them is in the hint."""
    session.add(written(TOML, "acme.toml"))

    with pytest.raises(CommandError, match="No endpoints of acme") as caught:
        session.endpoints("acme")

    assert "%token add acme --openapi FILE" in caught.value.hint


def test_the_table_says_what_the_token_covers(session):
    """A read-only token of Revsto may look, and not post."""
    session.token("revsto@demo")

    table = session.endpoints("revsto@demo").set_index(["method", "path"])

    base = "/distributor/v1"
    assert table.covered["GET", f"{base}/products"]
    assert not table.covered["POST", f"{base}/hooks"]
    assert table.dtypes.astype(str).to_dict() == {
        "scopes": "string",
        "covered": "boolean",
        "summary": "string",
    }


def test_a_preview_says_what_is_needed(session):
    """The scope, and the line that obtains what the token lacks."""
    before = session.preview("revsto@demo", "GET /distributor/v1/products")
    without = session.preview("revsto@demo", "POST /distributor/v1/hooks")
    session.token("revsto@demo", scopes=["account_view"])
    held = session.preview("revsto@demo", "GET /distributor/v1/products?limit=1")
    lacking = session.preview("revsto@demo", "POST /distributor/v1/hooks")
    unknown = session.preview("revsto@demo", "GET /distributor/v1/nothing")

    assert before.startswith("# Needs the scope account_view.\nGET ")
    assert (
        "--scope account_view kyc_view profile_view transaction_view event" in without
    )
    assert held.startswith(
        "# Needs the scope account_view, which the token held has.\n"
    )
    assert lacking.startswith(
        "# Needs the scope event_management.\n"
        "# Missing scope: event_management. Ask for it: "
        "%token revsto@demo --scope account_view event_management\n"
    )
    assert unknown.startswith("GET ")


def test_a_refusal_that_names_a_scope_is_believed_first(session):
    """The description is not asked where the server says it."""
    session.token("revsto@demo", scopes=["account_view"])
    reply = session.api("revsto@demo", "POST /distributor/v1/hooks\n\n{}")

    assert reply.status == 403
    assert (
        "Missing scope: event_management. Ask for it: %token revsto@demo" in reply.hint
    )
    assert "By its description" not in reply.hint


def test_a_hint_stops_nothing(session, written):
    """A description that is wrong costs nothing: the request goes out and works."""
    text = API.replace("https://api.acme.example/v2", "/").replace(
        "/accounts/{id}", "/distributor/v1/products"
    )
    session.add("revsto", openapi=written(text.replace("[accounts]", "[posting]")))
    session.token("revsto@demo")

    reply = session.api("revsto@demo", "GET /distributor/v1/products")

    assert reply.ok
    assert not reply.hint
    assert "posting" in session.preview("revsto@demo", "GET /distributor/v1/products")


class Refusing:
    """A transport that answers 403 to everything."""

    def __init__(self, headers, body):
        self.response = WireResponse(
            status=403, headers=headers, body=body, elapsed=0.1
        )

    def send(self, *_, **__):
        """Refuse."""
        return self.response


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ((), b""),
        ((), b'{"error": "forbidden"}'),
        ((("www-authenticate", "Bearer"),), b""),
    ],
)
def test_a_bare_403_names_the_scope(written, headers, body):
    """Whatever the refusal leaves out."""
    session = Session(transport=Refusing(headers, body))
    session.add(written(TOML, "acme.toml"), openapi=written(API))
    session.adopt("acme", {"access_token": "plainly-fake", "scope": "profile"})

    hint = session.api("acme", "GET /v2/accounts/7").hint

    # `profile` is not one of the file's scopes, so it is not asked for.
    assert hint.endswith(
        "By its description, GET /v2/accounts/{id} needs accounts. "
        "Missing scope: accounts. Ask for it: %token acme@sandbox --scope accounts"
    )


def test_where_the_token_s_scopes_are_not_known_nothing_is_claimed(written):
    """No server said, and nobody asked."""
    session = Session(transport=Refusing((), b""))
    session.add(written(TOML, "acme.toml"), openapi=written(API))
    session.adopt("acme", {"access_token": "plainly-fake"})

    assert "Missing" not in session.api("acme", "GET /v2/accounts/7").hint
    assert session.endpoints("acme").covered.isna().all()
