"""Many exchanges at once through libcurl, which keeps every promise of `http.py`.

The only module that imports pycurl, the extra `fast`. libcurl is told everything
explicitly, for what it does where nothing is said comes from how it was built and from
the environment. Bodies are handed out as they came and decoded here, with a bound.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import math
import os
import re
import select
import socket
import ssl
import sys
import tempfile
import threading
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from oauthmagic.errors import OAuthMagicError
from oauthmagic.store.forks import begins_anew_in_children
from oauthmagic.transport.bodies import Decoding, too_large
from oauthmagic.transport.curl_failures import failure
from oauthmagic.transport.engines import Arrival
from oauthmagic.transport.heads import (
    DEFAULTS,
    WITH_BODY,
    check_request,
    is_complete,
    read_head,
    unsendable,
)
from oauthmagic.transport.proxies import Proxy, proxy_for, proxy_variables
from oauthmagic.transport.tls import tls_context
from oauthmagic.transport.urls import parse_url
from oauthmagic.transport.wire import WireResponse

if TYPE_CHECKING:
    from collections.abc import Callable

    from oauthmagic.errors import Sent
    from oauthmagic.redaction import Secret
    from oauthmagic.transport.wire import Headers, WireRequest

    Tls = tuple[str | Path | None, Secret | None, Secret | None]
    Read = Callable[[list[bytes]], tuple[int, Headers]]

# libcurl opens the file of session keys when it is loaded, if the environment says so.
_keys_go_to = os.environ.pop("SSLKEYLOGFILE", None)
#: Whether somebody else loaded it before, and the keys of its sessions are written.
IS_WATCHED = _keys_go_to is not None and "pycurl" in sys.modules
import pycurl  # noqa: E402 - as said above

if _keys_go_to is not None:
    os.environ["SSLKEYLOGFILE"] = _keys_go_to

#: What an event loop is asked to wait for, and what it says that came.
READS = (pycurl.POLL_IN, pycurl.POLL_INOUT)
WRITES = (pycurl.POLL_OUT, pycurl.POLL_INOUT)
CSELECT_IN: int = pycurl.CSELECT_IN
CSELECT_OUT: int = pycurl.CSELECT_OUT
SOCKET_TIMEOUT: int = pycurl.SOCKET_TIMEOUT

#: How often a waiting cell looks whether it was interrupted, in seconds.
_TICK = 0.2
#: For how many seconds, and how many connections are kept for reuse.
_KEPT_FOR, _MOST_KEPT = 5, 100
#: What the wait below can watch; more open files, and it has to look often.
_MOST_WATCHED, _OFTEN = 1000, 0.005
#: So many requests are begun before they go out.
_MOST_BEGUN = 32
#: What no URL holds that came through the gate.
_PLAIN = re.compile(r'[!"$-\[\]-~]*')
#: `CURLOPT_SUPPRESS_CONNECT_HEADERS`, which pycurl has no name for.
_SUPPRESS_CONNECT_HEADERS = 265
#: What a callback says to libcurl before a request goes out.
_GO: int = pycurl.PREREQFUNC_OK
_STOP: int = pycurl.PREREQFUNC_ABORT
_CA_FOLDER = ssl.get_default_verify_paths().capath


class Route(NamedTuple):
    """How an origin is reached.

    Attributes:
        proxy: The proxy on the way, or None.
        is_secure: Whether it is spoken to over TLS.
    """

    proxy: Proxy | None
    is_secure: bool


_DIRECT = Route(None, is_secure=False)


class Settings:
    """What all exchanges of a transport share.

    Args:
        tls: The file of the only authorities to trust, the client's certificate and
            its key, as `tls_context` takes them.
    """

    def __init__(self, tls: Tls) -> None:
        self._tls = tls
        # Not before they are needed, for reading them takes a tenth of a second.
        self._trusted: list[tuple[int, Any]] = []

    def apply(self, handle: pycurl.Curl, route: Route) -> None:
        """Tell a new handle, or one that was reset, everything but its request.

        Raises:
            TlsError: A file or a key cannot be used.
        """
        options: list[tuple[int, Any]] = [
            (pycurl.NOSIGNAL, 1),
            (pycurl.USERAGENT, "oauthmagic"),  # what a proxy is told
            (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
            (pycurl.FOLLOWLOCATION, 0),
            (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
            (pycurl.HTTP09_ALLOWED, 0),
            (pycurl.PATH_AS_IS, 1),
            (pycurl.HTTP_CONTENT_DECODING, 0),
            (pycurl.NETRC, pycurl.NETRC_IGNORED),
            (pycurl.MAXAGE_CONN, _KEPT_FOR),
            (pycurl.SSL_VERIFYPEER, 1),
            (pycurl.SSL_VERIFYHOST, 2),
            (pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2),
            # In any case, or the environment would be asked for both.
            (pycurl.PROXY, ""),
            (pycurl.NOPROXY, ""),
        ]
        for option, value in options:
            handle.setopt(option, value)
        # With authorities of its own over http as well, for a file that cannot be read.
        if route.is_secure or self._tls[0] is not None:
            self._secure(handle)
        if route.proxy is not None:
            _go_through(handle, route.proxy)

    def _secure(self, handle: pycurl.Curl) -> None:
        ca_file, certificate, private_key = self._tls
        if not self._trusted:
            self._trusted = _trusted(ca_file)
            # Reads and checks the rest once as well, and says what is wrong with it.
            if ca_file is not None or certificate is not None:
                tls_context(*self._tls)
        for option, value in self._trusted:
            handle.setopt(option, value)
        if certificate is not None and private_key is not None:
            handle.setopt(pycurl.SSLCERTTYPE, "PEM")
            handle.setopt(pycurl.SSLKEYTYPE, "PEM")
            handle.setopt(pycurl.SSLCERT_BLOB, certificate.reveal().encode())
            handle.setopt(pycurl.SSLKEY_BLOB, private_key.reveal().encode())
            # A key with a pass phrase is refused, not asked for on the terminal.
            handle.setopt(pycurl.SSLKEYPASSWD, "")


def _trusted(ca_file: str | Path | None) -> list[tuple[int, Any]]:
    """Return what tells libcurl whom to trust."""
    if ca_file is None:
        return [(pycurl.CAINFO, _system()), (pycurl.CAPATH, _CA_FOLDER)]
    try:
        pem = Path(ca_file).read_bytes()
    except OSError:
        pem = b""  # what is wrong with it is said elsewhere
    # As text it is instead of what libcurl was built with, and not beside it.
    return [(pycurl.CAINFO_BLOB, pem), (pycurl.CAPATH, None)]


def _system() -> str:
    """Return the file of the system's authorities and certifi's."""
    return _system_as(*map(os.environ.get, ("SSL_CERT_FILE", "SSL_CERT_DIR"))).name


@functools.lru_cache(maxsize=8)
def _system_as(*_: str | None) -> _Bundle:
    """Return what the environment makes of it; once, for they are many."""
    return _Bundle(tls_context())


def _go_through(handle: pycurl.Curl, proxy: Proxy) -> None:
    host = f"[{proxy.host}]" if ":" in proxy.host else proxy.host
    handle.setopt(pycurl.PROXY, f"{proxy.scheme}://{host}:{proxy.port}")
    handle.setopt(pycurl.HTTPPROXYTUNNEL, 1)
    handle.setopt(pycurl.HEADEROPT, pycurl.HEADER_SEPARATE)
    handle.setopt(_SUPPRESS_CONNECT_HEADERS, 1)
    if proxy.credentials is not None:
        handle.setopt(pycurl.PROXYAUTH, pycurl.HTTPAUTH_BASIC)
        handle.setopt(pycurl.PROXYUSERNAME, proxy.credentials[0])
        handle.setopt(pycurl.PROXYPASSWORD, proxy.credentials[1])
    if proxy.scheme == "https":
        handle.setopt(pycurl.PROXY_CAINFO, _system())
        handle.setopt(pycurl.PROXY_SSLVERSION, pycurl.SSLVERSION_TLSv1_2)
        handle.setopt(pycurl.PROXY_SSL_VERIFYPEER, 1)
        handle.setopt(pycurl.PROXY_SSL_VERIFYHOST, 2)


class _Bundle:
    """The authorities that a context trusts, as a file for as long as this lives.

    libcurl reads a file once; it would read the same as text for each connection, which
    takes longer than the rest of the handshake.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        descriptor, self.name = tempfile.mkstemp(prefix="oauthmagic-", suffix=".pem")
        with os.fdopen(descriptor, "w") as file:
            for der in context.get_ca_certs(binary_form=True):
                file.write(ssl.DER_cert_to_PEM_cert(der))
        weakref.finalize(self, _remove, self.name, os.getpid())


