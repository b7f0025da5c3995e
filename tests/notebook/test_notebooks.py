"""The tutorials: each runs from top to bottom, errors fatal, and keeps its form.

nbval compares outputs in a step of its own (`make notebooks`); it takes a cell that
ends in IPython's `UsageError` for a success, and this runner does not.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import nbclient
import nbformat
import pytest
from jupyter_client.manager import AsyncKernelManager

import oauthmagic.errors

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))
MOST_CELLS = 25
#: What may follow `%token`, `%api` or `%%api`, up to the first option.
MAGIC = re.compile(r"(?m)^.*?%%?(?:token|api)\b(.*)$")
TARGET = re.compile(r"[a-z][\w-]*(?:/[\w.-]+)?@(\w+)")

every_notebook = pytest.mark.parametrize(
    "path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS]
)


def read(path):
    """Return a notebook."""
    return nbformat.read(path, as_version=4)


def run(book, folder, socket):
    """Run a notebook in a folder; raise what a cell raises."""
    client = nbclient.NotebookClient(
        book,
        # Over sockets that only this user can open.
        km=AsyncKernelManager(transport="ipc", ip=f"{socket}/k"),
        timeout=120,
        resources={"metadata": {"path": str(folder)}},
    )
    client.owns_km = True  # so that it ends the kernel
    with client.setup_kernel():
        for place, cell in enumerate(client.nb.cells):
            client.execute_cell(cell, place)
    return client.nb


def warnings_of(book):
    """Return what went to stderr, and errors that their cell does not announce."""
    return [
        output.get("text") or output.get("ename")
        for cell in book.cells
        for output in cell.get("outputs", ())
        if output.get("name") == "stderr"
        or (output.output_type == "error" and not announces_an_error(cell))
    ]


def announces_an_error(cell):
    """Say whether a cell is there to show an error; Jupyter runs on after it."""
    return "raises-exception" in cell.metadata.get("tags", ())


@pytest.fixture
def socket(tmp_path_factory):
    """A folder with a short path, for sockets."""
    return tmp_path_factory.mktemp("k")


def test_there_are_notebooks():
    """The quickstart is there."""
    assert "00_quickstart" in [path.stem for path in NOTEBOOKS]


@every_notebook
def test_it_runs(path, socket, tmp_path):
    """Every cell runs, from nothing, beside the files that it needs, and none warns."""
    folder = shutil.copytree(path.parent, tmp_path / "notebooks")

    ran = run(read(path), folder, socket)

    assert warnings_of(ran) == []


def test_a_failing_cell_is_fatal(socket, tmp_path):
    """A mistake in a magic's line fails the notebook; nbval would let it pass."""
    book = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("%load_ext oauthmagic"),
            nbformat.v4.new_code_cell("%token revsto@demo --xyzzy"),
        ]
    )

    with pytest.raises(nbclient.exceptions.CellExecutionError) as failed:
        run(book, tmp_path, socket)
    assert failed.value.ename == "UnknownName"


@every_notebook
def test_an_announced_error_is_one_of_ours(path):
    """Saved as one sentence with a hint, and without a traceback of Python's."""
    for cell in filter(announces_an_error, read(path).cells):
        (error,) = (each for each in cell.outputs if each.output_type == "error")

        assert hasattr(oauthmagic.errors, error.ename)
        assert "Hint: " in "".join(error.traceback)
        assert "Traceback" not in "".join(error.traceback)


@every_notebook
def test_it_is_short(path):
    """Fewer than 25 cells."""
    assert len(read(path).cells) < MOST_CELLS


@every_notebook
def test_it_begins_with_what_the_reader_will_be_able_to_do(path):
    """The first cell is a heading and a sentence of what the reader can do after it."""
    first = read(path).cells[0]

    heading, _, text = first.source.partition("\n")
    assert first.cell_type == "markdown"
    assert heading.startswith("# ")
    assert "you can" in text.partition(".")[0]


@every_notebook
def test_it_uses_demos_only(path):
    """Every target that is used is a demo: no network, no account, no secret."""
    lines = [
        line
        for cell in read(path).cells
        if cell.cell_type == "code"
        for line in MAGIC.findall(cell.source)
    ]
    environments = [name for line in lines for name in TARGET.findall(line)]

    assert environments
    assert set(environments) == {"demo"}


@every_notebook
def test_it_was_not_left_dirty(path):
    """No widget state, no error and no warning was saved with it."""
    book = read(path)

    assert "widgets" not in book.metadata
    assert warnings_of(book) == []
