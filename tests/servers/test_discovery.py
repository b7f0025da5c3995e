"""Discovery at two servers that nobody here wrote: from an issuer to a DataFrame.

`oidc-provider` has the document of OpenID Connect, django-oauth-toolkit that of
RFC 8414, with the path of its issuer behind the well-known name.
"""

from __future__ import annotations

import contextlib

import pandas as pd
import pytest

import oauthmagic
from oauthmagic.errors import DiscoveryFailed

SCOPES = {"django_server": "read", "oidc_server": "api"}
OFFLINE = {"django_server": "read", "oidc_server": "openid offline_access api"}
WELL_KNOWN = {
    "django_server": "/.well-known/oauth-authorization-server/o",
    "oidc_server": "/.well-known/openid-configuration",
}
FILE = """
[provider]
name = "acme"
grants = ["client_credentials", "password", "refresh_token"]
default_grant = "password"

[environments.sandbox]
issuer = "{server.issuer}"
api_base = "{server.api_base}"
"""

both_servers = pytest.mark.parametrize("fixture", list(SCOPES))


@pytest.fixture
def server(fixture, request):
    """Return the server that the test is run against."""
    return request.getfixturevalue(fixture)


@pytest.fixture
def session():
    """Begin a session that ends with the test."""
    with contextlib.closing(oauthmagic.Session()) as session:
        yield session


def client(server, name):
    """Return the credentials of a client."""
    known = server.clients[name]
    return {"client_id": known.client_id, "client_secret": known.client_secret}


@both_servers
def test_a_file_with_an_issuer_leads_to_a_frame_and_a_refresh(
    session, server, fixture, tmp_path
):
    """Nothing is asked when it is added, and the issuer once after that."""
    path = tmp_path / "acme.toml"
    path.write_text(FILE.format(server=server))
    document = f"{server.base_url}{WELL_KNOWN[fixture]}"
    before = server.requests_to(document)
    user = {"username": server.username, "password": server.password}

    session.add(path)
    added = server.requests_to(document)
    first = session.token(
        "acme",
        scopes=OFFLINE[fixture],
        credentials=client(server, "password") | user,
    )
    frame = session.api("acme", "GET /items").frame()
    second = session.refresh("acme")

    assert added == before
    assert server.requests_to(document) == before + 1
    assert first.fingerprint != second.fingerprint
    assert session.api("acme", "GET /items").status == 200
    pd.testing.assert_frame_equal(frame, pd.DataFrame(list(server.items)))
    session.revoke("acme")
    assert session.tokens().empty


@both_servers
def test_an_issuer_alone_leads_to_a_frame(session, server, fixture):
    """Two lines: the issuer, and the client's credentials."""
    session.add(server.issuer, name="acme", api_base=server.api_base)
    session.token(
        "acme",
        scopes=SCOPES[fixture],
        grant="client_credentials",
        credentials=client(server, "basic"),
    )

    assert len(session.api("acme", "GET /items").frame()) == len(server.items)
    acme = session.provider("acme").environment("sandbox")
    assert acme.token_endpoint == server.token_endpoint
    assert acme.endpoints["issuer"] == server.issuer
    assert acme.endpoints["revocation_endpoint"] == server.revocation_endpoint
    assert session.introspect("acme").active


@both_servers
def test_the_issuer_is_written_as_the_server_writes_it(session, server):
    """A slash more is another issuer (RFC 8414, section 3.3)."""
    with pytest.raises(DiscoveryFailed, match="another issuer") as failed:
        session.add(f"{server.issuer}/", name="acme")

    assert server.issuer in str(failed.value)


@pytest.mark.parametrize("fixture", ["oidc_server"])
def test_an_issuer_without_metadata_is_told(session, server):
    """Its API is not its authorization server."""
    with pytest.raises(DiscoveryFailed, match="There is no metadata"):
        session.add(server.api_base, name="acme")
