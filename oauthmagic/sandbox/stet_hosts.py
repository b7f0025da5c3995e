"""Which simulated STET bank a request is for: by host, or by path on a loopback."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from oauthmagic.providers.stet_banks import BANKS
from oauthmagic.sandbox.stet_answers import BankRefusal

#: One host for each bank, as with the real ones: `www.<code>.stet.demo.invalid`.
HOST: Final = "stet.demo.invalid"
#: The bank where neither host nor path names one.
DEFAULT_BANK: Final = "17515"
_BANK_HOST: Final = re.compile(rf"www\.([0-9]{{5}})\.{re.escape(HOST)}(:[0-9]+)?")
_BANK_PATH: Final = re.compile(r"(/([0-9]{5}))(/.*)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What a request is for.

    Attributes:
        bank: The bank's code.
        prefix: What stands before the bank's own paths, or "".
        path: The path at the bank.
        origin: Scheme and host, as the client sees them.
    """

    bank: str
    prefix: str
    path: str
    origin: str


def asked_bank(host: str, path: str, origin: str) -> Asked:
    """Return which bank is asked, and for what.

    Args:
        host: The Host header.
        path: The whole path.
        origin: Scheme and host.

    Raises:
        BankRefusal: There is no such bank.
    """
    prefix, bank, rest = "", DEFAULT_BANK, path
    if found := _BANK_HOST.fullmatch(host.lower()):
        bank = found[1]
    elif found := _BANK_PATH.fullmatch(path):
        prefix, bank, rest = found.groups()
    if bank not in BANKS:
        raise BankRefusal(404, "There is no such bank.")
    return Asked(bank=bank, prefix=prefix, path=rest, origin=origin)
