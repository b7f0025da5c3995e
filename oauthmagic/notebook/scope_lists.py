"""A list of scopes to choose from: each with what it allows, to be searched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ipywidgets import HTML, Checkbox, HBox, Text, VBox

from oauthmagic.notebook.choices import matching, offered_scopes
from oauthmagic.notebook.controls import WIDE, button, checkbox, labelled, show
from oauthmagic.views.forms import BORDER, note_html
from oauthmagic.views.texts import shown_scopes

if TYPE_CHECKING:
    from collections.abc import Callable

    from oauthmagic.providers.provider import Provider

#: The most scopes that are listed at once; a search finds the others.
MOST_LISTED = 60


class ScopeList:
    """Chooses scopes of a provider; where it names none, they are typed.

    Boxes, not a list to select from: there, a click without Ctrl drops the others.

    Args:
        tell: Called with the scopes whenever they change, in the provider's order.
    """

    def __init__(self, tell: Callable[[tuple[str, ...]], None]) -> None:
        self._tell = tell
        self._offered: dict[str, str] = {}
        self._default = ""
        self._selected: tuple[str, ...] = ()
        self._boxes: dict[str, Checkbox] = {}
        self._is_filling = False
        hint = "a word of a name or of what it allows"
        self.search = labelled(Text, "Search", placeholder=hint)
        self.list = VBox(
            layout={
                **WIDE,
                # Not whole lines: half of one shows that there are more.
                "max_height": "17em",
                "overflow": "auto",
                "border": BORDER,
                "padding": "2px 6px",
            }
        )
        self.all = button("Select all")
        self.none = button("Select none")
        self._count = HTML(layout=WIDE)
        buttons = HBox([self.all, self.none])
        self._known = VBox([self.search, self.list, buttons, self._count])
        self.typed = labelled(Text, "Scopes", placeholder="names, blanks between them")
        self.box = VBox([self._known, self.typed])
        self.search.observe(lambda _: self._list_found(), names="value")
        self.typed.observe(lambda _: self._on_typed(), names="value")
        self.all.on_click(lambda _: self._select_listed(on=True))
        self.none.on_click(lambda _: self._select_listed(on=False))

    def fill(self, provider: Provider, selected: tuple[str, ...]) -> None:
        """Offer the scopes of a provider, some of them selected."""
        self._offered = offered_scopes(provider)
        default = provider.default_scopes
        self._default = "the provider's default set is" if default else "none is"
        self._selected = selected
        self._boxes = {}
        self._is_filling = True
        self.search.value = ""
        self.typed.value = " ".join(selected)
        self._is_filling = False
        show(self._known, bool(self._offered))
        show(self.typed, not self._offered)
        self._list_found()

    def _list_found(self) -> None:
        """List what the search finds."""
        if self._is_filling:
            return
        found = matching(self._offered, self.search.value)
        self._is_filling = True
        for name in found[:MOST_LISTED]:
            if name not in self._boxes:
                self._boxes[name] = self._made(name)
            self._boxes[name].value = name in self._selected
        self._is_filling = False
        listed: list[Any] = [self._boxes[name] for name in found[:MOST_LISTED]]
        if len(found) > MOST_LISTED:
            more = f"... and {len(found) - MOST_LISTED} more: search for them."
            listed.append(HTML(note_html(more)))
        if not found:
            listed.append(HTML(note_html("No scope has these words.")))
        self.list.children = listed
        self._say_count()

    def _made(self, name: str) -> Checkbox:
        text = self._offered[name]
        box = checkbox(f"{name}: {text}" if text else name)
        box.observe(lambda change: self._on_box(name, on=change["new"]), names="value")
        return box

    def _on_box(self, name: str, *, on: bool) -> None:
        if not self._is_filling:
            others = {*self._selected} - {name}
            self._select(others | {name} if on else others)

    def _on_typed(self) -> None:
        if not self._is_filling:
            self._selected = tuple(dict.fromkeys(self.typed.value.split()))
            self._tell(self._selected)

    def _select_listed(self, *, on: bool) -> None:
        listed = {*matching(self._offered, self.search.value)}
        others = {*self._selected} - listed
        self._select(others | listed if on else others)
        self._list_found()

    def _select(self, names: set[str]) -> None:
        self._selected = tuple(each for each in self._offered if each in names)
        self._say_count()
        self._tell(self._selected)

    def _say_count(self) -> None:
        named = shown_scopes(self._selected)
        said = f"{len(self._selected)} of {len(self._offered)} selected: {named}."
        if not self._selected:
            said = f"None of {len(self._offered)} selected: {self._default} asked for."
        self._count.value = note_html(said)
