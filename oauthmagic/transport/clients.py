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
    from collections.abc import (
        AsyncGenerator,
        Awaitable,
        Callable,
        Collection,
        Generator,
    )
    from typing import Protocol, TypeVar

    _T = TypeVar("_T")

    class Elsewhere(Protocol):
        """Runs a function where it holds up nobody."""

        def __call__(self, function: Callable[[], _T], /) -> Awaitable[_T]:
            """Run a function."""
            ...


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
        elsewhere: Does what may take long where an event loop need not wait for it;
            only of an `httpx.AsyncClient`.
        is_due: Returns whether the token has to be renewed.
    """

    requires_response_body = True

    def __init__(
        self,
        bearer: Callable[[], str],
        refused: Callable[[WireResponse, str], bool],
        *,
        elsewhere: Elsewhere | None = None,
        is_due: Callable[[], bool] = bool,
    ) -> None:
        self._bearer = bearer
        self._refused = refused
        self._elsewhere = elsewhere
        self._is_due = is_due

    def auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Send with a token; after a 401, once more with a renewed one."""
        sent = request.headers["Authorization"] = self._bearer()
        response = yield request
        if _is_ours(response, sent) and self._refused(_wire_response(response), sent):
            request.headers["Authorization"] = self._bearer()
            yield request

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Do the same in an event loop, which goes on while a token is renewed."""
        assert self._elsewhere is not None, "made for a client with a loop"  # noqa: S101 - for readers and mypy
        # Most often there is nothing to wait for.
        due = self._is_due()
        sent = await self._elsewhere(self._bearer) if due else self._bearer()
        request.headers["Authorization"] = sent
        response = yield request
        await response.aread()
        if not _is_ours(response, sent):
            return
        answer = _wire_response(response)
        if response.status_code != httpx.codes.UNAUTHORIZED:
            self._refused(answer, sent)
        elif await self._elsewhere(lambda: self._refused(answer, sent)):
            request.headers["Authorization"] = await self._elsewhere(self._bearer)
            yield request


def _is_ours(response: httpx.Response, sent: str) -> bool:
    """Return whether a response answers a request with our token.

    A 401 to one without it says nothing about it: the library takes the header off
    where it follows a redirect to another origin.
    """
    on_it: str | None = response.request.headers.get("authorization")
    return on_it == sent


class _Gate:
    """Makes one of our requests of a library's, if it may be sent."""

    def __init__(self, *, api_base: str, origins: Collection[str]) -> None:
        self._api_base = api_base
        self._base = parse_url(api_base, what="api_base")
        self._inside = f"{self._base.path.rstrip('/')}/"
        self._origins = tuple(origins)

    def passed(self, request: httpx.Request) -> str:
        """Return the URL of a request that passed the gate.

        Raises:
            UrlRefused: The URL is on an origin that the provider does not declare.
        """
        url = resolve(str(request.url), api_base=self._api_base, origins=self._origins)
        inside = f"{url.path}/".startswith(self._inside)
        if url.origin == self._base.origin and not inside:
            msg = f"{url.path[:80]!r} is outside the API base. Nothing was sent."
            raise UrlRefused(msg, hint=f"Paths are relative to {self._api_base}.")
        return str(url)


class _Bridge(_Gate, httpx.BaseTransport):
    """Sends a library's request as one of ours."""

    def __init__(
        self,
        send: Callable[[WireRequest], WireResponse],
        *,
        api_base: str,
        origins: Collection[str],
    ) -> None:
        super().__init__(api_base=api_base, origins=origins)
        self._send = send

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the gate, send, and hand the answer back.

        Raises:
            UrlRefused: The URL is on an origin that the provider does not declare.
        """
        url = self.passed(request)
        return _response(self._send(_wire_request(request, url, request.read())))


class _AsyncBridge(_Gate, httpx.AsyncBaseTransport):
    """The same for an event loop."""

    def __init__(
        self,
        send: Callable[[WireRequest], Awaitable[WireResponse]],
        close: Callable[[], None],
        *,
        api_base: str,
        origins: Collection[str],
    ) -> None:
        super().__init__(api_base=api_base, origins=origins)
        self._send = send
        self._close = close

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the gate, send, and hand the answer back.

        Raises:
            UrlRefused: The URL is on an origin that the provider does not declare.
        """
        url = self.passed(request)
        body = await request.aread()
        return _response(await self._send(_wire_request(request, url, body)))

    async def aclose(self) -> None:
        """Close every connection."""
        self._close()


def make_async_client(
    send: Callable[[WireRequest], Awaitable[WireResponse]],
    *,
    close: Callable[[], None],
    api_base: str,
    origins: Collection[str],
    auth: TokenAuth,
) -> httpx.AsyncClient:
    """Return a client for an event loop; see `make_client`.

    Args:
        send: Sends a request that passed the gate, by its own deadline.
        close: Ends what `send` needs.
        api_base: The API base.
        origins: The only origins that a request may go to.
        auth: Puts the token on.
    """
    client = httpx.AsyncClient(
        base_url=api_base,
        transport=_AsyncBridge(send, close, api_base=api_base, origins=origins),
        auth=auth,
        trust_env=False,
    )
    client._cookies = _Cookies()  # noqa: SLF001 - as above
    return client


class _Cookies(httpx.Cookies):
    """Looks for cookies where there are any; looking is a tenth of a request."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Keep the cookies of a response."""
        if "set-cookie" in response.headers:
            super().extract_cookies(response)


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
    client = httpx.Client(
        base_url=api_base,
        transport=_Bridge(send, api_base=api_base, origins=origins),
        auth=auth,
        trust_env=False,
    )
    client._cookies = _Cookies()  # noqa: SLF001 - its setter would take a copy
    return client


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


def _response(response: WireResponse) -> httpx.Response:
    headers = [each for each in response.headers if each[0] not in _OF_THE_WIRE]
    if response.body:
        headers.append(("content-length", str(len(response.body))))
    # As a stream, for `content` would be read twice: here, and by the client.
    stream = httpx.ByteStream(response.body)
    return httpx.Response(response.status, headers=headers, stream=stream)


def _wire_request(request: httpx.Request, url: str, body: bytes) -> WireRequest:
    """Return a library's request as ours; made here, where nothing can raise."""
    return WireRequest(
        method=request.method.upper(),
        url=url,
        headers=tuple(
            (name.decode("ascii"), value.decode("latin-1"))
            for name, value in request.headers.raw
            if name.lower() not in _OF_THE_LIBRARY
        ),
        body=body or None,
    )
