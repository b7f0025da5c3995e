"""One SCA event of the simulated Paysafe: what is asked and what has been answered.

Source: the sample in issue-access-token, whose form is kept to the letter (no comma
after the realm, indented JSON, 15 minutes), and the attempt page for the members of
an answer. What is our invention is said in `oauthmagic.sandbox.paysafe_sca`.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from oauthmagic.oauth.sca import VERIFIED
from oauthmagic.sandbox.paysafe_data import timestamp

if TYPE_CHECKING:
    from datetime import datetime

LIFETIME: Final = timedelta(minutes=15)
ALLOWABLE_CHALLENGES: Final = 3
ALLOWABLE_ATTEMPTS: Final = 3
PENDING: Final = "PENDING"
#: The first two are the sample's.
VERIFICATIONS: Final = (
    {"method": "PIN"},
    {"method": "OTP", "channel": "SMS"},
    {"method": "OTP", "channel": "EMAIL", "target": "an***@demo.invalid"},
)


class Operation(NamedTuple):
    """A request that may need authentication.

    Attributes:
        owner: Brand and customer.
        fingerprint: Stands for everything that makes it this request.
        proof: The header `SCA-Authorization`, or None.
    """

    owner: tuple[str, str]
    fingerprint: str
    proof: str | None


@dataclass(kw_only=True, slots=True)
class ScaEvent:
    """An event and its counters; `challenged_for` is the way of the last challenge."""

    event_id: str
    wallet_operation_id: str
    mode: str
    operation: Operation = field(repr=False)
    created: datetime
    status: str = PENDING
    used: bool = False
    challenges: int = 0
    attempts: int = 0
    challenged_at: datetime | None = None
    challenged_for: dict[str, str] | None = None

    def is_expired(self, now: datetime) -> bool:
        """Say whether its 15 minutes are over."""
        return now >= self.created + LIFETIME

    def details(self) -> dict[str, object]:
        """Return the challenge's `scaDetails`, in the sample's order."""
        return {
            "eventId": self.event_id,
            "walletOperationId": self.wallet_operation_id,
            "authenticationMode": self.mode,
            "availableVerifications": [dict(each) for each in VERIFICATIONS],
            "creationTime": timestamp(self.created),
            "expirationTime": timestamp(self.created + LIFETIME),
        }

    def told(self, identifier: str, verification: dict[str, str]) -> dict[str, object]:
        """Return what a challenge or an attempt is answered.

        Args:
            identifier: Of the challenge or attempt.
            verification: The way that was chosen.
        """
        told: dict[str, object] = {
            "id": identifier,
            "eventId": self.event_id,
            "walletOperationId": self.wallet_operation_id,
            "authenticationMode": self.mode,
            "verification": verification,
            "allowableChallenges": ALLOWABLE_CHALLENGES,
            "currentChallenges": self.challenges,
            "allowableAttempts": ALLOWABLE_ATTEMPTS,
            "currentAttempts": self.attempts,
        }
        if self.status != PENDING:
            told["status"] = self.status
        if self.status not in (PENDING, VERIFIED):
            told["statusReason"] = "The answer is wrong."
        return told


def write_challenge(details: dict[str, object], *, comma: bool, base64url: bool) -> str:
    """Return the value of `WWW-Authenticate`.

    Args:
        details: As `ScaEvent.details` returns them.
        comma: Whether there is the comma that RFC 9110 wants and the sample lacks.
        base64url: Whether the JSON is in base64url without padding.
    """
    octets = json.dumps({"scaDetails": details}, indent=2).encode()
    encoded = base64.b64encode(octets)
    if base64url:
        encoded = base64.urlsafe_b64encode(octets).rstrip(b"=")
    between = ", " if comma else " "
    return f'SCA realm="Authentication"{between}auth-param1="{encoded.decode()}"'


def read_proof(value: str) -> tuple[str, str] | None:
    """Return `eventId` and `walletOperationId` of `SCA-Authorization`, or None.

    Args:
        value: The header; the page's own sample is no whole JSON and gives None.
    """
    try:
        text = base64.b64decode(value, validate=True).decode()
        details = json.loads(text)["scaDetails"]
        event_id, operation_id = details["eventId"], details["walletOperationId"]
    except (binascii.Error, ValueError, KeyError, TypeError, RecursionError):
        return None
    if isinstance(event_id, str) and isinstance(operation_id, str):
        return event_id, operation_id
    return None
