"""Credentials in the operating system's keyring: found, kept, forgotten."""

from __future__ import annotations

import keyring
import pytest
from faked_keyrings import Fake, PlaintextKeyring, Slow

from oauthmagic import Session
from oauthmagic.errors import (
    CommandError,
    EnvironmentRefused,
    KeyringMissing,
    MissingCredentials,
    StoreUnavailable,
)
from oauthmagic.transport.wire import WireResponse

SECRET = "fake-secret-from-the-keyring"
OTHER = "fake-secret-of-production"


class Server:
    """Answers every token request, and keeps what it was sent."""

    def __init__(self):
        self.bodies = []

    def send(self, request, **_):
        """Answer a request."""
        self.bodies.append((request.body or b"").decode())
        body = b'{"access_token": "fake-token-0123456789", "token_type": "Bearer"}'
        return WireResponse(
            status=200, headers=(("content-type", "application/json"),), body=body
        )

    def close(self):
        """Do nothing."""


@pytest.fixture
def backend():
    """The keyring of this machine, empty."""
    before = keyring.core._keyring_backend
    fake = Fake()
    keyring.set_keyring(fake)
    yield fake
    keyring.core._keyring_backend = before


@pytest.fixture
def server():
    """An authorization server."""
    return Server()


@pytest.fixture
def session(server, tmp_path):
    """A session that knows a provider with two environments and tenants."""
    path = tmp_path / "acme.toml"
    path.write_text(
        """
        [provider]
        name = "acme"
        grants = ["client_credentials", "password"]
        token_endpoint_auth_method = "client_secret_post"

        [environments.sandbox]
        token_endpoint = "https://sandbox.acme.example/token"
        api_base = "https://sandbox.acme.example"

        [environments.production]
        token_endpoint = "https://acme.example/token"
        api_base = "https://acme.example"
        """,
        encoding="utf-8",
    )
    session = Session(environ={}, transport=server)
    session.add(path)
    return session


def put(backend, **items):
    """Put items for acme@sandbox into a keyring."""
    for field, value in items.items():
        backend.set_password("oauthmagic", f"acme@sandbox/{field}", value)


def test_the_keyring_gives_what_nothing_else_has(backend, server, session):
    """An item is called after target and field; others may have put it there."""
    put(backend, client_id="me", client_secret=SECRET)

    session.token("acme@sandbox")

    (body,) = server.bodies
    assert "client_id=me" in body
    assert f"client_secret={SECRET}" in body


def test_what_was_found_before_it_wins(backend, server, session):
    """What is given on the call comes first, field by field."""
    put(backend, client_id="me", client_secret=SECRET)

    session.token("acme@sandbox", credentials={"client_secret": "fake-given-one"})

    assert "client_secret=fake-given-one" in server.bodies[0]
    assert "client_id=me" in server.bodies[0]


def test_a_secret_goes_with_its_own_name_only(backend, server, session):
    """Another client does not get the secret of the one in the keyring."""
    put(backend, client_id="me", client_secret=SECRET)

    with pytest.raises(MissingCredentials, match="client_secret missing"):
        session.token("acme@sandbox", credentials={"client_id": "somebody-else"})

    assert server.bodies == []


def test_one_environment_does_not_serve_another(backend, server, session):
    """What lies there for the sandbox is not found for production."""
    put(backend, client_id="me", client_secret=SECRET)

    with pytest.raises(MissingCredentials, match="acme@production"):
        session.token("acme@production")

    assert server.bodies == []


def test_a_tenant_comes_before_all_tenants(backend):
    """As with environment variables: with the tenant first, then without."""
    for name, value in (
        ("paysafe/liberty@sandbox/client_id", "liberty"),
        ("paysafe@sandbox/client_id", "any"),
        ("paysafe@sandbox/client_secret", SECRET),
    ):
        backend.set_password("oauthmagic", name, value)
    server = Server()
    session = Session(environ={}, transport=server)

    session.token("paysafe/liberty@sandbox")
    session.token("paysafe/vegas@sandbox")

    assert len(server.bodies) == 2


def test_remembered_credentials_are_found_by_the_next_session(
    backend, server, session, tmp_path
):
    """`remember` keeps what the token came by, under the target's own name."""
    given = {"client_id": "me", "client_secret": SECRET}
    session.token("acme@sandbox", credentials=given)

    kept = session.remember("acme@sandbox")
    session.forget("acme@sandbox")
    again = Session(environ={}, transport=server)
    again.add(tmp_path / "acme.toml")
    again.token("acme@sandbox")

    assert kept == ("client_id", "client_secret")
    assert sorted(name for _, name in backend.items) == [
        "acme@sandbox/client_id",
        "acme@sandbox/client_secret",
    ]
    assert f"client_secret={SECRET}" in server.bodies[1]


def test_what_is_forgotten_there_is_gone(backend, session):
    """`forget(keyring=True)` empties the keyring of one target; others stay."""
    put(backend, client_id="me", client_secret=SECRET)
    backend.set_password("oauthmagic", "acme@production/client_id", "me")
    session.token("acme@sandbox")

    assert session.forget("acme@sandbox", keyring=True) == 1

    assert list(backend.items) == [("oauthmagic", "acme@production/client_id")]
    with pytest.raises(MissingCredentials):
        session.token("acme@sandbox")
    with pytest.raises(CommandError, match="name the target"):
        session.forget(every=True, keyring=True)


