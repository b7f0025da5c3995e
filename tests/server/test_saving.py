"""What Jupyter Server writes to disk when a notebook holds a secret."""

from __future__ import annotations

import json
import logging

import nbformat
import pytest
from books import STATE, code, failed, notebook, prose, shown, stream, widgets
from jupyter_server.services.contents.filemanager import FileContentsManager
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from traitlets.config import Config

from oauthmagic.redaction import Secret
from oauthmagic.server import BeforeSaving, strip_before_saving, warn_before_saving

TOKEN = "f4k3-T0k3n-0f-n0b0dy-9x8w7v6u5t"
PASSWORD = "Canary-pw-93"
LABELLED = f"access_token = '{TOKEN}'"


@pytest.fixture
def save(tmp_path, caplog):
    """Return a function that saves a notebook with a hook, and reads the file."""

    def saved(book, hook, kind="notebook"):
        manager = FileContentsManager(root_dir=str(tmp_path))
        manager.register_pre_save_hook(hook)
        manager.log = logging.getLogger("jupyter.of.the.test")
        name = {"notebook": "a.ipynb", "file": "a.py"}[kind]
        with caplog.at_level(logging.WARNING):
            manager.save(
                {"type": kind, "format": {"file": "text"}.get(kind), "content": book},
                f"/{name}",
            )
        text = (tmp_path / name).read_text(encoding="utf-8")
        if kind == "notebook":
            nbformat.validate(json.loads(text))
        return text

    return saved


@pytest.fixture
def said(caplog):
    """Return a function for what was logged."""

    def messages():
        # Jupyter Server has something to say about trust, too.
        every = [record.getMessage() for record in caplog.records]
        return [each for each in every if each.startswith("oauthmagic: ")]

    return messages


def book_with_secrets():
    """Return a notebook with a secret in each place."""
    return notebook(
        code(LABELLED, stream(f"{LABELLED}\n"), stream("all is well\n")),
        code("", shown(text_html=f"<b>{LABELLED}</b>", text_plain="x")),
        code("", failed("Traceback", f"{LABELLED}")),
        prose(f"`{LABELLED}`"),
        widgets=widgets(
            PasswordModel={"value": PASSWORD, "description": "Password:"},
            TextModel={"value": "anna", "description": "User:"},
            HTMLModel={"value": LABELLED},
        ),
    )


def test_a_warning_changes_nothing(save, said):
    """It names each place in the log, without the value."""
    book = book_with_secrets()

    text = save(book, warn_before_saving)

    assert json.loads(text)["cells"][0]["outputs"][0]["text"] == [f"{LABELLED}\n"]
    lines = said()
    assert len(lines) == 7
    assert all("oauthmagic: saved with a secret: a.ipynb:" in line for line in lines)
    assert TOKEN not in str(lines)
    assert PASSWORD not in str(lines)


def test_stripping_takes_out_what_the_kernel_put_there(save, said):
    """Outputs become a note, widgets are emptied; sources stay, and are warned of."""
    text = save(book_with_secrets(), strip_before_saving)

    kept = json.loads(text)
    outputs = [output for cell in kept["cells"][:3] for output in cell["outputs"]]
    assert "took this output out of the file" in str(outputs[0])
    assert outputs[1]["text"] == ["all is well\n"]
    assert [output["output_type"] for output in outputs] == ["stream"] * 4
    state = kept["metadata"]["widgets"][STATE]["state"]
    assert [model["state"]["value"] for model in state.values()] == ["", "anna", ""]
    assert text.count(TOKEN) == 2  # one for each source
    assert PASSWORD not in text
    assert sum("saved with" in line for line in said()) == 2
    assert TOKEN not in str(said())


def test_sources_are_masked_where_the_owner_says_so(save, said):
    """Only then; the mask takes the value's place."""
    text = save(book_with_secrets(), BeforeSaving(strip=True, sources=True))

    assert TOKEN not in text
    assert json.loads(text)["cells"][0]["source"] == ["access_token = '[secret]'"]
    assert TOKEN not in str(said())


def test_a_notebook_without_secrets_is_left_alone(save, said):
    """To the letter."""
    book = notebook(code("x = 1", stream("access_token: [secret]\n")), prose("a"))
    before = json.dumps(book)

    save(book, strip_before_saving)

    assert json.dumps(book) == before
    assert said() == []


def test_accepted_finds_stay(save, said):
    """By a comment or by a tag."""
    book = notebook(
        code("", stream(f"{LABELLED} # oauthmagic: allow\n")),
        code("", stream(LABELLED), tags=["oauthmagic-allow"]),
    )

    assert save(book, strip_before_saving).count(TOKEN) == 2
    assert said() == []


def test_secrets_of_the_servers_environment_are_known(save, monkeypatch):
    """Without a label, in any spelling."""
    monkeypatch.setenv("OAUTHMAGIC_ACME_SANDBOX_PASSWORD", "canary-horse-battery")

    text = save(
        notebook(code("", stream("canary%2Dhorse-battery"))), strip_before_saving
    )

    assert "horse" not in text


def test_other_values_can_be_told(save):
    """By a function, asked at each save."""
    hook = BeforeSaving(strip=True, known=lambda: [Secret("canary-horse-battery")])

    assert "horse" not in save(notebook(code("", stream("canary-horse-battery"))), hook)


def test_a_text_file_is_warned_of(save, said):
    """It is never changed."""
    text = save(f"{LABELLED}\n", strip_before_saving, kind="file")

    assert TOKEN in text
    assert len(said()) == 1
    assert " a.py:line 1: token" in said()[0]


def test_what_cannot_be_searched_is_said(said, caplog):
    """A save is never lost for it."""
    model = {"type": "notebook", "content": {"nbformat": 4, "cells": [7]}}

    with caplog.at_level(logging.WARNING):
        strip_before_saving(model=model, path="a\n.ipynb", contents_manager=None)

    assert said() == [
        "oauthmagic: a .ipynb was not searched: cell 1 should be an object"
    ]


def test_old_notebooks_get_a_note_of_their_format():
    """In format 3 a stream names itself otherwise."""
    cell = {
        "cell_type": "code",
        "input": "",
        "language": "python",
        "metadata": {},
        "outputs": [{"output_type": "stream", "stream": "stdout", "text": LABELLED}],
    }
    book = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {},
        "worksheets": [{"cells": [cell], "metadata": {}}],
    }

    strip_before_saving(model={"type": "notebook", "content": book}, path="a.ipynb")

    assert cell["outputs"][0]["stream"] == "stderr"
    assert TOKEN not in str(book)


def test_it_is_configured_by_its_name(tmp_path):
    """As the documentation shows, for the manager that Jupyter uses by default."""
    name = "oauthmagic.server.strip_before_saving"
    config = Config({"FileContentsManager": {"pre_save_hook": name}})

    manager = AsyncLargeFileManager(root_dir=str(tmp_path), config=config)
    other = FileContentsManager(root_dir=str(tmp_path))
    other.register_pre_save_hook(name)

    assert manager.pre_save_hook is strip_before_saving
    assert other._pre_save_hooks == [strip_before_saving]
