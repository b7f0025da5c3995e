"""The one composition root, and the whole of oauthmagic in plain Python.

session = Session()
token = session.token("revsto@demo", scopes=["account_view"])
products = session.api("revsto@demo", "GET /distributor/v1/products").frame()
"""

from __future__ import annotations

import threading

from oauthmagic.session.session import Session

__all__ = ["Session", "current_session"]

_lock = threading.Lock()
_current: Session | None = None


def current_session() -> Session:
    """Return the session that the magics use, made when it is first asked for."""
    global _current  # noqa: PLW0603 - one per process is the point
    with _lock:
        if _current is None:
            _current = Session()
        return _current
