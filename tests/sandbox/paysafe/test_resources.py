"""Wallets: who sees what, pages, money."""

from __future__ import annotations

import pytest

from oauthmagic.sandbox.paysafe_clients import APP_CONFIGURATION

TRANSFER = {
    "sourceAccountId": "300101",
    "destinationAccountId": "300103",
    "amount": 1250,
    "currencyCode": "EUR",
}
WITHDRAWAL = {"accountId": "300101", "amount": 500, "currencyCode": "EUR"}


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_list_has_its_plural_and_meta(client, answers, access_token, version):
    """The members of `meta` are our invention."""
    line = f"GET /{version}/customers?limit=2&offset=1"
    answer = answers.members(client.api(access_token, line))

    assert [row["id"] for row in answer["customers"]] == ["200102", "200103"]
    assert answer["meta"] == {"limit": 2, "offset": 1, "total": 3}


def test_an_account_has_the_documented_members(client, answers, access_token):
    """Balances are whole minor units, times are UTC with Z."""
    line = "GET /v1/customers/200101/accounts"
    accounts = answers.members(client.api(access_token, line))["accounts"]

    assert list(accounts[0]) == [
        "id",
        "customerId",
        "externalId",
        "currencyCode",
        "totalBalance",
        "availableBalance",
        "virtualInstruments",
        "creationTime",
    ]
    assert [each["currencyCode"] for each in accounts] == ["EUR", "GBP"]
    assert accounts[0]["creationTime"] == "2029-10-03T00:00:00Z"


def test_balances_are_the_sum_of_transactions(client, answers, access_token):
    """What an analyst checks first."""
    rows = answers.members(client.api(access_token, "GET /v1/transactions?limit=100"))
    balances = {}
    for row in rows["transactions"]:
        signed = row["amount"] if row["direction"] == "CREDIT" else -row["amount"]
        identifier = row["accountId"]
        balances[identifier] = balances.get(identifier, 0) + signed

    assert rows["meta"]["total"] == 60
    for identifier, balance in balances.items():
        line = f"GET /v1/accounts/{identifier}"
        account = answers.members(client.api(access_token, line))
        assert account["totalBalance"] == balance > 0


def test_transactions_come_newest_first(client, answers, access_token):
    """And can be those of one account."""
    line = "GET /v1/transactions?accountId=300102&limit=100"
    rows = answers.members(client.api(access_token, line))["transactions"]
    times = [row["creationTime"] for row in rows]

    assert times == sorted(times, reverse=True)
    assert {row["accountId"] for row in rows} == {"300102"}
    assert client.api(access_token, f"GET /v1/transactions/{rows[0]['id']}").status == (
        200
    )


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=-1", "limit"), ("offset=x", "offset")],
)
def test_a_wrong_page_names_its_field(client, answers, access_token, query, field):
    """400, never 422."""
    answer = answers.members(
        client.api(access_token, f"GET /v1/customers?{query}"), 400
    )

    assert answer["error"]["fieldErrors"][0]["field"] == field


def test_a_page_has_at_most_a_hundred_rows(client, answers, access_token):
    """More are not refused, there are fewer."""
    answer = answers.members(client.api(access_token, "GET /v1/customers?limit=5000"))

    assert answer["meta"]["limit"] == 100


def test_a_users_token_is_for_one_wallet(client, answers, user):
    """Others do not exist for it."""
    token = user["access_token"]
    rows = answers.members(client.api(token, "GET /v1/customers"))["customers"]

    assert [row["id"] for row in rows] == ["200101"]
    for line in (
        "GET /v1/customers/200102",
        "GET /v1/customer-persons/200102",
        "GET /v1/customers/200102/accounts",
        "GET /v1/accounts/300103",
    ):
        assert client.api(token, line).status == 404
    assert client.api(token, "POST /v1/wallets", {}).status == 403


def test_a_configuration_token_sees_no_wallet(client, answers):
    """It is for an app before a user is known."""
    pair = APP_CONFIGURATION.client_id, APP_CONFIGURATION.client_secret
    token = answers.members(client.token(authorization=client.basic(*pair)))
    response = client.api(token["access_token"], "GET /v1/customers")

    assert answers.error(response, 403) == "DW-FORBIDDEN"


