from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

import pytest

from oauthmagic.sandbox.clocks import START
from oauthmagic.sandbox.revsto_data import iban


@pytest.fixture
def api(client, access_token):
    """Send an authorized request; return status and JSON."""

    def send(line, body=None):
        response = client.api(access_token, line, body)
        return response.status, json.loads(response.body)

    return send


def test_the_documented_product_is_there(api):
    """The page's sample row, member by member."""
    status, answer = api("GET /products")

    assert status == 200
    assert list(answer) == ["items", "count", "limit", "offset", "sort"]
    assert answer["items"][0] == {
        "id": "235",
        "type": "CURRENT",
        "currency": "EUR",
        "name": "REVSTO_TESTING EUR",
        "profiles": [306, 309],
    }
    assert (answer["limit"], answer["offset"], answer["sort"]) == (20, 0, "+id")
    assert answer["count"] == len(answer["items"]) >= 6
    assert len({row["currency"] for row in answer["items"]}) >= 3
    assert len({row["type"] for row in answer["items"]}) >= 3


def test_delegate_profiles_have_an_owner(api):
    """The page: delegate rows carry `owner`."""
    _, answer = api("GET /users/profiles")
    owned = [row for row in answer["items"] if "owner" in row]

    assert answer["items"][0]["id"] == "306"
    assert answer["items"][0]["role"] == "Company"
    assert owned
    assert all(row["owner"]["id"] in ("306", "309") for row in owned)


def test_pages_cover_all_rows_once(api):
    """Following `offset` until `count` gives every transaction."""
    seen, offset, count = [], 0, 1
    while offset < count:
        _, page = api(f"GET /transactions?limit=7&offset={offset}")
        seen += [row["id"] for row in page["items"]]
        offset, count = offset + len(page["items"]), page["count"]

    assert len(seen) == len(set(seen)) == count == 60


@pytest.mark.parametrize(
    ("query", "first", "sort"),
    [
        ("sort=-id", "251", "-id"),
        ("sort=%2Bid", "235", "+id"),
        ("sort=+id", "235", "+id"),
        ("offset=2", "237", "+id"),
    ],
)
def test_rows_are_sorted_as_asked(api, query, first, sort):
    """A plus sign that is not percent-encoded is understood as well."""
    _, answer = api(f"GET /products?{query}")

    assert answer["items"][0]["id"] == first
    assert answer["sort"] == sort


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("offset=1.5", "offset"),
        ("sort=name", "sort"),
    ],
)
def test_a_wrong_query_is_refused(api, query, field):
    """400, with the field: our invention."""
    status, answer = api(f"GET /products?{query}")

    assert status == 400
    assert answer["field"] == field


def test_a_page_has_at_most_a_hundred_rows(api):
    """More are not refused: the answer says what `limit` was used."""
    _, answer = api("GET /transactions?limit=5000")

    assert answer["limit"] == 100


def test_transactions_fill_the_weeks_before_now(api):
    """Enough for a plot: dates with +03:00, minor units, money in and out."""
    _, answer = api("GET /transactions?limit=100")
    rows = answer["items"]
    moments = [datetime.fromisoformat(row["createdAt"]) for row in rows]

    assert moments == sorted(moments)
    assert all(row["createdAt"].endswith("+03:00") for row in rows)
    assert START - timedelta(days=44) < moments[0]
    assert moments[-1] < START
    assert moments[-1] - moments[0] > timedelta(weeks=4)
    assert {row["type"] for row in rows} == {
        "ACCOUNT_TO_EXTERNAL",
        "EXTERNAL_TO_ACCOUNT",
    }
    assert all(row["amount"]["value"] > 0 for row in rows)
    assert {row["amount"]["currency"] for row in rows} == {"EUR", "GBP", "USD"}
    assert re.fullmatch(r"[\x00-\x7f]*", json.dumps(rows, ensure_ascii=False))


def test_a_transaction_has_the_documented_members(api):
    """The same row alone as in the list; ids are texts, process ids are not."""
    _, answer = api("GET /transactions?limit=1")
    status, row = api("GET /transactions/51001")

    assert status == 200
    assert row == answer["items"][0]
    assert list(row) == [
        "id",
        "externalId",
        "processId",
        "type",
        "localizedType",
        "amount",
        "description",
        "shortDescription",
        "media",
        "createdAt",
        "businessProcessId",
        "externalData",
    ]
    assert row["externalId"] is None
    assert isinstance(row["processId"], int)
    assert row["localizedType"]["value"] == row["type"]
    assert row["media"] == "API"
    assert set(row["externalData"]) == {"remittanceInformation", "debtor", "creditor"}


@pytest.mark.parametrize(
    ("line", "body"),
    [
        ("GET /transactions/1", None),
        ("GET /transactions/x", None),
        ("POST /users/9999/accounts", {"product": "235"}),
    ],
)
def test_an_unknown_id_is_404(api, line, body):
    """In JSON; the body is our invention."""
    status, answer = api(line, body)

    assert status == 404
    assert answer["error"] == "not_found"


