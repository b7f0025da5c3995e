"""The servers under test answer as the standards say, on the wire itself.

These tests use the standard library alone: what they prove about the servers, a
failing test of the package cannot be blamed on.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import urllib.parse
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from tests.servers.conftest import Client, RunningServer

CLIENTS = {"django_server": ("basic", "odd"), "oidc_server": ("basic", "post", "odd")}
SCOPE = {"django_server": "read", "oidc_server": "api"}

both_servers = pytest.mark.parametrize("fixture", list(CLIENTS))
every_client = pytest.mark.parametrize(
    ("fixture", "name", "method"),
    [
        (fixture, name, method)
        for fixture, names in CLIENTS.items()
        for name in names
        for method in ("client_secret_basic", "client_secret_post")
    ],
)


class Answer(NamedTuple):
    """What came back, with the body read as JSON."""

    status: int
    headers: dict[str, str]
    json: Any


def send(
    method: str,
    url: str,
    form: dict[str, str] | None = None,
    *,
    authorization: str | None = None,
) -> Answer:
    """Send one request on a connection of its own."""
    parts = urllib.parse.urlsplit(url)
    headers = {"Authorization": authorization} if authorization else {}
    body = None
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = urllib.parse.urlencode(form)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    with contextlib.closing(connection):
        connection.request(method, parts.path, body, headers)
        response = connection.getresponse()
        content = response.read()
        is_json = response.headers.get_content_type() == "application/json"
        return Answer(
            response.status,
            {name.lower(): value for name, value in response.getheaders()},
            json.loads(content) if is_json else None,
        )


def basic(client_id: str, client_secret: str, *, form: bool = True) -> str:
    """Return a Basic header; form-encoded inside as RFC 6749, section 2.3.1, says."""
    pair = [client_id, client_secret]
    if form:
        pair = [urllib.parse.quote_plus(part) for part in pair]
    return "Basic " + base64.b64encode(":".join(pair).encode()).decode()


def post_as(
    client: Client,
    url: str,
    form: dict[str, str],
    *,
    method: str = "client_secret_basic",
    secret: str | None = None,
) -> Answer:
    """Post a form as a client, with its own secret unless another is given."""
    secret = client.client_secret if secret is None else secret
    if method == "client_secret_basic":
        header = basic(client.client_id, secret)
        return send("POST", url, form, authorization=header)
    credentials = {"client_id": client.client_id, "client_secret": secret}
    return send("POST", url, form | credentials)


def password_grant(server: RunningServer, **changes: str) -> Answer:
    """Ask for a token in the name of the user."""
    form = {
        "grant_type": "password",
        "username": server.username,
        "password": server.password,
    }
    return post_as(server.clients["password"], server.token_endpoint, form | changes)


def refresh(server: RunningServer, refresh_token: str) -> Answer:
    """Ask for the next token."""
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return post_as(server.clients["password"], server.token_endpoint, form)


def items(server: RunningServer, access_token: str) -> Answer:
    """Ask for the protected list."""
    url = f"{server.api_base}/items"
    return send("GET", url, authorization=f"Bearer {access_token}")


@pytest.fixture
def server(fixture: str, request: pytest.FixtureRequest) -> RunningServer:
    """Return the server that the test is run against."""
    return request.getfixturevalue(fixture)


@every_client
def test_client_credentials_give_a_token_that_opens_the_resource(
    server: RunningServer, fixture: str, name: str, method: str
) -> None:
    """Odd characters included: form-encoded in Basic, once encoded in the body."""
    client = server.clients[name]
    form = {"grant_type": "client_credentials", "scope": SCOPE[fixture]}

    answer = post_as(client, server.token_endpoint, form, method=method)

    assert answer.status == 200
    assert answer.json["token_type"] == "Bearer"
    assert answer.json["expires_in"] == 300
    assert answer.json["scope"] == SCOPE[fixture]
    assert "refresh_token" not in answer.json
    assert items(server, answer.json["access_token"]).json == list(server.items)


@every_client
def test_a_wrong_secret_is_invalid_client(
    server: RunningServer, name: str, method: str
) -> None:
    """RFC 6749, section 5.2: 401, and exactly the one request was counted."""
    client = server.clients[name]
    before = server.token_requests()

    answer = post_as(
        client,
        server.token_endpoint,
        {"grant_type": "client_credentials"},
        method=method,
        secret=client.client_secret + "x",
    )

    assert (answer.status, answer.json["error"]) == (401, "invalid_client")
    assert server.token_requests() == before + 1


@both_servers
def test_odd_characters_are_not_accepted_raw_in_basic(server: RunningServer) -> None:
    """Both servers decode what RFC 6749, section 2.3.1, says is encoded."""
    client = server.clients["odd"]
    header = basic(client.client_id, client.client_secret, form=False)
    form = {"grant_type": "client_credentials"}

    answer = send("POST", server.token_endpoint, form, authorization=header)

    assert (answer.status, answer.json["error"]) == (401, "invalid_client")


@both_servers
def test_user_name_and_password_give_a_token_with_a_refresh_token(
    server: RunningServer, fixture: str
) -> None:
    """RFC 6749, section 4.3; user name and password have odd characters."""
    answer = password_grant(server)

    assert answer.status == 200
    assert answer.json["expires_in"] == 300
    assert SCOPE[fixture] in answer.json["scope"].split()
    assert answer.json["refresh_token"]
    assert items(server, answer.json["access_token"]).status == 200


@both_servers
def test_a_wrong_password_is_invalid_grant(server: RunningServer) -> None:
    """RFC 6749, section 5.2: 400, unlike a wrong client secret."""
    answer = password_grant(server, password=server.password + "x")

    assert (answer.status, answer.json["error"]) == (400, "invalid_grant")


@both_servers
def test_a_refresh_rotates_and_the_old_refresh_token_ends_the_family(
    server: RunningServer,
) -> None:
    """RFC 9700, section 4.14.2: a refresh token that comes twice revokes them all."""
    first = password_grant(server).json
    second = refresh(server, first["refresh_token"]).json
    assert second["refresh_token"] != first["refresh_token"]
    assert items(server, second["access_token"]).status == 200
    third = refresh(server, second["refresh_token"]).json

    replayed = refresh(server, first["refresh_token"])

    assert (replayed.status, replayed.json["error"]) == (400, "invalid_grant")
    newest = refresh(server, third["refresh_token"])
    assert (newest.status, newest.json["error"]) == (400, "invalid_grant")


@both_servers
def test_a_revoked_token_is_inactive_and_opens_nothing(server: RunningServer) -> None:
    """RFC 7009 and RFC 7662, at the endpoints that the fixture names."""
    client = server.clients["password"]
    token = {"token": password_grant(server).json["access_token"]}
    introspected = post_as(client, server.introspection_endpoint, token)
    assert introspected.json["active"] is True
    assert introspected.json["client_id"] == client.client_id

    revoked = post_as(client, server.revocation_endpoint, token)

    assert revoked.status == 200
    introspected = post_as(client, server.introspection_endpoint, token)
    assert introspected.json == {"active": False}
    assert items(server, token["token"]).status == 401


@both_servers
def test_the_resource_challenges_who_has_no_valid_token(server: RunningServer) -> None:
    """RFC 6750, section 3: 401 with a Bearer challenge that says why."""
    nothing = send("GET", f"{server.api_base}/items")
    garbage = items(server, "garbage")

    assert (nothing.status, garbage.status) == (401, 401)
    assert nothing.headers["www-authenticate"].startswith("Bearer")
    assert 'error="invalid_token"' in garbage.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("fixture", "scope"), [("django_server", "write"), ("oidc_server", "openid")]
)
def test_a_token_without_the_scope_is_insufficient(
    server: RunningServer, scope: str
) -> None:
    """RFC 6750, section 3.1: 403, for a new token would not help."""
    client = server.clients["basic"]
    form = {"grant_type": "client_credentials", "scope": scope}
    token = post_as(client, server.token_endpoint, form).json

    answer = items(server, token["access_token"])

    assert answer.status == 403
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("fixture", "path"),
    [
        ("django_server", "/.well-known/oauth-authorization-server/o"),
        ("oidc_server", "/.well-known/openid-configuration"),
    ],
)
def test_the_metadata_name_the_endpoints_of_the_fixture(
    server: RunningServer, path: str
) -> None:
    """RFC 8414, section 3, and OpenID Connect Discovery 1.0, section 4."""
    metadata = send("GET", server.base_url + path).json

    assert metadata["issuer"] == server.issuer
    for name in ("token_endpoint", "introspection_endpoint", "revocation_endpoint"):
        assert metadata[name] == getattr(server, name)


def test_whoami_is_the_user_or_nobody(django_server: RunningServer) -> None:
    """A token of the password grant has a subject; one of the client has none."""
    url = f"{django_server.api_base}/whoami"
    client = django_server.clients["basic"]
    form = {"grant_type": "client_credentials"}
    of_user = password_grant(django_server).json["access_token"]
    answer = post_as(client, django_server.token_endpoint, form)
    of_client = answer.json["access_token"]

    user = send("GET", url, authorization=f"Bearer {of_user}")
    nobody = send("GET", url, authorization=f"Bearer {of_client}")

    assert user.json == {"username": django_server.username}
    assert nobody.json == {"username": None}


def test_me_is_the_subject(oidc_server: RunningServer) -> None:
    """OpenID Connect Core 1.0, section 5.3: the userinfo endpoint of the server."""
    token = password_grant(oidc_server).json["access_token"]

    answer = send("GET", f"{oidc_server.base_url}/me", authorization=f"Bearer {token}")

    assert answer.json == {"sub": oidc_server.username}
