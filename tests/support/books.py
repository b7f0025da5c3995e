"""Notebooks for tests, as the JSON that they are."""

from __future__ import annotations

from typing import Any

STATE = "application/vnd.jupyter.widget-state+json"
HTML = "text/html"


def notebook(*cells: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    """Return a notebook of format 4."""
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": metadata,
        "cells": [{"id": f"cell-{at}", **cell} for at, cell in enumerate(cells)],
    }


def code(source: str, *outputs: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    """Return a code cell."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": metadata,
        "source": source,
        "outputs": list(outputs),
    }


def prose(source: str, **more: Any) -> dict[str, Any]:
    """Return a Markdown cell."""
    return {"cell_type": "markdown", "metadata": {}, "source": source, **more}


def stream(text: str) -> dict[str, Any]:
    """Return what was printed."""
    return {"output_type": "stream", "name": "stdout", "text": text}


def shown(**mimes: Any) -> dict[str, Any]:
    """Return what was displayed; `text_html=` is `text/html`."""
    data = {name.replace("_", "/", 1): value for name, value in mimes.items()}
    return {"output_type": "display_data", "metadata": {}, "data": data}


def failed(*traceback: str) -> dict[str, Any]:
    """Return an error."""
    return {
        "output_type": "error",
        "ename": "ValueError",
        "evalue": "no",
        "traceback": list(traceback),
    }


def widgets(**models: dict[str, Any]) -> dict[str, Any]:
    """Return the state of widgets, by the names of their models."""
    state = {
        f"{at:032x}": {
            "model_name": name,
            "model_module": "@jupyter-widgets/controls",
            "model_module_version": "2.0.0",
            "state": {"_model_name": name, "_view_name": name[:-5] + "View", **fields},
        }
        for at, (name, fields) in enumerate(models.items())
    }
    return {STATE: {"version_major": 2, "version_minor": 0, "state": state}}
