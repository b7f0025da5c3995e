"""The pages that a browser sees at a redirect URI: constant, whatever came.

No parameter is ever shown: a page of Jupyter Server's origin that reflects one is code
on the kernel. One script of our own takes the query out of the address bar; it is named
by its hash, so no other runs, and it runs in an origin of its own (`sandbox` without
`allow-same-origin`), which can read nothing of Jupyter's.
"""

from __future__ import annotations

import base64
import hashlib

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:34em;margin:15vh auto;"
    "padding:0 1em;color-scheme:light dark}"
)
_SCRIPT = "history.replaceState(null,'',location.pathname)"


def _page(title: str, text: str) -> bytes:
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{title}</title><script>{_SCRIPT}</script><style>{_STYLE}</style></head>"
        f"<body><main><h1>{title}</h1><p>{text}</p></main></body></html>\n"
    ).encode()


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


#: What everybody sees who comes back, whether a login waited or not.
DONE = _page(
    "Go back to your notebook",
    "It says there whether the login worked. You can close this page.",
)
#: What somebody sees whom Jupyter Server does not know.
LOGGED_OUT = _page(
    "You are not logged in to Jupyter",
    "What came back was not used. Log in to Jupyter, then start the login in your "
    "notebook again.",
)
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_hash(_STYLE)}'; "
    f"script-src 'sha256-{_hash(_SCRIPT)}'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'; sandbox allow-scripts"
)
HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
)
