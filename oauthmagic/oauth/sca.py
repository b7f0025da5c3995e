"""The SCA step-up of Paysafe's embedded wallets: challenge, attempt, second request.

Source: docs.paysafe.com, embedded wallets: issue-access-token, strong customer
authentication, the SCA event and attempt pages. A request that needs strong customer
authentication (PSD2) is refused with 401 and

    WWW-Authenticate: SCA realm="Authentication" auth-param1="<base64 of JSON>"

When the user has authenticated, the same request is sent once more with the header
`SCA-Authorization`. The page's samples have traps: the comma before `auth-param1` is
missing (read all the same), the identifiers are no UUIDs (never looked into), and the
sample value of `SCA-Authorization` is JSON without its last brace (never produced).

Not documented, so the names are ours: `ANSWER_MEMBER` and `VERDICT_MEMBER`.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import urllib.parse
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn, Self

from oauthmagic.errors import InvalidChallenge
from oauthmagic.oauth.challenges import MAX_LENGTH, Challenge, parse_challenges
from oauthmagic.oauth.strict_json import read_object
from oauthmagic.redaction import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

SCHEME = "sca"
#: The request header that carries the proof.
AUTHORIZATION_HEADER = "SCA-Authorization"
#: OUTSOURCED: the partner does everything; EMBEDDED: Paysafe does; HYBRID: Paysafe
#: does, except talking to the user.
MODES = ("OUTSOURCED", "EMBEDDED", "HYBRID")
#: Where the user's one-time code, PIN ... goes in an attempt. The name is ours.
ANSWER_MEMBER = "value"
#: Where the partner's verdict goes in an outsourced attempt. The name is ours.
VERDICT_MEMBER = "status"
VERIFIED, REJECTED, FAILED = "VERIFIED", "REJECTED", "FAILED"
#: The most ways of verification that are read.
MAX_VERIFICATIONS = 32

_PARAMETER = "auth-param1"
# Opaque, but it goes into a path and a header: visible ASCII.
_IDENTIFIER = re.compile(r"[!-$&-.0-\[\]-~]{1,128}")
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_BEGINS = re.compile(r"(?:^|,)[ \t]*sca(?:[ \t]|$)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Verification:
    """One way to authenticate.

    Attributes:
        method: `PASSWORD`, `PIN`, `PASSKEYS`, `OTP`, `PUSH_NOTIFICATION`,
            `BIOMETRIC`, or one that came later.
        channel: `SMS`, `EMAIL`, `AUTHENTICATOR` ..., or "".
        target: Where the code goes, as the server masks it, or "".
    """

    method: str
    channel: str = ""
    target: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScaEvent:
    """What a challenge asks for.

    Attributes:
        event_id: Opaque.
        wallet_operation_id: Opaque.
        mode: One of `MODES`.
        available_verifications: The ways to choose from; none means any that the
            partner and Paysafe have agreed on.
        creation_time: When the event began (aware), or None if it does not say.
        expiration_time: When it ends (aware), or None if it does not say.
    """

    event_id: str = field(repr=False)
    wallet_operation_id: str = field(repr=False)
    mode: str
    available_verifications: tuple[Verification, ...] = ()
    creation_time: datetime | None = None
    expiration_time: datetime | None = None

    @property
    def path_segment(self) -> str:
        """The `eventId` as it stands in a path."""
        return urllib.parse.quote(self.event_id, safe="")

    def is_expired(self, now: datetime) -> bool | None:
        """Say whether it is over; None if its end is not known."""
        return None if self.expiration_time is None else now >= self.expiration_time

    @classmethod
    def from_details(cls, details: object) -> Self:
        """Return the event that the member `scaDetails` describes.

        Raises:
            InvalidChallenge: A member is missing or is not what it should be.
        """
        if not isinstance(details, dict):
            _refuse("it has no scaDetails")
        mode = details.get("authenticationMode")
        if mode not in MODES:
            _refuse("its authenticationMode is none of " + ", ".join(MODES))
        return cls(
            event_id=_identifier(details, "eventId"),
            wallet_operation_id=_identifier(details, "walletOperationId"),
            mode=mode,
            available_verifications=_verifications(details),
            creation_time=_time(details, "creationTime"),
            expiration_time=_time(details, "expirationTime"),
        )


def read_challenge(source: str | Iterable[Challenge]) -> ScaEvent | None:
    """Read the SCA challenge of a 401, if there is one.

    Args:
        source: The value of `WWW-Authenticate`, or its challenges.

    Raises:
        InvalidChallenge: It is an SCA challenge that cannot be read, or there are two.
    """
    if isinstance(source, str):
        if _is_too_long(source):
            _refuse(f"it is longer than {MAX_LENGTH // 1024} KiB")
        source = parse_challenges(source)
    challenges = [each for each in source if each.scheme == SCHEME]
    if not challenges:
        return None
    if len(challenges) > 1:
        _refuse("there are two of them")
    encoded = challenges[0].parameters.get(_PARAMETER) or challenges[0].token68
    if not encoded:
        _refuse(f"it has no {_PARAMETER}")
    return ScaEvent.from_details(_decoded(encoded).get("scaDetails"))


def asks(field: str) -> bool:
    """Return whether `WWW-Authenticate` asks for a second factor, readable or not.

    Args:
        field: Its value.
    """
    challenges = parse_challenges(field)
    return _is_too_long(field) or any(each.scheme == SCHEME for each in challenges)


def authorization(event: ScaEvent) -> str:
    """Return the value of `SCA-Authorization` for the second request."""
    details = {
        "eventId": event.event_id,
        "walletOperationId": event.wallet_operation_id,
    }
    text = json.dumps({"scaDetails": details}, separators=(",", ":"))
    return base64.b64encode(text.encode()).decode("ascii")


def challenge_body(
    event: ScaEvent, method: str, channel: str = ""
) -> dict[str, object]:
    """Return the JSON body that asks for a code to be sent.

    That it has the members of an attempt is ours: the page does not show it.
    """
    return {
        "walletOperationId": event.wallet_operation_id,
        "verification": _verification(method, channel),
    }


def attempt_body(
    event: ScaEvent, method: str, channel: str, answer: str
) -> dict[str, object]:
    """Return the JSON body of an attempt in which Paysafe judges the answer.

    Args:
        event: What it is for.
        method: One of the available methods.
        channel: Its channel, or "".
        answer: The user's code, in plain text: the caller reveals it last.
    """
    return {
        "walletOperationId": event.wallet_operation_id,
        "verification": {**_verification(method, channel), ANSWER_MEMBER: answer},
    }


def outsourced_attempt_body(
    event: ScaEvent, method: str, channel: str, *, verified: bool
) -> dict[str, object]:
    """Return the JSON body with which a partner reports its own verdict.

    Args:
        event: What it is for.
        method: One of the available methods.
        channel: Its channel, or "".
        verified: Whether the user was authenticated.
    """
    verdict = VERIFIED if verified else REJECTED
    return {
        "walletOperationId": event.wallet_operation_id,
        "verification": {**_verification(method, channel), VERDICT_MEMBER: verdict},
    }


def _is_too_long(field: str) -> bool:
    return len(field) > MAX_LENGTH and _BEGINS.search(field) is not None


def _verification(method: str, channel: str) -> dict[str, object]:
    return {"method": method, **({"channel": channel} if channel else {})}


def _decoded(encoded: str) -> dict[str, Any]:
    """Return the JSON object in base64 or base64url, padded or not."""
    standard = encoded.translate(str.maketrans("-_", "+/"))
    if not _BASE64.fullmatch(standard):
        _refuse(f"its {_PARAMETER} is not base64")
    bare = standard.rstrip("=")
    try:
        octets = base64.b64decode(bare + "=" * (-len(bare) % 4))
    except binascii.Error:
        _refuse(f"its {_PARAMETER} is not base64")
    why = ""
    try:
        decoded = read_object(octets, max_bytes=MAX_LENGTH)
    except ValueError as error:
        why = str(error)
    if why:
        # Not from there: the reader's frames hold what the challenge says of a user.
        _refuse(f"its {_PARAMETER} was decoded, but {why}")
    return decoded


def _identifier(details: dict[str, Any], name: str) -> str:
    value = details.get(name)
    # A dot or two would mean another place in a path, encoded or not.
    if (
        not isinstance(value, str)
        or not _IDENTIFIER.fullmatch(value)
        or value in (".", "..")
    ):
        _refuse(f"its {name} is missing or no identifier")
    return value


def _verifications(details: dict[str, Any]) -> tuple[Verification, ...]:
    rows = details.get("availableVerifications")
    if rows is None:
        return ()
    if not isinstance(rows, list) or len(rows) > MAX_VERIFICATIONS:
        _refuse(
            f"its availableVerifications are no list of at most {MAX_VERIFICATIONS}"
        )
    return tuple(_read_verification(row) for row in rows)


def _read_verification(row: object) -> Verification:
    if not isinstance(row, dict):
        _refuse("one of its availableVerifications is not an object")
    method, channel = row.get("method"), row.get("channel") or ""
    if not isinstance(method, str) or not _WORD.fullmatch(method):
        _refuse("one of its availableVerifications has no method")
    if channel and not (isinstance(channel, str) and _WORD.fullmatch(channel)):
        _refuse("one of its availableVerifications has a channel that is no word")
    return Verification(
        method=method, channel=channel, target=quote(row.get("target"), 100)
    )


def _time(details: dict[str, Any], name: str) -> datetime | None:
    """Return a time of RFC 3339; the server keeps it, so what is unreadable is None."""
    value = details.get(name)
    if not isinstance(value, str) or len(value) > 40:  # noqa: PLR2004
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if isinstance(moment.utcoffset(), timedelta) else None


def _refuse(why: str) -> NoReturn:
    msg = f"The SCA challenge was refused: {why}."
    raise InvalidChallenge(msg)