def test_a_brand_has_its_own_customers(client, answers):
    """The token says which; there is no brand in these paths."""
    token = answers.members(client.token(brand="aurora"))["access_token"]
    rows = answers.members(client.api(token, "GET /v1/customers"))["customers"]

    assert [row["id"] for row in rows] == ["200201"]


def test_a_transfer_moves_money(client, simulator, answers, access_token):
    """From one balance to the other, with a transaction on each side."""
    simulator.use_sca("OFF")

    def balance(identifier):
        line = f"GET /v1/accounts/{identifier}"
        return answers.members(client.api(access_token, line))["availableBalance"]

    before = balance("300101"), balance("300103")
    line = "POST /v2/transactions/transfers"
    answers.members(client.api(access_token, line, TRANSFER), 201)

    assert (balance("300101"), balance("300103")) == (
        before[0] - 1250,
        before[1] + 1250,
    )
    rows = answers.members(client.api(access_token, "GET /v1/transactions?limit=2"))
    assert [row["direction"] for row in rows["transactions"]] == ["CREDIT", "DEBIT"]


def test_a_withdrawal_and_a_deposit_are_booked(
    client, simulator, answers, access_token
):
    """A deposit needs no authentication."""
    line = "POST /v1/transactions/withdrawals"
    assert client.api(access_token, line, WITHDRAWAL).status == 401

    simulator.use_sca("OFF")
    taken = answers.members(client.api(access_token, line, WITHDRAWAL), 201)
    line = "POST /v1/transactions/deposits"
    given = answers.members(client.api(access_token, line, WITHDRAWAL), 201)

    assert [taken["type"], given["type"]] == ["WITHDRAWAL", "DEPOSIT"]
    assert int(given["id"]) == int(taken["id"]) + 1


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"amount": 999_999}, "DW-TRANSFER-NOT-ENOUGH-BALANCE"),
        ({"amount": 1_000_001}, "DW-TRANSFER-LIMIT-EXCEEDED"),
        ({"sourceAccountId": "999999"}, "DW-ACCOUNT-NOT-FOUND"),
    ],
)
def test_a_transfer_is_refused_before_anybody_is_asked(
    client, answers, access_token, changed, code
):
    """No code is sent for what cannot be done."""
    line = "POST /v1/transactions/transfers"
    response = client.api(access_token, line, {**TRANSFER, **changed})

    assert answers.error(response, response.status) == code
    assert response.status in (400, 404)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": "1250"}, "amount"),
        ({"amount": 12.5}, "amount"),
        ({"currencyCode": "GBP"}, "currencyCode"),
        ({"currencyCode": "eur"}, "currencyCode"),
        ({"destinationAccountId": "300101"}, "destinationAccountId"),
        ({"destinationAccountId": "300102"}, "destinationAccountId"),
        ({"sourceAccountId": None}, "sourceAccountId"),
        ({"description": ""}, "description"),
    ],
)
def test_a_wrong_transfer_names_its_field(
    client, answers, access_token, changed, field
):
    """400 with `fieldErrors`."""
    line = "POST /v1/transactions/transfers"
    response = client.api(access_token, line, {**TRANSFER, **changed})

    assert [
        each["field"] for each in answers.members(response, 400)["error"]["fieldErrors"]
    ] == [field]


def test_a_wallet_is_a_customer_with_an_account(client, answers, access_token):
    """And more accounts can be opened."""
    body = {
        "firstName": "Elin",
        "lastName": "Berg",
        "email": "elin@demo.invalid",
        "currencyCode": "EUR",
    }
    made = answers.members(client.api(access_token, "POST /v2/wallets", body), 201)
    customer = made["customer"]["id"]
    line = f"POST /v2/customers/{customer}/accounts"
    answers.members(client.api(access_token, line, {"currencyCode": "USD"}), 201)
    line = f"GET /v2/customers/{customer}/accounts"
    accounts = answers.members(client.api(access_token, line))["accounts"]

    assert [each["currencyCode"] for each in accounts] == ["EUR", "USD"]
    assert [each["totalBalance"] for each in accounts] == [0, 0]


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(client, answers, access_token, body):
    """400, whatever it is."""
    response = client.api(access_token, "POST /v1/wallets", body)

    assert answers.error(response) == "DW-BAD-REQUEST"
