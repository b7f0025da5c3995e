"""What comes to a redirect URI: RFC 6749, section 4.1.2; RFC 8252, section 7.3.

Both doors, Jupyter Server's route and the loopback listener, ask here whether a
request may be an authorization response. Only the login's own `state` decides: 256
random bits, of which a door knows a hash. What is behind it
(`oauthmagic.oauth.authorization.read_authorization_response`) says what it means.
"""

from __future__ import annotations

import hashlib
import re

from oauthmagic.errors import CommandError
from oauthmagic.oauth.authorization import state_of

#: The path of Jupyter Server's route, behind its base URL.
PATH = "/oauthmagic/callback"
#: The longest query that is taken.
MAX_QUERY = 8 * 1024
#: Seconds that a door stays open for a login.
LIFE = 600.0
#: So many requests without a known state are nothing; then it is said once.
BAD_TRIES = 50

# RFC 3986, section 3.4, and what browsers leave as it is; never a blank or a break.
_QUERY = re.compile(r"[\x21-\x7e]+")


def query_of(method: str, target: str, *, path: str) -> str:
    """Return the query of a request that may be an authorization response, or "".

    Args:
        method: The request's method.
        target: Its target, path and query as they were sent.
        path: The path of the redirect URI, to the letter.
    """
    found, _, query = target.partition("?")
    if method != "GET" or found != path:
        return ""
    if len(query) > MAX_QUERY or not _QUERY.fullmatch(query) or "#" in query:
        return ""
    return query


def key_of_query(query: str) -> str:
    """Return the key of the login that a query answers, or "" if it has no state."""
    try:
        state = state_of(f"?{query}")
        return key_of(state) if state else ""
    except (CommandError, ValueError):  # too many parameters; halves of characters
        return ""


def key_of(state: str) -> str:
    """Return what stands for a state where others may see it: a hash.

    It is what the state is found by, so no comparison tells how much of a wrong one
    was right.
    """
    return hashlib.sha256(b"oauthmagic callback\0" + state.encode()).hexdigest()
