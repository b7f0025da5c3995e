"""Token requests: RFC 6749, sections 4.3.2, 4.4.2 and 6.

Each function returns the parameters of one grant; secrets stay `Secret` until
`encode_form` writes the body.
"""

from __future__ import annotations

import urllib.parse
from typing import TYPE_CHECKING

from oauthmagic.oauth.scopes import format_scope
from oauthmagic.redaction import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Parameters = dict[str, str | Secret]

#: The grants that this version performs.
GRANTS = ("client_credentials", "password", "refresh_token")
#: The credentials that a grant needs beside the client's own.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "client_credentials": (),
    "password": ("username", "password"),
    "refresh_token": (),
}


def client_credentials(scopes: Iterable[str] = ()) -> Parameters:
    """Build a client credentials request (RFC 6749, section 4.4.2)."""
    return _with_scope({"grant_type": "client_credentials"}, scopes)


def password(username: str, password: Secret, scopes: Iterable[str] = ()) -> Parameters:
    """Build a password request (RFC 6749, section 4.3.2).

    RFC 9700, section 2.4, forbids this grant; it is here for servers that know
    no other.
    """
    return _with_scope(
        {"grant_type": "password", "username": username, "password": password}, scopes
    )


def refresh_token(refresh_token: Secret, scopes: Iterable[str] = ()) -> Parameters:
    """Build a refresh request (RFC 6749, section 6)."""
    return _with_scope(
        {"grant_type": "refresh_token", "refresh_token": refresh_token}, scopes
    )


def encode_form(parameters: Mapping[str, str | Secret]) -> bytes:
    """Write parameters as `application/x-www-form-urlencoded`, UTF-8 (Appendix B)."""
    return urllib.parse.urlencode(
        [
            (name, value.reveal() if isinstance(value, Secret) else value)
            for name, value in parameters.items()
        ]
    ).encode("ascii")


def _with_scope(parameters: Parameters, scopes: Iterable[str]) -> Parameters:
    scope = format_scope(scopes)
    if scope:
        parameters["scope"] = scope
    return parameters
