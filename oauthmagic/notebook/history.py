"""What the history may keep of a cell.

IPython stores a line before it runs it, so a refusal comes too late for the
history; this guard is called in between.
"""

from __future__ import annotations

import re

from oauthmagic.redaction import MASK, redact

_OPTION = re.compile(
    r"(--?(?:client[-_]?secret|secret|password|passwd|pwd|pass[-_]?phrase|token|"
    r"(?:access|refresh|id|bearer|auth)[-_]?token|api[-_]?key|authorization|bearer|"
    r"private[-_]?key)(?:\s*=\s*|\s+))(\"[^\"\n]*\"|'[^'\n]*'|[^\s\"']+)",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"(?im)^([ \t]*(?:proxy-)?(?:authorization|cookie|x-api-key)[ \t]*:[ \t]*).+$"
)
_MAGIC = re.compile(r"(?m)%%?(?:token|api)\b|get_ipython\(\)\.run_(?:line|cell)_magic")


def redacted_source(source: str) -> str:
    """Return a cell's source with the values masked that must not be kept.

    Every live secret; and in a cell with our magics, the values of options that
    take none and of headers that carry credentials.
    """
    source = redact(source)
    if _MAGIC.search(source):
        source = _OPTION.sub(rf"\1{MASK}", source)
        source = _HEADER.sub(rf"\1{MASK}", source)
    return source
