"""The one HTTP client, and the only module that imports the HTTP library.

It follows no redirect, keeps no cookie, reads no netrc and no environment but
the proxy variables, decodes one content coding with a bound, and ends at its
deadline whatever the server does. Only names that httpx and httpx2 share are used.
"""

from __future__ import annotations

import contextlib
import logging
import ssl
import sys
import threading
import time
import urllib.request
import zlib
from typing import TYPE_CHECKING, Any

import httpx

from oauthmagic.errors import (
    ConnectionFailed,
    ConnectionLost,
    DeadlineExceeded,
    OAuthMagicError,
    ResponseRefused,
    Sent,
    TlsError,
    TransportError,
)
from oauthmagic.redaction import RedactingFilter
from oauthmagic.transport.urls import parse_url
from oauthmagic.transport.wire import WireRequest, WireResponse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_HEADERS = 200
MAX_HEADER_BYTES = 64 * 1024
#: How often a waiting cell looks whether it was interrupted, in seconds.
_TICK = 0.2

# The library's loggers print every header that a server sends at DEBUG. A filter
# is not inherited by child loggers, so each gets its own.
for _name in ("", ".connection", ".http11", ".http2", ".proxy", ".socks"):
    logging.getLogger(f"httpcore{_name}").addFilter(RedactingFilter())
logging.getLogger("httpx").addFilter(RedactingFilter())


class HttpTransport:
    """Sends requests over sockets.

    Args:
        ca_file: PEM file of the only certificate authorities to trust; without
            it, the system's and certifi's.
    """

    def __init__(self, *, ca_file: str | Path | None = None) -> None:
        self._ca_file = ca_file
        self._context: ssl.SSLContext | None = None
        self._pools: dict[str | None, httpx.HTTPTransport] = {}
        self._lock = threading.Lock()

    def send(self, request: WireRequest, *, timeout: float, limit: int) -> WireResponse:
        """Send a request; follow nothing, retry nothing.

        The exchange runs in a thread of its own, because a name lookup and a
        server that drips one byte at a time have no deadline in any library.

        Raises:
            TransportError: No usable answer; `.sent` says what is known.
        """
        exchange = _Exchange(self._pool(request.url), request, timeout, limit)
        if sys.platform == "emscripten":
            exchange.run()
        else:
            threading.Thread(target=exchange.run, daemon=True).start()
            try:
                exchange.wait(timeout)
            except BaseException:
                exchange.abandon()
                raise
        # A fresh exception, without the frames that held the request.
        outcome, exchange.outcome = exchange.outcome, None
        if outcome is None:
            exchange.abandon()
            msg = f"No whole answer within {timeout:g} seconds."
            raise DeadlineExceeded(msg, sent=exchange.sent)
        if isinstance(outcome, OAuthMagicError):
            raise outcome
        return outcome

    def close(self) -> None:
        """Close every connection that is kept for reuse."""
        with self._lock:
            pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            pool.close()

    def _pool(self, url: str) -> httpx.HTTPTransport:
        proxy = _proxy_for(url)
        with self._lock:
            if proxy not in self._pools:
                if self._context is None:
                    self._context = tls_context(self._ca_file)
                try:
                    self._pools[proxy] = httpx.HTTPTransport(
                        verify=self._context, trust_env=False, http2=False, proxy=proxy
                    )
                except (ValueError, ImportError):
                    msg = "The proxy named by the environment cannot be used."
                    raise ConnectionFailed(
                        msg,
                        sent="no",
                        hint="HTTPS_PROXY must be an http:// or https:// URL.",
                    ) from None
            return self._pools[proxy]


