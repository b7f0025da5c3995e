"""A server of raw bytes, certificates that are wrong on purpose, and a search."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import re
import socket
import ssl
import struct
import threading
import traceback

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from wires import transport_called

import oauthmagic
from oauthmagic.transport.wire import WireRequest

#: As an answer: hang up at once, without the farewell of TCP.
RESET = object()
NOW = dt.datetime.now(dt.UTC)


class ScriptedServer:
    """Answers each request with the next of the scripted answers, the last for ever.

    Args:
        answers: Bytes, after which the connection stays open; a function of this
            server that gives the parts of an answer, after which it is closed; or
            `RESET`.
        context: Makes it a TLS server.

    Attributes:
        requests: What came, one item for each request.
        connections: How many clients connected.
        hung_up: Set when a client has left a connection that waited for it.
        stopped: Set when the test is over.
    """

    def __init__(self, *answers, context=None):
        self.requests = []
        self.connections = 0
        self.hung_up = threading.Event()
        self.stopped = threading.Event()
        self._answers = list(answers)
        self._context = context
        self._open = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        scheme = "https" if context else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self._threads = [threading.Thread(target=self._listen)]
        self._threads[0].start()

    def close(self):
        """End everything and wait for it."""
        self.stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join()
        for connection in self._open:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join()

    def silence(self):
        """Say nothing until the client goes."""
        yield from self.drip(b"", every=0)

    def drip(self, content, every=0.1):
        """Say one byte at a time, then nothing, until the client goes."""
        connection = self._open[-1]
        for byte in content:
            if self.stopped.wait(every):
                return
            yield bytes([byte])
        with contextlib.suppress(OSError):
            connection.recv(1)
        self.hung_up.set()

    def _listen(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(10)
            self.connections += 1
            thread = threading.Thread(target=self._talk, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _talk(self, connection):
        # A client may go at any moment; that is what is tested here.
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.callback(connection.close)
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
                stack.callback(connection.close)
            self._open.append(connection)
            while request := read_request(connection):
                self.requests.append(request)
                last = len(self._answers) == 1
                answer = self._answers[0] if last else self._answers.pop(0)
                if answer is RESET:
                    linger = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    return
                if callable(answer):
                    try:
                        for part in answer(self):
                            connection.sendall(part)
                    except OSError:
                        self.hung_up.set()
                    return
                connection.sendall(answer)


def read_request(connection):
    """Return one request, or nothing where the client has gone."""
    request = b""
    while b"\r\n\r\n" not in request:
        received = connection.recv(65536)
        if not received:
            return b""
        request += received
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", request)
    missing = int(length[1]) if length else 0
    missing -= len(request.partition(b"\r\n\r\n")[2])
    while missing > 0:
        received = connection.recv(65536)
        if not received:
            return b""
        request += received
        missing -= len(received)
    return request


@pytest.fixture
def serve():
    """Start servers; they end with the test."""
    with contextlib.ExitStack() as stack:

        def start(*answers, context=None):
            server = ScriptedServer(*answers, context=context)
            stack.callback(server.close)
            return server

        yield start


@pytest.fixture
def reset():
    """Hang up at once, as an answer."""
    return RESET


@pytest.fixture
def answer():
    """Build an answer whose length is known."""

    def build(body=b"{}", *headers, status="200 OK"):
        lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
        return "\r\n".join(lines).encode("latin-1") + body

    return build


@pytest.fixture(params=["httpx", "curl"])
def kind(request):
    """Name a library; all keep the same contract."""
    if request.param == "curl":
        pytest.importorskip("pycurl")
    return request.param


@pytest.fixture
def transport_of(kind):
    """Make a transport over sockets."""
    return transport_called(kind)


@pytest.fixture
def transport(transport_of):
    """Send over sockets; no thread and no connection is left behind."""
    before = set(threading.enumerate())
    transport = transport_of()
    yield transport
    transport.close()
    for thread in set(threading.enumerate()) - before:
        if thread.name.endswith("(run)"):
            thread.join(3)
            assert not thread.is_alive()


@pytest.fixture
def send(transport):
    """Send one request."""

    def send(url, *, timeout=5, limit=1 << 20, through=transport, **request):
        request = {"method": "GET", "url": url, **request}
        return through.send(WireRequest(**request), timeout=timeout, limit=limit)

    return send


@pytest.fixture
def shown():
    """Return everything that an error shows of itself, our frames' locals included."""

    def text_of(error):
        frames = error.__traceback__
        folder = str(oauthmagic.__path__[0])
        # The test's own frames hold what it looks for.
        while frames and not frames.tb_frame.f_code.co_filename.startswith(folder):
            frames = frames.tb_next
        parts = [str(error), repr(error), error.hint, *getattr(error, "__notes__", ())]
        parts += [repr(vars(error))]
        seen = error
        while seen is not None:
            tb = frames if seen is error else seen.__traceback__
            parts += traceback.TracebackException(
                type(seen), seen, tb, capture_locals=True
            ).format()
            seen = seen.__cause__ or seen.__context__
        return "\n".join(parts)

    return text_of


@pytest.fixture
def identify(tmp_path):
    """Make a TLS server's context, and the file of the authority behind it."""

    def identify(names=("127.0.0.1",), *, valid_from=0, days=1, self_signed=False):
        folder = tmp_path / f"tls-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in "12")
        begin = NOW + dt.timedelta(days=valid_from, hours=-1)
        end = begin + dt.timedelta(days=days)
        authority = x509.CertificateBuilder(
            issuer_name=named("authority"),
            subject_name=named("authority"),
            public_key=authority_key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=NOW - dt.timedelta(days=99),
            not_valid_after=NOW + dt.timedelta(days=99),
        ).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        server = x509.CertificateBuilder(
            issuer_name=named("server" if self_signed else "authority"),
            subject_name=named("server"),
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=begin,
            not_valid_after=end,
        ).add_extension(
            x509.SubjectAlternativeName([alternative(name) for name in names]),
            critical=False,
        )
        signer = key if self_signed else authority_key
        (folder / "ca.pem").write_bytes(pem(authority.sign(authority_key, SHA256)))
        chain = pem(server.sign(signer, SHA256)) + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        (folder / "server.pem").write_bytes(chain)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem")
        return context, folder / "ca.pem"

    return identify


SHA256 = hashes.SHA256()


def named(name):
    """Return a certificate's name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def alternative(name):
    """Return a host or an address as it stands in a certificate."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def pem(certificate):
    """Return a certificate as text."""
    return certificate.public_bytes(serialization.Encoding.PEM)
