"""Bytes of the network as text: RFC 9110, section 8.3.2; RFC 2978."""

from __future__ import annotations

import codecs
import re

#: Those that a server may name. Python knows more, and some of them are no charsets:
#: `idna`, `punycode` and `undefined` raise whatever their error handler says.
CHARSETS = frozenset(
    {
        *("ascii", "utf-8", "utf-16", "utf-16-le", "utf-16-be"),
        *("utf-32", "utf-32-le", "utf-32-be"),
        *(f"iso8859-{part}" for part in range(1, 17) if part != 12),  # noqa: PLR2004
        *(f"cp{page}" for page in (437, 850, 852, 866, *range(1250, 1259))),
        *("koi8-r", "koi8-u", "mac-roman", "tis-620"),
        *("big5", "euc_jp", "euc_kr", "gb18030", "gb2312", "gbk", "shift_jis"),
    }
)
_CHARSET = re.compile(r"(?i);\s*charset\s*=\s*[\"']?([\w.:+-]{1,40})")


def charset_of(content_type: str) -> str:
    """Return the charset that a media type names, or UTF-8 where none is known."""
    found = _CHARSET.search(content_type)
    try:
        name = codecs.lookup(found[1]).name if found else "utf-8"
    except (LookupError, ValueError):
        return "utf-8"
    return name if name in CHARSETS else "utf-8"


def decoded(body: bytes, content_type: str) -> str:
    """Return bytes as text; what cannot be read becomes �, and nothing is raised."""
    return body.decode(charset_of(content_type), "replace")
