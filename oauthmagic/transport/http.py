"""The one HTTP client, and the only module that imports the HTTP library.

It follows no redirect, keeps no cookie, reads no netrc and no environment but
the proxy variables, decodes one content coding with a bound, and ends at its
deadline whatever the server does. Only names that httpx and httpx2 share are used.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import re
import socket
import sys
import threading
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import h11
import httpx

from oauthmagic.errors import (
    ConnectionFailed,
    ConnectionLost,
    DeadlineExceeded,
    OAuthMagicError,
    ResponseRefused,
    Sent,
    TransportError,
)
from oauthmagic.redaction import RedactingFilter
from oauthmagic.transport.bodies import decoded
from oauthmagic.transport.floors import check_h11
from oauthmagic.transport.tls import late_alert, tls_cause, tls_context, tls_error
from oauthmagic.transport.urls import parse_url
from oauthmagic.transport.wire import WireRequest, WireResponse

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from pathlib import Path

    from oauthmagic.redaction import Secret

MAX_HEADERS = 200
MAX_HEADER_BYTES = 64 * 1024
_DEFAULTS = (("User-Agent", "oauthmagic"), ("Accept-Encoding", "gzip"))
#: How the library says that an answer ended; its other complaints are about bytes.
_ENDED = re.compile("closed|disconnected|terminated", re.IGNORECASE)
#: How often a waiting cell looks whether it was interrupted, in seconds.
_TICK = 0.2

_this_thread = threading.local()


class _EventFilter(RedactingFilter):
    """Redacts log records; of our own exchanges it leaves the event's name alone.

    The rest is the headers that a server sent. One of them may hold a token that
    nobody can redact, because it is new.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(_this_thread, "exchanges", False):
            record.msg, record.args = record.getMessage().partition(" ")[0], None
        return super().filter(record)


# A filter is not inherited by child loggers, so each gets its own.
_core = httpx.__name__.replace("httpx", "httpcore")
for _name in ("", ".connection", ".http11", ".http2", ".proxy", ".socks"):
    logging.getLogger(f"{_core}{_name}").addFilter(_EventFilter())
logging.getLogger(httpx.__name__).addFilter(_EventFilter())


class HttpTransport:
    """Sends requests over sockets.

    Args:
        ca_file: PEM file of the only certificate authorities to trust; without
            it, the system's and certifi's.
        certificate: PEM text of the client's certificate (mutual TLS).
        private_key: PEM text of its key.

    Raises:
        TransportError: The library that reads answers is too old to be trusted.
    """

    def __init__(
        self,
        *,
        ca_file: str | Path | None = None,
        certificate: Secret | None = None,
        private_key: Secret | None = None,
    ) -> None:
        check_h11(vars(h11)["__version__"])
        self._tls = (ca_file, certificate, private_key)
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
            if self._context is None:
                self._context = tls_context(*self._tls)
            pool = self._pools.get(proxy) or _new_pool(self._context, proxy)
            if pool is not None:
                self._pools[proxy] = pool
                return pool
        # It may hold a password, and this frame is in the traceback.
        proxy = None
        hint = "HTTPS_PROXY must be an http:// or https:// URL."
        raise ConnectionFailed("The proxy cannot be used.", sent="no", hint=hint)


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
        broken = self._stream and self._stream.get_extra_info("socket")
        if broken:
            with contextlib.suppress(OSError):
                # The plain socket's own: a TLS socket's first forgets that it is
                # one, and what the thread then writes goes out in clear.
                socket.socket.shutdown(broken, socket.SHUT_RDWR)

    def run(self) -> None:
        """Do the exchange; every outcome is kept, nothing is raised."""
        _this_thread.exchanges = True
        try:
            self.outcome = self._perform()
        except OAuthMagicError as error:
            self.outcome = error.with_traceback(None)
        except Exception as error:  # noqa: BLE001 - typed here, once, for everyone
            self.outcome = _typed(error, self.sent, self._timeout)
        finally:
            _this_thread.exchanges = False
            self._done.set()

    def _perform(self) -> WireResponse:
        begun = time.monotonic()
        given = {name.lower() for name, _ in self._request.headers}
        steps = ("connect", "read", "write", "pool")
        response = self._pool.handle_request(
            httpx.Request(
                self._request.method,
                self._request.url,
                headers=[
                    *(each for each in _DEFAULTS if each[0].lower() not in given),
                    *self._request.headers,
                ],
                content=self._request.body,
                extensions={
                    "timeout": dict.fromkeys(steps, self._timeout),
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
            # One line for each coding means the same as one line for all.
            codings = [value for name, value in headers if name == "content-encoding"]
            chunks = itertools.takewhile(
                lambda _: not self._abandoned,
                response.stream,  # type: ignore[arg-type]
            )
            body = bytearray()
            keep: Callable[[bytes], object] = body.extend
            limit = self._limit
            sink = self._request.sink
            if sink is not None and sink.begin(response.status_code, headers):
                keep, limit = sink.write, sink.limit
            for part in decoded(chunks, ", ".join(codings), limit):
                keep(part)
        finally:
            response.close()
        return WireResponse(
            status=response.status_code,
            headers=headers,
            body=bytes(body),
            elapsed=time.monotonic() - begun,
        )

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._stream = info.get("return_value", self._stream)
            if self._abandoned:
                self.abandon()
        elif event.endswith("send_request_headers.started"):
            self.sent = "unknown"


def _new_pool(context: ssl.SSLContext, proxy: str | None) -> httpx.HTTPTransport | None:
    """Return a pool of connections, or None where the proxy cannot be used."""
    try:
        return httpx.HTTPTransport(
            verify=context, trust_env=False, http2=False, proxy=proxy
        )
    except (ValueError, ImportError, httpx.InvalidURL):
        return None


def _typed(error: Exception, sent: Sent, timeout: float) -> OAuthMagicError:
    """Return the error of this package for one of the HTTP library's."""
    if isinstance(error, httpx.ConnectError | httpx.ProxyError):
        return _unconnected(error)
    if isinstance(error, httpx.TimeoutException):
        msg = f"No whole answer within {timeout:g} seconds."
        return DeadlineExceeded(msg, sent=sent)
    if isinstance(error, httpx.RemoteProtocolError) and not _ENDED.search(str(error)):
        msg = "The answer is not HTTP/1.1, or its headers are too large."
        hint = "Check the URL: something else than a web server may be there."
        return ResponseRefused(msg, sent="yes", hint=hint)
    local = isinstance(error, httpx.LocalProtocolError)
    if local or not isinstance(error, httpx.TransportError):
        msg = "The request cannot be sent as HTTP."
        # The library calls by that name what it finds before it writes the head.
        return TransportError(msg, sent="no" if local else sent)
    lost = ConnectionLost("The connection was lost.", sent=sent)
    return late_alert(tls_cause(error), sent) or lost


def _unconnected(error: Exception) -> TransportError:
    """Return why there is no connection."""
    if (cause := tls_cause(error)) is not None:
        return tls_error(cause)
    return ConnectionFailed("No connection could be made.", sent="no")


def _proxy_for(url: str) -> str | None:
    """Return the proxy for a URL; loopback traffic never leaves the machine."""
    target = parse_url(url)
    if target.is_loopback or urllib.request.proxy_bypass(target.host):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(target.scheme) or proxies.get("all")
    # Most programs take a bare host and port, too.
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy
