"""Which proxy a request goes through: what the environment says, but for loopback."""

from __future__ import annotations

import os
import urllib.parse
from dataclasses import dataclass, field
from urllib.parse import unquote

from oauthmagic.errors import ConnectionFailed
from oauthmagic.transport.urls import parse_url

_PORTS = {"http": 80, "https": 443}
_NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_VARIABLES = (*_NAMES, *(name.upper() for name in _NAMES))


@dataclass(frozen=True, kw_only=True, slots=True)
class Proxy:
    """A proxy.

    Attributes:
        scheme: How it is spoken to: `http` or `https`.
        host: Its name or address.
        port: Its port.
        credentials: User name and password, or None; never shown.
    """

    scheme: str
    host: str
    port: int
    credentials: tuple[str, str] | None = field(default=None, repr=False)


def proxy_for(url: str) -> Proxy | None:
    """Return the proxy for a URL; loopback traffic never leaves the machine.

    Raises:
        ConnectionFailed: There is one, and it cannot be used.
    """
    target = parse_url(url)
    if target.is_loopback:
        return None
    import urllib.request  # noqa: PLC0415 - brings a client and a mail reader

    if urllib.request.proxy_bypass(target.host):
        return None
    proxies = urllib.request.getproxies()
    found = proxies.get(target.scheme) or proxies.get("all")
    if not found:
        return None
    # Most programs take a bare host and port, too.
    proxy = _read(found if "://" in found else f"http://{found}")
    if proxy is not None:
        return proxy
    # They may hold a password, and this frame is in the traceback.
    found, proxies = "", {}
    hint = "HTTPS_PROXY must be an http:// or https:// URL."
    raise ConnectionFailed("The proxy cannot be used.", sent="no", hint=hint)


def proxy_variables() -> tuple[str | None, ...]:
    """Return what the environment says of proxies, to see whether it has changed."""
    return tuple(map(os.environ.get, _VARIABLES))


def _read(text: str) -> Proxy | None:
    """Return a proxy, or None where the text is none that can be used."""
    try:
        found = urllib.parse.urlsplit(text)
        if found.scheme not in _PORTS or not found.hostname:
            return None
        user = found.username
        return Proxy(
            scheme=found.scheme,
            host=found.hostname,
            port=found.port or _PORTS[found.scheme],
            credentials=(unquote(user), unquote(found.password or ""))
            if user
            else None,
        )
    except ValueError:
        return None
