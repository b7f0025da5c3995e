"""`oauthmagic demo`: a notebook, run in the terminal."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import textwrap
import warnings
from pathlib import Path
from typing import Any

from oauthmagic.errors import CommandError

#: The tour: beside the package in a checkout, inside it in a wheel.
_TOURS = (
    Path(__file__).parents[1] / "tour" / "00_quickstart.ipynb",
    Path(__file__).parents[2] / "notebooks" / "00_quickstart.ipynb",
)
#: Runs before the notebook's own cells, so that tables use the terminal's width.
_SET_UP = """
import pandas
pandas.set_option("display.width", {width}, "display.max_columns", 30)
pandas.set_option("display.max_colwidth", 40)
"""
_LAB = "pip install 'oauthmagic[lab]'"


def run_tour(notebook: Path | None) -> int:
    """Run a notebook and print what it shows.

    Args:
        notebook: Its file, or None for the quickstart.

    Returns:
        0, or 1 if a cell fails.

    Raises:
        CommandError: It cannot be run at all.
    """
    path = notebook or next((each for each in _TOURS if each.exists()), _TOURS[0])
    try:
        import nbclient  # noqa: PLC0415 - an extra
        import nbformat  # noqa: PLC0415 - comes with it
        from jupyter_client.manager import AsyncKernelManager  # noqa: PLC0415
    except ImportError:
        msg = "The tour needs nbclient and a kernel:"
        raise CommandError(msg, hint=_LAB) from None
    book = _read_notebook(path)
    width = shutil.get_terminal_size((100, 24)).columns
    set_up = nbformat.v4.new_code_cell(  # type: ignore[no-untyped-call]
        _SET_UP.format(width=width), metadata={"hidden": True}
    )
    book.cells.insert(0, set_up)
    with tempfile.TemporaryDirectory() as folder:
        # Over sockets that only this user can open, where there are such.
        ways = {} if os.name == "nt" else {"transport": "ipc", "ip": f"{folder}/kernel"}
        client = nbclient.NotebookClient(
            book,
            km=AsyncKernelManager(**ways),
            timeout=300,
            resources={"metadata": {"path": str(path.parent)}},
        )
        client.owns_km = True  # so that it ends the kernel
        return _run(client)


def _read_notebook(path: Path) -> Any:
    """Return a notebook in the current format.

    Raises:
        CommandError: There is none, or it is something else.
    """
    import nbformat  # noqa: PLC0415 - an extra

    try:
        read = nbformat.reader.reads(path.read_text(encoding="utf-8"))  # type: ignore[no-untyped-call]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old ones lack what new ones have
            book = nbformat.convert(read, 4)  # type: ignore[no-untyped-call]
            nbformat.validate(book)
    except FileNotFoundError:
        raise CommandError(f"There is no notebook {path}.") from None
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
    except Exception:  # noqa: BLE001 - it stumbles in many ways over what is none
        raise CommandError(f"{path} is not a Jupyter notebook.") from None
    return book


def _run(client: Any) -> int:
    """Run a client's notebook and print it; return 1 if a cell fails."""
    from nbclient.exceptions import (  # noqa: PLC0415 - an extra
        CellExecutionError,
        CellTimeoutError,
        DeadKernelError,
    )

    try:
        with client.setup_kernel():
            # Printed cell by cell, so that there is something to watch.
            for index, cell in enumerate(client.nb.cells):
                if cell.cell_type == "markdown":
                    print(_prose(cell.source))
                    continue
                client.execute_cell(cell, index)
                if not cell.metadata.get("hidden"):
                    print(_shown(cell), flush=True)
    except CellExecutionError as error:
        print(f"The notebook failed: {error.ename}: {error.evalue}", file=sys.stderr)
        return 1
    except (CellTimeoutError, DeadKernelError) as error:
        why = str(error).splitlines()[0]
        print(f"The notebook failed: {why}", file=sys.stderr)
        return 1
    return 0


def _shown(cell: Any) -> str:
    """Return a cell's source and what it printed or gave back, as text."""
    parts = [textwrap.indent(cell.source, "  | ", lambda _: True)]
    for output in cell.outputs:
        if output.output_type == "stream":
            parts.append(output.text.rstrip())
        else:
            parts.append(output.data.get("text/plain", "").rstrip())
    return "\n".join(parts) + "\n"


def _prose(markdown: str) -> str:
    return "\n".join(line.lstrip("# ") for line in markdown.splitlines()) + "\n"
