"""Pending actions in a notebook: the card that asks, and the answer to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.display import display

from oauthmagic.errors import CommandError
from oauthmagic.oauth.targets import production_mark

if TYPE_CHECKING:
    from collections.abc import Callable

    from oauthmagic.runtime.pending import PendingAction


def show_pending(action: PendingAction) -> None:
    """Show what is asked, by whom, until when, and how to answer."""
    display(pending_bundle(action), raw=True)


def pending_bundle(action: PendingAction) -> dict[str, Any]:
    """Return a pending action as a MIME bundle."""
    from oauthmagic.views.html import pending_html  # noqa: PLC0415 - when shown

    return {"text/plain": action.describe(), "text/html": pending_html(action)}


def answer_to(action: PendingAction, prompt: Callable[[str, bool], str] | None) -> str:
    """Ask the user for the answer; what is entered is not shown.

    Raises:
        CommandError: Nobody can be asked here.
    """
    if action.kind == "device":
        return ""  # the server is asked
    if prompt is None:
        msg = f"{action.target} waits for an answer, and nobody can be asked here."
        raise CommandError(msg, hint=action.how_to_answer())
    what = "The redirected URL" if action.kind == "redirect" else "The code"
    where = f"{action.target} {production_mark(action.environment)}".strip()
    return prompt(f"{what} for {where}: ", True)  # noqa: FBT003 - a seam