def _remove(name: str, owner: int) -> None:
    # A forked child ends as well, and the file is its parent's.
    if os.getpid() == owner:
        Path(name).unlink(missing_ok=True)


class Exchange:
    """One easy handle of libcurl, and the exchange that it is used for.

    Args:
        settings: What all of them share.
        read: Reads what came before a body.

    Attributes:
        handle: The handle.
        descriptor: The socket of its last answer, or -1.
        tag: What the request was submitted under.
        ended: Called with what became of it; used by whoever is not an engine.
        is_started: Whether its request began to go out.
        interruption: What ended it from outside, while Python was called back.
    """

    __slots__ = (
        "_begun",
        "_body",
        "_decoding",
        "_error",
        "_is_plain",
        "_keep",
        "_limit",
        "_lines",
        "_read",
        "_received",
        "_room",
        "_route",
        "_settings",
        "_sink",
        "_timeout",
        "descriptor",
        "ended",
        "handle",
        "interruption",
        "is_started",
        "tag",
    )

    def __init__(self, settings: Settings, read: Read) -> None:
        self.handle = pycurl.Curl()
        self.tag = 0
        self.is_started = False
        self.descriptor = -1
        self.ended: Callable[[Arrival], None] | None = None
        self.interruption: BaseException | None = None
        self._settings = settings
        self._read = read
        self._received: list[bytes] = []
        self._route = _DIRECT
        self._lines: list[bytes] | None = None
        self._timeout = -1.0
        self._reset()

    def _reset(self) -> None:
        self.handle.reset()
        self._settings.apply(self.handle, self._route)
        self.handle.setopt(pycurl.HEADERFUNCTION, self._received.append)
        self.handle.setopt(pycurl.WRITEFUNCTION, self._write)
        self.handle.setopt(pycurl.PREREQFUNCTION, self._start)
        self._is_plain = True
        self._lines = None
        self._timeout = -1.0

    def prepare(
        self,
        request: WireRequest,
        url: str,
        lines: list[bytes],
        route: Route,
        *,
        timeout: float,
        limit: int,
    ) -> None:
        """Make the handle ready for a request.

        Args:
            request: The request.
            url: Its URL, as the gate read it.
            lines: Its header lines.
            route: How its origin is reached.
            timeout: Seconds for everything.
            limit: The most decoded body bytes to accept.
        """
        handle = self.handle
        is_plain = request.method == "GET" and request.body is None
        if route != self._route or not (is_plain and self._is_plain):
            self._route = route
            self._reset()
            self._is_plain = is_plain
            if not is_plain:
                handle.setopt(pycurl.CUSTOMREQUEST, request.method)
                if request.body is not None:
                    handle.setopt(pycurl.POSTFIELDS, request.body)
                elif request.method == "HEAD":
                    handle.setopt(pycurl.NOBODY, 1)
        if lines is not self._lines:
            handle.setopt(pycurl.HTTPHEADER, lines)
            self._lines = lines
        if timeout != self._timeout:
            handle.setopt(pycurl.TIMEOUT_MS, max(math.ceil(timeout * 1000), 1))
            self._timeout = timeout
        handle.setopt(pycurl.URL, url)
        self._received.clear()
        self.is_started = False
        self._body: bytes | bytearray = b""
        self._decoding: Decoding | None = None
        self._error: OAuthMagicError | None = None
        self._keep: Callable[[bytes], object] | None = None
        self._limit = self._room = limit
        self._sink = request.sink
        self._begun = time.monotonic()

    def forget(self) -> None:
        """Let go of the bodies of the last request and its answer."""
        self._body, self._keep, self._sink, self._decoding = b"", None, None, None
        if not self._is_plain:
            self._reset()

    def response(self) -> Arrival:
        """Return the answer that libcurl took for whole."""
        try:
            status, headers = self._read(self._received)
            if self._decoding is not None:
                self._decoding.end()
            elif self._keep is None and self._sink is not None:
                self._sink.begin(status, headers)
        except OAuthMagicError as error:
            self.break_off()
            return Arrival(self.tag, error=error.with_traceback(None))
        body = self._body
        return Arrival(
            self.tag,
            WireResponse(
                status=status,
                headers=headers,
                body=body if type(body) is bytes else bytes(body),
                elapsed=time.monotonic() - self._begun,
            ),
        )

    def failed(self, code: int, message: str) -> Arrival:
        """Return why there is no answer."""
        error = self._error
        if error is None:
            error = failure(
                code,
                message,
                sent=self._sent(),
                timeout=self._timeout,
                verification=self.handle.getinfo(pycurl.SSL_VERIFYRESULT),
            )
        return Arrival(self.tag, error=error)

    def break_off(self) -> None:
        """Break the connection, so that it is not used again."""
        if self.descriptor >= 0:
            with (
                contextlib.suppress(OSError),
                socket.socket(fileno=os.dup(self.descriptor)) as connection,
            ):
                connection.shutdown(socket.SHUT_RDWR)

    def is_stale(self) -> bool:
        """Return whether something came on the connection since its last answer."""
        descriptor = self.descriptor
        if descriptor < 0:
            return False
        if sys.platform == "win32":
            return bool(select.select([descriptor], [], [], 0)[0])
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(0))

    def _sent(self) -> Sent:
        """Return whether the server may have seen the request."""
        if not self.is_started:
            return "no"
        return "yes" if is_complete(self._received) else "unknown"

    def _start(self, *_: object) -> int:
        """Let the request go out, once.

        libcurl would send it again, whatever its method, where a connection that is
        used again turns out to be closed.
        """
        try:
            is_first = not self.is_started
            self.is_started = True
        except BaseException as error:  # noqa: BLE001 - Ctrl-C; raised again by the engine
            self.interruption = error
            return _STOP
        return _GO if is_first else _STOP

    def _write(self, data: bytes) -> int | None:
        """Take a piece of the body; libcurl ends the exchange after -1."""
        try:
            if self._keep is None:
                self._keep = self._first()
            self._keep(data)
        except OAuthMagicError as error:
            self._error = error.with_traceback(None)
            return -1
        except BaseException as error:  # noqa: BLE001 - Ctrl-C; raised again by the engine
            self.interruption = error
            return -1
        return None

    def _first(self) -> Callable[[bytes], object]:
        """Read the head, and return what takes the body."""
        status, headers = self._read(self._received)
        # One line for each coding means the same as one line for all.
        codings = [value for name, value in headers if name == "content-encoding"]
        sink = self._sink
        keep: Callable[[bytes], object]
        if sink is not None and sink.begin(status, headers):
            keep, limit = sink.write, sink.limit
        elif codings:
            self._body = bytearray()
            keep, limit = self._body.extend, self._limit
        else:
            return self._append
        decoding = self._decoding = Decoding(", ".join(codings), limit)

        def decode(data: bytes) -> None:
            for part in decoding.parts(data):
                keep(part)

        return decode

    def _append(self, data: bytes) -> None:
        self._room -= len(data)
        if self._room < 0:
            raise too_large(self._limit)
        if not self._body:
            self._body = data
        elif type(self._body) is bytearray:
            self._body += data
        else:
            # Not a list of parts: a server can make them of two bytes each.
            self._body = bytearray(self._body) + data