class _Exchange:
    """One request and its outcome: a response, or an error kept as a value."""

    def __init__(
        self,
        pool: httpx.HTTPTransport,
        request: WireRequest,
        timeout: float,
        limit: int,
    ) -> None:
        self.outcome: WireResponse | OAuthMagicError | None = None
        self.sent: Sent = "no"
        self._pool = pool
        self._request = request
        self._timeout = timeout
        self._limit = limit
        self._done = threading.Event()
        self._abandoned = False
        self._stream: Any = None

    def wait(self, timeout: float) -> None:
        """Wait until the exchange is over or its time is."""
        end = time.monotonic() + timeout
        # In slices, for some systems cannot interrupt a long wait.
        while (left := end - time.monotonic()) > 0:
            if self._done.wait(min(left, _TICK)):
                return

    def abandon(self) -> None:
        """Break the connection, so that the thread ends soon."""
        self._abandoned = True
        socket = self._stream and self._stream.get_extra_info("socket")
        if socket:
            with contextlib.suppress(OSError):
                socket.shutdown(2)

    def run(self) -> None:
        """Do the exchange; every outcome is kept, nothing is raised."""
        try:
            self.outcome = self._perform()
        except OAuthMagicError as error:
            self.outcome = error.with_traceback(None)
        except Exception as error:  # noqa: BLE001 - typed here, once, for everyone
            self.outcome = _typed(error, self.sent, self._timeout)
        finally:
            self._done.set()

    def _perform(self) -> WireResponse:
        begun = time.monotonic()
        step = self._timeout
        response = self._pool.handle_request(
            httpx.Request(
                self._request.method,
                self._request.url,
                headers=[
                    ("User-Agent", "oauthmagic"),
                    ("Accept-Encoding", "gzip"),
                    *self._request.headers,
                ],
                content=self._request.body,
                extensions={
                    "timeout": dict.fromkeys(
                        ("connect", "read", "write", "pool"), step
                    ),
                    "trace": self._trace,
                },
            )
        )
        self.sent = "yes"
        self._stream = response.extensions.get("network_stream", self._stream)
        try:
            headers = tuple(
                (name.decode("latin-1").lower(), value.decode("latin-1"))
                for name, value in response.headers.raw
            )
            size = sum(len(name) + len(value) for name, value in headers)
            if len(headers) > MAX_HEADERS or size > MAX_HEADER_BYTES:
                msg = "The answer's headers are too large."
                raise ResponseRefused(msg, sent="yes")
            body = b"".join(self._decoded(response, dict(headers)))
        finally:
            response.close()
        return WireResponse(
            status=response.status_code,
            headers=headers,
            body=body,
            elapsed=time.monotonic() - begun,
        )

    def _decoded(
        self, response: httpx.Response, headers: dict[str, str]
    ) -> Iterator[bytes]:
        """Yield the body, decoded, and never more of it than the limit."""
        coding = headers.get("content-encoding", "identity").strip().lower()
        if coding not in ("identity", "", "gzip", "x-gzip"):
            msg = "The answer is in a content coding that was not asked for."
            raise ResponseRefused(msg, sent="yes")
        gzip = zlib.decompressobj(31) if "gzip" in coding else None
        room = self._limit
        for chunk in response.stream:  # type: ignore[union-attr]
            if self._abandoned:
                return
            pending = chunk
            while pending:
                if gzip is None:
                    part, pending = pending, b""
                else:
                    # One byte more than there is room for shows that there is more.
                    part = gzip.decompress(pending, room + 1)
                    pending = gzip.unconsumed_tail
                room -= len(part)
                if room < 0:
                    msg = f"The answer is larger than {_size(self._limit)}."
                    raise ResponseRefused(msg, sent="yes")
                yield part
        if gzip is not None and not gzip.eof:
            msg = "The answer ended in the middle of its compressed data."
            raise ConnectionLost(msg, sent="yes")

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._stream = info.get("return_value", self._stream)
            if self._abandoned:
                self.abandon()
        elif event.endswith("send_request_headers.started"):
            self.sent = "unknown"


def tls_context(ca_file: str | Path | None = None) -> ssl.SSLContext:
    """Return a verifying context: TLS 1.2 or later, host name checked.

    Made here and not by a library, because those write the session's keys to a
    file where `SSLKEYLOGFILE` says so.

    Args:
        ca_file: PEM file of the only authorities to trust.

    Raises:
        TlsError: The file cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is None:
        import certifi  # noqa: PLC0415 - comes with the HTTP library

        context.load_default_certs()
        context.load_verify_locations(certifi.where())
        return context
    try:
        context.load_verify_locations(str(ca_file))
    except (OSError, ssl.SSLError):
        msg = "The file named by ca_file cannot be read as PEM certificates."
        raise TlsError(msg, sent="no", hint="Check the path and the file.") from None
    return context


def _typed(error: Exception, sent: Sent, timeout: float) -> OAuthMagicError:
    """Return the error of this package for one of the HTTP library's."""
    if isinstance(error, httpx.ConnectError | httpx.ProxyError):
        return _unconnected(error)
    if isinstance(error, httpx.TimeoutException):
        msg = f"No whole answer within {timeout:g} seconds."
        return DeadlineExceeded(msg, sent=sent)
    if isinstance(error, httpx.LocalProtocolError | httpx.InvalidURL | ValueError):
        return TransportError("The request cannot be sent as HTTP.", sent="no")
    if isinstance(error, zlib.error):
        msg = "The answer's compressed data is damaged."
        return ResponseRefused(msg, sent="yes")
    return ConnectionLost("The connection was lost.", sent=sent)


def _unconnected(error: BaseException | None) -> TransportError:
    """Return why there is no connection; TLS errors are causes of the library's own."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return TlsError(_tls_message(error), sent="no")
        error = error.__cause__ or error.__context__
    return ConnectionFailed("No connection could be made.", sent="no")


def _tls_message(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The server's certificate was refused: {error.verify_message}."
    return f"No secure connection could be made ({error.reason or 'TLS error'})."


def _proxy_for(url: str) -> str | None:
    """Return the proxy for a URL; loopback traffic never leaves the machine."""
    target = parse_url(url)
    if target.is_loopback or urllib.request.proxy_bypass(target.host):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get(target.scheme) or proxies.get("all")


def _size(count: int) -> str:
    return f"{count // (1 << 20)} MiB" if count >= 1 << 20 else f"{count // 1024} KiB"
