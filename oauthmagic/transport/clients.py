"""A true `httpx.Client` over one of our transports.

What users know of httpx works; what a token needs is kept: the URL gate, no
redirects that are followed by themselves, bounded bodies, a total deadline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from oauthmagic.errors import UrlRefused
from oauthmagic.transport.urls import parse_url, resolve
from oauthmagic.transport.wire import WireRequest, WireResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator

#: What describes the body as it came over the wire, and not as it is handed out.
_OF_THE_WIRE = ("content-encoding", "content-length", "transfer-encoding")
#: What the library says of how it would send a request.
_OF_THE_LIBRARY = (b"host", b"content-length", b"connection", b"accept-encoding")


class TokenAuth(httpx.Auth):
    """Puts a token on each request, and renews it once after a 401.

    Args:
        bearer: Returns the value of the Authorization header, renewed if need be.
        refused: Takes a response and the value that its request was sent with, and
            returns whether there is a newer token to send it with once more.
    """

    requires_response_body = True

    def __init__(
        self, bearer: Callable[[], str], refused: Callable[[WireResponse, str], bool]
    ) -> None:
        self._bearer = bearer
        self._refused = refused

    def auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Send with a token; after a 401, once more with a renewed one."""
        sent = request.headers["Authorization"] = self._bearer()
        response = yield request
        # A 401 to a request without our token says nothing about it: the library
        # takes the header off where it follows a redirect to another origin.
        ours = response.request.headers.get("authorization") == sent
        if ours and self._refused(_wire_response(response), sent):
            request.headers["Authorization"] = self._bearer()
            yield request


class _Bridge(httpx.BaseTransport):
    """Sends a library's request as one of ours."""

    def __init__(
        self,
        send: Callable[[WireRequest], WireResponse],
        *,
        api_base: str,
        origins: Collection[str],
    ) -> None:
        self._send = send
        self._api_base = api_base
        self._base = parse_url(api_base, what="api_base")
        self._inside = f"{self._base.path.rstrip('/')}/"
        self._origins = tuple(origins)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the gate, send, and hand the answer back.

        Raises:
            UrlRefused: The URL is on an origin that the provider does not declare.
        """
        url = resolve(str(request.url), api_base=self._api_base, origins=self._origins)
        inside = f"{url.path}/".startswith(self._inside)
        if url.origin == self._base.origin and not inside:
            msg = f"{url.path[:80]!r} is outside the API base. Nothing was sent."
            raise UrlRefused(msg, hint=f"Paths are relative to {self._api_base}.")
        response = self._send(_wire_request(request, str(url)))
        return httpx.Response(
            response.status,
            headers=[each for each in response.headers if each[0] not in _OF_THE_WIRE],
            content=response.body,
            request=request,
        )


def make_client(
    send: Callable[[WireRequest], WireResponse],
    *,
    api_base: str,
    origins: Collection[str],
    auth: TokenAuth,
) -> httpx.Client:
    """Return a client whose relative URLs are resolved against the API base.

    Args:
        send: Sends a request that passed the gate, by its own deadline, whatever the
            library is told.
        api_base: The API base.
        origins: The only origins that a request may go to.
        auth: Puts the token on.
    """
    return httpx.Client(
        base_url=api_base,
        transport=_Bridge(send, api_base=api_base, origins=origins),
        auth=auth,
        trust_env=False,
    )


def _wire_response(response: httpx.Response) -> WireResponse:
    return WireResponse(
        status=response.status_code,
        # What else it says is about the token only after a 401.
        headers=tuple(
            (name.lower(), value) for name, value in response.headers.multi_items()
        )
        if response.status_code == httpx.codes.UNAUTHORIZED
        else (),
    )


def _wire_request(request: httpx.Request, url: str) -> WireRequest:
    """Return a library's request as ours; made here, where nothing can raise."""
    return WireRequest(
        method=request.method.upper(),
        url=url,
        headers=tuple(
            (name.decode("ascii"), value.decode("latin-1"))
            for name, value in request.headers.raw
            if name.lower() not in _OF_THE_LIBRARY
        ),
        body=request.read() or None,
    )
