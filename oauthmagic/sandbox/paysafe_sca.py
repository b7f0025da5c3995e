"""Strong Customer Authentication in the simulated Paysafe: events and their life.

Source: docs.paysafe.com, embedded wallets: strong customer authentication, the SCA
event, challenge and attempt pages, and the sample in issue-access-token, whose form
(no comma after the realm, indented JSON, 15 minutes) is kept to the letter. Our
inventions: the numbers `ALLOWABLE_...` and the cooldown, the one right answer, the
names `value` and `status` in an attempt, the bodies of challenges, the codes of
refusals, and that a proof is good for one request, the same to the byte.
"""

from __future__ import annotations

import hmac
import itertools
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from oauthmagic.errors import UnknownName
from oauthmagic.oauth.sca import ANSWER_MEMBER, FAILED, MODES, REJECTED, VERIFIED
from oauthmagic.oauth.sca import VERDICT_MEMBER as VERDICT
from oauthmagic.sandbox.paysafe_answers import (
    invalid_field,
    json_answer,
    too_many_requests,
    wrapper,
)
from oauthmagic.sandbox.paysafe_events import (
    ALLOWABLE_ATTEMPTS,
    ALLOWABLE_CHALLENGES,
    PENDING,
    VERIFICATIONS,
    Operation,
    ScaEvent,
    read_proof,
    write_challenge,
)
from oauthmagic.sandbox.rate_limits import whole_seconds

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from oauthmagic.sandbox.answers import Answer, Refusal
    from oauthmagic.sandbox.paysafe_answers import Header

#: What opens every door in the demo, whatever the method.
ANSWER: Final = "123456"
COOLDOWN: Final = timedelta(seconds=30)
OFF: Final = "OFF"
OUTSOURCED: Final = "OUTSOURCED"
_FIRST_ID: Final = 1_559_404
_MOST_EVENTS: Final = 1000


