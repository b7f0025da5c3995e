"""A server of raw bytes that answers as a data file says, and what it answers.

An entry of the files in `tests/hostile` (and of `tests/oauth/token_responses.toml`)
says what is answered to one request:

    head      the lines of the head, as they are; @LENGTH@ is the body's length.
              Without it: `status` (200), `reason`, `type` ("application/json", "" for
              none), `headers` (names and values) and a Content-Length
    eol       what ends the lines of the head: carriage return and line feed
    body      the body as text, or `hex`, or `fields`: members put into a good token
              response, `without` some of them
    repeat    [text, times]: what stands for @MANY@ in the body
    charset   how the text of the body becomes bytes: utf-8
    gzip      how often the body is compressed; 1 adds the Content-Encoding
    cut       the most bytes of the body that are sent
    endless   what follows the body, for ever
    drip      true: a byte at a time, and the last never comes
    then      "keep" the connection open, "close", "reset" or "hang"; without it,
              "keep" where the length was said, "close" where the head was given

and in all texts @NAME@ stands for what the test gives under that name.
"""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import re
import socket
import struct
import threading
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Case = Mapping[str, Any]

#: The least that RFC 6749, section 5.1, allows.
GOOD = {"access_token": "plainly-fake-access", "token_type": "Bearer"}
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What is sent, part by part, and what becomes of the connection.

    Attributes:
        parts: The bytes; they may have no end.
        then: "keep", "close", "reset" or "hang".
        pause: Seconds before each part.
    """

    parts: Iterable[bytes]
    then: str = "keep"
    pause: float = 0.0


def plain(status: int, members: object = None, **headers: str) -> Answer:
    """Return an honest answer: JSON, with a length."""
    case: dict[str, Any] = {"status": status, "headers": headers}
    case["body"] = "" if members is None else json.dumps(members)
    return answer_of(case)


def answer_of(case: Case, **names: str) -> Answer:
    """Return the answer that an entry describes.

    Args:
        case: The entry.
        **names: What stands for @NAME@.
    """
    body = body_of(case, **names)
    if "head" in case:
        lines = [
            _filled(line, names | {"LENGTH": str(len(body))}) for line in case["head"]
        ]
        then = case.get("then", "close")
    else:
        lines = _head(case, names, len(body))
        then = case.get("then", "keep")
    eol = case.get("eol", "\r\n")
    # A head that ends without an empty line is given with an empty eol.
    head = "".join(line + eol for line in [*lines, ""]).encode("latin-1", "replace")
    body = body[: case.get("cut", len(body))]
    if case.get("drip"):
        return Answer(
            parts=[head, *(bytes([each]) for each in body[:-1])],
            then="hang",
            pause=0.02,
        )
    if "endless" in case:
        endless = case["endless"].encode("latin-1") * 64
        return Answer(parts=itertools.chain([head + body], itertools.repeat(endless)))
    return Answer(parts=[head + body], then=then)


def body_of(case: Case, **names: str) -> bytes:
    """Return the whole body of an entry."""
    if "hex" in case:
        body = bytes.fromhex(case["hex"])
    else:
        text = _filled(case["body"], names) if "body" in case else _members(case, names)
        if "repeat" in case:
            piece, times = case["repeat"]
            text = text.replace("@MANY@", piece * times)
        body = text.encode(case.get("charset", "utf-8"))
    for _ in range(case.get("gzip", 0)):
        body = gzip.compress(body, 1, mtime=0)
    return body


def _members(case: Case, names: Mapping[str, str]) -> str:
    members = GOOD | case.get("fields", {})
    for name in case.get("without", ()):
        del members[name]
    if "long_token" in case:
        members["access_token"] = "a" * case["long_token"]
    if "padding" in case:
        members["padding"] = "a" * case["padding"]
    if "long_description" in case:
        description = "a" * case["long_description"]
        members = {"error": "invalid_grant", "error_description": description}
    # As in a body: what is put in may be a secret with characters to be escaped.
    text = _filled(
        json.dumps(members), {k: json.dumps(v)[1:-1] for k, v in names.items()}
    )
    if "deep" in case:
        nested = "[" * case["deep"] + "]" * case["deep"]
        text = f'{text[:-1]}, "deep": {nested}}}'
    if "long_number" in case:
        text = f'{text[:-1]}, "number": {"1" * case["long_number"]}}}'
    return text


def _head(case: Case, names: Mapping[str, str], length: int) -> list[str]:
    status = case.get("status", 200)
    with contextlib.suppress(ValueError):
        names = {"PHRASE": HTTPStatus(status).phrase} | dict(names)
    lines = [f"HTTP/1.1 {status} {_filled(case.get('reason', '@PHRASE@'), names)}"]
    kind = _filled(case.get("type", "application/json"), names)
    lines += [f"Content-Type: {kind}"] * bool(kind)
    lines += ["Content-Encoding: gzip"] * (case.get("gzip") == 1)
    for name, values in case.get("headers", {}).items():
        for value in [values] if isinstance(values, str) else values:
            lines.append(f"{name.replace('_', '-')}: {_filled(value, names)}")
    # RFC 9110, section 8.6: these have no length.
    return lines if status in (101, 204) else [*lines, f"Content-Length: {length}"]


def _filled(text: str, names: Mapping[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(f"@{name}@", value)
    return text


class HostileServer:
    """Answers every request with the next answer of a script, the last for ever.

    Attributes:
        script: Functions from a request, as bytes, to its answer.
        requests: What came.
        connections: How many clients connected.
    """

    def __init__(self) -> None:
        self.script: list[Callable[[bytes], Answer]] = []
        self.requests: list[bytes] = []
        self.connections = 0
        self._stopped = threading.Event()
        self._busy = 0
        self._idle = threading.Condition()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._start(self._listen)

    def play(self, *script: Callable[[bytes], Answer] | Answer) -> None:
        """Begin a new script, and count requests anew."""
        self.script = [
            each if callable(each) else (lambda _, each=each: each) for each in script
        ]
        self.requests = []

    def settle(self) -> None:
        """Wait until every answer is given and every connection that ends has ended.

        Else a client would begin its next request on one that is about to end.
        """
        with self._idle:
            self._idle.wait_for(lambda: not self._busy, timeout=5)

    def close(self) -> None:
        """End everything and wait for it."""
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads = [each for each in self._threads[:1] if each.is_alive()] + [
            each for each in self._threads[1:] if each.is_alive()
        ]
        self._threads.append(thread)
        thread.start()

    def _listen(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            connection.settimeout(20)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._start(self._talk, connection)

    def _talk(self, connection: socket.socket) -> None:
        self._open.add(connection)
        # A client may go at any moment; that is what is tested.
        with contextlib.suppress(OSError):
            while request := read_request(connection):
                self.requests.append(request)
                self._count(1)
                goes_on = False
                try:
                    goes_on = self._answer(connection, request)
                finally:
                    if not goes_on:
                        connection.close()
                    self._count(-1)
                if not goes_on:
                    break
        connection.close()
        self._open.discard(connection)

    def _answer(self, connection: socket.socket, request: bytes) -> bool:
        """Give the next answer; return whether the connection goes on."""
        make = self.script[0] if len(self.script) == 1 else self.script.pop(0)
        answer = make(request)
        with contextlib.suppress(OSError):
            for part in answer.parts:
                if answer.pause and self._stopped.wait(answer.pause):
                    return False
                connection.sendall(part)
            if answer.then == "hang":
                while connection.recv(65536):
                    pass
            if answer.then == "reset":
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            return answer.then == "keep"
        return False

    def _count(self, change: int) -> None:
        with self._idle:
            self._busy += change
            self._idle.notify_all()


def read_request(connection: socket.socket) -> bytes:
    """Return one request, or nothing where the client has gone."""
    request = b""
    while b"\r\n\r\n" not in request:
        received = connection.recv(65536)
        if not received:
            return b""
        request += received
    found = _LENGTH.search(request)
    missing = int(found[1]) if found else 0
    missing -= len(request.partition(b"\r\n\r\n")[2])
    while missing > 0:
        received = connection.recv(65536)
        if not received:
            return b""
        request += received
        missing -= len(received)
    return request
