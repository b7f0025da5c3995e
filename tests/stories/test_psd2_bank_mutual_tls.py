"""The same bank over loopback, with mutual TLS as the real ones have it."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from oauthmagic import Session, UserActionRequired
from oauthmagic.errors import (
    InvalidClient,
    MissingCredentials,
    PreflightFailed,
    TlsError,
    UnauthorizedClient,
)
from oauthmagic.providers.environments import SandboxEnvironment
from oauthmagic.providers.stet import PROVIDER
from oauthmagic.sandbox.serving import serve
from oauthmagic.sandbox.stet import create

BANK = "bank/13807@sandbox"
NUMBER = "PSDFR-ACPR-13807"


def real_clock():
    """Return the real time: TLS knows no other."""
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def bank():
    """Simulate the banks with keys of their own; every call must be signed."""
    bank = create(real_clock, random.Random(1), fresh_keys=True)  # noqa: S311 - reproducible
    bank.use(signatures="required")
    return bank


@pytest.fixture(scope="module")
def server(bank):
    """Serve them to third parties with certificates of their authority."""
    authority = bank.authority.certificate
    with serve(bank.wsgi_app, clock=real_clock, client_authority=authority) as server:
        yield server


@pytest.fixture(scope="module")
def provider(server):
    """Describe what is served, as the built-in provider is described."""

    def moved(url):
        return url.replace(
            "https://www.{tenant}.stet.demo.invalid", f"{server.url}/{{tenant}}"
        )

    demo = PROVIDER.environments["demo"]
    served = SandboxEnvironment(
        token_endpoint=moved(demo.token_endpoint),
        api_base=moved(demo.api_base),
        endpoints={name: moved(url) for name, url in demo.endpoints.items()},
        ca_file=str(server.ca_file),
    )
    return replace(PROVIDER, name="bank", environments={"sandbox": served})


@pytest.fixture
def session_of():
    """Make sessions that know a provider; close them in the end."""
    made = []

    def session_of(provider):
        session = Session(environ={})
        made.append(session)
        session._worlds.catalogue.add(provider)
        return session

    yield session_of
    for session in made:
        session.close()


@pytest.fixture(scope="module")
def certificates(bank):
    """Issue certificates, by what is wrong with them."""
    issue, ended = bank.authority.issue, real_clock() - timedelta(hours=1)
    return {
        "of another provider": issue("QWAC", "PSDFR-ACPR-99999", ["PSP_AI"]),
        "without the role": issue("QWAC", NUMBER, ["PSP_PI"]),
        "expired": issue("QWAC", NUMBER, ["PSP_AI"], not_after=ended),
    }


def showing(bank, issued):
    """Return the credentials with another QWAC."""
    return {
        **bank.CREDENTIALS,
        "certificate": issued.certificate.decode(),
        "private_key": issued.private_key.decode(),
    }


def log_in(session, bank, credentials):
    """Have the customer accept in a browser, and paste where that led."""
    with pytest.raises(UserActionRequired) as asked:
        session.token(BANK, credentials=credentials)
    return session.resume(BANK, answer=bank.decide(asked.value.pending.url, "accept"))


def test_the_right_certificate_gets_through_the_whole_flow(bank, provider, session_of):
    """Redirect, token, signed calls, choice, transactions, refresh, revocation."""
    session = session_of(provider)
    token = log_in(session, bank, bank.CREDENTIALS)
    account = session.api(BANK, "GET /accounts").json()["accounts"][0]
    chosen = session.api(
        BANK,
        "PUT /consents\nContent-Type: application/json\n\n"
        '{"transactions": [{"iban": "{{iban}}"}]}',
        variables={"iban": account["accountId"]["iban"]},
    )
    bank.revoke()
    path = f"GET /accounts/{account['resourceId']}/transactions"
    transactions = session.api(BANK, path)

    assert chosen.status == 200
    assert len(transactions.frame("transactions")) == 20
    assert "sent once more" in transactions.note
    assert session.refresh(BANK).fingerprint != token.fingerprint
    session.revoke(BANK)
    assert session.tokens().empty


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("of another provider", "no match with 'PSDFR-ACPR-13807'"),
        ("without the role", "role for aisp: PSP_PI"),
        ("expired", "ended"),
    ],
)
def test_what_the_bank_would_refuse_is_seen_before_the_first_byte(
    bank, provider, session_of, certificates, name, why
):
    """The customer is not troubled, and the bank hears nothing."""
    session, before = session_of(provider), len(bank.requests)

    with pytest.raises(PreflightFailed, match=why) as failed:
        session.token(BANK, credentials=showing(bank, certificates[name]))

    assert failed.value.hint
    assert len(bank.requests) == before


def test_without_a_certificate_nothing_begins(bank, provider, session_of):
    """Both parts are asked for by name."""
    none = {**bank.CREDENTIALS, "certificate": "", "private_key": ""}

    with pytest.raises(MissingCredentials, match="certificate, private_key missing"):
        session_of(provider).token(BANK, credentials=none)


@pytest.mark.parametrize(
    ("name", "refusal", "hint"),
    [
        ("of another provider", InvalidClient, "authorization number with client_id"),
        ("without the role", UnauthorizedClient, "roles with the scope"),
        ("expired", TlsError, "not valid today"),
    ],
)
def test_the_bank_itself_refuses_them_too(
    bank, provider, session_of, certificates, name, refusal, hint
):
    """Without the preflight: the first two in HTTP, the third late, in TLS."""
    session = session_of(replace(provider, preflight=None))

    with pytest.raises(refusal) as refused:
        log_in(session, bank, showing(bank, certificates[name]))

    assert hint in refused.value.hint
    assert session.tokens().empty


def test_a_late_refusal_for_want_of_a_certificate_says_so(bank, provider, session_of):
    """Under TLS 1.3 the alert comes after the request; it is no lost connection."""
    blind = replace(provider, preflight=None, token_endpoint_auth_method="none")
    none = {**bank.CREDENTIALS, "certificate": "", "private_key": ""}

    with pytest.raises(TlsError, match="CERTIFICATE_REQUIRED") as refused:
        log_in(session_of(blind), bank, none)

    assert "QWAC" in refused.value.hint
    assert refused.value.sent == "unknown"
