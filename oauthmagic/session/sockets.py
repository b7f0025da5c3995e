"""The transports of a session, kept so that their connections are used again."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

from oauthmagic.store.forks import begins_anew_in_children

if TYPE_CHECKING:
    from oauthmagic.redaction import Secret
    from oauthmagic.transport.http import HttpTransport
    from oauthmagic.transport.wire import Transport


class Sockets:
    """One transport for each certificate authority and client certificate.

    Args:
        given: What sends instead of all of them, or None.
    """

    def __init__(self, given: Transport | None) -> None:
        self._given = given
        self._transports: dict[tuple[str | None, str], HttpTransport] = {}
        self._lock = threading.Lock()
        begins_anew_in_children(self)

    def begin_anew(self) -> None:
        """Open, in a forked child, connections of its own."""
        self._lock = threading.Lock()
        # Not closed: the parent goes on with these sockets.
        self._transports = {}

    def to(
        self,
        ca_file: str | None,
        certificate: Secret | None = None,
        private_key: Secret | None = None,
    ) -> Transport:
        """Return what sends, trusting an authority and showing a certificate."""
        if self._given is not None:
            return self._given
        from oauthmagic.transport.http import HttpTransport  # noqa: PLC0415 - heavy

        with self._lock:
            # One connection pool for each pair: a key that is not the certificate's
            # own must not find the connections of the one that is.
            pair = (certificate, private_key)
            text = "\0".join(each.reveal() for each in pair if each is not None)
            key = (ca_file, hashlib.sha256(text.encode()).hexdigest())
            if key not in self._transports:
                self._transports[key] = HttpTransport(
                    ca_file=ca_file, certificate=certificate, private_key=private_key
                )
            return self._transports[key]

    def close(self) -> None:
        """Close the connections that are kept for reuse."""
        with self._lock:
            transports, self._transports = list(self._transports.values()), {}
        for transport in transports:
            transport.close()
