"""How a redirect comes back to the kernel: one decision, from facts, with its reason.

In this order: Jupyter Server's own route, a listener on the loopback interface of the
machine that the browser runs on (RFC 8252, section 7.3), pasting the redirected URL,
which always works. The provider has registered one redirect URI, to the letter; the
way has to fit it.
"""

from __future__ import annotations

import urllib.parse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from oauthmagic.oauth.callbacks import PATH

if TYPE_CHECKING:
    from collections.abc import Mapping

WayName = Literal["jupyter_server", "loopback", "paste"]

#: What the environment has where the browser runs on another machine.
REMOTE = {
    "BINDER_LAUNCH_HOST": "this is a Binder",
    "BINDER_REPO_URL": "this is a Binder",
    "JUPYTERHUB_SERVICE_PREFIX": "this kernel runs on a JupyterHub",
    "JUPYTERHUB_API_TOKEN": "this kernel runs on a JupyterHub",
    "COLAB_RELEASE_TAG": "this kernel runs in Colab",
    "COLAB_GPU": "this kernel runs in Colab",
    "KAGGLE_KERNEL_RUN_TYPE": "this kernel runs at Kaggle",
    "CODESPACES": "this kernel runs in a codespace",
    "SSH_CONNECTION": "this kernel runs where somebody logged in by SSH",
    "KUBERNETES_SERVICE_HOST": "this kernel runs in a cluster",
}
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True, slots=True)
class RunningServer:
    """A Jupyter Server of this user that has our route.

    Attributes:
        base_url: The path that everything of it begins with, `/` at least.
        port: The port that it listens on.
        pid: Its process.
    """

    base_url: str
    port: int
    pid: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What is known of this kernel.

    Attributes:
        servers: The Jupyter Servers of this user that have our route.
        parent: The process of the server that started this kernel, or 0.
        remote: Why the browser is on another machine, or "".
        no_rendezvous: Why no server can reach this kernel, or "".
    """

    servers: tuple[RunningServer, ...] = ()
    parent: int = 0
    remote: str = ""
    no_rendezvous: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """How a redirect comes back.

    Attributes:
        name: "jupyter_server", "loopback" or "paste".
        why: Why this one and none before it, as sentences.
        port: Where to listen; 0 takes a free port.
    """

    name: WayName
    why: str
    port: int = 0


def remote_reason(environ: Mapping[str, object]) -> str:
    """Return why the browser is on another machine than this kernel, or ""."""
    return next((why for name, why in REMOTE.items() if environ.get(name)), "")


def choose_way(redirect_uri: str, facts: Facts) -> Way:
    """Return the first way that fits a registered redirect URI.

    Args:
        redirect_uri: As registered. On 127.0.0.1 a port of 0, or none, means that the
            provider takes any port (RFC 8252, section 7.3).
        facts: What is known of this kernel.
    """
    try:
        parts = urllib.parse.urlsplit(redirect_uri)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return Way(name="paste", why="The redirect_uri cannot be read.")
    server = _server_at(parts.path, host, port, facts)
    if server is not None:
        whose = "This notebook's" if server.pid == facts.parent else "Your"
        why = f"{whose} Jupyter Server answers at {server.base_url.rstrip('/')}{PATH}."
        return Way(name="jupyter_server", why=why)
    route = _why_no_route(parts.path, facts)
    if host == "localhost":
        why = "for a listener it would have to be http://127.0.0.1 (RFC 8252, 8.3)"
    elif host != _LOOPBACK or parts.scheme != "http":
        why = "it is on no address of this machine, so nothing here can listen there"
    elif facts.remote:
        why = f"{facts.remote}, so {_LOOPBACK} in your browser is another machine"
    else:
        return Way(
            name="loopback",
            why=f"{route} This kernel listens on {_LOOPBACK} for it.",
            port=port or 0,
        )
    return Way(name="paste", why=f"{route} As for the redirect_uri, {why}.")


def _server_at(
    path: str, host: str, port: int | None, facts: Facts
) -> RunningServer | None:
    """Return the server whose route is at a redirect URI; this kernel's own first."""
    fitting = [
        each
        for each in facts.servers
        if path == f"{each.base_url.rstrip('/')}{PATH}"
        # Behind a proxy only the path is known here; on this machine the port is, too.
        and (host not in (_LOOPBACK, "localhost", "::1") or port == each.port)
    ]
    fitting.sort(key=lambda each: each.pid != facts.parent)
    return next(iter(fitting), None)


def _why_no_route(path: str, facts: Facts) -> str:
    if facts.no_rendezvous:
        return f"No Jupyter Server can reach this kernel: {facts.no_rendezvous}."
    if not facts.servers:
        return "No Jupyter Server with oauthmagic's extension runs here."
    routes = " or ".join(f"{each.base_url.rstrip('/')}{PATH}" for each in facts.servers)
    return f"Jupyter Server's route is {routes}; the redirect_uri has {path or '/'}."
