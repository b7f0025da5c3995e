"""A pending action as a card of core controls; nothing of it blocks the kernel.

What is answered goes to the session in a thread of its own, and whoever completes the
action, the card, `%token resume` or what came back by itself, the card is told and says
in words what happened.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from ipywidgets import HTML, Button, HBox, VBox

from oauthmagic.errors import OAuthMagicError, UserActionRequired
from oauthmagic.notebook.controls import button, labelled
from oauthmagic.notebook.secret_fields import SecretField
from oauthmagic.runtime.pending import time_is_over
from oauthmagic.views.cards import card_html, outcome_html, status_html

if TYPE_CHECKING:
    from oauthmagic.runtime.pending import PendingAction
    from oauthmagic.session import Session

_LABELS = {"redirect": "Redirected URL", "sca": "Code"}


class AnswerField(SecretField):
    """A field whose answer is sent with Enter, too.

    Args:
        sent: Is called when there is an answer and the user has sent it.
        words: Answers that are no secret, for everybody is told them: a demo's.
    """

    def __init__(self, *, sent: Any, words: tuple[str, ...], **kwargs: Any) -> None:
        self._sent = sent
        self._words = words
        self._word: str | None = None
        super().__init__(**kwargs)
        self._is_entered = False
        self.on_msg(self._on_enter)

    def answer(self) -> str | None:
        """Return what was entered last, or None."""
        return self._word if self.secret is None else self.secret.reveal()

    def clear(self) -> None:
        """Forget what was entered."""
        super().clear()
        self._word = None

    def _keep(self, typed: str) -> None:
        if typed in self._words:
            self.secret, self._word = None, typed
        else:
            super()._keep(typed)

    def _on_enter(self, _: Any, content: dict[str, Any], __: Any) -> None:
        # Some front ends say that Enter was pressed before they send the value.
        if content.get("event") == "submit":
            self._is_entered = True
            self._hand_over()

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take the answer out of what a front end sends."""
        super().set_state(sync_data)
        self._hand_over()

    def _hand_over(self) -> None:
        if self._is_entered and self.answer() is not None:
            self._is_entered = False
            self._sent()


class Card:
    """A pending action as controls, until it is over.

    Args:
        session: Where it waits.
        action: The action.

    Attributes:
        box: The control to show.
    """

    def __init__(self, session: Session, action: PendingAction) -> None:
        self._session = session
        self._action = action
        self._lines: list[str] = []
        self._is_over = False
        self._about = HTML(card_html(action))
        self._status = HTML(status_html("Waiting for you."))
        self._controls = VBox(self._controls_for(action))
        self.box = VBox((self._about, self._controls, self._status))
        session.watch(action.target, self._tell)
        self._end_in_time()

    def say(self, lines: list[str]) -> None:
        """Have something said when it is over, for example what a name holds now."""
        self._lines += lines

    def _controls_for(self, action: PendingAction) -> tuple[Any, ...]:
        if action.kind == "device":
            return (HBox((self._button("Ask now", ""),)),)
        words = tuple(self._button(word, word) for word in action.answers)
        if words and action.kind != "sca":
            return (HBox(words),)
        self._field = labelled(
            AnswerField,
            _LABELS.get(action.kind, "Answer"),
            sent=self._send,
            words=action.answers,
        )
        send = button("Send")
        send.on_click(lambda _: self._send())
        others = (
            *words,
            *(self._button(f"Send a code: {way}", way) for way in action.ways),
        )
        return (HBox((self._field, send)), *((HBox(others),) if others else ()))

    def _button(self, label: str, answer: str) -> Button:
        made = button(label)
        made.on_click(lambda _: self._answer(answer))
        return made

    def _send(self) -> None:
        answer = self._field.answer()
        self._field.clear()
        if answer is None:
            self._status.value = status_html("There is nothing to send yet.")
            return
        self._answer(answer)

    def _answer(self, answer: str) -> None:
        """Give an answer, beside the kernel's cells."""
        self._status.value = status_html("One moment ...")
        work = partial(self._resume, answer)
        try:
            threading.Thread(target=work, daemon=True, name="oauthmagic-card").start()
        except RuntimeError:
            work()  # there are no threads in Pyodide

    def _resume(self, answer: str) -> None:
        try:
            self._session.resume(self._action.target, answer=answer)
        except OAuthMagicError as error:
            # One that waits no longer tells nobody.
            if not self._is_over:
                self._status.value = outcome_html(error)

    def _tell(self, outcome: Any, goes_on: bool) -> None:  # noqa: FBT001 - a callback
        """Say what came of an answer."""
        if self._is_over:
            return
        self._status.value = outcome_html(outcome, self._lines)
        if goes_on:
            return
        self._is_over = True
        # What is over holds no code, no link and no control.
        self._about.value = card_html(self._action, is_over=True)
        self._controls.children = ()
        if isinstance(outcome, UserActionRequired):
            self._controls.children = (Card(self._session, outcome.pending).box,)

    def _end_in_time(self) -> None:
        seconds = self._action.seconds
        if seconds is None or self._action.answers:
            return  # in a demo, time stands still
        timer = threading.Timer(seconds, self._tell, (time_is_over(), False))
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError:
            return
