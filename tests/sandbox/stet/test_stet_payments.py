"""Funds confirmations, and payment requests up to the customer's answer."""

from __future__ import annotations

import pytest

REPORTS = {
    "acceptedAuthenticationApproach": ["REDIRECT"],
    "successfulReportUrl": "https://tpp.demo.invalid/paid",
    "unsuccessfulReportUrl": "https://tpp.demo.invalid/not-paid",
}
PAYMENT = {
    "paymentInformationId": "DEMO-1",
    "chargeBearer": "SLEV",
    "creditTransferTransaction": [
        {"instructedAmount": {"currency": "EUR", "amount": "12.50"}}
    ],
    "supplementaryData": REPORTS,
}


def funds(iban, amount):
    """Return the body of a funds confirmation."""
    return {
        "paymentCoverageRequestId": "DEMO-1",
        "instructedAmount": {"currency": "EUR", "amount": amount},
        "accountId": {"iban": iban},
    }


def own_token(tpp, members, scope):
    """Return a token that the client got by itself."""
    answer = tpp.token(grant_type="client_credentials", scope=scope)
    return members(answer)["access_token"]


@pytest.mark.parametrize(
    ("amount", "result"), [("0.01", True), ("12", True), ("999999.99", False)]
)
@pytest.mark.parametrize("scope", ["cbpii", "piisp"])
def test_funds_are_there_or_not(tpp, members, access_token, scope, amount, result):
    """The request comes back with a boolean; both names of the scope will do."""
    body = funds(tpp.ibans(access_token)[0], amount)
    token = tpp.login(scope=scope)["access_token"]
    answer = members(tpp.api(token, "POST /funds-confirmations", body))

    assert (answer["request"], answer["result"]) == (body, result)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ([], 400),
        (funds("FR00", "1"), 404),
        (funds("FR00", 1), 400),
        (funds("FR00", "-1"), 400),
        (funds("FR00", "1e9"), 400),
    ],
)
def test_a_funds_confirmation_has_account_and_amount(tpp, members, body, status):
    """An amount is a text without sign or exponent."""
    token = own_token(tpp, members, "cbpii")

    assert tpp.api(token, "POST /funds-confirmations", body).status == status


@pytest.mark.parametrize(
    ("decision", "status", "location"),
    [
        ("accept", "ACSC", REPORTS["successfulReportUrl"]),
        ("refuse", "RJCT", REPORTS["unsuccessfulReportUrl"]),
        ("timeout", "RJCT", None),
    ],
)
def test_a_payment_waits_for_its_customer(tpp, members, decision, status, location):
    """201 with the page's address; a timeout comes back nowhere (limits page)."""
    token = own_token(tpp, members, "pisp")
    created = tpp.api(token, "POST /payment-requests", PAYMENT)
    page = members(created, 201)["_links"]["consentApproval"]["href"]
    where = created.header("Location")

    assert page.startswith(f"{tpp.origin}/stet/psd2/payments/approval?")
    assert b"12.50 EUR" in tpp.showing(None).send("GET", page).body
    assert tpp.simulator.decide(page, decision) == location
    found = members(tpp.api(token, f"GET {where}"))["paymentRequest"]
    assert found["paymentInformationStatus"] == status
    assert tpp.simulator.decide(page, "accept") is None


@pytest.mark.parametrize(
    "change",
    [
        {"chargeBearer": "SHAR"},
        {"creditTransferTransaction": []},
        {"creditTransferTransaction": [{}]},
        {"supplementaryData": {}},
        {"supplementaryData": {**REPORTS, "successfulReportUrl": "javascript:x"}},
        {"supplementaryData": {**REPORTS, "successfulReportUrl": "http://127.evil"}},
    ],
)
def test_a_payment_says_who_pays_what_and_where_to_go(tpp, members, change):
    """Only SLEV is a chargeBearer (limits page); addresses must be ones."""
    token = own_token(tpp, members, "pisp")

    answer = tpp.api(token, "POST /payment-requests", {**PAYMENT, **change})
    assert answer.status == 400


def test_a_payment_is_its_clients_and_its_banks(tpp, members):
    """A number that was guessed leads nowhere."""
    token = own_token(tpp, members, "pisp")
    created = tpp.api(token, "POST /payment-requests", PAYMENT)
    where = created.header("Location")
    other = tpp.at("17515")

    assert other.api(own_token(other, members, "pisp"), f"GET {where}").status == 404
    assert tpp.api(token, "GET /payment-requests/nothing").status == 404
