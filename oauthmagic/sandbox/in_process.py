"""A simulator as a transport: no socket, no thread, no HTTP library.

The way behind `@demo`; it works where there is no network at all (Binder, Pyodide).
"""

from __future__ import annotations

import io
import sys
import urllib.parse
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import ResponseRefused
from oauthmagic.sandbox.client_certificates import (
    CLIENT_CERTIFICATE,
    TLS_ALERT,
    raise_alert,
)
from oauthmagic.transport.wire import WireResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

    from oauthmagic.transport.wire import WireRequest

#: Headers that a WSGI environment holds without the prefix (PEP 3333).
_BARE = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})


class InProcessTransport:
    """Sends requests to a WSGI application by calling it.

    A simulated exchange takes no time: `elapsed` is 0 and no deadline is missed.

    Args:
        wsgi_app: The application.
        client_certificate: What the client would show in TLS, as DER; without it,
            an application that wants one ends the exchange as TLS would.
    """

    def __init__(
        self, wsgi_app: WSGIApplication, client_certificate: bytes | None = None
    ) -> None:
        self._wsgi_app = wsgi_app
        self._client_certificate = client_certificate

    def send(self, request: WireRequest, *, timeout: float, limit: int) -> WireResponse:  # noqa: ARG002
        """Send a request; follow nothing, retry nothing.

        Args:
            request: What to send.
            timeout: Not used, see above.
            limit: The most body bytes to accept.

        Raises:
            ResponseRefused: The body is longer than `limit`.
            TlsError: The application wants a (or another) client certificate.
        """
        environ = _environ(request)
        environ[TLS_ALERT] = raise_alert
        if self._client_certificate is not None:
            environ[CLIENT_CERTIFICATE] = self._client_certificate
        begun: list[tuple[str, list[tuple[str, str]]]] = []
        body = bytearray()
        sink = request.sink
        takes: list[bool] = []

        def write(data: bytes) -> None:
            if sink is not None and not takes:
                status, headers = begun[-1]
                lowered = tuple((name.lower(), value) for name, value in headers)
                takes.append(sink.begin(int(status.split(" ", 1)[0]), lowered))
            if sink is not None and takes[0]:
                sink.write(data)
                return
            body.extend(data)
            if len(body) > limit:
                msg = f"The answer is larger than {limit} bytes."
                raise ResponseRefused(msg, sent="yes")

        def start_response(
            status: str, headers: list[tuple[str, str]], _: Any = None, /
        ) -> Callable[[bytes], object]:
            begun.append((status, headers))
            return write

        chunks: Iterable[bytes] = self._wsgi_app(environ, start_response)
        try:
            for chunk in chunks:
                write(chunk)
            write(b"")
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        status, headers = begun[-1]
        return WireResponse(
            status=int(status.split(" ", 1)[0]),
            headers=tuple((name.lower(), value) for name, value in headers),
            body=bytes(body),
        )


def _environ(request: WireRequest) -> WSGIEnvironment:
    url = urllib.parse.urlsplit(request.url)
    body = request.body or b""
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        # PEP 3333: bytes dressed up as Latin-1.
        "PATH_INFO": urllib.parse.unquote_to_bytes(url.path or "/").decode("latin-1"),
        "QUERY_STRING": url.query,
        # Not standard, but as every server has it: the target before it is decoded.
        "REQUEST_URI": f"{url.path or '/'}{'?' * bool(url.query)}{url.query}",
        "SERVER_NAME": url.hostname or "",
        "SERVER_PORT": str(url.port or (443 if url.scheme == "https" else 80)),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": url.netloc.rpartition("@")[2],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": url.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    # Before the headers: a length that somebody wrote by hand does not count.
    sent = [pair for pair in request.headers if pair[0].lower() != "content-length"]
    if request.body is not None:
        environ["CONTENT_LENGTH"] = str(len(body))
    for name, value in sent:
        key = name.upper().replace("-", "_")
        if key not in _BARE:
            key = f"HTTP_{key}"
        if key in environ and key != "HTTP_HOST":
            value = f"{environ[key]},{value}"  # noqa: PLW2901 - as HTTP joins them
        environ[key] = value
    return environ
