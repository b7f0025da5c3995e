"""The state of widgets that a notebook was saved with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from oauthmagic.scan.judges import Context
from oauthmagic.scan.labels import kind_of_label
from oauthmagic.scan.parts import Part, Slot, dumped, mapping, rest_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WIDGET_STATE = "application/vnd.jupyter.widget-state+json"


def widgets_of(widgets: Mapping[str, Any]) -> Iterator[Part]:
    """Yield the texts of every widget, each string for itself and beside its label."""
    keys: Slot = ("metadata", "widgets")
    rest = dict(widgets)
    saved = rest.pop(WIDGET_STATE, None)
    if saved is not None:
        saved = dict(mapping(saved, "its widget state"))
        models = mapping(saved.pop("state", {}), "its widget state")
        for number, (identity, saved_model) in enumerate(models.items(), 1):
            slot = (*keys, WIDGET_STATE, "state", identity)
            model = dict(mapping(saved_model, f"widget {number}"))
            kind = model.get("model_name")
            known = (
                isinstance(kind, str) and kind.isidentifier() and kind[-5:] == "Model"
            )
            name = f"widget {number}" + (f" ({kind})" if known else "")
            state = model.pop("state", {})
            yield from _widget(mapping(state, name), name, (*slot, "state"))
            yield from rest_of(model, None, name, slot)
        yield from rest_of(saved, None, "widget state", (*keys, WIDGET_STATE))
    yield from rest_of(rest, None, "widget state", keys)


def _widget(state: Mapping[str, Any], name: str, keys: Slot) -> Iterator[Part]:
    is_password = any(
        str(state.get(key, "")).startswith("Password")
        for key in ("_model_name", "_view_name")
    )
    description = state.get("description")
    is_labelled = isinstance(description, str) and kind_of_label(description)
    for key, value in state.items():
        part = Part(None, name, "", Context.OUTPUT, slot=(*keys, key))
        if key == "value" and is_password and isinstance(value, str):
            if value:
                yield part._replace(text=value, password=True)
        elif key == "value" and is_labelled and isinstance(value, str):
            label = str(description).strip().rstrip(": *")
            yield part._replace(text=f"{label} = {json.dumps(value)}")
        elif isinstance(value, str) and len(value) > len(key):
            yield part._replace(text=value)
        yield part._replace(text=dumped({key: value}))
