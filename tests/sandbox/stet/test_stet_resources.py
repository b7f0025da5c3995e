"""Accounts, balances, transactions, consents, identity, and the quota."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

NAAC_BANK = "30007"
CARD = "/accounts/CAR-13807-card"
MAIN = "/accounts/CPT-13807-main"
THERE = [("PSU-IP-Address", "192.0.2.1")]


def pages(tpp, members, token, path, version="v1.4.2"):
    """Return the transactions of all pages, and how many pages there were."""
    page = members(tpp.api(token, f"GET {path}/transactions", version=version))
    rows, count = page["transactions"], 1
    while "next" in page["_links"]:
        page = members(tpp.api(token, f"GET {page['_links']['next']['href']}"))
        rows, count = rows + page["transactions"], count + 1
    return rows, count


def test_accounts_have_the_recorded_members(tpp, members, access_token):
    """Two accounts with an IBAN, one card without."""
    answer = members(tpp.api(access_token, "GET /accounts"))
    first, second, card = answer["accounts"]

    assert first["cashAccountType"] == second["cashAccountType"] == "CACC"
    assert first["accountId"]["iban"].startswith("FR")
    assert card["accountId"]["other"]["schemeName"] == "CPAN"
    assert card["linkedAccount"] == first["resourceId"]
    assert {"resourceId", "bicFi", "name", "usage", "currency", "psuStatus"} < set(
        first
    )
    assert answer["_links"]["self"]["href"] == "/stet/psd2/v1.4.2/accounts"


def test_every_iban_is_of_a_bank_that_does_not_exist(tpp, access_token):
    """The check digits are right (ISO 13616), the bank code is 00000."""
    for iban in tpp.ibans(access_token):
        digits = "".join(str(int(each, 36)) for each in iban[4:] + iban[:4])

        assert int(digits) % 97 == 1
        assert iban[4:9] == "00000"


def test_a_customer_without_accounts_is_naac(tpp, members):
    """404, in the recorded shape: an empty list, for whoever knows."""
    other = tpp.at(NAAC_BANK)
    answer = members(other.api(other.login()["access_token"], "GET /accounts"), 404)

    assert answer == {
        "timestamp": "2030-01-01T09:00:00.000+0000",
        "status": 404,
        "error": "Not Found",
        "message": "NAAC",
        "path": "/stet/psd2/v1.4.2/accounts",
    }


def test_before_the_choice_is_sent_accounts_are_listed_and_nothing_more(
    tpp, members, access_token
):
    """Mixed mode: PUT /consents is mandatory."""
    for what in ("balances", "transactions"):
        answer = members(tpp.api(access_token, f"GET {MAIN}/{what}"), 403)

        assert "PUT /consents" in answer["message"]


def test_after_it_what_was_chosen_is_shown_and_listed(tpp, members, access_token):
    """Each account by its IBAN, and a card with its account."""
    first, second = tpp.ibans(access_token)
    answer = tpp.consent(access_token, first, transactions=[])

    assert (answer.status, answer.body) == (200, b"")
    rows = members(tpp.api(access_token, "GET /accounts"))["accounts"]
    assert [row["cashAccountType"] for row in rows] == ["CACC", "CARD"]
    assert [list(row["_links"]) for row in rows] == [["balances"], ["balances"]]
    assert tpp.api(access_token, f"GET {MAIN}/balances").status == 200
    assert tpp.api(access_token, f"GET {CARD}/balances").status == 200
    assert tpp.api(access_token, f"GET {MAIN}/transactions").status == 403

    tpp.consent(access_token, second)
    assert tpp.api(access_token, f"GET {MAIN}/balances").status == 403


def test_a_choice_survives_a_refresh(tpp, members):
    """It is the customer's, not the token's."""
    held = tpp.login()
    tpp.consent(held["access_token"], *tpp.ibans(held["access_token"]))
    renewed = members(tpp.refresh(held["refresh_token"]))["access_token"]

    assert tpp.api(renewed, f"GET {MAIN}/balances").status == 200


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"balances": "all"},
        {"balances": ["FR00"]},
        {"balances": [{"iban": "FR7600000000000000000000000"}]},
        {"transactions": [{"iban": None}]},
    ],
)
def test_a_choice_names_the_customers_accounts(tpp, access_token, body):
    """Anything else is 400."""
    assert tpp.api(access_token, "PUT /consents", body).status == 400


def test_amounts_are_texts_and_add_up(tpp, members, consented):
    """What is booked explains the closing balance, to the cent."""
    balances = members(tpp.api(consented, f"GET {MAIN}/balances"))["balances"]
    rows, _ = pages(tpp, members, consented, MAIN)
    sign = {"CRDT": 1, "DBIT": -1}
    booked = sum(
        sign[row["creditDebitIndicator"]] * Decimal(row["transactionAmount"]["amount"])
        for row in rows
        if row["status"] == "BOOK"
    )

    assert [each["balanceType"] for each in balances] == ["CLBD", "XPCD"]
    assert Decimal(balances[0]["balanceAmount"]["amount"]) == Decimal(2400) + booked


def test_there_are_120_transactions_of_60_days(tpp, members, consented):
    """Unsigned amounts, an offset without a colon, days; a card's are OTHR."""
    rows, _ = pages(tpp, members, consented, MAIN)
    rows += pages(tpp, members, consented, "/accounts/CPT-13807-second")[0]
    card, _ = pages(tpp, members, consented, CARD)

    assert len(rows + card) == 120
    for row in rows:
        assert row["bookingDate"].endswith("T00:00:00+0200")
        assert row["bookingDate"][:10] == row["valueDate"]
        assert "2029-11-02" < row["valueDate"] < "2030-01-01"
        assert re.fullmatch(r"[0-9]+\.[0-9]{2}", row["transactionAmount"]["amount"])
    assert {row["status"] for row in rows} == {"BOOK", "PDNG"}
    assert {row["status"] for row in card} == {"OTHR"}
    assert all("bookingDate" not in row for row in card)