def test_an_account_is_created(api):
    """Each has an id of its own and the currency of its product."""
    status, first = api("POST /users/1001/accounts", {"product": "235"})
    _, second = api("POST /users/1002/accounts", {"product": "236"})

    assert status == 201
    assert first["id"] != second["id"]
    assert (first["userId"], first["product"], first["currency"]) == (
        "1001",
        "235",
        "EUR",
    )
    assert second["currency"] == "USD"


POSTING = {
    "accounting": [
        {
            "srcAccount": "7001",
            "dstAccount": "7002",
            "amount": {"value": 10, "currency": "EUR"},
            "type": "TRANSFER",
        }
    ],
    "mode": "TRANSACTION",
}
HOOK = {
    "name": "notify me",
    "url": "https://example.com/hook",
    "events": ["account.status.blocked"],
}


def test_a_posting_becomes_a_transaction(api):
    """The documented body; what was posted is listed afterwards."""
    status, answer = api("POST /transactions/distributorPosting", POSTING)
    _, row = api(f"GET /transactions/{answer['id']}")

    assert status == 201
    assert answer["mode"] == "TRANSACTION"
    assert row["amount"] == {"value": 10, "currency": "EUR"}
    assert row["createdAt"] == "2030-01-01T12:00:00+03:00"
    assert api("GET /transactions")[1]["count"] == 61


def test_a_hook_is_created(api):
    """The answer begins as documented."""
    status, answer = api("POST /hooks", HOOK)

    assert status == 201
    assert answer == {"id": 420, **HOOK}
    assert list(answer)[:2] == ["id", "name"]
    assert api("POST /hooks", HOOK)[1]["id"] == 421


def posting(**entry):
    """Return the posting with a changed entry."""
    return {**POSTING, "accounting": [{**POSTING["accounting"][0], **entry}]}


WRONG = {
    "not JSON": ("/hooks", b"{", "body"),
    "not an object": ("/hooks", [], "body"),
    "no product": ("/users/1001/accounts", {}, "product"),
    "product is a number": ("/users/1001/accounts", {"product": 235}, "product"),
    "unknown product": ("/users/1001/accounts", {"product": "1"}, "product"),
    "no name": ("/hooks", {**HOOK, "name": " "}, "name"),
    "long name": ("/hooks", {**HOOK, "name": "x" * 36}, "name"),
    "plain http": ("/hooks", {**HOOK, "url": "http://example.com"}, "url"),
    "no events": ("/hooks", {**HOOK, "events": []}, "events"),
    "unknown event": ("/hooks", {**HOOK, "events": ["x"]}, "events[0]"),
    "event is an object": ("/hooks", {**HOOK, "events": [{}]}, "events[0]"),
    "no mode": ("/transactions/distributorPosting", {"accounting": []}, "mode"),
    "other mode": (
        "/transactions/distributorPosting",
        {**POSTING, "mode": "RESERVATION"},
        "mode",
    ),
    "no entry": (
        "/transactions/distributorPosting",
        {**POSTING, "accounting": []},
        "accounting",
    ),
    "entry is a text": (
        "/transactions/distributorPosting",
        {**POSTING, "accounting": ["x"]},
        "accounting[0]",
    ),
    "same account": (
        "/transactions/distributorPosting",
        posting(dstAccount="7001"),
        "accounting[0].dstAccount",
    ),
    "amount is true": (
        "/transactions/distributorPosting",
        posting(amount={"value": True, "currency": "EUR"}),
        "accounting[0].amount.value",
    ),
    "negative amount": (
        "/transactions/distributorPosting",
        posting(amount={"value": -1, "currency": "EUR"}),
        "accounting[0].amount.value",
    ),
    "unknown currency": (
        "/transactions/distributorPosting",
        posting(amount={"value": 1, "currency": "XXX"}),
        "accounting[0].amount.currency",
    ),
    "unknown type": (
        "/transactions/distributorPosting",
        posting(type="GIFT"),
        "accounting[0].type",
    ),
}


@pytest.mark.parametrize(("path", "body", "field"), WRONG.values(), ids=WRONG)
def test_a_wrong_body_is_refused_and_changes_nothing(api, path, body, field):
    """400, with the field that is wrong: our invention."""
    status, answer = api(f"POST {path}", body)

    assert status == 400
    assert answer["error"] == "invalid_request"
    assert answer["field"] == field
    assert api("GET /transactions")[1]["count"] == 60


def test_a_body_needs_its_type(client, access_token):
    """A form is no JSON."""
    response = client.send(
        "POST",
        "/api/distributor/v1/hooks",
        [("Authorization", f"Bearer {access_token}")],
        json.dumps(HOOK).encode(),
    )

    assert response.status == 400
    assert json.loads(response.body)["field"] == "Content-Type"


@pytest.mark.parametrize("account", [0, 1001, 99_999_999_999])
def test_the_check_digits_of_an_iban_are_right(account):
    """ISO 13616: the remainder is 1. The bank code is one that no bank has."""
    text = iban(account)
    rearranged = text[4:] + text[:4]
    number = int("".join(str(int(character, 36)) for character in rearranged))

    assert number % 97 == 1
    assert text[4:9] == "00000"
