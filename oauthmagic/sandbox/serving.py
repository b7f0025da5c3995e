"""A simulator over TLS on this machine, for curl, Postman or somebody's own code.

It listens on a loopback address only and on a random port, says nothing to a request
for another host (RFC 9110, section 15.5.20) or to scripts of other origins, and logs
nothing, for what it would log are tokens.

Given a client authority, it wants a certificate of every client (RFC 8705, section
2). Browsers have none: serve the pages that a customer sees a second time, without.
"""

from __future__ import annotations

import os
import socket
import ssl
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from oauthmagic.errors import CommandError
from oauthmagic.keys.certificates import issue_loopback_certificate
from oauthmagic.sandbox.answers import json_answer
from oauthmagic.sandbox.client_certificates import CLIENT_CERTIFICATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Seconds that a connection may say nothing.
IDLE: Final = 10.0
_POLL: Final = 0.05
_BACKLOG: Final = 128
#: What a client may still send after its certificate was refused: bytes, seconds.
_MOST_FAREWELL: Final = 1_000_000
_FAREWELL: Final = 1.0
#: The addresses that the certificate is for.
_FAMILIES: Final = {"127.0.0.1": socket.AF_INET, "::1": socket.AF_INET6}


class LoopbackServer:
    """A WSGI application served over TLS until it is closed; a context manager.

    Args:
        app: The application.
        clock: The real time (aware): when the certificate's validity begins.
        host: 127.0.0.1 or ::1.
        port: 0 takes a free one.
        client_authority: PEM of the authority whose certificates clients must show,
            or None to ask for none.

    Attributes:
        url: The server's origin, for example `https://127.0.0.1:40123`.
        ca_file: PEM file of the authority to trust; removed on close.

    Raises:
        CommandError: The address is not a loopback address, or the port is taken.
    """

    def __init__(
        self,
        app: WSGIApplication,
        *,
        clock: Callable[[], datetime],
        host: str = "127.0.0.1",
        port: int = 0,
        client_authority: bytes | None = None,
    ) -> None:
        listener = _listen(host, port)
        try:
            self._directory = tempfile.TemporaryDirectory(prefix="oauthmagic-sandbox-")
            self.ca_file = Path(self._directory.name) / "ca.pem"
            context = self._context(clock(), client_authority)
            port = listener.getsockname()[1]
            shown = f"[{host}]" if ":" in host else host
            self.url = f"https://{shown}:{port}"
            self._server = _Server(
                host,
                _only_for({f"{name}:{port}" for name in (shown, "localhost")}, app),
                listener,
                context,
            )
        finally:
            listener.close()  # the server has its own duplicate
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": _POLL},
            name="oauthmagic-sandbox",
            daemon=True,  # it must not outlive the program that started it
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening, end what is open and remove the files; idle ones too."""
        self._server.shutdown()
        self._thread.join()
        self._server.end_connections()
        self._directory.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _context(self, now: datetime, client_authority: bytes | None) -> ssl.SSLContext:
        made = issue_loopback_certificate(now)
        _write_private(self.ca_file, made.authority)
        # OpenSSL reads a chain from a file only; the key is on disk this long.
        chain = self.ca_file.with_name("server.pem")
        _write_private(chain, made.private_key + made.certificate)
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            context.load_cert_chain(chain)
        finally:
            chain.unlink()
        if client_authority is not None:
            context.load_verify_locations(cadata=client_authority.decode("ascii"))
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def serve(
    app: WSGIApplication,
    *,
    clock: Callable[[], datetime],
    host: str = "127.0.0.1",
    port: int = 0,
    client_authority: bytes | None = None,
) -> LoopbackServer:
    """Serve an application over TLS and return at once; close what is returned.

    Args:
        app: The application.
        clock: The real time (aware).
        host: 127.0.0.1 or ::1.
        port: 0 takes a free one.
        client_authority: PEM of the authority whose certificates clients must show,
            or None to ask for none.

    Raises:
        CommandError: The address is not a loopback address, or the port is taken.
    """
    return LoopbackServer(
        app, clock=clock, host=host, port=port, client_authority=client_authority
    )


class _Handler(WSGIRequestHandler):
    """Handles requests and keeps quiet about them."""

    timeout = IDLE

    def version_string(self) -> str:
        return "oauthmagic-sandbox"

    def make_environ(self) -> WSGIEnvironment:
        environ = super().make_environ()
        certificate = self.connection.getpeercert(binary_form=True)
        if certificate is not None:
            environ[CLIENT_CERTIFICATE] = certificate
        return environ

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Log nothing: a request line may hold a secret."""


