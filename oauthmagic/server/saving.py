"""Hooks of Jupyter Server's contents manager: no secret is saved without a word.

One warns; one also takes out of the file what the kernel put there: an output that
holds a secret becomes a note, a widget's value becomes empty. What a person wrote,
sources and attachments, is never altered unless the server's owner says so, for a
file that differs from what is on the screen would surprise its author. Metadata are
never altered: other programs rely on them.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import visible
from oauthmagic.redaction import MASK
from oauthmagic.scan.files import search_for
from oauthmagic.scan.findings import finding_of
from oauthmagic.scan.judges import Context
from oauthmagic.scan.notebooks import NEWEST, parts_of
from oauthmagic.scan.parts import Damaged, Part, Slot
from oauthmagic.scan.widgets import WIDGET_STATE
from oauthmagic.session.known import known_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from oauthmagic.redaction import Secret
    from oauthmagic.scan.texts import Hit, Search

NOTE = (
    "[oauthmagic took this output out of the file before saving: it held a secret "
    "({titles}). `oauthmagic scan` finds what is left.]\n"
)
_STATES: Slot = ("metadata", "widgets", WIDGET_STATE, "state")
_log = logging.getLogger(__name__)


class BeforeSaving:
    """A hook for `pre_save_hook` or `register_pre_save_hook`.

    Args:
        strip: Whether to replace outputs and values of widgets that hold secrets.
        sources: Whether to mask secrets in the sources of cells as well.
        known: Returns values that must not be saved, whenever a file is; without,
            those of `OAUTHMAGIC_*` in the server's environment.
    """

    def __init__(
        self,
        *,
        strip: bool = False,
        sources: bool = False,
        known: Callable[[], Iterable[Secret]] | None = None,
    ) -> None:
        self._strip = strip
        self._sources = sources
        self._known = known or (lambda: known_secrets(os.environ))
        # Jupyter Server names a hook that failed.
        self.__name__ = type(self).__name__

    def __call__(self, *, model: dict[str, Any], path: str = "", **kwargs: Any) -> None:
        """Look at what is about to be saved.

        Args:
            model: The contents model; its content is changed where the hook strips.
            path: Where it goes.
            kwargs: `contents_manager`, whose log is used.
        """
        log = getattr(kwargs.get("contents_manager"), "log", _log)
        search = search_for(self._known())
        content = model.get("content")
        if model.get("type") == "notebook" and isinstance(content, dict):
            try:
                found = _found(parts_of(content), search)
            except Damaged as why:
                log.warning("oauthmagic: %s was not searched: %s", visible(path), why)
                return
        elif model.get("type") == "file" and isinstance(content, str):
            part = Part(None, "", content, Context.TEXT)
            found = _found([part], search)
        else:
            return
        notes: dict[Slot, set[str]] = {}
        for part, hits in found:
            word = self._change(content, part, hits, notes)
            for hit in hits:
                finding = finding_of(hit, path, part.cell, part.name)
                log.warning("oauthmagic: %s a secret: %s", word, finding)
        for slot, titles in notes.items():
            _set(content, slot, _note(titles, content))

    def _change(
        self, content: Any, part: Part, hits: list[Hit], notes: dict[Slot, set[str]]
    ) -> str:
        """Take out what may be taken out; return what was done, in words."""
        if self._strip and "outputs" in part.slot:
            notes.setdefault(part.slot, set()).update(hit.kind.title for hit in hits)
            return "took an output out with"
        if (
            self._strip
            and part.slot[:4] == _STATES
            and len(part.slot) > len(_STATES) + 2
        ):
            _set(content, part.slot, "")
            return "emptied a widget with"
        if self._sources and part.name == "source":
            _set(content, part.slot, _masked(part.text, hits))
            return "masked in a source"
        return "saved with"


def _found(parts: Iterable[Part], search: Search) -> Iterator[tuple[Part, list[Hit]]]:
    """Yield the parts that hold secrets; one value of one place once."""
    seen: set[tuple[object, ...]] = set()
    # Before anything is changed.
    for part, hits in [(part, part.hits(search)) for part in parts]:
        new = []
        for hit in hits:
            same = (part.slot, hit.fingerprint, part.name == "source" and hit.start)
            if not hit.allowed and same not in seen:
                seen.add(same)
                new.append(hit)
        if new:
            yield part, new


def _masked(text: str, hits: Iterable[Hit]) -> str:
    for hit in reversed(list(hits)):
        text = text[: hit.start] + MASK + text[hit.end :]
    return text


def _note(titles: set[str], content: Any) -> dict[str, Any]:
    name = "name" if content.get("nbformat") == NEWEST else "stream"
    text = NOTE.format(titles=", ".join(sorted(titles)))
    return {"output_type": "stream", name: "stderr", "text": text}


def _set(content: Any, slot: Slot, value: Any) -> None:
    for key in slot[:-1]:
        content = content[key]
    content[slot[-1]] = value


#: The hook that only warns.
warn_before_saving = BeforeSaving()
#: The hook that takes secrets out of outputs and widgets.
strip_before_saving = BeforeSaving(strip=True)
