"""Cells that are a pasted cURL command: what is shown of them, and what is kept."""

from __future__ import annotations

import re

from oauthmagic.http_request.curl import is_curl, read_curl
from oauthmagic.redaction import MASK, redact

_CURL = re.compile(r"(?m)^\s*curl(?:\s|$)")
_WORD = r"(?:\$?'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|[^\s\"']+)+"
#: Options of curl that take a secret, and headers that carry one, on any line.
_PATTERNS = (
    re.compile(rf"((?:^|\s)-(?:[a-zA-Z]*[ub])[ \t]*)(?!\s){_WORD}", re.MULTILINE),
    re.compile(
        r"((?:^|\s)--(?:user|cookie|oauth2-bearer|proxy-user|pass)[ \t]+)" + _WORD,
        re.MULTILINE,
    ),
    re.compile(
        r"(?i)((?:-H|--header)[ \t]*\$?[\"'](?:[\w-]*(?:authorization|cookie|key|token|"
        r"dpop))[ \t]*:)[^\n]+"
    ),
)


def unpasted(cell: str, *, quiet: bool) -> str:
    """Return a cell, a cURL command in it turned into the request that it sends.

    Args:
        cell: The cell.
        quiet: Whether the request is not to be shown.

    Raises:
        RequestSyntaxError: The command cannot be read.
        SecretOnLine: It carries a secret.
    """
    if not is_curl(cell):
        return cell
    pasted = read_curl(cell)
    if not quiet:
        notes = "".join(f"# {note}\n" for note in pasted.notes)
        said = f"# The cURL command as a cell, to keep in its place:\n{notes}"
        print(redact(said + pasted.text))  # noqa: T201 - so that the user can keep it
    return pasted.text


def redacted_command(source: str) -> str:
    """Return the source of a cell with the secrets of a cURL command masked."""
    if not _CURL.search(source):
        return source
    for pattern in _PATTERNS:
        source = pattern.sub(rf"\1{MASK}", source)
    return source
