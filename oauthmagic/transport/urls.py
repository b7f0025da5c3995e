"""The URL gate: one strict parser, and the decision where a token may go.

What is parsed is what is sent: `str(url)` gives the same URL to every parser, since
whatever two parsers could read in two ways is refused. Nothing is repaired.

RFC 3986, sections 3 and 6; RFC 6749, section 3.1 (no fragment); RFC 8252, section
7.3 (`http` on the loopback interface).
"""

from __future__ import annotations

import contextlib
import functools
import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from oauthmagic.errors import UrlRefused, listed
from oauthmagic.http_request.targets import has_dot_segment

if TYPE_CHECKING:
    from collections.abc import Collection

#: The longest URL that the HTTP library takes.
LONGEST = 65536

_DEFAULT_PORTS = {"https": 443, "http": 80}
_SHAPE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?]*)(/[^?]*)?(?:\?(.*))?")
_AUTHORITY = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(?::([^:]*))?")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
# RFC 3986, section 3.3; queries also hold what servers put there unencoded.
_PATH = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*")
_QUERY = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?\[\]|]|%[0-9A-Fa-f]{2})*")
_MAYBE_DOT = re.compile("[.%]")
_PRINTED = re.compile("[!-~]*")
_ENCODED_BREAK = re.compile(r"%(?:00|0[aAdD])")
_LONGEST_HOST = 253
_LAST_PORT = 65535


