"""The second factor: from a challenge to the same request once more.

The hook is provider-neutral: whatever was refused waits as a pending action, and
`again` sends it with the proof. Source of the SCA calls: docs.paysafe.com, embedded
wallets, strong customer authentication.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import (
    CommandError,
    ProtocolError,
    RateLimited,
    StepUpFailed,
    WrongAnswer,
)
from oauthmagic.oauth import grants, sca
from oauthmagic.oauth.strict_json import read_object
from oauthmagic.oauth.tokens import Token
from oauthmagic.redaction import Secret, quote
from oauthmagic.runtime.authorized import authorize
from oauthmagic.runtime.granting import perform
from oauthmagic.runtime.pending import PendingAction, Waiting
from oauthmagic.transport.wire import WireRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from oauthmagic.errors import UserActionRequired
    from oauthmagic.oauth.credentials import Credentials
    from oauthmagic.oauth.sca import ScaEvent, Verification
    from oauthmagic.runtime.pending import WaitingRoom
    from oauthmagic.runtime.world import World
    from oauthmagic.transport.wire import Headers

#: The most bytes of an answer to a challenge or an attempt.
_MOST_BYTES = 64 * 1024
#: The most second factors for one request: a server that is never content would have
#: its user give codes for ever.
MOST_STEP_UPS = 2
#: Methods that need a code to be sent first.
_SENT = ("OTP", "PUSH_NOTIFICATION")
#: The partner's own verdict, where it authenticates the user itself.
_VERDICTS = ("verified", "rejected")


@dataclass(frozen=True, kw_only=True, slots=True)
class StepUp:
    """One second factor at one server.

    Attributes:
        world: Where the calls go.
        event: What the server asks for.
        token: What authorizes the calls: the request's own token, or None where
            the token itself was asked for.
        credentials: The client's, for a token of its own in that case.
        before: How many second factors the same request was given already.
    """

    world: World
    event: ScaEvent
    token: Token | None
    credentials: Credentials
    before: int = 0

    def ask(
        self, room: WaitingRoom, name: str, wish: Any, again: Callable[[Headers], Any]
    ) -> UserActionRequired:
        """Let the request wait for the user's answer and return the error to raise.

        Args:
            room: Where it waits.
            name: The target or alias.
            wish: What it is for.
            again: Sends the request once more, with the proof as headers.

        Raises:
            StepUpFailed: It was given enough of them.
        """
        if self.before >= MOST_STEP_UPS:
            title = self.world.provider.title
            msg = (
                f"{title} asks for a second factor again, after {self.before} of them."
            )
            raise StepUpFailed(msg)
        chosen = self._chosen()
        wants = [self._offered(each) for each in self.event.available_verifications]
        if chosen is not None and self._can_be_sent(chosen):
            self._call("challenges", sca.challenge_body(self.event, *_pair(chosen)))
            wants.append(f"A code was sent: {_described(chosen)}")
        words: tuple[str, ...] = ("123456",)
        if not self._is_judged_there:
            wants.append(f"You judge it yourself: answer {' or '.join(_VERDICTS)}")
            words = _VERDICTS

        def complete(answer: str) -> Any:
            self._attempt(answer.strip(), chosen)
            proof = sca.authorization(self.event)
            return again(((sca.AUTHORIZATION_HEADER, proof),))

        action = PendingAction(
            kind="sca",
            target=name,
            asked_by=self.world.provider.title,
            environment=self.world.environment.name,
            wants=tuple(wants),
            expires_at=self.event.expiration_time,
            seconds=self._seconds(),
            ways=tuple(
                _name(each)
                for each in self.event.available_verifications
                if self._can_be_sent(each) and each != chosen
            ),
            answers=words if self.world.target.environment == "demo" else (),
        )
        return room.ask(
            Waiting(
                action=action, wish=wish, complete=complete, clock=self.world.clock
            ),
            f"{self.world.provider.title} asks for a second factor.",
        )

    @property
    def _is_judged_there(self) -> bool:
        return self.event.mode != "OUTSOURCED"

    def _seconds(self) -> float | None:
        end = self.event.expiration_time
        return None if end is None else (end - self.world.clock()).total_seconds()

    def _chosen(self) -> Verification | None:
        return next(iter(self.event.available_verifications), None)

    def _can_be_sent(self, verification: Verification) -> bool:
        return verification.method in _SENT and self._is_judged_there

    def _offered(self, verification: Verification) -> str:
        """Return one of the ways, for people, and how to choose it."""
        what = _described(verification)
        if not self._can_be_sent(verification) or verification == self._chosen():
            return what
        return f"{what}: answer {_name(verification)} to have a code sent"

    def _named(self, name: str) -> Verification | None:
        """Return the way that a word names: `PIN`, `OTP`, `OTP/EMAIL`."""
        return next(
            (
                each
                for each in self.event.available_verifications
                if name.upper() in (_name(each), each.method)
            ),
            None,
        )

    def _attempt(self, answer: str, chosen: Verification | None) -> None:
        """Send the user's answer; `PIN:1234` answers by another of the ways.

        Raises:
            CommandError: It names a way alone: a code was sent, and is waited for.
            WrongAnswer: It was not accepted, and may be tried again.
            StepUpFailed: It was refused for good.
        """
        named = self._named(answer)
        if named is not None and self._can_be_sent(named):
            self._call("challenges", sca.challenge_body(self.event, *_pair(named)))
            msg = f"A code was sent: {_described(named)}."
            raise CommandError(msg, hint=f"Give it: --answer {_name(named)}:CODE.")
        before, colon, after = answer.partition(":")
        if colon and (other := self._named(before)) is not None:
            chosen, answer = other, after
        method, channel = _pair(chosen) if chosen else ("OTP", "")
        if not answer:
            msg = "There is no answer."
            raise CommandError(msg, hint="Give the code: --answer CODE.")
        if not self._is_judged_there and answer in _VERDICTS:
            body = sca.outsourced_attempt_body(
                self.event, method, channel, verified=answer == "verified"
            )
        else:
            body = sca.attempt_body(self.event, method, channel, answer)
        told = self._call("attempts", body)
        status = told.get("status")
        if status == sca.VERIFIED:
            return
        reason = quote(told.get("statusReason"), 100) or "The answer was not accepted."
        if status == sca.REJECTED:
            raise WrongAnswer(reason, hint=f"Try again{_left(told)}.")
        if status == sca.FAILED:
            msg = f"{reason} There are no more tries for this one."
            raise StepUpFailed(msg)
        msg = "The answer to the second factor has no status that is known."
        raise ProtocolError(msg)

    def _call(self, what: str, body: dict[str, object]) -> dict[str, Any]:
        """Make a call about the event and return its answer.

        Raises:
            RateLimited: Too soon, or too often.
            StepUpFailed: The event is over or unknown.
            ProtocolError: The answer cannot be read.
        """
        base = self.world.environment.endpoints["sca_endpoint"]
        url = f"{base}/{self.event.path_segment}/{what}"
        if not self._is_judged_there:
            url = url.replace("/auth/sca/", "/sca/")
        request = WireRequest(
            method="POST",
            url=url,
            headers=(("content-type", "application/json"),),
            body=json.dumps(body).encode(),
        )
        del body  # it may hold the code
        response = self.world.transport.send(
            authorize(request, self._caller(), self.world),
            timeout=self.world.token_timeout,
            limit=_MOST_BYTES,
        )
        if response.status == 429:  # noqa: PLR2004
            wait = quote(response.header("retry-after") or "", 40)
            msg = "A new code cannot be sent yet, or no more."
            raise RateLimited(msg, retry_after=wait)
        why = ""
        try:
            told = read_object(response.body, max_bytes=_MOST_BYTES)
        except ValueError as error:
            why = str(error)
        if why:
            # Not from there: the frames of the reader hold the answer.
            msg = f"The answer to the second factor was refused: {why}."
            raise ProtocolError(msg)
        if response.status not in (200, 201):
            problem = told.get("error")
            message = problem.get("message") if isinstance(problem, dict) else problem
            said = quote(message, 200) or f"HTTP {response.status}"
            msg = f"The second factor was refused: {said}".rstrip(".") + "."
            if response.status == 400:  # noqa: PLR2004
                # The way was wrong, not the event: another may do.
                raise WrongAnswer(msg, hint="Try again, or by another of the methods.")
            raise StepUpFailed(msg)
        return told

    def _caller(self) -> Token:
        """Return a token for the calls: documented are configuration or user tokens.

        That the client's own token serves before there is one of the user is ours.
        """
        if self.token is not None:
            return self.token
        response = perform(self.world, self.credentials, grants.client_credentials(()))
        return _bare(self.world, response.access_token)


def _bare(world: World, access_token: Secret) -> Token:
    return Token(
        target=str(world.target),
        access_token=access_token,
        issued_at=world.clock(),
        clock=world.clock,
    )


def _pair(verification: Verification) -> tuple[str, str]:
    return verification.method, verification.channel


def _name(verification: Verification) -> str:
    return "/".join(filter(None, _pair(verification)))


def _described(verification: Verification) -> str:
    channel = f" by {verification.channel}" if verification.channel else ""
    target = f" to {verification.target}" if verification.target else ""
    return f"{verification.method}{channel}{target}"


def _left(told: dict[str, Any]) -> str:
    most, done = told.get("allowableAttempts"), told.get("currentAttempts")
    if not isinstance(most, int) or not isinstance(done, int):
        return ""
    return f": {max(most - done, 0)} more allowed"
