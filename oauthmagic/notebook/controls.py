"""How the controls of a form are made: each with a label, none wider than a page."""

from __future__ import annotations

import html
from typing import Any

from ipywidgets import Button, Checkbox

from oauthmagic.views.forms import plain_label

WIDE = {"width": "100%", "max_width": "46em"}


def labelled(kind: Any, label: str, **kwargs: Any) -> Any:
    """Return a control with its label before it.

    Args:
        kind: Its class.
        label: The label.
        **kwargs: Its other traits.
    """
    return in_order(
        kind(
            description=label,
            style={"description_width": "9em"},
            layout={"width": "100%", "max_width": "40em"},
            **kwargs,
        )
    )


def button(label: str) -> Button:
    """Return a button as wide as its label."""
    return in_order(Button(description=label, layout={"width": "auto"}))


def checkbox(label: str) -> Checkbox:
    """Return a box with its label behind it, in a line of its own."""
    label = plain_label(label)
    if "description_allow_html" not in Checkbox.class_trait_names():
        label = html.escape(label)  # before ipywidgets 8, a description is HTML
    return in_order(
        Checkbox(
            description=label,
            indent=False,
            style={"description_width": "initial"},
            layout={"width": "auto", "flex": "0 0 auto"},
        )
    )


def in_order(control: Any) -> Any:
    """Have what a front end says of a control handled after what it said before.

    Args:
        control: The control; returned.

    Since 7.4, ipykernel hands each message to the thread that the control was last
    written from, and not to the one that the front end names, which is the same for
    all: a click on a button then overtakes what was typed before it.
    """
    if hasattr(control.comm, "_reply_subshell_for"):
        control.comm._reply_subshell_for = lambda _, named: named  # noqa: SLF001
    return control


def show(control: Any, on: bool) -> None:  # noqa: FBT001 - reads well
    """Show a control, or take it out of sight and out of the order of the focus."""
    control.layout.display = None if on else "none"
