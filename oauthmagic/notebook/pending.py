"""Pending actions in a notebook: the card that asks, and the answer to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython import get_ipython
from IPython.display import display

from oauthmagic.errors import CommandError
from oauthmagic.oauth.targets import production_mark
from oauthmagic.session import current_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from oauthmagic.notebook.cards import Card
    from oauthmagic.runtime.pending import PendingAction

_VIEW = "application/vnd.jupyter.widget-view+json"


def show_pending(action: PendingAction) -> Card | None:
    """Show what is asked, by whom, until when, and how to answer; return the card."""
    card = _card(action)
    display(pending_bundle(action, card), raw=True)
    return card


def pending_bundle(action: PendingAction, card: Card | None = None) -> dict[str, Any]:
    """Return a pending action as a MIME bundle: a card, and the same for those without.

    Args:
        action: The action.
        card: Its card; without one it gets one, where there may be a front end.
    """
    from oauthmagic.views.html import pending_html  # noqa: PLC0415 - when shown

    card = card or _card(action)
    bundle: dict[str, Any] = {
        "text/plain": action.describe(),
        "text/html": pending_html(action),
    }
    if card is not None:
        model = {"version_major": 2, "version_minor": 0, "model_id": card.box.model_id}
        bundle[_VIEW] = model
    return bundle


def _card(action: PendingAction) -> Card | None:
    """Return a card where there is a kernel, which may have a front end."""
    if getattr(get_ipython(), "kernel", None) is None:
        return None
    from oauthmagic.notebook.cards import Card  # noqa: PLC0415 - heavy

    return Card(current_session(), action)


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