@dataclass(frozen=True, kw_only=True, slots=True)
class Url:
    """A URL that every parser reads alike.

    Attributes:
        scheme: `https` or, on loopback, `http`.
        host: A name or an address in lower case; IPv6 without its brackets.
        port: The port, the scheme's own if none was given.
        path: From the first `/`; at least that.
        query: Without its `?`; empty if there is none.
    """

    scheme: str
    host: str
    port: int
    path: str = "/"
    query: str = ""

    @property
    def origin(self) -> str:
        """Scheme, host and port as one text; the scheme's own port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        own = self.port == _DEFAULT_PORTS[self.scheme]
        return (
            f"{self.scheme}://{host}" if own else f"{self.scheme}://{host}:{self.port}"
        )

    @property
    def is_loopback(self) -> bool:
        """Whether this is 127.0.0.0/8, ::1 or `localhost`."""
        return _is_loopback(self.host)

    def __str__(self) -> str:
        query = f"?{self.query}" if self.query else ""
        return f"{self.origin}{self.path}{query}"


def parse_url(text: str, *, what: str = "URL") -> Url:
    """Read a URL strictly.

    Args:
        text: An absolute URL.
        what: What it is called in a message, for example `"token_endpoint"`.

    Raises:
        UrlRefused: It is none, or one that could be read in two ways. The message
            quotes nothing but scheme, host or port.
    """
    _check_characters(text, what)
    match = _SHAPE.fullmatch(text)
    if match is None:
        _refuse(what, "is not an absolute URL", "It begins with https:// and a host.")
    scheme, authority = match[1].lower(), match[2]
    path, query = match[3] or "/", match[4] or ""
    if scheme not in _DEFAULT_PORTS:
        _refuse(what, f"has the scheme {scheme!r}", "Only https is used here.")
    host, port = _read_authority(authority, scheme, what)
    if scheme == "http" and not _is_loopback(host):
        _refuse(
            what,
            f"sends to {host} without encryption",
            "Write https; http is for this machine's own addresses only.",
        )
    _check_path(path, what)
    if not _QUERY.fullmatch(query):
        _refuse(what, "has a character in its query that must be encoded", _ESCAPE)
    if _ENCODED_BREAK.search(query):
        _refuse(what, "has an encoded line break or NUL in its query", _NO_BREAK)
    return Url(scheme=scheme, host=host, port=port, path=path, query=query)


def resolve(target: str, *, api_base: str, origins: Collection[str]) -> Url:
    """Decide where a request goes.

    Args:
        target: A path, joined behind the path of the API base; or a whole URL.
        api_base: The URL that paths are relative to.
        origins: The other origins that may have the token: those of the provider's
            endpoints, as origins or whole URLs.

    Raises:
        UrlRefused: The target leads elsewhere, or cannot be read; nothing was sent.
    """
    base, allowed = _gate(api_base, tuple(origins))
    if target.startswith("/"):
        if target.startswith("//"):
            _refuse(_TARGET, "begins with two slashes", "Begin the path with one.")
        return parse_url(base.origin + base.path.rstrip("/") + target, what=_TARGET)
    if "://" not in target:
        _refuse(
            _TARGET,
            "begins neither with '/' nor with https://",
            "Write the path from the API base, for example /accounts.",
        )
    url = parse_url(target, what=_TARGET)
    if url.origin not in allowed:
        msg = (
            f"The token may not be sent to {url.origin}, only to {listed(allowed)}. "
            "Nothing was sent."
        )
        raise UrlRefused(
            msg, hint="Write the path alone, or name the origin in the provider."
        )
    return url


@functools.lru_cache(maxsize=64)
def _gate(api_base: str, origins: tuple[str, ...]) -> tuple[Url, list[str]]:
    """Return what paths are relative to, and where a token may go."""
    base = parse_url(api_base, what="API base")
    if base.query:
        _refuse("API base", "has a query", "Give it as scheme, host and path.")
    return base, sorted({base.origin, *(parse_url(text).origin for text in origins)})


def check_host_header(value: str, url: Url) -> None:
    """Refuse a Host header that names another origin than the URL.

    RFC 9110, section 7.2: it is the URL's host and, if not the scheme's own, port.

    Raises:
        UrlRefused: It does; nothing was sent.
    """
    named = None
    if not set("/?#") & set(value):
        named = parse_url(f"{url.scheme}://{value}", what="Host header")
    if named is None or named.origin != url.origin:
        msg = f"The Host header does not name {url.origin}. Nothing was sent."
        raise UrlRefused(msg, hint="Leave the line out; it follows from the URL.")


_TARGET = "request target"
_ESCAPE = "Percent-encode it as UTF-8; '%' itself is %25."
_NO_BREAK = "Send such text in the body."
_HOST_HINT = (
    "A host is a name of letters, digits and '-', an IPv4 address in its usual form "
    "or an IPv6 address in brackets; international names in their xn-- form."
)


def _refuse(what: str, reason: str, hint: str) -> NoReturn:
    msg = f"The {what} {reason}. Nothing was sent."
    raise UrlRefused(msg, hint=hint)


def _check_characters(text: str, what: str) -> None:
    if len(text) > LONGEST:
        _refuse(what, f"is longer than {LONGEST} characters", "Send data in the body.")
    if "\\" in text:
        _refuse(what, "holds a backslash", "Write '/', or %5C in a value.")
    if "#" in text:
        _refuse(what, "has a fragment ('#')", "Leave it out; it is never sent.")
    if not text.isascii():
        _refuse(what, "holds a character beyond ASCII", f"{_ESCAPE} {_HOST_HINT}")
    if not _PRINTED.fullmatch(text):
        _refuse(what, "holds a blank or control character", _ESCAPE)


@functools.lru_cache(maxsize=256)
def _read_authority(authority: str, scheme: str, what: str) -> tuple[str, int]:
    if "@" in authority:
        _refuse(
            what,
            "has a user name or '@' before its host",
            "Credentials do not belong into a URL.",
        )
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        _refuse(what, "has a host that cannot be read", _HOST_HINT)
    host, port = match[1].lower(), match[2]
    host = _read_ipv6(host[1:-1], what) if host[:1] == "[" else _read_name(host, what)
    if port is None:
        return host, _DEFAULT_PORTS[scheme]
    if not _PORT.fullmatch(port) or int(port) > _LAST_PORT:
        _refuse(what, "has no valid port", f"Ports are 1 to {_LAST_PORT}.")
    return host, int(port)


def _read_ipv6(text: str, what: str) -> str:
    address = None
    # Refused outside: a chained error of `ipaddress` would quote what was given.
    if "%" not in text and "." not in text:
        with contextlib.suppress(ValueError):
            address = ipaddress.IPv6Address(text)
    if address is None:
        _refuse(what, "has an IPv6 address that cannot be used", _HOST_HINT)
    if address.ipv4_mapped is not None:
        _refuse(what, "hides an IPv4 address in an IPv6 address", _HOST_HINT)
    return address.compressed


def _read_name(host: str, what: str) -> str:
    labels = host.split(".")
    if not host:
        _refuse(what, "has no host", _HOST_HINT)
    if not labels[-1]:
        _refuse(what, "has a dot at the end of its host", "Leave that dot out.")
    if _NUMERIC.fullmatch(labels[-1]):
        with contextlib.suppress(ValueError):
            return str(ipaddress.IPv4Address(host))
        _refuse(what, "has an unusual IPv4 address", _HOST_HINT)
    if len(host) > _LONGEST_HOST or not all(map(_LABEL.fullmatch, labels)):
        _refuse(what, "has a host that is no name", _HOST_HINT)
    return host


@functools.lru_cache(maxsize=256)
def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_path(path: str, what: str) -> None:
    if path.startswith("//"):
        _refuse(what, "has a path that begins with two slashes", "Write one.")
    if not _PATH.fullmatch(path):
        _refuse(what, "has a character in its path that must be encoded", _ESCAPE)
    if _ENCODED_BREAK.search(path):
        _refuse(what, "has an encoded line break or NUL in its path", _NO_BREAK)
    # Most paths have no dot in any spelling.
    if _MAYBE_DOT.search(path) and any(map(has_dot_segment, path.split("/"))):
        _refuse(
            what,
            "has a '.' or '..' segment in its path, plain or encoded",
            "Write the path that you mean in full.",
        )
