"""The search for secrets, before it is believed: what is planted is found.

Fifteen places, ten ways to write a value; see `tests/support/canaries.py`.
"""

from __future__ import annotations

import base64
import html
import json
import logging
import sqlite3
import subprocess
import sys
import urllib.parse

import nbformat
import pytest
from canaries import command_lines, files_below, leaks, notebook_places
from nbconvert import HTMLExporter

#: Plainly fake; with what makes encodings differ.
CANARY = 'Canary8 "pä&ß/w+rd%<é>~Zq9=='

ENCODINGS = {
    "plain": str,
    "base64": lambda value: base64.b64encode(b"p=" + value.encode()).decode(),
    "base64url": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
    "percent": lambda value: urllib.parse.quote(value, safe=""),
    "hex": lambda value: value.encode().hex(),
    "reversed": lambda value: value[::-1],
    "ansi": lambda value: "\x1b[31m".join([value[:9], value[9:20], value[20:]]),
    "utf-16": lambda value: value.encode("utf-16-le").decode("latin-1"),
    "json": lambda value: json.dumps(value)[1:-1],
    "html": html.escape,
}
#: What an operating system or a format does not carry.
IMPOSSIBLE = {
    ("command line", "utf-16"): "an argument has no NUL",
    ("HTML export", "utf-16"): "HTML has no NUL",
}


def cell(**parts):
    """Return a code cell with one output, or other parts."""
    return {
        "cell_type": "code",
        "id": "fake",
        "metadata": {},
        "source": "",
        "outputs": [],
        "execution_count": None,
    } | parts


def output(kind, **members):
    """Return an output of a cell."""
    return [{"output_type": kind, **members}]


def result(mime, text):
    """Return a cell's value."""
    return output("execute_result", data={mime: text}, metadata={}, execution_count=1)


#: Where in a notebook -> what plants a text there.
PARTS = {
    "source": lambda text: cell(source=f"x = {text}"),
    "stream": lambda text: cell(
        outputs=output("stream", name="stdout", text=f"{text}\n")
    ),
    "result": lambda text: cell(outputs=result("text/plain", text)),
    "HTML": lambda text: cell(outputs=result("text/html", f"<p>{text}</p>")),
    "traceback": lambda text: cell(
        outputs=output("error", ename="E", evalue="x", traceback=["x", f"at {text}"])
    ),
    "cell metadata": lambda text: cell(metadata={"note": text}),
    "attachment": lambda text: {
        "cell_type": "markdown",
        "id": "fake",
        "metadata": {},
        "source": "![x](attachment:x.txt)",
        "attachments": {
            "x.txt": {"text/plain": base64.b64encode(text.encode()).decode()}
        },
    },
}


def write(path, cells=(), metadata=None):
    """Write a notebook."""
    book = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": metadata or {},
        "cells": [*cells],
    }
    path.write_text(json.dumps(book), encoding="utf-8")
    return path


def in_widgets(folder, text):
    """The state of a widget, as "Save Widget State Automatically" keeps it."""
    state = {"model": {"state": {"value": text, "_model_name": "PasswordModel"}}}
    widgets = {"application/vnd.jupyter.widget-state+json": {"state": state}}
    return notebook_places(write(folder / "x.ipynb", metadata={"widgets": widgets}))


def in_metadata(folder, text):
    """What an extension keeps beside the cells."""
    return notebook_places(write(folder / "x.ipynb", metadata={"note": [text]}))


def in_history(folder, text):
    """IPython's history, in its file."""
    with sqlite3.connect(folder / "history.sqlite") as database:
        database.execute("CREATE TABLE history (source_raw TEXT)")
        database.execute("INSERT INTO history VALUES (?)", (text,))
    database.close()
    return files_below(folder)


def in_file(folder, text):
    """Any file, however deep."""
    (folder / "db").mkdir()
    (folder / "db" / "autorestore").write_bytes(text.encode())
    return files_below(folder)


def in_log(folder, text):
    """A record of any level."""
    log = logging.getLogger("planted")
    handler = logging.FileHandler(folder / "x.log", encoding="utf-8")
    log.addHandler(handler)
    log.setLevel(1)
    log.debug("sending %s", text)
    log.removeHandler(handler)
    handler.close()
    return files_below(folder)


def in_message(_, text):
    """A message on IOPub, as Python shows it."""
    return {"IOPub": {"content": {"code": text}}["content"]["code"]}


def in_command_line(_, text):
    """An argument of a process, which every user of a machine can read."""
    waiting = "import sys; print(1, flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", waiting, text],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        process.stdout.readline()
        found = command_lines([process.pid])
        process.stdin.close()
    return found


def in_export(folder, text):
    """A notebook as HTML."""
    path = write(folder / "x.ipynb", [PARTS["stream"](text)])
    body, _ = HTMLExporter().from_notebook_node(nbformat.read(path, as_version=4))
    return {"HTML export": body}


def planted_in(part):
    """Return what plants a text in a part of a notebook."""
    return lambda folder, text: notebook_places(
        write(folder / "x.ipynb", [PARTS[part](text)])
    )


PLACES = {part: planted_in(part) for part in PARTS} | {
    "widget state": in_widgets,
    "notebook metadata": in_metadata,
    "history.sqlite": in_history,
    "file": in_file,
    "log": in_log,
    "IOPub": in_message,
    "command line": in_command_line,
    "HTML export": in_export,
}


@pytest.mark.filterwarnings("ignore:Alternative text is missing")
def test_what_is_planted_is_found(tmp_path, figure):
    """Every place, every encoding; and nothing where nothing was planted."""
    missed, tried = [], 0
    for place, plant in PLACES.items():
        for encoding, encode in ENCODINGS.items():
            if (place, encoding) in IMPOSSIBLE:
                continue
            tried += 1
            folder = tmp_path / f"{place} {encoding}"
            folder.mkdir()
            if not leaks(plant(folder, encode(CANARY)), (CANARY,)):
                missed.append((place, encoding))
        folder = tmp_path / place
        folder.mkdir()
        assert leaks(plant(folder, "nothing of the kind"), (CANARY,)) == []

    places = len(PLACES) - len({place for place, _ in missed})
    figure("planted leaks found: places", f"{places} of {len(PLACES)}")
    what = f"planted leaks found: places x encodings, but for {len(IMPOSSIBLE)}"
    figure(f"{what} that cannot be", f"{tried - len(missed)} of {tried}")
    assert missed == []
    assert (len(PLACES), len(ENCODINGS)) == (15, 10)
