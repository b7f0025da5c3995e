"""What a simulated STET bank knows: one customer, accounts, balances, transactions.

Source: answers that a client of BPCE recorded, and STET's API description, for
members and their types: amounts are texts, `bookingDate` has an offset without a
colon, `valueDate` is a day, a card has no IBAN. The values are our invention, and so
is that all dates have the sample's offset in winter too. Nobody here exists, and the
IBANs belong to a bank code (00000) that no bank has.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, Final

from oauthmagic.sandbox.revsto_data import iban

Row = dict[str, Any]

CUSTOMER: Final = "camille"
CUSTOMER_NAME: Final = "Camille Martin"
#: Where the customer has no account, so that NAAC can be met; our choice.
EMPTY_BANK: Final = "30007"
OFFSET: Final = timezone(timedelta(hours=2))
DAYS: Final = 60
BIC: Final = "DEMOFRPPXXX"
CURRENCY: Final = "EUR"
#: Transactions of each account; together 120.
_COUNTS: Final = {"main": 70, "second": 30, "card": 20}
_OPENING: Final = Decimal("2400.00")
_PENDING: Final = 3

_SPENDING: Final = (
    ("BOULANGERIE DU PORT", 2, 15),
    ("MARCHE DES HALLES", 12, 80),
    ("TRAINS DU NORD", 18, 95),
    ("LIBRAIRIE DU COIN", 8, 45),
    ("ELECTRICITE DE VILLE", 40, 110),
    ("CAFE DU LAC", 3, 22),
)
_INCOME: Final = (
    ("ATELIER DUBOIS FACTURE", 250, 900),
    ("STUDIO ERABLE SALAIRE", 900, 1900),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """One account of the customer.

    Attributes:
        resource_id: Its name in paths.
        iban: Its IBAN, or of a card the IBAN that it is settled on.
        row: The account in the shape of `GET /accounts`, without links.
        balances: The balances, in the shape of the recorded answers.
        transactions: The transactions in the shape of 1.4.2, newest first.
    """

    resource_id: str
    iban: str
    row: Row
    balances: tuple[Row, ...]
    transactions: tuple[Row, ...]


def accounts(bank: str, now: datetime) -> tuple[Account, ...]:
    """Return the customer's accounts at a bank: three, or none at `EMPTY_BANK`.

    The same every time, apart from the dates.

    Args:
        bank: The bank's code.
        now: The time (aware): transactions are of the 60 days before.
    """
    if bank == EMPTY_BANK:
        return ()
    today = now.astimezone(OFFSET).date()
    main, second = (iban(int(bank) * 100 + number) for number in (1, 2))
    return (
        _account("main", bank, today, main, name="Compte de dépôt"),
        _account("second", bank, today, second, name="Compte joint"),
        _account("card", bank, today, main, name="Carte à débit différé"),
    )


def _account(kind: str, bank: str, today: date, number: str, *, name: str) -> Account:
    chance = random.Random(f"{bank} {kind}")  # noqa: S311 - the same rows every day
    is_card = kind == "card"
    resource_id = f"{'CAR' if is_card else 'CPT'}-{bank}-{kind}"
    rows, booked = _transactions(kind, resource_id, today, chance)
    row: Row = {
        "resourceId": resource_id,
        "accountId": {
            "other": {
                "identification": f"DEMO{bank}XXXXXX0003",
                "schemeName": "CPAN",
                "issuer": bank,
            }
        }
        if is_card
        else {"iban": number},
        "bicFi": BIC,
        "name": f"{name} {CUSTOMER_NAME}",
        "usage": "PRIV",
        "cashAccountType": "CARD" if is_card else "CACC",
        "currency": CURRENCY,
        "psuStatus": "Account Co-Holder" if kind == "second" else "Account Holder",
        "linkedAccount": f"CPT-{bank}-main" if is_card else None,
        "product": name,
        "details": None,
    }
    return Account(
        resource_id=resource_id,
        iban=number,
        row=row,
        balances=_balances(booked, today, is_card=is_card),
        transactions=rows,
    )


def _balances(booked: Decimal, today: date, *, is_card: bool) -> tuple[Row, ...]:
    if is_card:
        return (_balance(f"Encours au {today:%d/%m/%Y}", "OTHR", booked),)
    closing = _OPENING + booked
    return (
        _balance(f"Solde comptable au {today:%d/%m/%Y}", "CLBD", closing),
        _balance(f"Solde prévisionnel au {today:%d/%m/%Y}", "XPCD", closing - 25),
    )


def _balance(name: str, kind: str, amount: Decimal) -> Row:
    return {
        "name": name,
        "balanceType": kind,
        "balanceAmount": {"currency": CURRENCY, "amount": f"{amount:.2f}"},
    }


def _transactions(
    kind: str, resource_id: str, today: date, chance: random.Random
) -> tuple[tuple[Row, ...], Decimal]:
    """Return the rows, newest first, and the sum of what is booked."""
    count = _COUNTS[kind]
    days = sorted(chance.randint(1, DAYS - 1) for _ in range(count))
    booked = Decimal(0)
    rows = []
    for number, days_ago in enumerate(reversed(days), 1):
        day = today - timedelta(days=days_ago)
        spends = kind == "card" or chance.random() < 0.8  # noqa: PLR2004 - four of five
        label, least, most = chance.choice(_SPENDING if spends else _INCOME)
        amount = Decimal(chance.randint(least * 100, most * 100)) / 100
        # The youngest are not booked yet; what a card collects never is.
        status = "BOOK"
        if kind == "card":
            status = "OTHR"
        elif number > count - _PENDING:
            status = "PDNG"
        if status != "PDNG":
            booked += -amount if spends else amount
        row: Row = {
            "resourceId": f"{resource_id}-{number:04d}",
            "entryReference": f"{number:010d}",
            "transactionAmount": {"currency": CURRENCY, "amount": f"{amount:.2f}"},
            "creditDebitIndicator": "DBIT" if spends else "CRDT",
            "status": status,
            "bookingDate": datetime.combine(day, time(), OFFSET).strftime(
                "%Y-%m-%dT%H:%M:%S%z"
            ),
            "valueDate": day.isoformat(),
            "transactionDate": day.isoformat(),
            "remittanceInformation": {"unstructured": [label, f"REF {number:06d}"]},
        }
        if status == "OTHR":
            del row["bookingDate"]
        rows.append(row)
    return tuple(reversed(rows)), booked