class _Server(ThreadedWSGIServer):
    """Makes each TLS handshake in its connection's own thread.

    A client that connects and says nothing then blocks neither others nor the end.
    """

    def __init__(
        self,
        host: str,
        app: WSGIApplication,
        listener: socket.socket,
        context: ssl.SSLContext,
    ) -> None:
        super().__init__(host, 0, app, handler=_Handler, fd=listener.fileno())
        # Not given above, because there it wraps the listening socket.
        self.ssl_context = context
        self._context = context
        self._open: dict[socket.socket, threading.Thread] = {}
        self._open_lock = threading.Lock()

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Log nothing, see `_Handler.log`."""

    def get_request(self) -> tuple[socket.socket, Any]:
        plain, address = super().get_request()
        plain.settimeout(IDLE)
        try:
            secured = self._context.wrap_socket(
                plain, server_side=True, do_handshake_on_connect=False
            )
        except OSError:
            plain.close()
            raise
        return secured, address

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open[request] = threading.current_thread()
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._open_lock:
                self._open.pop(request, None)

    def finish_request(self, request: Any, client_address: Any) -> None:
        try:
            request.do_handshake()
        except ssl.SSLError:
            _await_farewell(request)
            raise
        super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that went away or did not trust us is no news."""

    def end_connections(self) -> None:
        """End every connection and wait for its thread."""
        with self._open_lock:
            still_open = list(self._open.items())
        for connection, _ in still_open:
            try:
                # The plain socket's, for a TLS farewell could block.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            except OSError:
                continue  # it has ended by itself
        for _, thread in still_open:
            thread.join(IDLE)


def _await_farewell(connection: socket.socket) -> None:
    """Read on until the client has seen why it was refused.

    Under TLS 1.3 a client without certificate has sent its request by then; closing
    with that unread would reset the connection, and the alert would be lost.
    """
    rest = _MOST_FAREWELL
    try:
        # The plain socket's, for there is no TLS any more.
        socket.socket.shutdown(connection, socket.SHUT_WR)
        connection.settimeout(_FAREWELL)
        while rest > 0 and (read := socket.socket.recv(connection, rest)):
            rest -= len(read)
    except OSError:
        return


def _listen(host: str, port: int) -> socket.socket:
    family = _FAMILIES.get(host)
    if family is None:
        msg = f"The sandbox listens on loopback addresses only, not on {host!r}."
        raise CommandError(msg, hint=f"Use one of {', '.join(_FAMILIES)}.")
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        msg = f"The sandbox cannot listen on port {port}: {error}."
        raise CommandError(msg, hint="Leave the port out to get a free one.") from error


def _only_for(hosts: set[str], app: WSGIApplication) -> WSGIApplication:
    """Return the application, deaf to requests for other hosts (DNS rebinding)."""

    def checked(
        environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        if environ.get("HTTP_HOST", "").lower() in hosts:
            return app(environ, start_response)
        answer = json_answer(
            421,
            {
                "error": "misdirected_request",
                "error_description": "This server is not the host that was asked for.",
            },
        )
        length = ("Content-Length", str(len(answer.body)))
        start_response("421 Misdirected Request", [*answer.headers, length])
        return [answer.body]

    return checked


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
