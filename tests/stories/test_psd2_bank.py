"""A bank with PSD2: consent by redirect, the customer's choice, refreshes, the end."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from oauthmagic import Session, UserActionRequired
from oauthmagic.errors import (
    AccessDenied,
    CommandError,
    InvalidGrant,
    LoginRequired,
    WrongState,
)

BANK = "stet/17515@demo"
OTHER = "stet/13807@demo"
DAY = 86_400


@pytest.fixture
def session():
    """A session that knows nobody."""
    return Session(environ={})


@pytest.fixture
def demo(session):
    """The banks' side."""
    return session.demo(BANK)


def ask(session, target=BANK, **wish):
    """Ask for a token and return what waits for the customer."""
    with pytest.raises(UserActionRequired) as asked:
        session.token(target, **wish)
    return asked.value.pending


def log_in(session, target=BANK, **wish):
    """Have the customer accept and return the token."""
    ask(session, target, **wish)
    return session.resume(target, answer="accept")


def query_of(url):
    """Return the parameters of a URL."""
    return {name: each for name, (each,) in parse_qs(urlsplit(url).query).items()}


def seen_since(demo, count):
    """Return method, last part of the path and status of what was asked since."""
    return [
        (each.method, each.path.rpartition("/")[2], each.status)
        for each in demo.simulator.requests[count:]
    ]


def choose(session, target=BANK):
    """Send the customer's choice: everything of the first account; return its id."""
    account = session.api(target, "GET /accounts").json()["accounts"][0]
    rows = '[{"iban": "{{iban}}"}]'
    reply = session.api(
        target,
        "PUT /consents\nContent-Type: application/json\n\n"
        f'{{"balances": {rows}, "transactions": {rows}}}',
        variables={"iban": account["accountId"]["iban"]},
    )
    assert reply.ok
    return account["resourceId"]


def test_the_eight_steps_end_in_transactions(session):
    """Bank, redirect, consent, code, token, choice, balances, transactions."""
    pending = ask(session)
    asked = query_of(pending.url)
    assert pending.kind == "redirect"
    assert asked["scope"] == "aisp"
    assert asked["code_challenge_method"] == "S256"

    token = session.resume(BANK, answer="accept")
    assert {"aisp"} <= token.scopes
    account = choose(session)
    balances = session.api(BANK, f"GET /accounts/{account}/balances")
    transactions = session.api(BANK, f"GET /accounts/{account}/transactions")

    assert balances.frame("balances")["balanceAmount.currency"].eq("EUR").all()
    assert len(transactions.frame("transactions")) == 70


def test_before_the_choice_accounts_are_listed_and_nothing_else(session):
    """The mixed rule; the reply says what is missing and who can give it."""
    log_in(session)

    accounts = session.api(BANK, "GET /accounts").json()["accounts"]
    refused = session.api(BANK, f"GET /accounts/{accounts[0]['resourceId']}/balances")

    assert len(accounts) == 3
    assert refused.status == 403
    assert "PUT /consents" in refused.hint


@pytest.mark.parametrize("answer", ["refuse", "timeout"])
def test_a_consent_that_is_not_given_leaves_nothing(session, answer):
    """No token, and nothing waits any more."""
    ask(session)

    with pytest.raises(AccessDenied, match="customer") as refused:
        session.resume(BANK, answer=answer)

    assert "start anew" in refused.value.hint
    with pytest.raises(CommandError, match="Nothing waits"):
        session.resume(BANK, answer="accept")
    assert session.tokens().empty


def test_a_pasted_url_completes_the_login(session, demo):
    """The way that works everywhere."""
    pending = ask(session)

    token = session.resume(answer=f" {demo.decide(pending.url, 'accept')}\n")

    assert token.target == BANK


def test_a_url_of_another_login_leaves_this_one_waiting(session, demo):
    """Somebody else's state proves nothing; the right URL still works."""
    pending = ask(session)
    right = demo.decide(pending.url, "accept")

    with pytest.raises(WrongState):
        session.resume(BANK, answer=right.replace("state=", "state=x"))

    assert session.resume(BANK, answer=right)


def test_two_logins_wait_side_by_side(session, demo):
    """Two banks are two logins and two tokens; each URL answers its own."""
    first, second = ask(session, BANK), ask(session, OTHER)
    redirected = {
        each.target: demo.decide(each.url, "accept") for each in (first, second)
    }

    with pytest.raises(CommandError, match="More than one"):
        session.resume(answer=redirected[BANK])
    with pytest.raises(WrongState):
        session.resume(BANK, answer=redirected[OTHER])
    tokens = [session.resume(name, answer=url) for name, url in redirected.items()]

    assert tokens[0].fingerprint != tokens[1].fingerprint
    assert list(session.tokens()["target"]) == [BANK, OTHER]


def test_the_same_wish_is_the_same_login(session):
    """Running the cell again opens no second page; another wish is another login."""
    first = ask(session)

    assert ask(session).url == first.url
    assert ask(session, scopes=["aisp", "cbpii"]).url != first.url


