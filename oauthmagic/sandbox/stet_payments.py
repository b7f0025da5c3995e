"""Funds confirmations and payment requests of the simulated STET bank: the least.

Source: STET's API description, BPCE's limits pages and recorded answers. Our
inventions: the names of refusals, that funds are looked up in the first balance, the
path of the approval page, and the states after it (ISO 20022: ACSC, RJCT). Payments
are never carried out. `POST .../o-confirmation` is documented by name only, so it is
not here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from oauthmagic.providers import stet_banks
from oauthmagic.sandbox.stet_answers import BankRefusal, json_of
from oauthmagic.sandbox.stet_screens import Decision, Screen, refuse_page

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from oauthmagic.sandbox.answers import Answer
    from oauthmagic.sandbox.stet_resources import Call, StetResources

#: Where a customer approves a payment; the path is our invention.
APPROVAL: Final = "/stet/psd2/payments/approval"
_AMOUNT: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?")
_IDENTIFIER_BYTES: Final = 16


@dataclass(kw_only=True, slots=True)
class _Payment:
    client_id: str
    bank: str
    nonce: str
    request: dict[str, Any]
    status: str = "RCVD"


class StetPayments:
    """Holds payment requests and answers what concerns money.

    Args:
        resources: Where the accounts are.
        randomness: Where identifiers come from.
    """

    def __init__(self, resources: StetResources, randomness: random.Random) -> None:
        self._resources = resources
        self._randomness = randomness
        self._payments: dict[str, _Payment] = {}

    def funds(self, call: Call) -> Answer:
        """Answer `POST /funds-confirmations`."""
        amount = _amount(_member(call.body, "instructedAmount", dict))
        wanted = _member(_member(call.body, "accountId", dict), "iban", str)
        _member(call.body, "paymentCoverageRequestId", str)
        for account in self._resources.held_at(call.login.bank):
            if account.iban == wanted:
                break
        else:
            raise BankRefusal(404, "There is no such account.")
        held = Decimal(account.balances[0]["balanceAmount"]["amount"])
        own = {"self": {"href": f"{call.base}/funds-confirmations"}}
        return json_of(
            200, {"request": call.body, "result": amount <= held, "_links": own}
        )

    def create(self, call: Call) -> Answer:
        """Answer `POST /payment-requests`."""
        if _member(call.body, "chargeBearer", str) != "SLEV":
            raise BankRefusal(400, "The chargeBearer must be SLEV.")
        reports = _member(call.body, "supplementaryData", dict)
        for name in ("successfulReportUrl", "unsuccessfulReportUrl"):
            if not _is_address(_member(reports, name, str)):
                raise BankRefusal(400, f"{name} must be an address.")
        transfers = _member(call.body, "creditTransferTransaction", list)
        if not transfers:
            raise BankRefusal(400, "There must be a creditTransferTransaction.")
        for transfer in transfers:
            _amount(_member(transfer, "instructedAmount", dict))
        identifier, nonce = (
            self._randomness.randbytes(_IDENTIFIER_BYTES).hex() for _ in range(2)
        )
        self._payments[identifier] = _Payment(
            client_id=call.login.client_id,
            bank=call.login.bank,
            nonce=nonce,
            request=call.body,
        )
        prefix = call.base.partition("/stet/")[0]
        page = (
            f"{call.origin}{prefix}{APPROVAL}"
            f"?paymentRequestRessourceId={identifier}&nonce={nonce}"
        )
        members = {
            "appliedAuthenticationApproach": "REDIRECT",
            "_links": {"consentApproval": {"href": page, "templated": None}},
        }
        location = f"{call.base}/payment-requests/{identifier}"
        return json_of(201, members, ("Location", location))

    def payment(self, call: Call, payment_id: str) -> Answer:
        """Answer `GET /payment-requests/{paymentRequestResourceId}`."""
        found = self._payments.get(payment_id)
        if found is None or (found.client_id, found.bank) != (
            call.login.client_id,
            call.login.bank,
        ):
            raise BankRefusal(404, "There is no such payment request.")
        members = {
            "resourceId": payment_id,
            **found.request,
            "paymentInformationStatus": found.status,
        }
        own = {"self": {"href": f"{call.base}/payment-requests/{payment_id}"}}
        return json_of(200, {"paymentRequest": members, "_links": own})

    def screen(self, query: Mapping[str, str], *, bank: str, path: str) -> Screen:
        """Return the page on which the customer approves a payment.

        Raises:
            Refusal: There is no such payment, or it was decided before.
        """
        payment = self._payments.get(query.get("paymentRequestRessourceId", ""))
        if (
            payment is None
            or (payment.bank, payment.nonce) != (bank, query.get("nonce"))
            or payment.status != "RCVD"
        ):
            refuse_page("There is no such payment, or it was decided before.")
        reports = payment.request["supplementaryData"]

        def end(decision: Decision) -> str | None:
            payment.status = "ACSC" if decision == "accept" else "RJCT"
            if decision == "timeout":
                return None  # documented: payment screens end without a redirect
            name = "successful" if decision == "accept" else "unsuccessful"
            return str(reports[f"{name}ReportUrl"])

        return Screen(
            title=f"{stet_banks.name_of(bank)}: payment",
            facts=(
                ("Who asks", payment.client_id),
                *(
                    (
                        "Amount",
                        "{amount} {currency}".format(**transfer["instructedAmount"]),
                    )
                    for transfer in payment.request["creditTransferTransaction"]
                ),
            ),
            action=path,
            end=end,
        )


def _member(members: Any, name: str, kind: type) -> Any:
    value = members.get(name) if isinstance(members, dict) else None
    if not isinstance(value, kind) or value == "":
        raise BankRefusal(400, f"{name} is missing, or is of another type.")
    return value


def _is_address(text: str) -> bool:
    """Say whether a browser may be sent there: https, or this machine."""
    try:
        url = urlsplit(text)
    except ValueError:
        return False
    return bool(url.hostname) and (
        url.scheme == "https"
        or (url.scheme == "http" and url.hostname in ("127.0.0.1", "::1"))
    )


def _amount(members: dict[str, Any]) -> Decimal:
    """Return an amount; it is a text."""
    text = _member(members, "amount", str)
    _member(members, "currency", str)
    if not _AMOUNT.fullmatch(text):
        raise BankRefusal(400, "amount must be a text such as 12.50.")
    return Decimal(text)
