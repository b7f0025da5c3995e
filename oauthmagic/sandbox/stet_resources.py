"""The account information of the simulated STET bank, without any HTTP in it.

Source: STET's API description (1.4), BPCE's limits pages and recorded answers:

- *Mixed mode*: until the customer's choice is sent with `PUT /consents`, all
  accounts are listed, but balances and transactions of none are shown.
- A customer without accounts is 404 `NAAC`.
- Caisse d'Epargne does not page, stops at 500 transactions of 62 days, and has no
  end-user identity.
- `remittanceInformation` is a list of texts in 1.4.0, an object later.

Our inventions: the messages of refusals, after a consent only its accounts are
listed, a card goes with the account that it is settled on, `page` in links, and the
members of the end-user identity.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import urlencode

from oauthmagic.providers.stet_banks import BANQUE_POPULAIRE, CAISSE_D_EPARGNE
from oauthmagic.sandbox import stet_data
from oauthmagic.sandbox.stet_answers import BankRefusal, Settings, json_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from oauthmagic.sandbox.answers import Answer
    from oauthmagic.sandbox.stet_data import Account, Row
    from oauthmagic.sandbox.stet_logins import Login

OLDEST_VERSION: Final = "v1"
MOST_TRANSACTIONS: Final = 500
MOST_DAYS: Final = 62
_FILTERS: Final = ("dateFrom", "dateTo", "entryReferenceFrom", "entryReferenceTo")


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A request for a resource, judged and read.

    Attributes:
        login: What its token stands for.
        base: The path up to the version: `/stet/psd2/v1.4.2`.
        origin: Scheme and host, for links that a browser follows.
        query: The query.
        body: The JSON, or None.
    """

    login: Login
    base: str
    origin: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    @property
    def version(self) -> str:
        """The STET version as the path has it."""
        return self.base.rpartition("/")[2]


@dataclass(frozen=True, kw_only=True, slots=True)
class Consent:
    """What a customer chose: IBANs, and whether the name is shown."""

    balances: frozenset[str] = frozenset()
    transactions: frozenset[str] = frozenset()
    identity: bool = False


