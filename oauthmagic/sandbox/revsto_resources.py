"""The distributor API of the simulated Revsto, without any HTTP in it.

Source: docs.revsto.com/distributor-api: customer-accounts, payment-flows,
internal-posting, events-webhooks, faq. Our inventions: the bodies of refusals, the
list of transactions, `count` as the number of all rows, the most that `limit` can
be, status 201, and the answers to the three POSTs beyond the members that the pages
show.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any, Final

from oauthmagic.sandbox import revsto_data
from oauthmagic.sandbox.answers import Answer, invalid, json_answer, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from oauthmagic.sandbox.revsto_data import Row

DEFAULT_LIMIT: Final = 20
MOST_IN_A_PAGE: Final = 100
LONGEST_NAME: Final = 35
MODE: Final = "TRANSACTION"
EVENTS: Final = frozenset(
    {
        "account.status.opened",
        "account.status.blocked",
        "account.status.unblocked",
        "identity.blocked",
        "identity.unblocked",
        "identity.closed",
        "payment_transaction.external_refused",
        "payment_transaction.settled",
        "transaction.new",
        "iban_structure.created",
        "iban_structure.field_updated",
        "iban_structure.file_imported",
    }
)
_DIGITS: Final = re.compile(r"[0-9]{1,9}")


class RevstoResources:
    """Holds the rows and answers requests for them.

    Args:
        clock: The time (aware).
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._transactions = revsto_data.transactions(clock())
        self._account_ids = itertools.count(7001)
        self._hook_ids = itertools.count(420)

    def profiles(self, query: Mapping[str, str]) -> Answer:
        """Answer `GET /users/profiles`."""
        return _page(revsto_data.PROFILES, query)

    def products(self, query: Mapping[str, str]) -> Answer:
        """Answer `GET /products`."""
        return _page(revsto_data.PRODUCTS, query)

    def transactions(self, query: Mapping[str, str]) -> Answer:
        """Answer `GET /transactions`."""
        return _page(self._transactions, query)

    def transaction(self, identifier: str) -> Answer:
        """Answer `GET /transactions/{transactionId}`."""
        found = [row for row in self._transactions if row["id"] == identifier]
        if not found:
            refuse(404, "not_found", "There is no such transaction.")
        return json_answer(200, found[0])

    def create_account(self, user_id: str, body: Any) -> Answer:
        """Answer `POST /users/{userId}/accounts`."""
        if user_id not in revsto_data.USERS:
            refuse(404, "not_found", "There is no such user.")
        wanted = _member(body, "product", str, "")
        for product in revsto_data.PRODUCTS:
            if product["id"] == wanted:
                break
        else:
            invalid("product", "There is no such product.")
        number = next(self._account_ids)
        account = {
            "id": str(number),
            "userId": user_id,
            "product": product["id"],
            "type": product["type"],
            "currency": product["currency"],
            "name": product["name"],
            "iban": revsto_data.iban(number),
            "status": "OPENED",
            "createdAt": self._now(),
        }
        return json_answer(201, account)

    def post(self, body: Any) -> Answer:
        """Answer `POST /transactions/distributorPosting`."""
        if _member(body, "mode", str, "") != MODE:
            invalid("mode", f"The simulator knows the mode {MODE} only.")
        accounting = _member(body, "accounting", list, "")
        if not accounting:
            invalid("accounting", "There must be at least one entry.")
        entries = [
            _entry(entry, f"accounting[{index}]")
            for index, entry in enumerate(accounting)
        ]
        created = [self._book(entry) for entry in entries]
        answer = {
            "id": created[0]["id"],
            "mode": MODE,
            "createdAt": created[0]["createdAt"],
            "accounting": [
                {**entry, "transactionId": row["id"]}
                for entry, row in zip(entries, created, strict=True)
            ],
        }
        return json_answer(201, answer)

    def create_hook(self, body: Any) -> Answer:
        """Answer `POST /hooks`."""
        name = _member(body, "name", str, "")
        if not 0 < len(name) <= LONGEST_NAME:
            invalid("name", f"A name has 1 to {LONGEST_NAME} characters.")
        url = _member(body, "url", str, "")
        if not url.startswith("https://"):
            invalid("url", "The URL must begin with https://.")
        events = _member(body, "events", list, "")
        if not events:
            invalid("events", "There must be at least one event.")
        for index, event in enumerate(events):
            if not isinstance(event, str) or event not in EVENTS:
                invalid(f"events[{index}]", "There is no such event.")
        hook = {"id": next(self._hook_ids), "name": name, "url": url, "events": events}
        return json_answer(201, hook)

    def _book(self, entry: Row) -> Row:
        row = revsto_data.transaction_row(
            int(self._transactions[-1]["id"]) + 1,
            kind="ACCOUNT_TO_ACCOUNT",
            amount=entry["amount"],
            description=f"From {entry['srcAccount']} to {entry['dstAccount']}",
            short_description="Internal posting",
            created_at=self._clock(),
            external_data=None,
        )
        self._transactions.append(row)
        return row

    def _now(self) -> str:
        now = self._clock().astimezone(revsto_data.OFFSET)
        return now.isoformat(timespec="seconds")


