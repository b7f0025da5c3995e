"""Asking an issuer for its metadata: RFC 8414, section 3; OpenID Connect Discovery.

What may be believed of it is for `oauthmagic.oauth.metadata`; here it is fetched,
and its URLs pass the gate.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from oauthmagic.errors import (
    DiscoveryFailed,
    OAuthMagicError,
    RateLimited,
    ResponseRefused,
    UnexpectedRedirect,
    UrlRefused,
)
from oauthmagic.oauth.metadata import MAX_BYTES, read_metadata, well_known_urls
from oauthmagic.redaction import quote
from oauthmagic.transport.urls import parse_url
from oauthmagic.transport.wire import WireRequest

if TYPE_CHECKING:
    from oauthmagic.oauth.metadata import ServerMetadata
    from oauthmagic.transport.urls import Url
    from oauthmagic.transport.wire import Transport, WireResponse

# RFC 3986 allows them in a path; no endpoint needs them, and a shell obeys them
# (CVE-2025-6514): browsers are often started through one.
_FOR_SHELLS = re.compile(r"[$'()]|%(?![0-9A-Fa-f]{2})")
_IN_A_FILE = (
    "Describe the provider in a file, with token_endpoint and api_base, "
    "and add that: %token add FILE.toml."
)


def discover(transport: Transport, issuer: str, *, timeout: float) -> ServerMetadata:
    """Return an issuer's metadata; each of its endpoints has passed the URL gate.

    No redirect is followed, and nothing is sent but two GET requests at most.

    Args:
        transport: What sends them.
        issuer: The issuer identifier.
        timeout: Seconds for everything.

    Raises:
        UrlRefused: The issuer is no URL that may be asked; nothing was sent.
        DiscoveryFailed: There is no metadata, or none that may be believed.
        UnexpectedRedirect: The issuer redirects.
        RateLimited: HTTP 429.
        TransportError: No usable answer came.
    """
    here = check_issuer(issuer)
    for url in well_known_urls(issuer):
        request = WireRequest(
            method="GET", url=url, headers=(("accept", "application/json"),)
        )
        try:
            response = transport.send(request, timeout=timeout, limit=MAX_BYTES)
        except ResponseRefused as error:
            raise error.with_hint(_IN_A_FILE) from None
        timeout = max(timeout - response.elapsed, 0.1)
        if _is_there(response, url):
            return _read(response, here, issuer)
    msg = f"There is no metadata at {issuer}: neither OpenID Connect nor RFC 8414."
    raise DiscoveryFailed(msg, hint=f"Check the issuer's URL. {_IN_A_FILE}")


def check_issuer(issuer: str) -> Url:
    """Return an issuer identifier as a URL.

    Raises:
        UrlRefused: It is none, or has a query or fragment (RFC 8414, section 2).
    """
    url = parse_url(issuer, what="issuer")
    if url.query or "?" in issuer:
        msg = "The issuer has a query. Nothing was sent."
        raise UrlRefused(msg, hint="Give it as scheme, host and path.")
    return url


def elsewhere(metadata: ServerMetadata) -> dict[str, str]:
    """Return the endpoints that are on another host than the issuer.

    Many providers do that on purpose. An issuer that was taken over could do it,
    too, to be sent client secrets: so these are shown to whoever adds the issuer,
    and refused where nobody is there to see them
    (`oauthmagic.session.discoveries`).
    """
    here = parse_url(metadata.issuer)
    return {
        name: url
        for name, url in metadata.endpoints.items()
        if not _is_same_host(parse_url(url), here)
    }


def _is_there(response: WireResponse, url: str) -> bool:
    """Return whether an answer is metadata; a site's own page for all is not."""
    status = response.status
    if status == 200:  # noqa: PLR2004 - section 3.2 knows no other
        kind = response.header("content-type") or ""
        return not kind.strip().lower().startswith("text/html")
    if 300 <= status < 400:  # noqa: PLR2004
        msg = f"{url} redirects."
        hint = f"Give the issuer that it leads to, if that is the one. {_IN_A_FILE}"
        raise UnexpectedRedirect(msg, hint=hint)
    if status == 429:  # noqa: PLR2004
        wait = quote(response.header("retry-after") or "", 40)
        msg = "The issuer answers too many requests to give its metadata."
        raise RateLimited(msg, retry_after=wait)
    # Some servers answer 400, 401 or 403 for a path that they do not have.
    if 400 <= status < 500:  # noqa: PLR2004
        return False
    msg = f"{url} answered HTTP {status}."
    raise DiscoveryFailed(msg, hint=f"Try again in a moment. {_IN_A_FILE}")


def _read(response: WireResponse, here: Url, issuer: str) -> ServerMetadata:
    try:
        metadata = read_metadata(response.body, issuer=issuer)
    except ValueError as error:
        msg = f"The metadata of {issuer} was refused: {error}."
        hint = _IN_A_FILE
        if "another issuer" in msg:
            hint = "If that is the one you mean, ask for it as it is written there."
        raise DiscoveryFailed(msg, hint=hint) from None
    for name, text in metadata.endpoints.items():
        try:
            _check_endpoint(name, text, here)
        except OAuthMagicError as error:
            msg = f"The metadata of {issuer} was refused: {error}"
            raise DiscoveryFailed(msg, hint=_IN_A_FILE) from None
    return metadata


def _check_endpoint(name: str, text: str, here: Url) -> None:
    """Refuse an endpoint that leads somewhere no public issuer's would.

    Raises:
        UrlRefused: It is no URL that may be asked.
        DiscoveryFailed: It is one of this machine, or of an unnamed one.
    """
    url = parse_url(text, what=name)
    if not _is_same_host(url, here):
        if url.is_loopback:
            msg = f"its {name} is on this machine."
            raise DiscoveryFailed(msg)
        if _is_address(url.host):
            msg = f"its {name} is on an address without a name."
            raise DiscoveryFailed(msg)
    if _FOR_SHELLS.search(text):
        msg = f"its {name} has characters that no endpoint needs."
        raise DiscoveryFailed(msg)


def _is_same_host(one: Url, other: Url) -> bool:
    return one.host == other.host or (one.is_loopback and other.is_loopback)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
