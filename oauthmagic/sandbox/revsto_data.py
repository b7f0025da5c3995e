"""What the simulated Revsto knows: profiles, products, users, transactions.

Source: docs.revsto.com/distributor-api, for the members and their types: ids are
strings at the top and integers inside `profiles`, amounts are in minor units,
`createdAt` has the offset +03:00. The values, and the types and names that the
pages do not show, are our invention: nobody here exists, and the IBANs belong to a
bank code (00000) that no bank has.
"""

from __future__ import annotations

import random
from datetime import datetime, time, timedelta, timezone
from typing import Any, Final

Row = dict[str, Any]

OFFSET: Final = timezone(timedelta(hours=3))
DAYS: Final = 42
TRANSACTIONS: Final = 60
_SEED: Final = 35702
_FIRST_ID: Final = 51001
_BIC: Final = "DEMOFRPPXXX"

PROFILES: Final[tuple[Row, ...]] = (
    {
        "id": "306",
        "role": "Company",
        "name": "Company",
        "description": "A company that holds accounts",
    },
    {
        "id": "309",
        "role": "Individual",
        "name": "Individual",
        "description": "A person who holds accounts",
    },
    {
        "id": "311",
        "role": "Delegate",
        "name": "Company delegate",
        "description": "A person who acts for a company",
        "owner": {"id": "306", "role": "Company", "name": "Company"},
    },
    {
        "id": "312",
        "role": "Delegate",
        "name": "Family delegate",
        "description": "A person who acts for another",
        "owner": {"id": "309", "role": "Individual", "name": "Individual"},
    },
)

PRODUCTS: Final[tuple[Row, ...]] = tuple(
    {
        "id": identifier,
        "type": kind,
        "currency": currency,
        "name": name,
        "profiles": profiles,
    }
    for identifier, kind, currency, name, profiles in (
        ("235", "CURRENT", "EUR", "REVSTO_TESTING EUR", [306, 309]),
        ("236", "CURRENT", "USD", "REVSTO_TESTING USD", [306, 309]),
        ("237", "CURRENT", "GBP", "REVSTO_TESTING GBP", [306]),
        ("241", "SAVINGS", "EUR", "REVSTO_TESTING SAVINGS EUR", [309]),
        ("242", "SAVINGS", "USD", "REVSTO_TESTING SAVINGS USD", [309]),
        ("250", "SAFEGUARDING", "EUR", "REVSTO_TESTING SAFEGUARDING EUR", [306]),
        ("251", "SAFEGUARDING", "GBP", "REVSTO_TESTING SAFEGUARDING GBP", [306]),
    )
)

#: Whom accounts can be created for.
USERS: Final = {
    "1001": "Anna Kask",
    "1002": "Bruno Lemaire",
    "1003": "Clara Novak",
    "1004": "Harbour Bakery Ltd",
}

_SHOPS: Final = (
    ("Harbour Bakery", "Bread and coffee"),
    ("Northern Rail", "Train ticket"),
    ("Green Grocer", "Weekly shopping"),
    ("City Power", "Electricity"),
    ("Book Corner", "Books"),
    ("Lakeside Rent", "Rent"),
)
_PAYERS: Final = (
    ("Atelier Dubois", "Invoice"),
    ("Maple Studio", "Monthly salary"),
    ("Clara Novak", "Shared dinner"),
)
#: Only the first was seen; the other two are our invention.
TYPES: Final = {
    "ACCOUNT_TO_EXTERNAL": "Account to external",
    "EXTERNAL_TO_ACCOUNT": "External to account",
    "ACCOUNT_TO_ACCOUNT": "Account to account",
}
_CURRENCIES: Final = ("EUR", "EUR", "EUR", "EUR", "USD", "GBP")


def transactions(now: datetime) -> list[Row]:
    """Return the transactions of the six weeks before `now`, oldest first.

    The same every time, apart from the dates.

    Args:
        now: The time (aware).
    """
    chance = random.Random(_SEED)  # noqa: S311 - the same rows every day, on purpose
    midnight = datetime.combine(now.astimezone(OFFSET).date(), time(), OFFSET)
    moments = sorted(
        midnight
        - timedelta(days=chance.randint(1, DAYS))
        + timedelta(seconds=chance.randint(7 * 3600, 20 * 3600))
        for _ in range(TRANSACTIONS)
    )
    return [
        _transaction(_FIRST_ID + index, moment, chance)
        for index, moment in enumerate(moments)
    ]


def _transaction(number: int, moment: datetime, chance: random.Random) -> Row:
    spends = chance.random() < 0.75  # noqa: PLR2004 - three of four
    name, reason = chance.choice(_SHOPS if spends else _PAYERS)
    other = {"name": name, "accountId": iban(chance.randrange(10**11)), "bic": _BIC}
    holder = {
        "id": "1001",
        "name": USERS["1001"],
        "accountId": iban(1001),
        "bic": _BIC,
    }
    return transaction_row(
        number,
        kind="ACCOUNT_TO_EXTERNAL" if spends else "EXTERNAL_TO_ACCOUNT",
        amount={
            "value": chance.randrange(250, 9_000)
            if spends
            else chance.randrange(5_000, 90_000),
            "currency": chance.choice(_CURRENCIES),
        },
        description=f"{reason}, {name}",
        short_description=reason,
        created_at=moment,
        external_data={
            "remittanceInformation": f"{reason} {number}",
            "debtor": holder if spends else other,
            "creditor": other if spends else holder,
        },
    )


def transaction_row(
    number: int,
    *,
    kind: str,
    amount: Row,
    description: str,
    short_description: str,
    created_at: datetime,
    external_data: Row | None,
) -> Row:
    """Return a transaction in the shape of the page's sample."""
    return {
        "id": str(number),
        "externalId": None,
        "processId": 880_000 + number,
        "type": kind,
        "localizedType": {"value": kind, "label": TYPES[kind]},
        "amount": amount,
        "description": description,
        "shortDescription": short_description,
        "media": "API",
        "createdAt": created_at.astimezone(OFFSET).isoformat(timespec="seconds"),
        "businessProcessId": 440_000 + number,
        "externalData": external_data,
    }


def iban(account: int) -> str:
    """Return an IBAN with right check digits, of a bank that does not exist."""
    basic = f"0000000000{account:011d}00"
    # ISO 13616: letters as two digits, the country and "00" last, modulo 97.
    check = 98 - int(f"{basic}152700") % 97
    return f"FR{check:02d}{basic}"
