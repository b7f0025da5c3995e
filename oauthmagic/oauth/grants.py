"""Token requests: RFC 6749, sections 4.1.3, 4.3.2, 4.4.2 and 6; RFC 8628; RFC 8693.

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

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105
ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105
#: The credentials that a grant needs beside the client's own.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "authorization_code": ("redirect_uri",),
    "client_credentials": (),
    DEVICE_CODE: (),
    "password": ("username", "password"),
    "refresh_token": (),
    TOKEN_EXCHANGE: ("subject_token",),
}
#: The grants that this version performs.
GRANTS = tuple(FIELDS)
#: Short and upper-case names that people and provider pages use.
ALIASES = {"device_code": DEVICE_CODE, "token_exchange": TOKEN_EXCHANGE}
#: The grants that can be run again without the user.
REPEATABLE = ("client_credentials", "password")
#: Those that begin with a login of the user's.
LOGINS = ("authorization_code", DEVICE_CODE)


def grant_named(name: str) -> str:
    """Return the `grant_type` of a name as people write it."""
    folded = name if ":" in name else name.lower().replace("-", "_")
    return ALIASES.get(folded, folded)


def client_credentials(scopes: Iterable[str] = ()) -> Parameters:
    """Build a client credentials request (RFC 6749, section 4.4.2)."""
    return with_scope({"grant_type": "client_credentials"}, scopes)


def password(username: str, password: Secret, scopes: Iterable[str] = ()) -> Parameters:
    """Build a password request (RFC 6749, section 4.3.2).

    RFC 9700, section 2.4, forbids this grant; it is here for servers that know
    no other.
    """
    return with_scope(
        {"grant_type": "password", "username": username, "password": password}, scopes
    )


def authorization_code(
    code: Secret, redirect_uri: str, code_verifier: Secret | None
) -> Parameters:
    """Build an access token request (RFC 6749, section 4.1.3; RFC 7636, 4.5)."""
    parameters: Parameters = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
    }
    if code_verifier is not None:
        parameters["code_verifier"] = code_verifier
    return parameters


def device_code(code: Secret) -> Parameters:
    """Build a device access token request (RFC 8628, section 3.4)."""
    return {"grant_type": DEVICE_CODE, "device_code": code}


def token_exchange(
    subject_token: Secret, subject_token_type: str = "", scopes: Iterable[str] = ()
) -> Parameters:
    """Build a token exchange request (RFC 8693, section 2.1)."""
    return with_scope(
        {
            "grant_type": TOKEN_EXCHANGE,
            "subject_token": subject_token,
            "subject_token_type": subject_token_type or ACCESS_TOKEN_TYPE,
        },
        scopes,
    )


def refresh_token(refresh_token: Secret, scopes: Iterable[str] = ()) -> Parameters:
    """Build a refresh request (RFC 6749, section 6)."""
    return with_scope(
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


def with_scope(parameters: Parameters, scopes: Iterable[str]) -> Parameters:
    """Add `scope` to parameters, where there is one to ask for."""
    scope = format_scope(scopes)
    if scope:
        parameters["scope"] = scope
    return parameters
