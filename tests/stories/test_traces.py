"""What really happened is drawn: logins, renewals, replays, waits, second factors."""

from __future__ import annotations

import pytest

import oauthmagic
from oauthmagic.errors import CommandError, UserActionRequired

BANK = "stet/17515@demo"


def titles(session, target=None):
    """Return what happened, in short."""
    return [
        (each.sender, each.receiver, each.title.partition(":")[0], each.outcome[:3])
        for each in session.trace(target).exchanges
    ]


def test_a_bank_login_is_drawn_from_the_browser_to_the_revocation():
    """Mutual TLS, signature, wait, 401, renewal, replay and revocation are there."""
    with oauthmagic.Session() as session:
        with pytest.raises(UserActionRequired):
            session.api(BANK, "GET /accounts")
        session.resume(BANK, answer="accept")
        session.demo(BANK).revoke()
        session.demo(BANK).throttle(3)
        session.api(BANK, "GET /accounts")
        session.revoke(BANK)

        accounts = "GET /stet/psd2/v1.4.2/accounts"
        assert titles(session) == [
            ("notebook", "browser", "authorization request", ""),
            (
                "browser",
                "authorization server",
                "login and consent, as the browser saw it",
                "",
            ),
            ("browser", "notebook", "authorization response", ""),
            (
                "notebook",
                "authorization server",
                "token request (authorization_code)",
                "200",
            ),
            ("notebook", "API", accounts, "200"),
            ("notebook", "API", accounts, "429"),
            ("notebook", "notebook", "waited 3 s", ""),
            ("notebook", "API", accounts, "401"),
            (
                "notebook",
                "authorization server",
                "token request (refresh_token)",
                "200",
            ),
            ("notebook", "API", accounts, "200"),
            ("notebook", "authorization server", "revocation", "200"),
            ("notebook", "authorization server", "revocation", "200"),
        ]
        trace = session.trace(BANK)
    assert trace.exchanges[2].title == "authorization response: code, state"
    assert trace.exchanges[3].notes == ("mutual TLS",)
    assert trace.exchanges[4].notes == ("mutual TLS", "HTTP signature")


def test_a_second_factor_is_drawn():
    """The challenge, the attempt and the request with the proof."""
    target = "paysafe/liberty@demo"
    with oauthmagic.Session() as session:
        session.demo(target).simulator.use_sca("EMBEDDED")
        with pytest.raises(UserActionRequired):
            session.token(target, grant="password")
        session.resume(target, answer="123456")

        said = titles(session, target)
        noted = [each.notes for each in session.trace(target).exchanges]

    assert ("notebook", "authorization server", "sca", "201") in said
    assert ("proof of a second factor",) in noted


def test_no_secret_is_in_a_trace(traces_of_everything):
    """Nothing that a demo issued or let in is anywhere in it."""
    shown, secrets = traces_of_everything

    assert secrets
    assert not [secret for secret in secrets if secret in shown]


@pytest.fixture
def traces_of_everything():
    """All that traces show and keep of three demos, and what must not be in it."""
    shown, secrets = [], []
    with oauthmagic.Session() as session:
        for target in ("revsto@demo", "paysafe/liberty@demo", BANK):
            try:
                token = session.token(target)
            except UserActionRequired as error:
                url = error.pending.url
                secrets += [
                    value
                    for name, _, value in (
                        pair.partition("=") for pair in url.partition("?")[2].split("&")
                    )
                    if name in ("state", "code_challenge")
                ]
                token = session.resume(target, answer="accept")
            secrets += [token.access_token.reveal()]
            if token.refresh_token:
                secrets += [token.refresh_token.reveal()]
            secrets += [
                value
                for name, value in session.demo(target).credentials.items()
                if name in ("client_secret", "password", "private_key")
            ]
            trace = session.trace(target)
            shown += [repr(trace), repr(trace.exchanges)]
            shown += trace._repr_mimebundle_().values()
    return "\n".join(shown), secrets


def test_the_last_target_is_meant_where_none_is_named():
    """`%token trace` alone draws what was used last; nothing used is an error."""
    with oauthmagic.Session() as session:
        with pytest.raises(CommandError, match="Nothing was exchanged"):
            session.trace()
        session.token("revsto@demo", alias="mine")
        session.token("paysafe/liberty@demo")
        assert session.trace().target == "paysafe/liberty@demo"
        session.api("mine", "GET /distributor/v1/products")
        assert session.trace().target == "revsto@demo"
        assert session.trace("mine").target == "revsto@demo"


def test_a_client_of_the_library_is_drawn_as_well():
    """What goes through `Session.client` is exchanged for the target, too."""
    with oauthmagic.Session() as session, session.client("revsto@demo") as client:
        client.get("/distributor/v1/products")

        assert titles(session)[-1] == (
            "notebook",
            "API",
            "GET /api/distributor/v1/products",
            "200",
        )
