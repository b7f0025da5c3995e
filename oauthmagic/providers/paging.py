"""How lists go on: from one page of a reply to the URL of the next.

Each function takes the body read as JSON, the page's own URL and its headers, and
returns the next URL (absolute, or as the server wrote it) or "" at the end. Whether
it may be asked is for the URL gate.
"""

from __future__ import annotations

import re
import urllib.parse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    #: (body, url, headers) -> the next URL or ""
    NextPage = Callable[[Any, str, Mapping[str, str]], str]

_LINK = re.compile(r"<([^<>]{1,4096})>\s*((?:;\s*[^,;<>]{1,512})*)")
_NEXT = re.compile(
    r';\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next\b)', re.IGNORECASE
)


def by_link_header(body: Any, url: str, headers: Mapping[str, str]) -> str:
    """Follow `Link: <...>; rel="next"` (RFC 8288, section 3)."""
    del body
    for link in _LINK.finditer(headers.get("link", "")):
        if _NEXT.search(link[2]):
            return _joined(url, link[1])
    return ""


def by_hal(body: Any, url: str, headers: Mapping[str, str]) -> str:
    """Follow `_links.next.href`, as STET banks give it; it may be relative."""
    links = body.get("_links") if isinstance(body, dict) else None
    following = links.get("next") if isinstance(links, dict) else None
    href = following.get("href") if isinstance(following, dict) else None
    if not isinstance(href, str) or not href:
        return by_link_header(body, url, headers)
    return _joined(url, href)


def by_offset(body: Any, url: str, headers: Mapping[str, str]) -> str:
    """Go on by `offset` in an envelope of `items, count, limit, offset` (Revsto)."""
    del headers
    if not isinstance(body, dict):
        return ""
    rows = body.get("items")
    count = len(rows) if isinstance(rows, list) else 0
    return _after(url, body, count, body.get("count"))


def by_meta(body: Any, url: str, headers: Mapping[str, str]) -> str:
    """Go on by `offset` in a `meta` of `limit, offset, total` (Paysafe).

    Which members `meta` has is not documented; without `total`, a short page is the
    last.
    """
    del headers
    if not isinstance(body, dict) or not isinstance(body.get("meta"), dict):
        return ""
    rows = next((value for value in body.values() if isinstance(value, list)), [])
    return _after(url, body["meta"], len(rows), body["meta"].get("total"))


def by_cursor(member: str = "next_cursor", parameter: str = "cursor") -> NextPage:
    """Return a way that goes on by what a page calls the beginning of the next.

    Args:
        member: Where it stands in the body, as a dotted path.
        parameter: The parameter of the query that it is sent in.
    """

    def following(body: Any, url: str, headers: Mapping[str, str]) -> str:
        del headers
        cursor = body
        for name in member.split("."):
            cursor = cursor.get(name) if isinstance(cursor, dict) else None
        if type(cursor) is int:
            cursor = str(cursor)
        if not isinstance(cursor, str) or not cursor:
            return ""
        return _with_query(url, {parameter: cursor})

    return following


#: The ways that a provider file can name.
WAYS: dict[str, NextPage] = {
    "link": by_link_header,
    "hal": by_hal,
    "offset": by_offset,
    "meta": by_meta,
}


def _joined(url: str, reference: str) -> str:
    try:
        return urllib.parse.urljoin(url, reference)
    except ValueError:  # brackets that are no address
        return reference


def _after(url: str, place: Mapping[str, Any], rows: int, total: Any) -> str:
    limit, offset = place.get("limit"), place.get("offset")
    if not all(type(each) is int and each >= 0 for each in (limit, offset)):
        return ""
    following = offset + rows  # type: ignore[operator]
    over = following >= total if type(total) is int else rows < limit  # type: ignore[operator]
    if not rows or over:
        return ""
    return _with_query(url, {"limit": str(limit), "offset": str(following)})


def _with_query(url: str, changes: dict[str, str]) -> str:
    """Return a URL with parameters of its query replaced, or added at its end."""
    parts = urllib.parse.urlsplit(url)
    query = [
        (name, value)
        for name, value in urllib.parse.parse_qsl(parts.query, keep_blank_values=True)
        if name not in changes
    ]
    query += changes.items()
    return urllib.parse.urlunsplit(parts._replace(query=urllib.parse.urlencode(query)))