@pytest.mark.parametrize(
    ("version", "kind"), [("v1", list), ("v1.4.2", dict), ("v1.6.2", dict)]
)
def test_remittance_information_has_two_shapes(tpp, members, consented, version, kind):
    """A list of texts in 1.4.0, an object with `unstructured` later."""
    answer = tpp.api(consented, f"GET {MAIN}/transactions", version=version)
    found = members(answer)["transactions"][0]["remittanceInformation"]

    assert isinstance(found, kind)
    texts = found if kind is list else found["unstructured"]
    assert all(isinstance(each, str) for each in texts)


def test_pages_are_followed_by_their_links(tpp, members, consented):
    """HAL: `next` until there is none; each transaction once."""
    rows, count = pages(tpp, members, consented, MAIN)
    last = members(tpp.api(consented, f"GET {MAIN}/transactions?page=4"))["_links"]

    assert (len({row["resourceId"] for row in rows}), count) == (70, 4)
    assert set(last) == {"self", "first", "last", "prev", "balances", "parent-list"}
    for page in ("0", "5", "-1", "x", "9" * 5000):
        answer = tpp.api(consented, f"GET {MAIN}/transactions?page={page}")
        assert answer.status == 400


def test_a_caisse_d_epargne_does_not_page(tpp, members):
    """Limits page: everything at once, of at most 62 days."""
    bank = tpp.at("17515")
    token = bank.login()["access_token"]
    bank.consent(token, *bank.ibans(token))
    path = "/accounts/CPT-17515-main"

    assert pages(bank, members, token, path)[1] == 1


def test_transactions_can_be_limited_by_date_and_reference(tpp, members, consented):
    """Dates as days or as BPCE wants them; the filter stays in the links."""
    whole, _ = pages(tpp, members, consented, MAIN)
    query = "?dateFrom=2029-12-01T01:01:01Z&dateTo=2029-12-20"
    answer = members(tpp.api(consented, f"GET {MAIN}/transactions{query}"))
    days = {row["valueDate"] for row in answer["transactions"]}

    assert "2029-12-01" <= min(days) <= max(days) <= "2029-12-20"
    assert "dateTo=2029-12-20" in answer["_links"]["last"]["href"]
    reference = whole[5]["entryReference"]
    query = f"?entryReferenceFrom={reference}&entryReferenceTo={reference}"
    (row,) = members(tpp.api(consented, f"GET {MAIN}/transactions{query}"))[
        "transactions"
    ]
    assert row == whole[5]
    answer = tpp.api(consented, f"GET {MAIN}/transactions?dateFrom=yesterday")
    assert answer.status == 400