class ScaEvents:
    """Asks for authentication, hears the answers and knows who has given them.

    Args:
        clock: The time (aware).
        randomness: Where identifiers come from.
        mode: One of `oauthmagic.oauth.sca.MODES`, or `OFF`.
        comma: Whether the challenge has the comma that RFC 9110 wants.
        base64url: Whether its JSON is in base64url without padding.

    Raises:
        UnknownName: There is no such mode.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        randomness: random.Random,
        mode: str,
        comma: bool,
        base64url: bool,
    ) -> None:
        if mode not in (*MODES, OFF):
            kind = "SCA mode"
            raise UnknownName(kind, mode, (*MODES, OFF))
        self.mode = mode
        self.comma = comma
        self.base64url = base64url
        self._clock = clock
        self._randomness = randomness
        self._events: dict[str, ScaEvent] = {}
        self._ids = itertools.count(_FIRST_ID)

    def require(
        self,
        operation: Operation,
        refuse: Callable[[int, str, Header | None, dict[str, object]], Refusal],
    ) -> None:
        """Let a request pass if its user is authenticated for it, and only once.

        Args:
            operation: The request.
            refuse: Shapes the refusal from a status, a sentence, the challenge and
                its details.

        Raises:
            Refusal: A challenge (401), or the proof cannot be read (400).
        """
        if self.mode == OFF:
            return
        fault = "Strong customer authentication is required."
        if operation.proof is not None:
            proof = read_proof(operation.proof)
            if proof is None:
                raise refuse(
                    400,
                    "SCA-Authorization is not the base64 of a whole JSON object with "
                    "scaDetails, eventId and walletOperationId.",
                    None,
                    {},
                )
            event = self._events.get(proof[0])
            fault = self._fault(event, proof[1], operation)
            if event is not None and not fault:
                event.used = True
                return
        details = self._begin(operation).details()
        raise refuse(
            401,
            fault,
            (
                "WWW-Authenticate",
                write_challenge(details, comma=self.comma, base64url=self.base64url),
            ),
            details,
        )

    def challenge(
        self, event_id: str, body: Mapping[str, Any], caller: tuple[str, str]
    ) -> Answer:
        """Answer `POST .../challenges`: pretend to send a code.

        Args:
            event_id: Of the challenge.
            body: The members; none choose the first way that has a channel.
            caller: Brand and customer of the token.

        Raises:
            Refusal: There is no such event, it is over, or it is too early.
        """
        event = self._live(event_id, caller, outsourced=False)
        verification = VERIFICATIONS[1]
        if body:
            verification = self._verification(event, body)
        if event.challenges >= ALLOWABLE_CHALLENGES:
            raise _over("CHALLENGES-EXHAUSTED", "No more challenges are allowed.")
        now = self._clock()
        if event.challenged_at is not None and now < event.challenged_at + COOLDOWN:
            wait = whole_seconds(event.challenged_at + COOLDOWN - now)
            raise too_many_requests(wait, "The next challenge has to wait.")
        event.challenges += 1
        event.attempts = 0
        event.status = PENDING
        event.challenged_at, event.challenged_for = now, verification
        return json_answer(201, event.told(str(next(self._ids)), verification))

    def attempt(
        self,
        event_id: str,
        body: Mapping[str, Any],
        caller: tuple[str, str],
        *,
        outsourced: bool,
    ) -> Answer:
        """Answer `POST .../attempts`: judge an answer, or note a partner's verdict.

        Args:
            event_id: Of the challenge.
            body: The members.
            caller: Brand and customer of the token.
            outsourced: Whether this is the partner's path.

        Raises:
            Refusal: There is no such event, it is over, or the body is wrong.
        """
        event = self._live(event_id, caller, outsourced=outsourced)
        verification = self._verification(event, body)
        if event.attempts >= ALLOWABLE_ATTEMPTS:
            raise _over("ATTEMPTS-EXHAUSTED", "Ask for a new challenge first.")
        if (
            not outsourced
            and "channel" in verification
            and event.challenged_for != verification
        ):
            raise _over("CHALLENGE-REQUIRED", "Ask for a challenge of this way first.")
        given = body["verification"]
        if outsourced and VERDICT in given:
            if given[VERDICT] not in (VERIFIED, REJECTED):
                invalid_field(f"verification.{VERDICT}", "VERIFIED or REJECTED.")
            right = given[VERDICT] == VERIFIED
        else:
            answer = given.get(ANSWER_MEMBER)
            if not isinstance(answer, str):
                invalid_field(f"verification.{ANSWER_MEMBER}", "A text is expected.")
            right = hmac.compare_digest(
                answer.encode(errors="replace"), ANSWER.encode()
            )
        event.attempts += 1
        event.status = VERIFIED if right else REJECTED
        if not right and event.attempts >= ALLOWABLE_ATTEMPTS:
            event.status = FAILED
        return json_answer(201, event.told(str(next(self._ids)), verification))

    def _begin(self, operation: Operation) -> ScaEvent:
        if len(self._events) >= _MOST_EVENTS:
            del self._events[next(iter(self._events))]
        event = ScaEvent(
            event_id=self._identifier(),
            wallet_operation_id=self._identifier(),
            mode=self.mode,
            operation=operation,
            created=self._clock(),
        )
        self._events[event.event_id] = event
        return event

    def _identifier(self) -> str:
        return str(uuid.UUID(bytes=self._randomness.randbytes(16), version=4))

    def _fault(
        self, event: ScaEvent | None, wallet_operation_id: str, operation: Operation
    ) -> str:
        if event is None or event.wallet_operation_id != wallet_operation_id:
            return "There is no such SCA event."
        if event.used:
            return "The SCA event has been used."
        if event.is_expired(self._clock()):
            return "The SCA event has expired."
        if event.status != VERIFIED:
            return "The SCA event is not verified."
        same = event.operation.owner, event.operation.fingerprint
        if same != (operation.owner, operation.fingerprint):
            return "The SCA event belongs to another request."
        return ""

    def _live(
        self, event_id: str, caller: tuple[str, str], *, outsourced: bool
    ) -> ScaEvent:
        event = self._events.get(event_id)
        brand, customer = caller
        # A token without a user (admin, configuration) speaks for the whole brand.
        if event is None or not (
            event.operation.owner[0] == brand
            and customer in ("", event.operation.owner[1])
        ):
            raise wrapper(404, "DW-SCA-EVENT-NOT-FOUND", "There is no such SCA event.")
        if outsourced != (event.mode == OUTSOURCED):
            raise _over("WRONG-MODE", f"The event is {event.mode}: use its own path.")
        if event.is_expired(self._clock()):
            raise _over("EVENT-EXPIRED", "The SCA event has expired.")
        if event.status == VERIFIED:
            message = "The SCA event is verified already."
            raise wrapper(409, "DW-SCA-EVENT-VERIFIED", message)
        if event.status == FAILED and (
            outsourced or event.challenges >= ALLOWABLE_CHALLENGES
        ):
            raise _over("EVENT-FAILED", "The SCA event has failed: begin a new one.")
        return event

    def _verification(self, event: ScaEvent, body: Mapping[str, Any]) -> dict[str, str]:
        """Return the way that a body chooses, or refuse it."""
        if body.get("walletOperationId") != event.wallet_operation_id:
            invalid_field("walletOperationId", "It is not the event's.")
        given = body.get("verification")
        if not isinstance(given, dict):
            invalid_field("verification", "An object is expected.")
        wanted = given.get("method"), given.get("channel") or None
        for known in VERIFICATIONS:
            if (known["method"], known.get("channel")) == wanted:
                break
        else:
            fault = "It is none of availableVerifications."
            invalid_field("verification.method", fault)
        return known


def _over(code: str, message: str) -> Refusal:
    return wrapper(400, f"DW-SCA-{code}", message)
