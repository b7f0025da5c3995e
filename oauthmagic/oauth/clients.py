"""Client authentication at the token endpoint: RFC 6749, section 2.3.1."""

from __future__ import annotations

import base64
import urllib.parse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oauthmagic.redaction import Secret

#: `token_endpoint_auth_method` values that this version performs (RFC 7591, 2).
AUTH_METHODS = (
    "client_secret_basic",
    "client_secret_post",
    "tls_client_auth",
    "self_signed_tls_client_auth",
    "none",
)
#: Those whose client shows a certificate instead of a secret (RFC 8705, section 2).
BY_CERTIFICATE = ("tls_client_auth", "self_signed_tls_client_auth")
#: How `client_secret_basic` writes id and secret before base64.
BASIC_ENCODINGS = ("form", "raw")


def needed_fields(token_endpoint_auth_method: str) -> tuple[str, ...]:
    """Return the credentials that the method needs."""
    if token_endpoint_auth_method == "none":  # noqa: S105 - the standard's word
        return ("client_id",)
    if token_endpoint_auth_method in BY_CERTIFICATE:
        return ("client_id", "certificate", "private_key")
    return ("client_id", "client_secret")


def basic_authorization(client_id: str, client_secret: Secret, encoding: str) -> str:
    """Return the value of an Authorization header for `client_secret_basic`.

    Args:
        client_id: The client identifier.
        client_secret: The client secret.
        encoding: `"form"` writes each part form-urlencoded before base64, as the
            RFC says; `"raw"` leaves them, for servers that do not decode.
    """
    parts = (client_id, client_secret.reveal())
    if encoding == "form":
        parts = tuple(urllib.parse.quote_plus(part) for part in parts)  # type: ignore[assignment]
    return "Basic " + base64.b64encode(":".join(parts).encode()).decode("ascii")


def authenticate(
    token_endpoint_auth_method: str,
    client_id: str,
    client_secret: Secret | None,
    *,
    basic_encoding: str = "form",
) -> tuple[tuple[tuple[str, str], ...], dict[str, str | Secret]]:
    """Return the headers and the body parameters that authenticate the client.

    Never both in one request: RFC 6749, section 2.3, forbids it.

    Args:
        token_endpoint_auth_method: One of `AUTH_METHODS`.
        client_id: The client identifier.
        client_secret: The client secret; None for public clients.
        basic_encoding: One of `BASIC_ENCODINGS`.
    """
    if token_endpoint_auth_method == "client_secret_basic" and client_secret:  # noqa: S105
        value = basic_authorization(client_id, client_secret, basic_encoding)
        return (("authorization", value),), {}
    parameters: dict[str, str | Secret] = {"client_id": client_id}
    if token_endpoint_auth_method == "client_secret_post" and client_secret:  # noqa: S105
        parameters["client_secret"] = client_secret
    return (), parameters
