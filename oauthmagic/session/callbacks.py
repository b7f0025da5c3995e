"""The way back of a redirect: from the door that it comes to, to the login it answers.

`open` decides how, before the browser is sent anywhere; `begin` waits. Pasting needs
nothing of this, and always works.
"""

from __future__ import annotations

import contextlib
import hmac
import logging
import threading
import urllib.parse
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from oauthmagic.oauth.callbacks import (
    BAD_TRIES,
    LIFE,
    key_of,
    key_of_query,
)
from oauthmagic.oauth.redirect_ways import Facts, Way, choose_way, remote_reason
from oauthmagic.store.rendezvous import Rendezvous, user_rendezvous

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from oauthmagic.redaction import Secret
    from oauthmagic.transport.listeners import LoopbackListener

    #: Is given each redirected URL.
    Came = Callable[[str], None]

#: Seconds between two looks whether something came.
LOOK = 0.2
_log = logging.getLogger("oauthmagic")


class Callbacks:
    """The doors of one session.

    Args:
        environ: The environment variables; a kernel has those of its server.
    """

    def __init__(self, environ: Mapping[str, object]) -> None:
        self._parent = str(environ.get("JPY_PARENT_PID") or "0")
        self._remote = remote_reason(environ)
        self._runtime = str(environ.get("JUPYTER_RUNTIME_DIR") or "")

    @property
    def _rendezvous(self) -> Rendezvous:
        return Rendezvous(user_rendezvous(self._runtime))

    def facts(self) -> Facts:
        """Return what is known of this kernel now."""
        parent = int(self._parent) if self._parent.isdecimal() else 0
        try:
            servers = self._rendezvous.servers()
        except OSError as error:
            why = f"its directory cannot be used ({type(error).__name__})"
            return Facts(parent=parent, remote=self._remote, no_rendezvous=why)
        return Facts(servers=servers, parent=parent, remote=self._remote)

    def open(self, redirect_uri: str) -> Door:
        """Open the way back for a redirect URI, before anybody is sent to it.

        Raises:
            ListenerUnavailable: Its port is somebody else's.
        """
        way = choose_way(redirect_uri, self.facts())
        if way.name == "loopback":
            return _Listening(way, redirect_uri)
        if way.name == "jupyter_server":
            return _Meeting(way, redirect_uri, self._rendezvous)
        return Door(way=way, redirect_uri=redirect_uri)


@dataclass(kw_only=True)
class Door:
    """One way back, open; this one is pasting, for which nothing need be done.

    Attributes:
        way: Which, and why.
        redirect_uri: What to send: the registered one, with the port that is free.
    """

    way: Way
    redirect_uri: str

    def begin(self, state: Secret, came: Came) -> None:
        """Wait for the redirect that answers a state; return at once."""

    def close(self) -> None:
        """Wait no longer; once more does no harm."""


class _Listening(Door):
    """A listener on the loopback interface."""

    def __init__(self, way: Way, redirect_uri: str) -> None:
        from oauthmagic.transport.listeners import HOST, LoopbackListener  # noqa: PLC0415
        from oauthmagic.views.callback_pages import DONE, HEADERS  # noqa: PLC0415

        parts = urllib.parse.urlsplit(redirect_uri)
        self._listener: LoopbackListener = LoopbackListener(
            way.port, parts.path or "/", page=DONE, headers=HEADERS
        )
        netloc = f"{HOST}:{self._listener.port}"
        if parts.port:
            netloc = parts.netloc  # as it is registered, to the letter
        super().__init__(
            way=replace(way, port=self._listener.port),
            redirect_uri=parts._replace(netloc=netloc).geturl(),
        )
        self._bad_tries = 0

    def begin(self, state: Secret, came: Came) -> None:
        key = key_of(state.reveal())

        def knocked(query: str) -> None:
            if hmac.compare_digest(key_of_query(query), key):
                came(f"{self.redirect_uri}?{query}")
                return
            self._bad_tries += 1
            if self._bad_tries == BAD_TRIES:
                _log.warning("%d callbacks answered no login that waits", BAD_TRIES)

        self._listener.start(knocked)

    def close(self) -> None:
        self._listener.close()


class _Meeting(Door):
    """What a Jupyter Server of this user leaves for this kernel."""

    def __init__(self, way: Way, redirect_uri: str, rendezvous: Rendezvous) -> None:
        super().__init__(way=way, redirect_uri=redirect_uri)
        self._rendezvous = rendezvous
        self._closed = threading.Event()

    def begin(self, state: Secret, came: Came) -> None:
        key = key_of(state.reveal())
        try:
            self._rendezvous.wait(key)
        except OSError as error:
            why = f"the directory to meet in cannot be used ({type(error).__name__})"
            self.way = Way(name="paste", why=f"No Jupyter Server can help: {why}.")
            return
        threading.Thread(
            target=self._look, args=(key, came), daemon=True, name="oauthmagic-callback"
        ).start()

    def close(self) -> None:
        self._closed.set()

    def _look(self, key: str, came: Came) -> None:
        """Look for what was left, until it is closed or over."""
        left = LIFE
        try:
            while left > 0 and not self._closed.wait(LOOK):
                left -= LOOK
                query = self._rendezvous.take(key)
                if query:
                    came(f"{self.redirect_uri}?{query}")
        except OSError as error:
            _log.warning("What came back cannot be read (%s)", type(error).__name__)
        finally:
            with contextlib.suppress(OSError):
                self._rendezvous.end(key)
