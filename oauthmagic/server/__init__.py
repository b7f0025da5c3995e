"""What a Jupyter Server is given: hooks that look at a notebook before it is saved.

    # jupyter_server_config.py
    c.FileContentsManager.pre_save_hook = "oauthmagic.server.warn_before_saving"

`oauthmagic.server.strip_before_saving` takes the outputs out; see
`oauthmagic.server.saving` for more.
"""

from __future__ import annotations

from oauthmagic.server.saving import (
    BeforeSaving,
    strip_before_saving,
    warn_before_saving,
)

__all__ = ["BeforeSaving", "strip_before_saving", "warn_before_saving"]