class Exchanges:
    """Exchanges that are under way at once, on connections that they share.

    Whoever drives them has `multi` get on, and takes what has `arrived`.

    Args:
        settings: What they have in common.
        watch: Called with what to wait for on which socket, where an event loop
            drives them.
        wake: Called with the milliseconds after which to come back, in the same way.

    Attributes:
        multi: libcurl's handle for all of them.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        watch: Callable[..., None] | None = None,
        wake: Callable[[int], None] | None = None,
    ) -> None:
        self.multi = pycurl.CurlMulti()
        self.multi.setopt(pycurl.M_MAXCONNECTS, _MOST_KEPT)
        if watch is not None and wake is not None:
            self.multi.setopt(pycurl.M_SOCKETFUNCTION, watch)
            self.multi.setopt(pycurl.M_TIMERFUNCTION, wake)
        self._settings = settings
        self._idle: list[Exchange] = []
        self._busy: set[Exchange] = set()
        self._looks_up = False
        self._of: dict[pycurl.Curl, Exchange] = {}
        self._routes: dict[str, Route] = {}
        self._headers: Headers | None = None
        self._lines: list[bytes] = []
        self._head: bytes | None = None
        self._read: tuple[int, Headers] = (0, ())
        begins_anew_in_children(self)

    def begin_anew(self) -> None:
        """Leave everything to the parent of this forked child, for good.

        What libcurl lets go of says farewell on connections that the parent uses.
        """
        for each in (self.multi, *self._of):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(each))
        self._idle, self._busy, self._of = [], set(), {}

    def __len__(self) -> int:
        return len(self._busy)

    def begin(
        self, tag: int, request: WireRequest, *, timeout: float, limit: int
    ) -> Exchange:
        """Begin to send a request.

        Raises:
            OAuthMagicError: It cannot be sent; nothing was.
        """
        url, route = self._routed(request.url)
        is_plain = request.body is None and request.method not in WITH_BODY
        if not is_plain:
            lines = header_lines(request)
        elif request.headers == self._headers and request.method == "GET":
            lines = self._lines
        else:
            lines = header_lines(request)
            if request.method == "GET":
                self._headers, self._lines = request.headers, lines
        exchange = self._idle.pop() if self._idle else self._new()
        exchange.tag = tag
        exchange.prepare(request, url, lines, route, timeout=timeout, limit=limit)
        self._busy.add(exchange)
        self.multi.add_handle(exchange.handle)
        return exchange

    def arrived(self) -> list[tuple[Exchange, Arrival]]:
        """Return what has come to its end."""
        found = []
        left = 1
        while left:
            left, whole, broken = self.multi.info_read()
            for handle in whole:
                exchange = self._of[handle]
                exchange.descriptor = handle.getinfo(pycurl.ACTIVESOCKET)
                found.append((exchange, exchange.response()))
            for handle, code, message in broken:
                exchange = self._of[handle]
                exchange.descriptor = -1
                self._looks_up = self._looks_up or not exchange.is_started
                found.append((exchange, exchange.failed(code, message)))
        for exchange, _ in found:
            if exchange.interruption is not None:
                raise exchange.interruption
            self.multi.remove_handle(exchange.handle)
            self._busy.discard(exchange)
            self._idle.append(exchange)
        return found

    def abandon(self, exchange: Exchange) -> None:
        """Leave an exchange; its connection is broken."""
        if exchange in self._busy:
            self._looks_up = self._looks_up or not exchange.is_started
            self._busy.discard(exchange)
            self.multi.remove_handle(exchange.handle)
            del self._of[exchange.handle]
            exchange.handle.close()

    def is_stale(self) -> bool:
        """Return whether a server has closed a connection that is kept for reuse.

        libcurl looks for that once in a second, and not before each request.
        """
        return any(exchange.is_stale() for exchange in self._idle)

    def forget(self) -> None:
        """Let go of the bodies of past requests and their answers."""
        for exchange in self._idle:
            exchange.forget()

    def close(self) -> None:
        """Break off what is under way, and close every connection."""
        for exchange in list(self._busy):
            self.abandon(exchange)
        for exchange in self._idle:
            exchange.handle.close()
        self._idle.clear()
        self._of.clear()
        if self._looks_up:
            # libcurl waits for name lookups, which nothing can end.
            threading.Thread(target=self.multi.close, daemon=True).start()
        else:
            self.multi.close()

    def _new(self) -> Exchange:
        exchange = Exchange(self._settings, self._read_head)
        self._of[exchange.handle] = exchange
        return exchange

    def _routed(self, url: str) -> tuple[str, Route]:
        """Return a URL as the gate reads it, and how its origin is reached."""
        end = url.find("/", 8) + 1
        origin = url[:end]
        # What follows the origin cannot change it: everybody ends it at this slash.
        if origin in self._routes and _PLAIN.fullmatch(url, end):
            return url, self._routes[origin]
        parsed = parse_url(url)
        route = Route(proxy_for(url), is_secure=parsed.scheme == "https")
        self._routes[f"{parsed.origin}/"] = route
        return str(parsed), route

    def _read_head(self, lines: list[bytes]) -> tuple[int, Headers]:
        """Read a head, unless it is the last one again."""
        head = b"".join(lines)
        if head != self._head:
            self._read = read_head(lines)
            self._head = head
        return self._read


class CurlEngine:
    """An engine on libcurl.

    Args:
        settings: What its exchanges have in common.
        concurrency: How many may be in flight.
    """

    def __init__(self, settings: Settings, concurrency: int) -> None:
        self.exchanges = Exchanges(settings)
        self._concurrency = concurrency
        self._refused: list[Arrival] = []
        self._begun = 0
        with Path(os.devnull).open("rb") as probe:
            is_crowded = probe.fileno() + 2 * concurrency > _MOST_WATCHED
        self._tick = _OFTEN if is_crowded else _TICK

    def room(self) -> int:
        """Return how many more requests may be submitted now."""
        return self._concurrency - len(self.exchanges) - len(self._refused)

    def submit(
        self, tag: int, request: WireRequest, *, timeout: float, limit: int
    ) -> None:
        """Begin to send a request."""
        try:
            self.exchanges.begin(tag, request, timeout=timeout, limit=limit)
        except OAuthMagicError as error:
            self._refused.append(Arrival(tag, error=error.with_traceback(None)))
        self._begun += 1
        if self._begun % _MOST_BEGUN == 0:
            # The server begins with these while the others are made ready.
            self.exchanges.multi.perform()

    def poll(self, timeout: float) -> list[Arrival]:
        """Wait until something has arrived, or the time is over."""
        arrivals, self._refused = self._refused, []
        if arrivals:
            return arrivals
        end = time.monotonic() + timeout
        multi = self.exchanges.multi
        while len(self.exchanges):
            multi.perform()
            arrivals = [arrival for _, arrival in self.exchanges.arrived()]
            left = end - time.monotonic()
            if arrivals or left <= 0:
                break
            # In slices, for some systems cannot interrupt a long wait.
            wait = min(left, self._tick)
            due = multi.timeout()
            multi.select(wait if due < 0 else min(wait, due / 1000))
        return arrivals

    def close(self) -> None:
        """Break off what is in flight; nothing more arrives."""
        self.exchanges.close()


class CurlTransport:
    """Sends one request at a time for each of any number of threads.

    Args:
        tls: The file of the only authorities to trust, the client's certificate and
            its key, as `tls_context` takes them.
    """

    def __init__(self, tls: Tls) -> None:
        self._tls = tls
        self._settings: Settings | None = None
        self._idle: list[CurlEngine] = []
        self._variables = proxy_variables()
        begins_anew_in_children(self)

    def begin_anew(self) -> None:
        """Open, in a forked child, connections of its own."""
        self._idle = []

    def send(self, request: WireRequest, *, timeout: float, limit: int) -> WireResponse:
        """Send a request; follow nothing, retry nothing.

        Raises:
            TransportError: No usable answer; `.sent` says what is known.
        """
        # Without TLS it stays on this machine, and goes through no proxy.
        if request.url.startswith("https:"):
            self._look_for_proxies()
        engine = self._engine()
        try:
            engine.submit(0, request, timeout=timeout, limit=limit)
            arrivals: list[Arrival] = []
            while not arrivals:
                arrivals = engine.poll(timeout + _TICK)
        except BaseException:
            engine.close()
            raise
        engine.exchanges.forget()
        # An operation on a list is one step for all threads.
        self._idle.append(engine)
        if len(self._idle) > _MOST_KEPT:
            self._idle.pop(0).close()
        response, error = arrivals[0].response, arrivals[0].error
        del arrivals, request
        if response is None:
            assert error is not None, "an arrival is one of the two"  # noqa: S101 - for readers and mypy
            raise error
        return response

    def close(self) -> None:
        """Close every connection that is kept for reuse."""
        idle, self._idle = self._idle, []
        for engine in idle:
            engine.close()

    def _look_for_proxies(self) -> None:
        variables = proxy_variables()
        if variables != self._variables:
            self._variables = variables
            self.close()

    def _engine(self) -> CurlEngine:
        if self._settings is None:
            self._settings = Settings(self._tls)
        while True:
            try:
                engine = self._idle.pop()
            except IndexError:
                return CurlEngine(self._settings, 1)
            if not engine.exchanges.is_stale():
                return engine
            engine.close()


def header_lines(request: WireRequest) -> list[bytes]:
    """Return a request's header lines, with those that it cannot do without.

    Raises:
        TransportError: It cannot be sent as HTTP; nothing was sent.
    """
    given = check_request(request)
    size = len(request.body or b"")
    # libcurl counts the body itself, and would believe what else is said of it.
    lengths = [v for n, v in request.headers if n.lower() == "content-length"]
    if "transfer-encoding" in given or any(each != f"{size}" for each in lengths):
        raise unsendable()
    lines = [(n, v) for n, v in DEFAULTS if n.lower() not in given]
    lines += [(n, v) for n, v in request.headers if n.lower() != "content-length"]
    if request.body is None and (request.method in WITH_BODY or lengths):
        lines.append(("Content-Length", "0"))
    # An empty value is written with a semicolon; with a colon, the header is left out.
    sent = [f"{n}: {v}" if v else f"{n};" for n, v in lines]
    unsaid = ("Accept", "Content-Type", "Expect")
    sent += [f"{name}:" for name in unsaid if name.lower() not in given]
    return [each.encode("latin-1") for each in sent]
