"""What a Jupyter Server is given: the route for redirects, hooks before a save.

The wheel enables the route (`etc/jupyter/jupyter_server_config.d/oauthmagic.json`).
The hooks look at a notebook before it is saved, where the server's owner asks them to:

    # jupyter_server_config.py
    c.FileContentsManager.pre_save_hook = "oauthmagic.server.warn_before_saving"

`oauthmagic.server.strip_before_saving` takes the outputs out; see
`oauthmagic.server.saving` for more.
"""

from __future__ import annotations

from typing import Any

from oauthmagic.server.saving import (
    BeforeSaving,
    strip_before_saving,
    warn_before_saving,
)

__all__ = ["BeforeSaving", "strip_before_saving", "warn_before_saving"]


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "oauthmagic.server"}]


def _load_jupyter_server_extension(server: Any) -> None:
    from oauthmagic.server.callbacks import add_route  # noqa: PLC0415 - in a server

    add_route(server)
