"""`oauthmagic scan`: find secrets in notebooks and other text files."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from oauthmagic.errors import visible
from oauthmagic.session.known import known_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from oauthmagic.scan import Finding, Scan

FOUND, UNREADABLE = 1, 2
# What is left of a line for a path; of a longer one its end is shown.
_WIDEST = 56
_ACCEPT = """\
To accept a find that is none: write `oauthmagic: allow` on its line, or tag its cell
with `oauthmagic-allow`. A value that is valid now is not accepted."""


def run_scan(paths: Sequence[Path], *, as_json: bool = False) -> int:
    """Read files and folders, and print what was found.

    Args:
        paths: Files and folders.
        as_json: Print one JSON object, for another program.

    Returns:
        0 where nothing was found, 1 where something was, 2 where something could not
        be read: what was not read was not searched.
    """
    from oauthmagic.scan import Scan  # noqa: PLC0415 - only here
    from oauthmagic.scan.files import files_of  # noqa: PLC0415 - only here

    # Everything that must be in no file is put together here.
    scan = Scan(known=known_secrets(os.environ))
    files = _with_progress(files_of(paths, scan.errors))
    for path in files:
        scan.file(path)
    print(_as_json(scan) if as_json else _as_text(scan))
    for error in scan.errors:
        print(f"{error} {error.hint}", file=sys.stderr)
    if scan.errors:
        return UNREADABLE
    return FOUND if scan.findings else 0


def _with_progress(files: Iterable[Path]) -> Iterable[Path]:
    """Say in a terminal which file is being read."""
    if not sys.stderr.isatty():
        yield from files
        return
    for number, path in enumerate(files, 1):
        line = f"reading file {number}: {visible(str(path))[-_WIDEST:]}"
        print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
        yield path
    print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _as_json(scan: Scan) -> str:
    errors = [{"message": str(each), "hint": each.hint} for each in scan.errors]
    found = [each.as_dict() for each in scan.findings]
    report = {"findings": found, "files": scan.files, "allowed": scan.allowed}
    return json.dumps({**report, "errors": errors}, indent=2)


def _as_text(scan: Scan) -> str:
    found = scan.findings
    lines = [str(each) for each in found]
    accepted = f", {_count(scan.allowed, 'find')} accepted" if scan.allowed else ""
    read = f"{_count(scan.files, 'file')} read{accepted}"
    if not found:
        return f"No secrets found; {read}."
    holding = len({each.path for each in found})
    lines.append(f"{_count(len(found), 'find')} in {_count(holding, 'file')}; {read}.")
    lines += ["What to do next:", *_advice(found), _ACCEPT]
    return "\n".join(lines)


def _advice(found: Iterable[Finding]) -> list[str]:
    kinds: dict[str, set[str]] = {}
    for each in found:
        kinds.setdefault(each.advice, set()).add(each.title)
    whole = [f"  {', '.join(sorted(titles))}: {text}" for text, titles in kinds.items()]
    return [*whole, "  Then take it out, clear the outputs, and save again."]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
