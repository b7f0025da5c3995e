"""The one HTTP client.

It follows no redirect, keeps no cookie, reads no netrc and no environment but
the proxy variables, decodes one content coding with a bound, and ends at its
deadline whatever the server does. It uses what is below httpx, for httpx lets nobody
near its sockets; only names that httpcore and httpcore2 share.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import h11
import httpcore

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
from oauthmagic.transport.heads import DEFAULTS, WITH_BODY, check_size
from oauthmagic.transport.proxies import Proxy, proxy_for
from oauthmagic.transport.sockets import Backend, Line, this_line
from oauthmagic.transport.tls import late_alert, tls_cause, tls_context, tls_error
from oauthmagic.transport.urls import parse_url
from oauthmagic.transport.wire import WireRequest, WireResponse

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from pathlib import Path

    from oauthmagic.redaction import Secret
    from oauthmagic.transport.curl import CurlTransport

#: How the library says that an answer ended; its other complaints are about bytes.
_ENDED = re.compile("closed|disconnected|terminated", re.IGNORECASE)
#: How often a waiting cell looks whether it was interrupted, in seconds.
_TICK = 0.2
#: How many connections there are at once, are kept for reuse, and for how long.
_MOST, _MOST_KEPT, _KEPT_FOR = 100, 100, 5.0


class _EventFilter(RedactingFilter):
    """Redacts log records; of our own exchanges it leaves the event's name alone.

    The rest is the headers that a server sent. One of them may hold a token that
    nobody can redact, because it is new.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if this_line() is not None:
            record.msg, record.args = record.getMessage().partition(" ")[0], None
        return super().filter(record)


# A filter is not inherited by child loggers, so each gets its own.
for _name in ("", ".connection", ".http11", ".http2", ".proxy", ".socks"):
    logging.getLogger(f"{httpcore.__name__}{_name}").addFilter(_EventFilter())
logging.getLogger(httpcore.__name__.replace("core", "x")).addFilter(_EventFilter())


class HttpTransport:
    """Sends requests over sockets.

    Args:
        ca_file: PEM file of the only certificate authorities to trust; without
            it, the system's and certifi's.
        certificate: PEM text of the client's certificate (mutual TLS).
        private_key: PEM text of its key.

    Attributes:
        tls: The three, as `oauthmagic.transport.tls.tls_context` takes them.

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
        self.tls = (ca_file, certificate, private_key)
        self._context: ssl.SSLContext | None = None
        self._pools: dict[tuple[bool, Proxy | None], httpcore.ConnectionPool] = {}
        self._quick: CurlTransport | None = None
        self._lock = threading.Lock()

    def send(self, request: WireRequest, *, timeout: float, limit: int) -> WireResponse:
        """Send a request; follow nothing, retry nothing.

        The exchange runs in a thread of its own, because a name lookup and a
        server that drips one byte at a time have no deadline in any library.

        Raises:
            TransportError: No usable answer; `.sent` says what is known.
        """
        return self.exchange(request, timeout=timeout, limit=limit).result()

    def exchange(self, request: WireRequest, *, timeout: float, limit: int) -> Exchange:
        """Return what sends a request, and can be told to leave it."""
        return Exchange(self._pool, request, timeout, limit)

    def quick(self) -> CurlTransport:
        """Return what sends the same through libcurl, which must be there."""
        from oauthmagic.transport.curl import CurlTransport  # noqa: PLC0415 - an extra

        with self._lock:
            if self._quick is None:
                self._quick = CurlTransport(self.tls)
            return self._quick

    def close(self) -> None:
        """Close every connection that is kept for reuse."""
        with self._lock:
            pools, self._pools = list(self._pools.values()), {}
        if self._quick is not None:
            self._quick.close()
        for pool in pools:
            pool.close()

    def _pool(self, url: str) -> httpcore.ConnectionPool:
        is_secure = parse_url(url).scheme == "https"
        key = is_secure, proxy_for(url)
        with self._lock:
            # Reading the system's authorities takes long, and http needs none.
            if self._context is None and (is_secure or self.tls[0] is not None):
                self._context = tls_context(*self.tls)
            if key not in self._pools:
                self._pools[key] = _new_pool(self._context, key[1])
            return self._pools[key]


class Exchange:
    """One request and its outcome: a response, or an error kept as a value.

    Args:
        pool: Gives the connections for a URL.
        request: What to send.
        timeout: Seconds for everything.
        limit: The most decoded body bytes to accept.
    """

    def __init__(
        self,
        pool: Callable[[str], httpcore.ConnectionPool],
        request: WireRequest,
        timeout: float,
        limit: int,
    ) -> None:
        self._outcome: WireResponse | OAuthMagicError | None = None
        self._pool = pool
        self._request = request
        self._timeout = timeout
        self._limit = limit
        self._line = Line(timeout)
        self._done = threading.Event()

    def result(self) -> WireResponse:
        """Send the request; wait until the answer is whole or the time is over.

        Raises:
            TransportError: No usable answer; `.sent` says what is known.
        """
        if sys.platform == "emscripten":
            self.run()
        else:
            thread = threading.Thread(target=self.run, daemon=True)
            try:
                thread.start()
                self._wait()
            except BaseException:
                self.abandon()
                raise
        # A fresh exception, without the frames that held the request.
        outcome, self._outcome = self._outcome, None
        if outcome is None:
            self.abandon()
            msg = f"No whole answer within {self._timeout:.3g} seconds."
            raise DeadlineExceeded(msg, sent=self._line.sent)
        if isinstance(outcome, OAuthMagicError):
            raise outcome
        return outcome

    def abandon(self) -> None:
        """Break the connection, so that the thread ends soon."""
        self._line.break_off()

    def _wait(self) -> None:
        end = time.monotonic() + self._timeout
        # In slices, for some systems cannot interrupt a long wait.
        while (left := end - time.monotonic()) > 0:
            if self._done.wait(min(left, _TICK)):
                return

    def run(self) -> None:
        """Do the exchange; every outcome is kept, nothing is raised."""
        try:
            with self._line.used():
                self._outcome = self._perform()
        except OAuthMagicError as error:
            self._outcome = error.with_traceback(None)
        except Exception as error:  # noqa: BLE001 - typed here, once, for everyone
            self._outcome = _typed(error, self._line.sent, self._timeout)
        finally:
            self._done.set()

    def _perform(self) -> WireResponse:
        begun = time.monotonic()
        # Here, for reading the authorities takes its time as well.
        with self._pool(self._request.url).stream(
            self._request.method,
            _library_url(self._request.url),
            headers=_complete(self._request),
            content=self._request.body,
            extensions={
                "timeout": {"pool": self._timeout},
                "trace": self._line.trace,
            },
        ) as response:
            self._line.sent = "yes"
            headers = tuple(
                (name.decode("latin-1").lower(), value.decode("latin-1"))
                for name, value in response.headers
            )
            check_size(headers)
            # One line for each coding means the same as one line for all.
            codings = [value for name, value in headers if name == "content-encoding"]
            chunks = response.iter_stream()
            # Not a list of parts: a server can make them of two bytes each.
            body = bytearray()
            keep: Callable[[bytes], object] = body.extend
            limit = self._limit
            sink = self._request.sink
            if sink is not None and sink.begin(response.status, headers):
                keep, limit = sink.write, sink.limit
            for part in decoded(chunks, ", ".join(codings), limit):
                keep(part)
        return WireResponse(
            status=response.status,
            headers=headers,
            body=bytes(body),
            elapsed=time.monotonic() - begun,
        )


def _library_url(text: str) -> httpcore.URL:
    """Return a URL as the gate read it; the library's own parser never sees it."""
    url = parse_url(text)
    return httpcore.URL(
        scheme=url.scheme,
        host=url.host,
        port=url.port,
        target=f"{url.path}?{url.query}" if url.query else url.path,
    )


