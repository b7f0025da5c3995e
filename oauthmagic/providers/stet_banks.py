"""The banks of the BPCE group whose code (`cdetab`) is known.

Source: the provider's pages "Limits" (www.api.89c3.com) for codes with a name, and
the read-me files of a public client (roodje/bespoke-providers) for the others. Where
only the code was seen, the name is "": none was guessed. The full list stands in the
provider's portal, so another code is not wrong for being absent here.
"""

from __future__ import annotations

from typing import Final

#: Banque Populaire: hosts `www.<code>.live.api.89c3.com`.
BANQUE_POPULAIRE: Final[dict[str, str]] = {
    "10207": "",
    "10548": "",
    "10807": "",
    "10907": "",
    "13507": "",
    "13807": "B.P Grand Ouest, CMM Grand Ouest",
    "14607": "",
    "14707": "",
    "16607": "",
    "16807": "",
    "17807": "",
    "18707": "",
}
#: Caisse d'Epargne: it does not page, and has no end-user identity.
CAISSE_D_EPARGNE: Final[dict[str, str]] = {
    "11315": "",
    "11425": "",
    "12135": "",
    "13135": "",
    "13335": "",
    "13485": "",
    "13825": "",
    "14265": "",
    "14445": "",
    "14505": "",
    "15135": "",
    "16275": "",
    "17515": "CE Ile de France",
    "18315": "",
    "18715": "",
}
#: Neither of the two.
OTHERS: Final[dict[str, str]] = {
    "12579": "Banque BCP",
    "30007": "",
}
#: Code to name; "" where only the code is documented.
BANKS: Final[dict[str, str]] = dict(
    sorted((BANQUE_POPULAIRE | CAISSE_D_EPARGNE | OTHERS).items())
)
#: The banks that the sandbox has for payments.
SANDBOX_BANKS: Final = ("13807", "17515", "12579")


def name_of(code: str) -> str:
    """Return a bank's name, or what to call it where that is not documented."""
    return BANKS.get(code, "") or f"Bank {code}"
