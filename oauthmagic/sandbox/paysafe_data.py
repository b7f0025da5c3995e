"""What the simulated Paysafe knows: customers, accounts, transactions.

Source: docs.paysafe.com, embedded wallets, for an account's members (balances are
whole minor units) and for dates (RFC 3339, UTC, `Z`). The values, and the members of
customers and transactions, are our invention: nobody here exists. A balance is the
sum of its account's transactions.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final, NamedTuple

Row = dict[str, Any]

DAYS: Final = 60
TRANSACTIONS: Final = 60
CREDIT: Final = "CREDIT"
DEBIT: Final = "DEBIT"
_SEED: Final = 2042
_FIRST_TRANSACTION: Final = 410_001


class Person(NamedTuple):
    """A customer; user name and password are those of the demo's token requests."""

    customer_id: str
    first_name: str
    last_name: str
    username: str
    password: str


#: By brand. The first of each is the one who logs in on the consent page.
PEOPLE: Final = {
    "liberty": (
        Person("200101", "Anna", "Kask", "demo-analyst", "simulated-password"),
        Person("200102", "Bruno", "Lemaire", "demo-bruno", "simulated-password"),
        Person("200103", "Clara", "Novak", "demo-clara", "simulated-password"),
    ),
    "aurora": (
        Person("200201", "Dario", "Silva", "demo-analyst", "simulated-password"),
    ),
}
#: What the partner's own login gives out, to be exchanged (RFC 8693). Ours.
SUBJECT_TOKENS: Final = {"demo-partner-session": "demo-analyst"}

_ACCOUNTS: Final = {
    "liberty": (
        ("300101", "200101", "EUR"),
        ("300102", "200101", "GBP"),
        ("300103", "200102", "EUR"),
        ("300104", "200103", "EUR"),
    ),
    "aurora": (("300201", "200201", "EUR"),),
}
_REASONS: Final = (
    ("TRANSFER", DEBIT, "Shared dinner"),
    ("TRANSFER", CREDIT, "Shared rent"),
    ("WITHDRAWAL", DEBIT, "To bank account"),
    ("TRANSFER", DEBIT, "Birthday present"),
    ("DEPOSIT", CREDIT, "From card"),
)


def customers(brand: str, now: datetime) -> list[Row]:
    """Return the customers of a brand."""
    return [
        {
            "id": person.customer_id,
            "type": "PERSON",
            "firstName": person.first_name,
            "lastName": person.last_name,
            "email": f"{person.first_name.lower()}@demo.invalid",
            "status": "ACTIVE",
            "restrictions": [],
            "creationTime": timestamp(_midnight(now) - timedelta(days=DAYS + 30)),
        }
        for person in PEOPLE[brand]
    ]


def accounts(brand: str, now: datetime) -> list[Row]:
    """Return the accounts of a brand, without any money in them."""
    opened = _midnight(now) - timedelta(days=DAYS + 30)
    return [
        account_row(identifier, customer, currency, opened)
        for identifier, customer, currency in _ACCOUNTS[brand]
    ]


def account_row(
    identifier: str, customer_id: str, currency: str, created: datetime
) -> Row:
    """Return an account in the documented shape."""
    return {
        "id": identifier,
        "customerId": customer_id,
        "externalId": f"demo-{identifier}",
        "currencyCode": currency,
        "totalBalance": 0,
        "availableBalance": 0,
        "virtualInstruments": [],
        "creationTime": timestamp(created),
    }


def transactions(brand: str, now: datetime) -> list[Row]:
    """Return the transactions of the sixty days before `now`, oldest first.

    The same every time, apart from the dates. Every account begins with a deposit
    that covers all that follows.

    Args:
        brand: Whose.
        now: The time (aware).
    """
    chance = random.Random(f"{_SEED}-{brand}")  # noqa: S311 - the same rows, on purpose
    midnight = _midnight(now)
    held = _ACCOUNTS[brand]
    begun = midnight - timedelta(days=DAYS)
    planned = [
        (begun + timedelta(hours=8, minutes=index), account, _REASONS[-1], 200_000)
        for index, account in enumerate(held)
    ]
    for _ in range(TRANSACTIONS - len(held)):
        moment = (
            midnight
            - timedelta(days=chance.randint(1, DAYS - 1))
            + timedelta(seconds=chance.randint(7 * 3600, 20 * 3600))
        )
        reason = chance.choice(_REASONS)
        planned.append(
            (moment, chance.choice(held), reason, chance.randrange(150, 4_000))
        )
    planned.sort(key=lambda each: each[0])
    return [
        transaction_row(
            str(_FIRST_TRANSACTION + index),
            kind=reason[0],
            direction=reason[1],
            account={"id": account[0], "customerId": account[1]},
            amount=(amount, account[2]),
            description=reason[2],
            created=moment,
        )
        for index, (moment, account, reason, amount) in enumerate(planned)
    ]


def transaction_row(
    identifier: str,
    *,
    kind: str,
    direction: str,
    account: Row,
    amount: tuple[int, str],
    description: str,
    created: datetime,
) -> Row:
    """Return a transaction; its shape is our invention.

    Args:
        identifier: Its id.
        kind: DEPOSIT, TRANSFER or WITHDRAWAL.
        direction: CREDIT or DEBIT, seen from the account.
        account: The account.
        amount: Minor units and currency.
        description: What for.
        created: When (aware).
    """
    return {
        "id": identifier,
        "type": kind,
        "direction": direction,
        "status": "COMPLETED",
        "customerId": account["customerId"],
        "accountId": account["id"],
        "amount": amount[0],
        "currencyCode": amount[1],
        "description": description,
        "creationTime": timestamp(created),
    }


def timestamp(moment: datetime) -> str:
    """Return a time as Paysafe writes it: RFC 3339, UTC, `Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _midnight(now: datetime) -> datetime:
    return datetime.combine(now.astimezone(UTC).date(), time(), UTC)
