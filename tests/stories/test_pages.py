"""`--all`: every page of a list, by each provider's own way."""

import pytest

from oauthmagic import Session


def test_every_transaction_of_revsto():
    """Three pages of 25, one frame of 60 rows."""
    session = Session(environ={})

    reply = session.api(
        "revsto@demo", "GET /distributor/v1/transactions?limit=25", every_page=True
    )

    assert [len(page.json()["items"]) for page in (reply, *reply.pages)] == [25, 25, 10]
    assert len(reply.frame()) == 60
    assert reply.frame()["id"].is_unique


def test_every_transaction_of_an_account_by_hal_links():
    """The customer consented to it before."""
    session = Session(environ={})
    with pytest.raises(Exception, match="log in"):
        session.token("stet/13807@demo")
    session.resume(answer="accept")
    accounts = session.api("stet/13807@demo", "GET /accounts").json()["accounts"]
    account = next(each for each in accounts if "iban" in each["accountId"])
    iban = account["accountId"]["iban"]
    session.api(
        "stet/13807@demo",
        'PUT /consents\nPSU-IP-Address: 192.0.2.1\n\n{"balances":[{"iban":"{{iban}}"}],'
        '"transactions":[{"iban":"{{iban}}"}],"trustedBeneficiaries":false,'
        '"psuIdentity":false}',
        variables={"iban": iban},
    )

    first = f"GET /accounts/{account['resourceId']}/transactions"
    one = session.api("stet/13807@demo", f"{first}\nPSU-IP-Address: 192.0.2.1")
    every = session.api(
        "stet/13807@demo", f"{first}\nPSU-IP-Address: 192.0.2.1", every_page=True
    )

    assert one.status == 200, one.text
    assert len(every.frame()) > len(one.frame())
    assert every.frame()["resourceId"].is_unique


def test_every_wallet_transaction():
    """By `meta`, with the limit that was asked for."""
    session = Session(environ={})

    request = "GET /v1/transactions?limit=5"
    reply = session.api("paysafe/liberty@demo", request, every_page=True)

    assert reply.pages
    assert len(reply.frame()) == reply.json()["meta"]["total"]
