"""`oauthmagic sandbox`: a simulator for curl, Postman or somebody's own code."""

from __future__ import annotations

import os
import pkgutil
import random
import tempfile
import threading
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn
from urllib.parse import urlsplit

from oauthmagic.errors import CommandError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oauthmagic.providers.provider import Provider
    from oauthmagic.sandbox.serving import LoopbackServer

_FREE_PORT = "Leave --port out to get a free one."
_MUTUAL_TLS = """\
It wants the certificate in TLS: curl --cert and --key.
Another bank's code goes before the path: {url}/13807/..."""

_HIGHEST_PORT: Final = 65535


class _Served(NamedTuple):
    """How a simulator is served: for which tenant, and whether over mutual TLS."""

    tenant: str = ""
    mutual_tls: bool = False


#: A bank is asked without its code in the path, so it is the simulator's default.
SERVED: Final = {
    "revsto": _Served(),
    "stet": _Served(tenant="17515", mutual_tls=True),
    "paysafe": _Served(tenant="liberty"),
}


def serve_simulator(name: str, port: int) -> NoReturn:
    """Serve a simulator until it is interrupted.

    Args:
        name: A key of `SERVED`.
        port: 0 takes a free one.

    Raises:
        CommandError: There is no such simulator, or the port cannot be had.
    """
    from oauthmagic.providers.catalogue import Catalogue  # noqa: PLC0415 - only here

    if name not in SERVED:
        raise UnknownName("simulator", name, SERVED)
    if not 0 <= port <= _HIGHEST_PORT:
        msg = f"There is no port {port}; ports are 0 to {_HIGHEST_PORT}."
        raise CommandError(msg, hint=_FREE_PORT)
    provider = Catalogue().get(name)
    served = SERVED[name]
    options = {"fresh_keys": True} if served.mutual_tls else {}
    create = pkgutil.resolve_name(provider.simulator)
    simulator = create(clock=_clock, randomness=random.SystemRandom(), **options)
    with ExitStack() as stack:
        authority = simulator.authority.certificate if served.mutual_tls else None
        server = stack.enter_context(_serve(simulator, port, authority))
        # A browser has no certificate, so the customer's pages are served once more.
        pages = stack.enter_context(_serve(simulator)) if authority else server
        folder = tempfile.TemporaryDirectory(prefix="oauthmagic-sandbox-")
        held = _kept(simulator.CREDENTIALS, Path(stack.enter_context(folder)))
        print(f"{provider.title}, simulated, listens at {server.url}")
        print(_table(_places(provider, served.tenant, server, pages)))
        print("It lets in, and nobody else:")
        print(_table(held))
        if authority:
            print(_MUTUAL_TLS.format(url=server.url))
        print("Ctrl-C ends it and removes these files.", flush=True)
        while True:
            # In pieces, for on Windows an endless wait does not hear Ctrl-C.
            threading.Event().wait(1)


def _serve(
    simulator: Any, port: int = 0, client_authority: bytes | None = None
) -> LoopbackServer:
    from oauthmagic.sandbox.serving import serve  # noqa: PLC0415 - only here

    try:
        return serve(
            simulator.wsgi_app,
            clock=_clock,
            port=port,
            client_authority=client_authority,
        )
    except CommandError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno:
            why = os.strerror(error.__cause__.errno)
            msg = f"Port {port} cannot be listened on: {why}."
            raise CommandError(msg, hint=_FREE_PORT) from None
        raise


def _clock() -> datetime:
    return datetime.now(UTC)


def _places(
    provider: Provider, tenant: str, server: LoopbackServer, pages: LoopbackServer
) -> dict[str, str]:
    """Return what is where: the places of the demo, moved to the server."""
    chosen = {
        name: next(iter(each.values())) for name, each in provider.settings.items()
    }
    demo = provider.environments["demo"].at({"tenant": tenant, **chosen})
    found = {"token_endpoint": demo.token_endpoint, "api_base": demo.api_base}
    found |= demo.endpoints
    moved = {
        name: (pages if name == "authorization_endpoint" else server).url
        + urlsplit(url).path
        for name, url in found.items()
    }
    moved["authority"] = f"{server.ca_file}   (curl --cacert)"
    if pages is not server:
        moved["authority of the pages"] = str(pages.ca_file)
    return moved


def _kept(credentials: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return credentials with what is PEM written to files of this user alone."""
    kept = dict(credentials)
    for name, text in credentials.items():
        if text.startswith("-----BEGIN "):
            kept[name] = str(folder / f"{name}.pem")
            file = os.open(kept[name], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(file, "w", encoding="ascii") as opened:
                opened.write(text)
    return kept


def _table(rows: Mapping[str, str]) -> str:
    width = max(map(len, rows))
    return "\n".join(f"  {name:<{width}}  {value}" for name, value in rows.items())