class StetResources:
    """Holds accounts and consents and answers requests for them.

    Args:
        clock: The time (aware).
        settings: What differs between banks.
    """

    def __init__(self, clock: Callable[[], datetime], settings: Settings) -> None:
        self._clock = clock
        self._settings = settings
        self._begun = clock()
        self._consents: dict[tuple[str, str, str], Consent] = {}

    def accounts(self, call: Call) -> Answer:
        """Answer `GET /accounts`."""
        held = self.held_at(call.login.bank)
        if not held:
            raise BankRefusal(404, "NAAC")
        consent = self._consent(call)
        rows = [
            {**account.row, "_links": _links(call, account, consent)}
            for account in held
            if consent is None
            or account.iban in consent.balances | consent.transactions
        ]
        own = {"self": _link(f"{call.base}/accounts")}
        return json_of(200, {"accounts": rows, "_links": own})

    def balances(self, call: Call, account_id: str) -> Answer:
        """Answer `GET /accounts/{accountResourceId}/balances`."""
        account = self._account(call, account_id)
        consent = self._consent(call)
        if consent is None or account.iban not in consent.balances:
            _without_consent("balances")
        path = f"{call.base}/accounts/{account_id}"
        links = {
            "self": _link(f"{path}/balances"),
            "transactions": _link(f"{path}/transactions"),
            "parent-list": _link(f"{call.base}/accounts"),
        }
        return json_of(200, {"balances": account.balances, "_links": links})

    def transactions(self, call: Call, account_id: str) -> Answer:
        """Answer `GET /accounts/{accountResourceId}/transactions`."""
        account = self._account(call, account_id)
        consent = self._consent(call)
        if consent is None or account.iban not in consent.transactions:
            _without_consent("transactions")
        rows = _filtered(account.transactions, call.query)
        if call.login.bank in CAISSE_D_EPARGNE:
            oldest = self._clock().date().toordinal() - MOST_DAYS
            young = (r for r in rows if _day(r["valueDate"], "").toordinal() >= oldest)
            rows = list(young)[:MOST_TRANSACTIONS]
            size = max(len(rows), 1)
        else:
            size = self._settings.page_size
        page = _page_number(call.query, -(-len(rows) // size))
        shown = rows[(page - 1) * size : page * size]
        if call.version == OLDEST_VERSION:
            shown = [
                {
                    **row,
                    "remittanceInformation": row["remittanceInformation"][
                        "unstructured"
                    ],
                }
                for row in shown
            ]
        path = f"{call.base}/accounts/{account_id}"
        links = {
            **_page_links(f"{path}/transactions", call.query, page, len(rows), size),
            "balances": _link(f"{path}/balances"),
            "parent-list": _link(f"{call.base}/accounts"),
        }
        return json_of(200, {"transactions": shown, "_links": links})

    def consents(self, call: Call) -> Answer:
        """Answer `PUT /consents`: what is sent replaces what was sent before."""
        body = call.body
        if not isinstance(body, dict):
            raise BankRefusal(400, "A JSON object is expected.")
        known = {account.iban for account in self.held_at(call.login.bank)}
        consent = Consent(
            balances=_ibans(body, "balances", known),
            transactions=_ibans(body, "transactions", known),
            identity=body.get("psuIdentity") is True,
        )
        self._consents[_key(call)] = consent
        # STET says 201; a client of BPCE recorded 200 with an empty body.
        return json_of(200)

    def identity(self, call: Call) -> Answer:
        """Answer `GET /end-user-identity`."""
        if call.login.bank not in BANQUE_POPULAIRE:
            raise BankRefusal(404, "No message available")
        consent = self._consent(call)
        if consent is None or not consent.identity:
            _without_consent("identity")
        own = {"self": _link(f"{call.base}/end-user-identity")}
        return json_of(200, {"connectedPsu": stet_data.CUSTOMER_NAME, "_links": own})

    def held_at(self, bank: str) -> tuple[Account, ...]:
        """Return the accounts at a bank; they stay while time passes."""
        return stet_data.accounts(bank, self._begun)

    def _account(self, call: Call, account_id: str) -> Account:
        for account in self.held_at(call.login.bank):
            if account.resource_id == account_id:
                return account
        raise BankRefusal(404, "There is no such account.")

    def _consent(self, call: Call) -> Consent | None:
        return self._consents.get(_key(call))


def _key(call: Call) -> tuple[str, str, str]:
    return call.login.client_id, call.login.bank, call.login.customer


def _without_consent(what: str) -> NoReturn:
    msg = f"The customer's consent does not cover the {what}: PUT /consents."
    raise BankRefusal(403, msg)


def _ibans(body: Mapping[str, Any], name: str, known: set[str]) -> frozenset[str]:
    entries = body.get(name) or []
    if not isinstance(entries, list):
        raise BankRefusal(400, f"{name} must be a list.")
    found = [str(each.get("iban")) for each in entries if isinstance(each, dict)]
    if len(found) < len(entries) or not known.issuperset(found):
        raise BankRefusal(400, f"{name} names an account that the customer lacks.")
    return frozenset(found)


def _link(path: str) -> Row:
    return {"href": path, "templated": False}


def _links(call: Call, account: Account, consent: Consent | None) -> Row:
    path = f"{call.base}/accounts/{account.resource_id}"
    return {
        name: _link(f"{path}/{name}")
        for name in ("balances", "transactions")
        if consent is None or account.iban in getattr(consent, name)
    }


def _page_links(
    path: str, query: Mapping[str, str], page: int, count: int, size: int
) -> Row:
    kept = {name: query[name] for name in _FILTERS if name in query}
    last = max(-(-count // size), 1)

    def to(number: int) -> Row:
        asked = urlencode(kept | ({"page": str(number)} if number > 1 else {}))
        return _link(f"{path}?{asked}" if asked else path)

    links = {"self": to(page), "first": to(1), "last": to(last)}
    if page > 1:
        links["prev"] = to(page - 1)
    if page < last:
        links["next"] = to(page + 1)
    return links


def _page_number(query: Mapping[str, str], last: int) -> int:
    text = query.get("page", "1")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0  # noqa: PLR2004 - far more than there are
    if not 1 <= number <= max(last, 1):
        raise BankRefusal(400, "There is no such page.")
    return number


def _filtered(rows: Iterable[Row], query: Mapping[str, str]) -> Sequence[Row]:
    first, last = (_asked_day(query, name) for name in ("dateFrom", "dateTo"))
    low, high = (query.get(f"entryReference{end}") for end in ("From", "To"))
    return [
        row
        for row in rows
        if (first is None or _day(row["valueDate"], "") >= first)
        and (last is None or _day(row["valueDate"], "") <= last)
        and (low is None or row["entryReference"] >= low)
        and (high is None or row["entryReference"] <= high)
    ]


def _asked_day(query: Mapping[str, str], name: str) -> date | None:
    return _day(query[name], name) if name in query else None


def _day(text: str, name: str) -> date:
    """Return the day of a date, or of a time as BPCE wants it (`...T01:01:01Z`)."""
    try:
        # An offset's plus sign that is not percent-encoded arrives as a space.
        return datetime.fromisoformat(text.replace(" ", "+")).date()
    except ValueError:
        raise BankRefusal(400, f"{name} is no date.") from None
