"""The route `/oauthmagic/callback`: where a provider sends the browser back to.

Whoever is logged in to this server may bring an answer; the login's `state` alone says
to which kernel it goes, and a GET is checked for nothing else. The query is taken off
the request before anything can log it, redirect with it or show it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
from typing import TYPE_CHECKING, Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join

from oauthmagic.oauth.callbacks import BAD_TRIES, PATH, key_of_query, query_of
from oauthmagic.oauth.redirect_ways import RunningServer
from oauthmagic.store.rendezvous import Rendezvous, user_rendezvous
from oauthmagic.views.callback_pages import DONE, HEADERS, LOGGED_OUT

if TYPE_CHECKING:
    from collections.abc import Callable

_FORBIDDEN = 403


def add_route(server: Any) -> None:
    """Add the route to a Jupyter Server, and let kernels know that it is there."""
    runtime = os.environ.get("JUPYTER_RUNTIME_DIR", "")
    rendezvous = Rendezvous(user_rendezvous(runtime))
    base_url = server.base_url
    server.web_app.add_handlers(
        ".*$",
        [
            (
                # With a slash behind it, Jupyter Server would redirect, query and all.
                f"{url_path_join(base_url, PATH)}/?",
                CallbackHandler,
                {"rendezvous": rendezvous, "path": url_path_join(base_url, PATH)},
            )
        ],
    )
    # Once it runs, its port is the one it got.
    server.io_loop.add_callback(_announce, server, rendezvous)


def _announce(server: Any, rendezvous: Rendezvous) -> None:
    known = RunningServer(base_url=server.base_url, port=server.port, pid=os.getpid())
    stack = contextlib.ExitStack()
    try:
        stack.enter_context(rendezvous.announced(known, secrets.token_hex(8)))
    except Exception as error:  # noqa: BLE001 - a server must start all the same
        why = type(error).__name__
        server.log.warning("oauthmagic: kernels cannot find this server (%s)", why)
    # A lock of the system tells kernels about those that do not get this far.
    atexit.register(stack.close)


def _allow_unauthenticated(method: Callable[..., Any]) -> Callable[..., Any]:
    # We say ourselves what somebody sees who is logged out. Jupyter Server before
    # 2.13 has no such mark, and wants none.
    method.__allow_unauthenticated = True  # type: ignore[attr-defined]  # noqa: SLF001
    return method


class CallbackHandler(JupyterHandler):
    """Takes authorization responses; see the module."""

    _bad_tries = 0

    def initialize(self, rendezvous: Rendezvous, path: str) -> None:
        """Take the query off the request, before anything else happens to it."""
        super().initialize()
        self._rendezvous = rendezvous
        request = self.request
        self._query = query_of(request.method or "", request.uri or "", path=path)
        request.uri, request.query = path, ""
        request.arguments, request.query_arguments = {}, {}
        # Where the browser was before: a login page may have put a code there, too.
        if "Referer" in request.headers:
            del request.headers["Referer"]

    @_allow_unauthenticated
    def get(self) -> None:
        """Answer a redirect; the page says nothing of what was made of it."""
        if not self.current_user:
            self.set_status(_FORBIDDEN)
            self.finish(LOGGED_OUT)
            return
        key = key_of_query(self._query)
        try:
            if not self._rendezvous.leave(key, self._query):
                self._count_bad_try()
        except OSError as error:
            why = type(error).__name__
            self.log.warning("oauthmagic: a callback could not be handed on (%s)", why)
        self.finish(DONE)

    def _count_bad_try(self) -> None:
        CallbackHandler._bad_tries += 1
        if CallbackHandler._bad_tries == BAD_TRIES:
            self.log.warning(
                "oauthmagic: %d callbacks answered no login that waits", BAD_TRIES
            )

    def set_default_headers(self) -> None:
        """Set these headers and no others, whatever the server's settings say."""
        self.clear_header("Server")
        for name, value in HEADERS:
            self.set_header(name, value)

    def set_cors_headers(self) -> None:
        """Set none: no page of another origin may read this one."""

    def compute_etag(self) -> None:
        """Give none: nobody shall keep this page."""

    def write_error(self, status_code: int, **_: Any) -> None:
        """Show the constant page for whatever is refused."""
        self.finish(LOGGED_OUT if status_code == _FORBIDDEN else DONE)
