"""Pending actions: what the user must do before a token or a reply can be had.

Redirect login, device login, step-up and consent are one idea: describe, act,
complete once. What was asked for is kept beside it and goes on when the answer
is there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from oauthmagic.errors import (
    AuthorizationPending,
    CommandError,
    RateLimited,
    SlowDown,
    TransportError,
    UserActionRequired,
)
from oauthmagic.oauth.targets import production_mark

if TYPE_CHECKING:
    from datetime import datetime

    from oauthmagic.oauth.tokens import Clock

#: (result or error, whether it goes on waiting)
Watcher = Callable[[Any, bool], None]
Kind = Literal["redirect", "device", "sca", "consent"]


@dataclass(frozen=True, kw_only=True, slots=True)
class PendingAction:
    """One thing that the user must do.

    Attributes:
        kind: "redirect", "device", "sca" or "consent".
        target: The target or alias that waits for it.
        asked_by: Who asks, for people.
        environment: Where: "demo", "sandbox" or "production".
        wants: What is asked for, a line each.
        url: Where to go, or "".
        user_code: The code to enter there (RFC 8628), or "".
        complete_url: Where to go with the code in it (`verification_uri_complete`),
            or "".
        expires_at: Until when (aware, UTC), or None if unknown.
        seconds: How long that is from when it was asked, or None if unknown.
        ways: Words by which a code is sent in another way, where there are some.
        answers: Words that play the user's side in a demo; empty elsewhere.
        way: How a redirect comes back: "jupyter_server", "loopback" or "paste"
            (`oauthmagic.oauth.redirect_ways`); "" where nothing is to come back.
        why: Why that way and no other, as sentences.
    """

    kind: Kind
    target: str
    asked_by: str
    environment: str = ""
    wants: tuple[str, ...] = ()
    url: str = ""
    user_code: str = ""
    complete_url: str = ""
    expires_at: datetime | None = None
    seconds: float | None = None
    ways: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    way: str = ""
    why: str = ""

    @property
    def ends_by_itself(self) -> bool:
        """Whether nothing need be entered here once the user has acted."""
        return self.kind == "device" or self.way in ("jupyter_server", "loopback")

    @property
    def sentence(self) -> str:
        """Who asks for what, without its mark."""
        return f"{self.asked_by} {_ASKS[self.kind]}."

    def describe(self) -> str:
        """Return what is asked, by whom, until when, and how to answer."""
        lines = [f"{production_mark(self.environment)} {self.sentence}".strip()]
        lines += [f"  - {each}" for each in self.wants]
        if self.url and not self.answers:
            lines.append(f"Open: {self.url}")
        if self.user_code:
            lines.append(f"Enter the code: {self.user_code}")
        if self.expires_at is not None:
            lines.append(f"Until {self.expires_at:%Y-%m-%d %H:%M:%S} UTC.")
        if self.why:
            lines.append(self.why)
        lines.append(self.how_to_answer())
        return "\n".join(lines)

    def how_to_answer(self) -> str:
        """Return the sentence that says how this ends."""
        if self.answers:
            words = ", ".join(self.answers)
            return f"In the demo: %token resume {self.target} --answer WORD ({words})."
        if self.kind == "sca":
            return f"Then: %token resume {self.target} --answer CODE."
        if self.kind == "device":
            return f"It ends by itself; to ask at once: %token resume {self.target}."
        if self.ends_by_itself:
            return (
                "It ends by itself when you are back; if not: "
                f"%token resume {self.target}, and paste the redirected URL."
            )
        return f"Then: %token resume {self.target}, and paste the redirected URL."


_ASKS = {
    "redirect": "asks you to log in and consent",
    "device": "asks you to log in on another device",
    "sca": "asks you to confirm with a second factor",
    "consent": "asks you to consent",
}


@dataclass(kw_only=True, slots=True)
class Waiting:
    """A pending action with what completes it.

    Attributes:
        action: What the user sees.
        wish: What it is for; the same wish finds it again.
        complete: Takes the answer and returns the result; raises `CommandError`
            (or `WrongState`) where the action goes on waiting.
        clock: The time where it waits.
        then: Goes on with the result.
        stop: Ends what goes on in the background for it.
        watchers: Are told what came of an answer.
        is_forgotten: Whether what may still come for it is not wanted any more.
    """

    action: PendingAction
    wish: Any
    complete: Callable[[str], Any]
    clock: Clock
    then: list[Callable[[Any], Any]] = field(default_factory=list)
    stop: Callable[[], None] = lambda: None
    watchers: list[Watcher] = field(default_factory=list)
    is_forgotten: bool = False

    def tell(self, outcome: Any, *, goes_on: bool = False) -> None:
        """Tell who watches; end what goes on in the background if it is over."""
        if not goes_on:
            self.stop()
        for watcher in list(self.watchers):
            watcher(outcome, goes_on)


class WaitingRoom:
    """The pending actions of one session, one for each target or alias."""

    def __init__(self) -> None:
        self._waiting: dict[str, Waiting] = {}
        self._lock = threading.RLock()

    def ask(self, waiting: Waiting, message: str) -> UserActionRequired:
        """Let an action wait and return the error to raise."""
        with self._lock:
            before = self._waiting.get(waiting.action.target)
            self._waiting[waiting.action.target] = waiting
        if before is not None:
            before.tell(_replaced())
        if before is not None and before.wish != waiting.wish:
            message += " What waited here before is dropped."
        return UserActionRequired(
            message, pending=waiting.action, hint=waiting.action.how_to_answer()
        )

    def again(self, name: str, wish: Any) -> UserActionRequired | None:
        """Return the error to raise where the same wish, or any for None, waits."""
        with self._lock:
            waiting = self._waiting.get(name)
            if waiting is None or wish not in (None, waiting.wish):
                return None
            if wish is None and waiting.action.kind not in ("redirect", "device"):
                return None
            if _is_over(waiting):
                return None
            waiting.then.clear()
            return UserActionRequired(
                "This still waits for you.",
                pending=waiting.action,
                hint=waiting.action.how_to_answer(),
            )

    def continue_with(self, name: str, step: Callable[[Any], Any]) -> None:
        """Let something happen with the result of a pending action."""
        with self._lock:
            if name in self._waiting:
                self._waiting[name].then.append(step)

    def watch(self, name: str, watcher: Watcher) -> None:
        """Tell somebody what comes of each answer to a pending action."""
        with self._lock:
            if name in self._waiting:
                self._waiting[name].watchers.append(watcher)

    def stop(self) -> None:
        """End what goes on in the background; everything can still be answered."""
        with self._lock:
            waiting = list(self._waiting.values())
        for each in waiting:
            each.stop()

    def holds(self, name: str) -> bool:
        """Return whether something waits under this very name."""
        with self._lock:
            return name in self._waiting

    def get(self, name: str | None) -> PendingAction:
        """Return the action of a target; without one, the only one there is.

        Raises:
            CommandError: Nothing waits, or more than one thing does.
        """
        with self._lock:
            return self._find(name).action

    def resume(self, name: str | None, answer: str) -> Any:
        """Complete an action and return what its first call would have returned.

        Raises:
            CommandError: Nothing waits, or the answer leaves it waiting.
            OAuthMagicError: It was refused or is over; it waits no longer.
        """
        with self._lock:
            waiting = self._find(name)
            # Taken out first: once is once, and what comes next may wait here too.
            del self._waiting[waiting.action.target]
        if _is_over(waiting):
            error = time_is_over()
            waiting.tell(error)
            raise error
        try:
            result = waiting.complete(answer)
            while waiting.then:
                result = waiting.then[0](result)
                waiting.then.pop(0)
        except UserActionRequired as error:
            # The server asks for more: what was to come comes after that.
            for step in waiting.then:
                self.continue_with(error.pending.target, step)
            waiting.tell(error)
            raise
        except BaseException as error:
            goes_on = _leaves_it_waiting(error)
            if goes_on:
                with self._lock:
                    self._waiting.setdefault(waiting.action.target, waiting)
            waiting.tell(error, goes_on=goes_on)
            raise
        waiting.tell(result)
        return result

    def forget(self, name: str) -> None:
        """Let an action wait no longer."""
        with self._lock:
            waiting = self._waiting.pop(name, None)
        if waiting is not None:
            waiting.is_forgotten = True
            msg = "It was forgotten."
            waiting.tell(CommandError(msg, hint="Run the cell again to start anew."))

    def clear(self) -> None:
        """Let nothing wait any longer."""
        with self._lock:
            names = list(self._waiting)
        for name in names:
            self.forget(name)

    def _find(self, name: str | None) -> Waiting:
        if name is None and len(self._waiting) == 1:
            return next(iter(self._waiting.values()))
        if name is not None and name in self._waiting:
            return self._waiting[name]
        waiting = ", ".join(self._waiting)
        msg = f"Nothing waits for an answer{f' at {name}' if name else ''}."
        if name is None and waiting:
            msg = "More than one action waits: name its target."
        raise CommandError(
            msg, hint=f"Waiting: {waiting}." if waiting else "Run the cell that asks."
        )


def time_is_over() -> CommandError:
    """Return the error of an action whose time is over."""
    msg = "The time for this is over."
    return CommandError(msg, hint="Run the cell again to start anew.")


def _replaced() -> CommandError:
    msg = "Something else is asked for here now."
    return CommandError(msg, hint="Answer that one.")


def _leaves_it_waiting(error: BaseException) -> bool:
    if isinstance(error, TransportError):
        return error.sent == "no"
    return isinstance(
        error, (CommandError, RateLimited, AuthorizationPending, SlowDown)
    )


def _is_over(waiting: Waiting) -> bool:
    end = waiting.action.expires_at
    return end is not None and waiting.clock() >= end
