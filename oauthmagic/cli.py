"""The command line: `oauthmagic demo` and `oauthmagic sandbox`."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import textwrap
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The tour: beside the package in a checkout, inside it in a wheel.
_TOURS = (
    Path(__file__).parent / "tour" / "00_quickstart.ipynb",
    Path(__file__).parent.parent / "notebooks" / "00_quickstart.ipynb",
)
#: Runs before the notebook's own cells, so that tables use the terminal's width.
_SET_UP = """
import pandas
pandas.set_option("display.width", {width}, "display.max_columns", 30)
pandas.set_option("display.max_colwidth", 40)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="oauthmagic", description="OAuth 2.0 tokens and authorized requests."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", help="run the tour against the simulators")
    demo.add_argument("notebook", nargs="?", type=Path, help="another notebook")
    sandbox = commands.add_parser(
        "sandbox", help="serve the Revsto simulator over TLS on this machine"
    )
    sandbox.add_argument("--port", type=int, default=0, help="0 takes a free one")
    options = parser.parse_args(arguments)
    try:
        if options.command == "demo":
            return _demo(options.notebook)
        return _sandbox(options.port)
    except KeyboardInterrupt:
        return 130


def _demo(notebook: Path | None) -> int:
    """Run a notebook and print what it shows; return 1 if a cell fails."""
    path = notebook or next((each for each in _TOURS if each.exists()), None)
    if path is None or not path.exists():
        print(f"There is no notebook {path or _TOURS[0]}.", file=sys.stderr)
        return 2
    try:
        import nbclient  # noqa: PLC0415 - an extra
        import nbformat  # noqa: PLC0415 - comes with it
        from jupyter_client.manager import AsyncKernelManager  # noqa: PLC0415
    except ImportError:
        print(
            "The tour needs nbclient and a kernel: pip install 'oauthmagic[lab]'",
            file=sys.stderr,
        )
        return 2
    book = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
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


def _run(client: Any) -> int:
    """Run a client's notebook and print it; return 1 if a cell fails."""
    from nbclient.exceptions import CellExecutionError  # noqa: PLC0415 - an extra

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


def _sandbox(port: int) -> int:
    """Serve the simulator until it is interrupted."""
    from oauthmagic.errors import OAuthMagicError  # noqa: PLC0415 - only here
    from oauthmagic.sandbox.revsto import create  # noqa: PLC0415 - the simulator
    from oauthmagic.sandbox.serving import serve  # noqa: PLC0415 - only here

    def clock() -> datetime:
        return datetime.now(UTC)

    simulator = create(clock=clock, randomness=random.SystemRandom())
    try:
        server = serve(simulator.wsgi_app, clock=clock, port=port)
    except OAuthMagicError as error:
        print(f"{error} {error.hint}".strip(), file=sys.stderr)
        return 2
    with server:
        print(_SERVING.format(url=server.url, ca_file=server.ca_file), flush=True)
        print(
            "\n".join(
                f"  {key:<14} {value}" for key, value in simulator.CREDENTIALS.items()
            )
        )
        print("Ctrl-C ends it.", flush=True)
        threading.Event().wait()
    return 0


_SERVING = """\
The Revsto simulator listens at {url}
  token endpoint {url}/api/distributor/v1/oauth2/token
  API base       {url}/api
  authority      {ca_file}   (curl --cacert)
It lets in, and nobody else:"""

if __name__ == "__main__":
    sys.exit(main())
