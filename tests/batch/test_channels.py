"""Who may ask for the token of a cluster, and what is done with what they say."""

import socket
import struct
import threading

import pytest

from oauthmagic.batch.channels import Channel, accepted, connected
from oauthmagic.errors import EnvironmentRefused

TICKET = b"plainly fake: 32 bytes of ticket"


def listening(ticket, talk):
    """Return the address of somebody who accepts one connection and talks on it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with listener:
            sock, _ = listener.accept()
            try:
                channel = accepted(sock, ticket, None)
            except OSError:
                return
            talk(channel)
            channel.close()

    thread = threading.Thread(target=serve)
    thread.start()
    return listener.getsockname(), thread


def test_a_message_comes_as_it_was_sent():
    """JSON and bytes, both ways."""

    def talk(channel):
        message, data = channel.receive()
        channel.send({"heard": message}, data[::-1])

    address, thread = listening(TICKET, talk)
    channel = connected(address, TICKET, None)
    channel.send({"ask": "é"}, b"abc")

    assert channel.receive() == ({"heard": {"ask": "é"}}, b"cba")
    channel.close()
    thread.join()


def test_whoever_does_not_know_the_ticket_is_not_listened_to():
    """They are told nothing; and neither is a worker by somebody else."""
    said = []
    address, thread = listening(TICKET, said.append)
    with pytest.raises(OSError, match=r"closed|reset"):
        connected(address, b"another ticket", None)
    thread.join()
    assert not said


def test_a_worker_does_not_believe_whoever_answers_at_the_address():
    """A holder that does not know the ticket cannot hand it a job."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with listener:
            sock, _ = listener.accept()
            with sock:
                sock.sendall(bytes(32))
                sock.recv(64)
                sock.sendall(bytes(32))

    thread = threading.Thread(target=serve)
    thread.start()
    with pytest.raises(ConnectionError, match="not of this run"):
        connected(listener.getsockname(), TICKET, None)
    thread.join()


def test_the_ticket_is_never_on_the_wire():
    """Only proofs of it."""
    ours, theirs = socket.socketpair()
    seen = bytearray()
    with ours, theirs:
        ours.sendall(bytes(64))
        with pytest.raises(ConnectionError, match="not of this run"):
            accepted(theirs, TICKET, None)
        while more := ours.recv(1024):
            seen += more
    assert TICKET not in seen
    assert len(seen) == 32


@pytest.mark.parametrize(
    "sent",
    [
        struct.pack(">IQ", 1 << 31, 0),
        struct.pack(">IQ", 2, 1 << 60) + b"{}",
        struct.pack(">IQ", 2, 0) + b"[]",
        struct.pack(">IQ", 5, 0) + b"cos\n.",  # a pickle
        struct.pack(">IQ", 1 << 20, 0) + b"[" * (1 << 20),
        b"short",
    ],
    ids=["long", "very long", "no object", "a pickle", "deep", "cut off"],
)
def test_nonsense_ends_the_connection(sent):
    """Nothing of it is unpickled, and no room is made for what was only announced."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        threading.Thread(target=lambda: (ours.sendall(sent), ours.close())).start()
        with pytest.raises(ConnectionError):
            Channel(theirs).receive()


def test_no_token_is_asked_for_over_a_network_without_tls():
    """Before anything is connected to."""
    with pytest.raises(EnvironmentRefused, match="without TLS"):
        connected(("192.0.2.1", 1), TICKET, None)
