"""OAuth 2.0 tokens and authorized requests in a notebook.

    %load_ext oauthmagic
    %token revsto@demo

or, without a notebook:

    session = oauthmagic.Session()
    token = session.token("revsto@demo")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oauthmagic.errors import OAuthMagicError, UserActionRequired
    from oauthmagic.oauth.tokens import Token
    from oauthmagic.redaction import Secret
    from oauthmagic.session import Session, current_session

__version__ = "0.1.0"
__all__ = [
    "OAuthMagicError",
    "Secret",
    "Session",
    "Token",
    "UserActionRequired",
    "__version__",
    "current_session",
]

_HOMES = {
    "OAuthMagicError": "oauthmagic.errors",
    "Secret": "oauthmagic.redaction",
    "Session": "oauthmagic.session",
    "Token": "oauthmagic.oauth.tokens",
    "UserActionRequired": "oauthmagic.errors",
    "current_session": "oauthmagic.session",
}


def load_ipython_extension(ipython: Any) -> None:
    """Register `%token`, `%api` and `%%api`; nothing else happens."""
    from oauthmagic.notebook.magics import load  # noqa: PLC0415 - only in IPython

    load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """Undo `load_ipython_extension`, exactly."""
    from oauthmagic.notebook.magics import unload  # noqa: PLC0415 - only in IPython

    unload(ipython)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: loading must cost nothing."""
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    import importlib  # noqa: PLC0415 - see above

    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
