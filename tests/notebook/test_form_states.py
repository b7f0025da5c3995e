"""No state of a form that is saved or exported holds a secret (security: A2, G8)."""

from __future__ import annotations

import copy
import json

import nbformat
import pytest
from canaries import traces_of
from environs import clean
from jupyter_core.utils import run_sync
from loopback_servers import ACCESS_TOKEN, CLIENT_ID, SECRET, bank, describe
from nbclient import NotebookClient
from nbconvert import HTMLExporter

WRONG = "Canary-wrong-Pq7+rT2/xZ=="
#: As a front end does it; the secret is put together, so that only state can hold it.
ENTER = """
import threading
def enter(**values):
    for name, value in values.items():
        field = form._credentials.fields[name]
        field.set_state({{"value": bytes.fromhex(value)[::-1].decode()}})
def click(button):
    button._handle_button_msg(button, {{"event": "click"}}, [])
    for thread in threading.enumerate():
        if thread.name == "oauthmagic-form":
            thread.join(20)
enter(client_id="{client_id}")
"""
STATES = {
    "typed, not submitted": "enter(client_secret='{secret}')",
    "submitted": "click(form._get); form.token",
    "after an error": "form._scopes.all.click(); enter(client_secret='{wrong}'); "
    "click(form._get); form._said",
    "after two submits": "enter(client_secret='{secret}'); click(form._get); form",
}


def written(value):
    """Return a value in a form in which nobody looks for it."""
    return value[::-1].encode().hex()


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    """Notebooks saved with their widgets' states, one for each state of a form."""
    folder = tmp_path_factory.mktemp("states")
    (folder / "home").mkdir()
    texts = {"secret": written(SECRET), "wrong": written(WRONG)}
    texts["client_id"] = written(CLIENT_ID)
    with bank() as server:
        describe(server, folder)
        sources = [
            "%load_ext oauthmagic\n%token add bank.toml",
            "form = %token form bank\nform",
            *(text.format(**texts) for text in (ENTER, *STATES.values())),
            "1",
        ]
        cells = [nbformat.v4.new_code_cell(each) for each in sources]
        book = nbformat.v4.new_notebook(cells=cells)
        client = NotebookClient(book, timeout=60, store_widget_state=True)
        found = {}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in clean({}, folder / "home").items():
                patch.setenv(name, value)
            with client.setup_kernel(cwd=str(folder)):
                for number, cell in enumerate(cells[:-1]):
                    client.execute_cell(cell, number)
                    client.set_widgets_metadata()
                    if number > 2:
                        state = list(STATES)[number - 3]
                        found[state] = copy.deepcopy(client.nb)
                run_sync(client.km.restart_kernel)(now=True)
                run_sync(client.kc.wait_for_ready)(timeout=60)
                client.execute_cell(cells[-1], len(cells) - 1)
                client.set_widgets_metadata()
                found["after a restart"] = copy.deepcopy(client.nb)
        assert [form["client_secret"] for form in server.asked] == [
            SECRET,
            WRONG,
            SECRET,
        ]
    return found


@pytest.mark.parametrize("state", [*STATES, "after a restart"])
def test_a_saved_notebook_has_no_secret(books, state):
    """Neither in its outputs nor in its widgets' states; the field itself is there."""
    book = books[state]
    saved = nbformat.writes(book)
    states = book.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]
    passwords = [
        each["state"]
        for each in states["state"].values()
        if each["model_name"] == "PasswordModel"
    ]

    assert passwords
    assert {each.get("value", "") for each in passwords} == {""}
    for canary in (SECRET, WRONG, ACCESS_TOKEN):
        # The cells that type have it reversed and in hexadecimals, as their source.
        assert set(traces_of(without_sources(saved), canary)) == set()


@pytest.mark.parametrize("state", [*STATES, "after a restart"])
def test_an_exported_page_has_no_secret(books, state):
    """`nbconvert --to html` writes the states into the page."""
    book = copy.deepcopy(books[state])
    for cell in book.cells:
        cell["source"] = ""

    page, _ = HTMLExporter().from_notebook_node(book)

    assert "application/vnd.jupyter.widget-state+json" in page
    for canary in (SECRET, WRONG, ACCESS_TOKEN):
        assert traces_of(page, canary) == []


def test_a_plain_password_would_be_found(books):
    """The search is worth something: what ipywidgets itself would save is seen."""
    book = copy.deepcopy(books["submitted"])
    states = book.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]
    model = next(
        each
        for each in states["state"].values()
        if each["model_name"] == "PasswordModel"
    )
    model["state"]["value"] = SECRET

    assert "plain" in traces_of(without_sources(nbformat.writes(book)), SECRET)


def without_sources(saved):
    """Return a notebook's text without the cells' own."""
    book = json.loads(saved)
    for cell in book["cells"]:
        cell["source"] = ""
    return json.dumps(book)
