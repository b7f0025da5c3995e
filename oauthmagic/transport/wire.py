"""What crosses the seam: a request, a response, and the one method between them.

The fake of this seam is `oauthmagic.sandbox.in_process`; the real thing is
`oauthmagic.transport.http`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn, Protocol

from oauthmagic.errors import SecretRefused

Headers = tuple[tuple[str, str], ...]


class Sink(Protocol):
    """Takes the body of a response as it comes, in place of the memory.

    Attributes:
        limit: The most decoded bytes that it takes.
    """

    limit: int

    def begin(self, status: int, headers: Headers) -> bool:
        """Return whether it takes the body of this response; the memory does else."""
        ...

    def write(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            OAuthMagicError: It cannot; the exchange ends with this error.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class WireRequest:
    """One HTTP request, complete, as it will be sent.

    Attributes:
        method: Upper-case method.
        url: Absolute URL that passed the gate (`oauthmagic.transport.urls`).
        headers: Names and values, in order; never shown, for they hold the token.
        body: The bytes to send, or None; never shown.
        sink: Takes the body of the response, or None.
    """

    method: str
    url: str
    headers: Headers = field(default=(), repr=False)
    body: bytes | None = field(default=None, repr=False)
    sink: Sink | None = field(default=None, repr=False, compare=False)

    def __reduce__(self) -> NoReturn:
        _refuse_to_be_kept("request")

    def __getstate__(self) -> NoReturn:
        _refuse_to_be_kept("request")


@dataclass(frozen=True, kw_only=True, slots=True)
class WireResponse:
    """One HTTP response, read to its end and decoded.

    Attributes:
        status: HTTP status code.
        headers: Names in lower case and values, in order.
        body: The decoded bytes; never shown.
        elapsed: Seconds from the first byte out to the last byte in.
    """

    status: int
    headers: Headers = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    elapsed: float = 0.0

    def header(self, name: str) -> str | None:
        """Return the first value of a header, or None; names in any case."""
        return next((value for key, value in self.headers if key == name.lower()), None)

    def joined(self, name: str) -> str:
        """Return all values of a header, joined by commas (RFC 9110, section 5.3)."""
        return ", ".join(value for key, value in self.headers if key == name.lower())

    def __reduce__(self) -> NoReturn:
        _refuse_to_be_kept("response")

    def __getstate__(self) -> NoReturn:
        _refuse_to_be_kept("response")


def _refuse_to_be_kept(what: str) -> NoReturn:
    msg = f"A {what} as it is on the wire holds secrets, and cannot be pickled."
    raise SecretRefused(msg, hint="Keep the Reply, or its .exchange.")


class Transport(Protocol):
    """Sends one request and returns its one response."""

    def send(self, request: WireRequest, *, timeout: float, limit: int) -> WireResponse:
        """Send a request; follow nothing, retry nothing.

        Args:
            request: What to send.
            timeout: Seconds for everything, name lookup to last byte.
            limit: The most decoded body bytes to accept.

        Raises:
            TransportError: No usable answer; `.sent` says what is known.
        """
        ...