def test_the_end_users_identity_is_not_everywhere(tpp, members, consented):
    """Banque Populaire has it, Caisse d'Epargne and Banque BCP have not."""
    answer = members(tpp.api(consented, "GET /end-user-identity"))
    assert answer["connectedPsu"] == "Camille Martin"

    tpp.consent(consented, psuIdentity=False)
    assert tpp.api(consented, "GET /end-user-identity").status == 403
    for code in ("17515", "12579"):
        bank = tpp.at(code)
        token = bank.login()["access_token"]
        assert bank.api(token, "GET /end-user-identity").status == 404


def test_without_the_customer_there_are_four_calls_a_day(
    tpp, members, clock, access_token
):
    """The recorded 429, in French; a new day begins a new count."""
    token = access_token
    for _ in range(4):
        assert tpp.api(token, "GET /accounts").status == 200
    answer = members(tpp.api(token, "GET /accounts"), 429)

    assert answer["message"].startswith("Limite des appels par jour dépassée")
    assert tpp.api(token, "GET /accounts", headers=THERE).status == 200
    clock.advance(15 * 3600)
    assert tpp.api(tpp.login()["access_token"], "GET /accounts").status == 200


def test_the_quota_is_counted_per_account_and_method(tpp, consented):
    """With and without dates is one method; a page that follows is free."""
    for _ in range(3):
        assert tpp.api(consented, f"GET {MAIN}/transactions").status == 200
    query = "?dateFrom=2029-12-01"
    assert tpp.api(consented, f"GET {MAIN}/transactions{query}").status == 200
    assert tpp.api(consented, f"GET {MAIN}/transactions").status == 429
    assert tpp.api(consented, f"GET {MAIN}/transactions?page=2").status == 200
    assert tpp.api(consented, f"GET {MAIN}/balances").status == 200
    assert tpp.api(consented, f"GET {CARD}/transactions").status == 200


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET /trusted-beneficiaries", 404),
        ("GET /accounts/nobody/balances", 404),
        ("DELETE /accounts", 405),
        ("GET /stet/psd2/v9/accounts", 404),
    ],
)
def test_what_does_not_exist_is_said_in_the_banks_way(
    tpp, members, access_token, line, status
):
    """The recorded shape, for our own refusals too."""
    answer = members(tpp.api(access_token, line), status)

    assert set(answer) == {"timestamp", "status", "error", "message", "path"}


def test_a_scope_opens_its_own_resources_only(tpp, members, simulator, access_token):
    """403, and a challenge names the scope; in the other family the body does, too."""
    recorded = tpp.api(access_token, "POST /payment-requests", {})
    simulator.use_errors("rfc")
    refused = tpp.api(access_token, "POST /payment-requests", {})

    assert "pisp" in members(recorded, 403)["message"]
    assert members(refused, 403)["error"] == "insufficient_scope"
    for answer in (recorded, refused):
        assert answer.header("WWW-Authenticate") == (
            'Bearer error="insufficient_scope", scope="pisp"'
        )


def test_a_request_id_comes_back(tpp, access_token):
    """As the bank echoes it."""
    sent = [("X-Request-ID", "49a17f62-6787-4042-abcd-83e9c41f575b")]
    answer = tpp.api(access_token, "GET /accounts", headers=sent)

    assert answer.header("X-Request-ID") == sent[0][1]


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}"])
def test_a_body_that_is_no_json_is_refused(tpp, access_token, body):
    """Neither cut off, nor too deep, nor a number of 5000 digits."""
    headers = [
        ("Authorization", f"Bearer {access_token}"),
        ("Content-Type", "application/json"),
    ]
    answer = tpp.send("PUT", "/stet/psd2/v1/consents", headers, body)

    assert answer.status == 400
