"""What the history may keep of a cell.

IPython stores a line before it runs it, so a refusal comes too late for the
history; this guard is called in between.
"""

from __future__ import annotations

import linecache
import re
from typing import TYPE_CHECKING, Any

from oauthmagic.notebook.arguments import KEY_HEADERS, LONGEST_NAME, SENSITIVE
from oauthmagic.notebook.pasted import redacted_command
from oauthmagic.redaction import MASK, holds_secret, redact

if TYPE_CHECKING:
    from collections.abc import Callable

_OURS = r"(?:%%?|run_(?:line|cell)_magic\(.)(?:oauth_)?(?:token|api)\b"
_MAGIC = re.compile(_OURS)
_VALUE = r"(?!\s*[\"']?\{\{)(\"[^\"\n]*\"|'[^'\n]*'|[^\s\"']+)"
_PATTERNS = (
    # --client-secret X, --password=X, password=X
    re.compile(
        rf"(?i)((?<![^\s\"'])(?:[-\u2010-\u2015\u2212]+{SENSITIVE}(?:\s*=\s*|\s+)"
        rf"|{SENSITIVE}=)){_VALUE}"
    ),
    # -p X, -pX, -u me:X
    re.compile(rf"(?m)(^[^\n]*{_OURS}[^\n]*?[\s\"']-[pu][ \t=]*){_VALUE}"),
    # --credentials and --from with anything but the name of a variable
    re.compile(
        rf"(--(?:credentials|from)(?:\s*=\s*|[ \t]+))"
        rf"(?![A-Za-z_]\w{{0,{LONGEST_NAME - 1}}}(?!\S))[^\n]+"
    ),
    # --answer with anything that can be used again
    re.compile(
        r"(?i)(--answer(?:\s*=\s*|[ \t]+)[\"']?)(?!otp)(?=[^\s\"':]*:)[^\s\"']+"
    ),
    # Authorization: Bearer X
    re.compile(
        r"(?i)(\b(?:authorization|cookie)"
        r"(?:[\"']?\s*[:=][ \t]*|\s+(?=(?:bearer|basic|dpop)\s)))[^\n]+"
    ),
    # X-API-Key: X
    re.compile(rf"(?im)(^[ \t]*(?:{KEY_HEADERS})[ \t]*:)(?![^\n]*\{{\{{)[^\n]+"),
    # "password": "X"
    re.compile(rf"(?i)([\"']{SENSITIVE}[\"']\s*:\s*)(?=[\"']){_VALUE}"),
    # /path?access_token=X
    re.compile(rf"(?im)((?:^|[?&]){SENSITIVE}=)(?!\{{\{{)[^&\s]+"),
)


def redacted_source(source: str) -> str:
    """Return a cell's source with the values masked that must not be kept.

    Every live secret; and in a cell with our magics, the values of options that
    take none, of headers that carry credentials and of members that are secrets.
    """
    source = redact(source)
    if _MAGIC.search(source):
        for pattern in _PATTERNS:
            source = pattern.sub(rf"\1{MASK}", source)
        source = redacted_command(source)
    return source


def redacted_inputs(
    source: str, source_raw: str | None, transform: Callable[[str], str]
) -> tuple[str, str | None]:
    """Return both forms of a cell that the history keeps, redacted.

    Args:
        source: As IPython runs it, with the magics as calls.
        source_raw: As it was typed, or None.
        transform: Makes the first from the second.
    """
    if source_raw is None:
        return redacted_source(source), None
    raw = redacted_source(source_raw)
    if raw != source_raw:
        # In the calls a cell is one escaped text, where lines cannot be told apart.
        try:
            source = transform(raw)
        except SyntaxError:
            source = raw
    return redact(source), raw


def redact_cached(name: str) -> None:
    """Mask the known secrets in a cell that was just cached for tracebacks.

    Args:
        name: Its name in `linecache`.
    """
    entry = linecache.cache.get(name)
    if entry is not None and len(entry) > 1 and holds_secret("".join(entry[2])):
        _keep(name, redact("".join(entry[2])).splitlines(keepends=True))


def redact_lines(typed: str) -> bool:
    """Mask the lines of cells that tracebacks quote, if there is anything to mask.

    Args:
        typed: What a magic was given.

    Returns:
        Whether there was.
    """
    if redacted_source(typed) == typed:
        return False
    entries: dict[str, Any] = dict(linecache.cache)
    for name, entry in entries.items():
        if _is_cell(name, entry) and _MAGIC.search("".join(entry[2])):
            _keep(name, [_redacted_call(line) for line in entry[2]])
    return True


def _of_ipython() -> dict[str, Any]:
    """Return the cells that IPython before 8.0 keeps beside `linecache`."""
    return getattr(linecache, "_ipython_cache", {})


def _is_cell(name: str, entry: tuple[Any, ...]) -> bool:
    # Cells have no time of change, or are known to IPython.
    return len(entry) > 1 and (entry[1] is None or name in _of_ipython())


def _keep(name: str, lines: list[str]) -> None:
    """Let tracebacks quote other lines of a cell."""
    entry: Any = linecache.cache[name]
    linecache.cache[name] = (entry[0], entry[1], lines, entry[3])
    if name in _of_ipython():
        _of_ipython()[name] = linecache.cache[name]


def _redacted_call(line: str) -> str:
    """Return a line of a cell as IPython runs it, for reading only."""
    text = line.removesuffix("\n").replace("\\n", "\n").replace("\\'", "'")
    return redacted_source(text).replace("\n", "\\n") + "\n"
