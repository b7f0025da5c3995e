"""A connection between who holds a token and a worker: who may talk, and messages.

A message is JSON and bytes, and a question or its answer. Nothing that comes in is
unpickled by whoever holds the token. Both sides prove that they know the ticket of the
run before anything is said; the ticket itself is never sent.
"""

from __future__ import annotations

import hmac
import json
import secrets
import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import EnvironmentRefused

if TYPE_CHECKING:
    import ssl

#: Seconds for a proof, and for an answer: one may have to wait for a renewal.
PROOF_TIMEOUT, ANSWER_TIMEOUT = 10.0, 120.0
_NONCE = 32
_HEAD = struct.Struct(">IQ")
#: The most bytes of the JSON and of what follows it.
_MOST_HEAD, _MOST_DATA = 64 << 20, 4 << 30

Message = dict[str, Any]


class Channel:
    """One end of a connection; used by one thread.

    Args:
        sock: The connection, to somebody who proved to know the ticket.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def send(self, message: Message, data: bytes = b"") -> None:
        """Send a message.

        Raises:
            OSError: There is no connection any more.
        """
        head = json.dumps(message).encode()
        self._sock.sendall(_HEAD.pack(len(head), len(data)) + head + data)

    def receive(self) -> tuple[Message, bytes]:
        """Wait for a message.

        Raises:
            OSError: There is no connection any more, or it says nonsense.
        """
        size, more = _HEAD.unpack(_exactly(self._sock, _HEAD.size))
        if size > _MOST_HEAD or more > _MOST_DATA:
            msg = "too long a message"
            raise ConnectionError(msg)
        try:
            message = json.loads(_exactly(self._sock, size))
        except (ValueError, RecursionError):
            msg = "not a message"
            raise ConnectionError(msg) from None
        if not isinstance(message, dict):
            msg = "not a message"
            raise ConnectionError(msg)
        return message, _exactly(self._sock, more)

    def close(self) -> None:
        """End the connection; a thread that waits for a message is told."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()


def accepted(
    sock: socket.socket, ticket: bytes, context: ssl.SSLContext | None
) -> Channel:
    """Return a channel to a worker that connected, if it knows the ticket.

    Raises:
        OSError: It does not.
    """
    try:
        sock.settimeout(PROOF_TIMEOUT)
        if context is not None:
            sock = context.wrap_socket(sock, server_side=True)
        mine = secrets.token_bytes(_NONCE)
        sock.sendall(mine)
        theirs = _exactly(sock, _NONCE)
        _check(_exactly(sock, _NONCE), _proof(ticket, b"worker", mine, theirs))
        sock.sendall(_proof(ticket, b"holder", theirs, mine))
        sock.settimeout(None)
        # A machine that is switched off says nothing.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return Channel(sock)


def connected(
    address: tuple[str, int], ticket: bytes, context: ssl.SSLContext | None
) -> Channel:
    """Return a channel to whoever holds the token, if they know the ticket.

    Raises:
        EnvironmentRefused: It would not be encrypted, and leaves this machine.
        OSError: They cannot be reached, or do not know it.
    """
    if context is None and not is_loopback(address[0]):
        msg = "A token is not asked for over a network without TLS."
        raise EnvironmentRefused(msg, hint=NEEDS_TLS)
    sock = socket.create_connection(address, timeout=PROOF_TIMEOUT)
    try:
        if context is not None:
            sock = context.wrap_socket(sock, server_hostname=address[0])
        theirs = _exactly(sock, _NONCE)
        mine = secrets.token_bytes(_NONCE)
        sock.sendall(mine + _proof(ticket, b"worker", theirs, mine))
        _check(_exactly(sock, _NONCE), _proof(ticket, b"holder", mine, theirs))
        sock.settimeout(ANSWER_TIMEOUT)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return Channel(sock)


#: What to do about a cluster on other machines without TLS.
NEEDS_TLS = (
    "Start scheduler and workers with TLS and connect with "
    "Client(address, security=Security(...)); a LocalCluster needs none."
)


def is_loopback(host: str) -> bool:
    """Return whether an address cannot leave this machine."""
    return host in ("localhost", "::1") or host.startswith("127.")


def _proof(ticket: bytes, who: bytes, first: bytes, second: bytes) -> bytes:
    return hmac.digest(ticket, who + first + second, "sha256")


def _check(given: bytes, proof: bytes) -> None:
    if not hmac.compare_digest(given, proof):
        msg = "not of this run"
        raise ConnectionError(msg)


def _exactly(sock: socket.socket, size: int) -> bytes:
    read = bytearray(size)
    view = memoryview(read)
    while view:
        count = sock.recv_into(view)
        if not count:
            msg = "closed by the other side"
            raise ConnectionError(msg)
        view = view[count:]
    return bytes(read)
