"""Where the stores of a user lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platformdirs import user_state_path

if TYPE_CHECKING:
    from pathlib import Path


def user_directory() -> Path:
    """Return the directory of the file store, below the user's state directory."""
    return user_state_path("oauthmagic", appauthor=False) / "tokens"