def _complete(request: WireRequest) -> list[tuple[str, str]]:
    """Return a request's headers, with those that it cannot do without."""
    given = {name.lower() for name, _ in request.headers}
    added = [("Host", parse_url(request.url).origin.partition("://")[2]), *DEFAULTS]
    if request.body is None and request.method in WITH_BODY:
        added.append(("Content-Length", "0"))
    return [*(each for each in added if each[0].lower() not in given), *request.headers]


def _new_pool(
    context: ssl.SSLContext | None, proxy: Proxy | None
) -> httpcore.ConnectionPool:
    """Return a pool of connections."""
    of_both: dict[str, Any] = {
        "ssl_context": context,
        "max_connections": _MOST,
        "max_keepalive_connections": _MOST_KEPT,
        "keepalive_expiry": _KEPT_FOR,
        "network_backend": Backend(),
    }
    if proxy is None:
        return httpcore.ConnectionPool(**of_both)
    return httpcore.HTTPProxy(
        proxy_url=httpcore.URL(
            scheme=proxy.scheme, host=proxy.host, port=proxy.port, target="/"
        ),
        proxy_auth=proxy.credentials,
        # Ours, for the library's would write the session's keys to a file, too.
        proxy_ssl_context=tls_context() if proxy.scheme == "https" else None,
        **of_both,
    )


def _typed(error: Exception, sent: Sent, timeout: float) -> OAuthMagicError:
    """Return the error of this package for one of the HTTP library's."""
    if isinstance(error, httpcore.ConnectError | httpcore.ProxyError):
        return _unconnected(error)
    if isinstance(error, httpcore.TimeoutException):
        msg = f"No whole answer within {timeout:.3g} seconds."
        return DeadlineExceeded(msg, sent=sent)
    if isinstance(error, httpcore.RemoteProtocolError) and not _ENDED.search(
        str(error)
    ):
        msg = "The answer is not HTTP/1.1, or its headers are too large."
        hint = "Check the URL: something else than a web server may be there."
        return ResponseRefused(msg, sent="yes", hint=hint)
    lost = (httpcore.NetworkError, httpcore.RemoteProtocolError)
    if not isinstance(error, lost):
        msg = "The request cannot be sent as HTTP."
        return TransportError(msg, sent=sent)
    hint = "Nothing was sent: send it again." if sent == "no" else ""
    unclear = ConnectionLost("The connection was lost.", sent=sent, hint=hint)
    return late_alert(tls_cause(error), sent) or unclear


def _unconnected(error: Exception) -> TransportError:
    """Return why there is no connection."""
    if (cause := tls_cause(error)) is not None:
        return tls_error(cause)
    return ConnectionFailed("No connection could be made.", sent="no")