def test_a_secret_of_production_is_not_remembered_for_the_sandbox(backend, session):
    """The keyring of the other environment is looked at before anything is kept."""
    backend.set_password("oauthmagic", "acme@production/client_secret", OTHER)

    with pytest.raises(EnvironmentRefused, match="acme@production"):
        session.remember(
            "acme@sandbox", credentials={"client_id": "me", "client_secret": OTHER}
        )

    assert len(backend.items) == 1


def test_a_secret_that_came_from_production_is_refused_in_the_sandbox(
    backend, server, session
):
    """What the keyring gave for one environment is known in the other."""
    backend.set_password("oauthmagic", "acme@production/client_id", "me")
    backend.set_password("oauthmagic", "acme@production/client_secret", OTHER)
    session.token("acme@production")
    session.forget("acme@production")

    with pytest.raises(EnvironmentRefused, match="acme@production"):
        session.token(
            "acme@sandbox", credentials={"client_id": "me", "client_secret": OTHER}
        )

    assert len(server.bodies) == 1


def test_a_demo_has_nothing_to_remember(backend, session):
    """Its credentials are the simulator's; nothing is written."""
    session.token("revsto@demo")

    with pytest.raises(CommandError, match="needs no credentials"):
        session.remember("revsto@demo")

    assert backend.items == {}


def test_nothing_to_remember_is_said(backend, session):
    """Where no token is held and none are given."""
    with pytest.raises(CommandError, match="no credentials of acme@sandbox"):
        session.remember("acme@sandbox")

    assert backend.items == {}


def test_a_text_that_is_too_long_is_not_half_kept(backend, session):
    """Windows keeps 2,560 bytes; the hint names a file. Nothing is written before."""
    with pytest.raises(CommandError, match="private_key is longer"):
        session.remember(
            "acme@sandbox",
            credentials={"client_id": "me", "private_key": "PRIVATE KEY " * 200},
        )

    assert backend.items == {}


@pytest.mark.usefixtures("backend")
def test_a_token_to_exchange_is_not_remembered(session):
    """It is over soon."""
    kept = session.remember(
        "acme@sandbox", credentials={"client_id": "me", "subject_token": "fake-subject"}
    )

    assert kept == ("client_id",)


@pytest.mark.parametrize(
    "chosen", [keyring.backends.fail.Keyring(), PlaintextKeyring()]
)
@pytest.mark.usefixtures("backend")
def test_without_a_keyring_nothing_is_said_of_it(session, chosen):
    """A missing keyring is no source and no error; remembering is one."""
    keyring.set_keyring(chosen)

    with pytest.raises(MissingCredentials) as missing:
        session.token("acme@sandbox")
    with pytest.raises(KeyringMissing):
        session.remember("acme@sandbox", credentials={"client_id": "me"})

    assert missing.value.hint.startswith("Any of these ways")


@pytest.mark.usefixtures("backend")
def test_a_keyring_that_does_not_answer_is_named_where_nobody_can_be_asked():
    """Among the remedies, first; with a prompt the user is simply asked."""
    keyring.set_keyring(Slow())
    session = Session(environ={})
    session._remembered._keyring._patience = 0.2
    asked = []

    def prompt(label, _):
        asked.append(label)
        return ""

    with pytest.raises(MissingCredentials) as alone:
        session.token("revsto@sandbox")
    session.prompt = prompt
    with pytest.raises(MissingCredentials, match="No client_id was entered"):
        session.token("revsto@sandbox")

    assert alone.value.hint.startswith("The keyring did not answer within")
    assert len(asked) == 1


def test_a_locked_keyring_is_no_error_where_all_is_given(backend, server, session):
    """It is not even asked."""
    backend.broken = RuntimeError("locked")

    session.token(
        "acme@sandbox", credentials={"client_id": "me", "client_secret": SECRET}
    )

    assert len(server.bodies) == 1
    with pytest.raises(StoreUnavailable):
        session.forget("acme@sandbox", keyring=True)
    assert session.show("acme@sandbox")


def test_a_binder_leaves_the_keyring_alone(backend, server):
    """Neither read nor written, on a machine that is open to the world."""
    backend.set_password("oauthmagic", "revsto@sandbox/client_id", "me")
    session = Session(environ={"BINDER_REQUEST": "1"}, transport=server)

    with pytest.raises(MissingCredentials, match="client_id, client_secret"):
        session.token("revsto@sandbox")
    with pytest.raises(EnvironmentRefused):
        session.remember("revsto@sandbox", credentials={"client_id": "me"})


def test_a_shared_token_is_renewed_with_the_secret_of_the_keyring(
    backend, server, session
):
    """A kernel that did not get the token itself finds the client's secret there."""
    put(backend, client_id="me", client_secret=SECRET)
    session.adopt(
        "acme@sandbox",
        {"refresh_token": "fake-refresh-0123456789"},
        credentials={"client_id": "me"},
    )

    session.refresh("acme@sandbox")

    assert f"client_secret={SECRET}" in server.bodies[0]
    assert "grant_type=refresh_token" in server.bodies[0]
