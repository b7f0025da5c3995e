"""The wallets of the simulated Paysafe, without any HTTP in it.

Source: docs.paysafe.com, embedded wallets: an account's members; lists as
`{"<plural>": [...], "meta": {...}}` with `limit` and `offset`; transfers and
withdrawals may need SCA; the codes `DW-CUSTOMER-BAD-REQUEST`,
`DW-TRANSFER-NOT-ENOUGH-BALANCE` and `DW-TRANSFER-LIMIT-EXCEEDED`. A public demo
project, not the documentation, has `/v2/wallets`, `/v2/customers/{id}/accounts`,
`/v2/customer-persons/{id}` and `/v2/transactions`. Our inventions: the same paths
under `/v1`, the other paths, the members of `meta`, all bodies but an account's, the
other codes, the limit, and who may see what: a user's token one wallet, an admin's
the brand's, a configuration token none.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any, Final

from oauthmagic.sandbox import paysafe_data as data
from oauthmagic.sandbox.paysafe_answers import invalid_field, json_answer, wrapper
from oauthmagic.sandbox.paysafe_clients import CONFIGURATION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from oauthmagic.sandbox.answers import Answer
    from oauthmagic.sandbox.paysafe_data import Row
    from oauthmagic.sandbox.paysafe_issued import Grant

DEFAULT_LIMIT: Final = 20
MOST_IN_A_PAGE: Final = 100
CURRENCIES: Final = ("EUR", "GBP", "USD")
#: Minor units that may go in one transfer.
TRANSFER_LIMIT: Final = 1_000_000
_DIGITS: Final = re.compile(r"[0-9]{1,9}")
_LONGEST_TEXT: Final = 140


class Wallets:
    """Holds one brand's rows and answers requests for them.

    Args:
        brand: Whose.
        clock: The time (aware).
    """

    def __init__(self, brand: str, clock: Callable[[], datetime]) -> None:
        now = clock()
        self._clock = clock
        self._customers = data.customers(brand, now)
        self._accounts = data.accounts(brand, now)
        self._transactions: list[Row] = []
        for row in data.transactions(brand, now):
            self._enter(row, self._find(self._accounts, row["accountId"], "account"))
        self._account_ids = itertools.count(300_901)
        self._customer_ids = itertools.count(200_901)

    def customers(self, grant: Grant, query: Mapping[str, str]) -> Answer:
        """Answer `GET /customers`."""
        return _page("customers", _visible(self._customers, grant, "id"), query)

    def customer(self, grant: Grant, identifier: str) -> Answer:
        """Answer `GET /customers/{id}` and `GET /customer-persons/{id}`."""
        rows = _visible(self._customers, grant, "id")
        return json_answer(200, self._find(rows, identifier, "customer"))

    def accounts(
        self, grant: Grant, identifier: str, query: Mapping[str, str]
    ) -> Answer:
        """Answer `GET /customers/{id}/accounts`."""
        self._find(_visible(self._customers, grant, "id"), identifier, "customer")
        rows = [row for row in self._accounts if row["customerId"] == identifier]
        return _page("accounts", rows, query)

    def account(self, grant: Grant, identifier: str) -> Answer:
        """Answer `GET /accounts/{id}`."""
        return json_answer(200, self._account(grant, identifier))

    def create_account(self, grant: Grant, identifier: str, body: Row) -> Answer:
        """Answer `POST /customers/{id}/accounts`."""
        self._find(_visible(self._customers, grant, "id"), identifier, "customer")
        return json_answer(201, self._open(identifier, _currency(body)))

    def create_wallet(self, grant: Grant, body: Row) -> Answer:
        """Answer `POST /wallets`: a new customer with one account."""
        if grant.customer_id:
            raise wrapper(403, "DW-FORBIDDEN", "A user's token is for one wallet.")
        names = {name: _text(body, name) for name in ("firstName", "lastName")}
        currency = _currency(body)
        customer: Row = {
            "id": str(next(self._customer_ids)),
            "type": "PERSON",
            **names,
            "email": _text(body, "email"),
            "status": "ACTIVE",
            "restrictions": [],
            "creationTime": data.timestamp(self._clock()),
        }
        self._customers.append(customer)
        account = self._open(customer["id"], currency)
        return json_answer(201, {"customer": customer, "accounts": [account]})

    def transactions(self, grant: Grant, query: Mapping[str, str]) -> Answer:
        """Answer `GET /transactions`, newest first, perhaps of one account."""
        rows = _visible(self._transactions, grant, "customerId")
        for name in ("accountId", "customerId"):
            if wanted := query.get(name):
                rows = [row for row in rows if row[name] == wanted]
        return _page("transactions", rows[::-1], query)

    def transaction(self, grant: Grant, identifier: str) -> Answer:
        """Answer `GET /transactions/{id}`."""
        rows = _visible(self._transactions, grant, "customerId")
        return json_answer(200, self._find(rows, identifier, "transaction"))

    def deposit(self, grant: Grant, body: Row) -> Answer:
        """Answer `POST /transactions/deposits`."""
        account = self._account(grant, _text(body, "accountId"))
        amount = _amount(body, account)
        return json_answer(
            201, self._book("DEPOSIT", data.CREDIT, account, amount, _why(body))
        )

    def withdraw(
        self, grant: Grant, body: Row, authenticate: Callable[[str], None]
    ) -> Answer:
        """Answer `POST /transactions/withdrawals`.

        Args:
            grant: Whose.
            body: The members.
            authenticate: Lets a customer pass, or raises the challenge.
        """
        account = self._account(grant, _text(body, "accountId"))
        amount, why = _amount(body, account), _why(body)
        _check_funds(account, amount)
        authenticate(account["customerId"])
        return json_answer(
            201, self._book("WITHDRAWAL", data.DEBIT, account, amount, why)
        )

    def transfer(
        self, grant: Grant, body: Row, authenticate: Callable[[str], None]
    ) -> Answer:
        """Answer `POST /transactions/transfers`.

        Args:
            grant: Whose.
            body: The members.
            authenticate: Lets a customer pass, or raises the challenge.
        """
        source = self._account(grant, _text(body, "sourceAccountId"))
        wanted = _text(body, "destinationAccountId")
        for destination in self._accounts:
            if destination["id"] == wanted and destination is not source:
                break
        else:
            invalid_field("destinationAccountId", "There is no such other account.")
        if destination["currencyCode"] != source["currencyCode"]:
            invalid_field("destinationAccountId", "It has another currency.")
        amount, why = _amount(body, source), _why(body)
        if amount > TRANSFER_LIMIT:
            message = f"A transfer has at most {TRANSFER_LIMIT} minor units."
            raise wrapper(400, "DW-TRANSFER-LIMIT-EXCEEDED", message)
        _check_funds(source, amount)
        authenticate(source["customerId"])
        sent = self._book("TRANSFER", data.DEBIT, source, amount, why)
        self._book("TRANSFER", data.CREDIT, destination, amount, why)
        return json_answer(201, sent)

    def _account(self, grant: Grant, identifier: str) -> Row:
        rows = _visible(self._accounts, grant, "customerId")
        return self._find(rows, identifier, "account")

    def _open(self, customer_id: str, currency: str) -> Row:
        identifier = str(next(self._account_ids))
        account = data.account_row(identifier, customer_id, currency, self._clock())
        self._accounts.append(account)
        return account

    def _book(
        self, kind: str, direction: str, account: Row, amount: int, why: str
    ) -> Row:
        row = data.transaction_row(
            str(int(self._transactions[-1]["id"]) + 1),
            kind=kind,
            direction=direction,
            account=account,
            amount=(amount, account["currencyCode"]),
            description=why,
            created=self._clock(),
        )
        self._enter(row, account)
        return row

    def _enter(self, row: Row, account: Row) -> None:
        self._transactions.append(row)
        signed = row["amount"] if row["direction"] == data.CREDIT else -row["amount"]
        for balance in ("totalBalance", "availableBalance"):
            account[balance] += signed

    @staticmethod
    def _find(rows: Sequence[Row], identifier: str, what: str) -> Row:
        for row in rows:
            if row["id"] == identifier:
                return row
        raise wrapper(404, f"DW-{what.upper()}-NOT-FOUND", f"There is no such {what}.")


def _visible(rows: list[Row], grant: Grant, owner: str) -> list[Row]:
    """Return the rows that a token may see."""
    if grant.kind == CONFIGURATION:
        raise wrapper(403, "DW-FORBIDDEN", "A configuration token sees no wallets.")
    if not grant.customer_id:
        return rows
    return [row for row in rows if row[owner] == grant.customer_id]


def _page(name: str, rows: Sequence[Row], query: Mapping[str, str]) -> Answer:
    limit = min(_number(query, "limit", DEFAULT_LIMIT), MOST_IN_A_PAGE)
    if limit == 0:
        invalid_field("limit", "A page has at least one row.")
    offset = _number(query, "offset", 0)
    meta = {"limit": limit, "offset": offset, "total": len(rows)}
    return json_answer(200, {name: rows[offset : offset + limit], "meta": meta})


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not _DIGITS.fullmatch(text):
        invalid_field(name, "A whole number is expected.")
    return int(text)


def _text(body: Row, name: str) -> str:
    value: Any = body.get(name)
    if not isinstance(value, str) or not 0 < len(value.strip()) <= _LONGEST_TEXT:
        invalid_field(name, f"A text of 1 to {_LONGEST_TEXT} characters is expected.")
    return value


def _why(body: Row) -> str:
    return _text({"description": "No description", **body}, "description")


def _currency(body: Row) -> str:
    currency = _text(body, "currencyCode")
    if currency not in CURRENCIES:
        invalid_field("currencyCode", "One of " + ", ".join(CURRENCIES) + ".")
    return currency


def _amount(body: Row, account: Row) -> int:
    amount: Any = body.get("amount")
    # JSON's true is no number, whatever Python thinks.
    if not isinstance(amount, int) or isinstance(amount, bool) or amount <= 0:
        invalid_field("amount", "Whole minor units, more than 0, are expected.")
    if _currency(body) != account["currencyCode"]:
        invalid_field("currencyCode", "It is not the account's.")
    return amount


def _check_funds(account: Row, amount: int) -> None:
    if amount > account["availableBalance"]:
        message = "The available balance is too low."
        raise wrapper(400, "DW-TRANSFER-NOT-ENOUGH-BALANCE", message)