def _page(rows: Sequence[Row], query: Mapping[str, str]) -> Answer:
    limit = min(_number(query, "limit", DEFAULT_LIMIT), MOST_IN_A_PAGE)
    if limit == 0:
        invalid("limit", "A page has at least one row.")
    offset = _number(query, "offset", 0)
    # A plus sign that is not percent-encoded arrives as a space.
    sort = query.get("sort", "+id").replace(" ", "+")
    if sort not in ("+id", "-id"):
        invalid("sort", "Rows are sorted by +id or -id.")
    ordered = sorted(rows, key=lambda row: int(row["id"]), reverse=sort == "-id")
    envelope = {
        "items": ordered[offset : offset + limit],
        "count": len(rows),
        "limit": limit,
        "offset": offset,
        "sort": sort,
    }
    return json_answer(200, envelope)


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not _DIGITS.fullmatch(text):
        invalid(name, "A whole number is expected.")
    return int(text)


def _entry(entry: Any, where: str) -> Row:
    source = _member(entry, "srcAccount", str, where)
    destination = _member(entry, "dstAccount", str, where)
    if source == destination:
        invalid(f"{where}.dstAccount", "The two accounts must differ.")
    amount = _member(entry, "amount", dict, where)
    value = _member(amount, "value", int, f"{where}.amount")
    if value <= 0:
        invalid(f"{where}.amount.value", "The amount must be positive.")
    currency = _member(amount, "currency", str, f"{where}.amount")
    if currency not in {product["currency"] for product in revsto_data.PRODUCTS}:
        invalid(f"{where}.amount.currency", "There is no such currency here.")
    if _member(entry, "type", str, where) != "TRANSFER":
        invalid(f"{where}.type", "The simulator knows the type TRANSFER only.")
    return {
        "srcAccount": source,
        "dstAccount": destination,
        "amount": {"value": value, "currency": currency},
        "type": "TRANSFER",
    }


_KINDS: Final = {
    str: "a text",
    int: "a whole number",
    list: "a list",
    dict: "an object",
}


def _member(members: Any, name: str, kind: type, where: str) -> Any:
    """Return a member of the right kind, or refuse the request."""
    if not isinstance(members, dict):
        invalid(where or "body", "A JSON object is expected.")
    path = f"{where}.{name}" if where else name
    value = members.get(name)
    # JSON's true is no number, whatever Python thinks.
    if not isinstance(value, kind) or isinstance(value, bool):
        invalid(path, f"{name} must be {_KINDS[kind]}.")
    if isinstance(value, str) and not value.strip():
        invalid(path, f"{name} must not be empty.")
    return value
