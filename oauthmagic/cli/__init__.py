"""The command line: `oauthmagic demo`, `sandbox`, `scan` and `doctor`."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from oauthmagic.cli.examinations import run_doctor
from oauthmagic.cli.scans import run_scan
from oauthmagic.cli.simulators import SERVED, serve_simulator
from oauthmagic.cli.tours import run_tour
from oauthmagic.errors import OAuthMagicError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        with _ended_by_signals():
            if options.command == "demo":
                return run_tour(options.notebook)
            if options.command == "scan":
                return run_scan(options.paths, as_json=options.json)
            if options.command == "doctor":
                return run_doctor(as_json=options.json)
            serve_simulator(options.provider, options.port)
    except OAuthMagicError as error:
        print(f"{error} {error.hint}".strip(), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="oauthmagic", description="OAuth 2.0 tokens and authorized requests."
    )
    # Not by an import, through which this module would know all of the package.
    version = sys.modules["oauthmagic"].__version__
    parser.add_argument("--version", action="version", version=f"%(prog)s {version}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", help="run the tour against the simulators")
    demo.add_argument("notebook", nargs="?", type=Path, help="another notebook")
    sandbox = commands.add_parser(
        "sandbox", help="serve a simulator over TLS on this machine"
    )
    sandbox.add_argument(
        "provider",
        nargs="?",
        default="revsto",
        help=f"whose: {', '.join(SERVED)} (default: %(default)s)",
    )
    sandbox.add_argument("--port", type=int, default=0, help="0 takes a free one")
    scan = commands.add_parser("scan", help="find secrets in notebooks and text files")
    scan.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    scan.add_argument("--json", action="store_true", help="print one JSON object")
    doctor = commands.add_parser("doctor", help="say what this host can do")
    doctor.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Leave by an exception where a signal asks to, so that files are removed."""

    def leave(number: int, _: object) -> NoReturn:
        for each in handled:
            signal.signal(each, signal.SIG_IGN)  # what is being removed will be
        sys.exit(128 + number)

    names = ("SIGTERM", "SIGHUP")  # the second is not everywhere
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    # What `nohup` ignores stays ignored; and only the main thread may ask.
    handled = {
        number: before
        for number in numbers
        if (before := signal.getsignal(number)) not in (signal.SIG_IGN, None)
        and threading.current_thread() is threading.main_thread()
    }
    for number in handled:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number, before in handled.items():
            signal.signal(number, before)