def test_a_waiting_request_is_sent_when_the_customer_is_back(session):
    """What `resume` returns is what the cell would have."""
    with pytest.raises(UserActionRequired):
        session.api(BANK, "GET /accounts")

    reply = session.resume(BANK, answer="accept")

    assert (reply.status, len(reply.frame("accounts"))) == (200, 3)


def test_a_code_is_used_once(session, demo):
    """The second use is refused, and ends what the first had given."""
    pending = ask(session)
    redirected = demo.decide(pending.url, "accept")
    session.resume(BANK, answer=redirected)
    again = query_of(ask(session, fresh=True).url)["state"]

    with pytest.raises(InvalidGrant) as refused:
        session.resume(
            BANK, answer=redirected.replace(query_of(pending.url)["state"], again)
        )

    assert "used once" in refused.value.hint
    with pytest.raises(UserActionRequired):
        session.api(BANK, "GET /accounts")


def test_a_code_lives_a_minute(session, demo):
    """Whoever pastes later starts anew."""
    redirected = demo.decide(ask(session).url, "accept")
    demo.advance(61)

    with pytest.raises(InvalidGrant):
        session.resume(BANK, answer=redirected)


def test_a_login_waits_ten_minutes(session, demo):
    """Later it is over."""
    ask(session)
    demo.advance(601)

    with pytest.raises(CommandError, match="time for this is over"):
        session.resume(BANK, answer="accept")


def test_a_401_without_a_challenge_is_answered_by_one_refresh_and_one_replay(
    session, demo
):
    """The bank's body is not OAuth's, and there is no `WWW-Authenticate`."""
    log_in(session)
    demo.revoke()
    count = len(demo.simulator.requests)

    reply = session.api(BANK, "GET /accounts")

    assert reply.ok
    assert "sent once more" in reply.note
    assert seen_since(demo, count) == [
        ("GET", "accounts", 401),
        ("POST", "token", 200),
        ("GET", "accounts", 200),
    ]


def test_a_token_is_one_banks(session, demo):
    """Another bank refuses it, and its refresh token: no loop, one attempt each."""
    token = log_in(session)
    session.adopt(OTHER, token)
    count = len(demo.simulator.requests)

    with pytest.raises(LoginRequired, match="stet/13807@demo"):
        session.api(OTHER, "GET /accounts")

    assert seen_since(demo, count) == [
        ("GET", "accounts", 401),
        ("POST", "token", 400),
    ]


def test_after_ninety_days_the_customer_must_come_again(session, demo):
    """Refreshes do not move the end, and then there is a new redirect."""
    log_in(session)
    for _ in range(2):
        demo.advance(44 * DAY)
        assert session.api(BANK, "GET /accounts").ok
    demo.advance(3 * DAY)

    with pytest.raises(UserActionRequired) as over:
        session.api(BANK, "GET /accounts")

    assert over.value.pending.kind == "redirect"
    assert session.resume(BANK, answer="accept").status == 200


def test_without_the_customer_there_are_four_calls_a_day(session):
    """The customer's address, sent while the customer is there, lifts the quota."""
    log_in(session)

    statuses = [session.api(BANK, "GET /accounts").status for _ in range(5)]
    present = session.api(BANK, "GET /accounts\nPSU-IP-Address: 192.0.2.1")

    assert statuses == [200] * 4 + [429]
    assert present.status == 200


def test_a_missing_scope_is_named_with_the_line_that_asks_for_it(session):
    """What the token has is asked for again, what cannot be asked for is not."""
    log_in(session)

    reply = session.api(BANK, "POST /funds-confirmations")

    assert reply.status == 403
    assert f"Missing scope: cbpii. Ask for it: %token {BANK} --scope aisp cbpii" in (
        reply.hint
    )


def test_funds_are_confirmed_with_the_scope_for_it(session):
    """Yes or no, and no balance."""
    log_in(session, scopes=["aisp", "cbpii"])
    account = session.api(BANK, "GET /accounts").json()["accounts"][0]

    answers = [
        session.api(
            BANK,
            "POST /funds-confirmations\nContent-Type: application/json\n\n"
            '{"paymentCoverageRequestId": "one", "accountId": {"iban": "{{iban}}"},'
            ' "instructedAmount": {"currency": "EUR", "amount": "{{amount}}"}}',
            variables={"iban": account["accountId"]["iban"], "amount": amount},
        ).json()["result"]
        for amount in ("1.00", "999999.00")
    ]

    assert answers == [True, False]


def test_every_scope_of_a_bank_can_be_asked_for_at_once():
    """Without the one that these banks refuse."""
    session = Session(environ={})
    scopes = session.offered_scopes(BANK)

    with pytest.raises(UserActionRequired):
        session.token(BANK, scopes=scopes)

    assert "extended_transaction_history" not in scopes
    assert set(scopes) <= session.resume(BANK, answer="accept").scopes_requested


def test_certificates_are_looked_at_before_there_is_a_token():
    """Those that are given, not those of the demo."""
    session = Session(environ={})
    demo = session.demo(BANK).credentials
    given = {**demo, "client_id": "PSDFR-ACPR-99999"}

    checks = session.preflight(BANK, credentials=given)

    assert not checks.set_index("check").loc["QWAC: client_id", "ok"]
    assert session.preflight(BANK)["ok"].all()
    assert session.preflight("revsto@demo") is None
