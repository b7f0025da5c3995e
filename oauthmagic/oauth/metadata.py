"""Authorization server metadata: RFC 8414; OpenID Connect Discovery 1.0, sections 3, 4.

Where it is asked for, and what is believed of it. Whether its URLs may be asked is
for the URL gate (`oauthmagic.flows.discovery`).
"""

from __future__ import annotations

import urllib.parse
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from oauthmagic.oauth.strict_json import read_object
from oauthmagic.redaction import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The largest document that is read; real ones have 1 to 10 KiB.
MAX_BYTES = 64 * 1024
#: The endpoints that are taken from a document; all others are nobody's business here.
ENDPOINTS = (
    "token_endpoint",
    "authorization_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "device_authorization_endpoint",
    "pushed_authorization_request_endpoint",
    "userinfo_endpoint",
    "jwks_uri",
)
_LISTS = (
    "grant_types_supported",
    "token_endpoint_auth_methods_supported",
    "scopes_supported",
    "code_challenge_methods_supported",
)
#: The most entries of a list that are looked at, and the most characters of one.
_MOST, _LONGEST = 500, 200


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerMetadata:
    """What an authorization server says of itself.

    Attributes:
        issuer: Its identifier, as it was asked for.
        endpoints: The URLs that it has, by their RFC 8414 names.
        grant_types_supported: The grants; None where it does not say.
        token_endpoint_auth_methods_supported: The same for client authentication.
        scopes_supported: The scopes that it advertises, which need not be all.
        code_challenge_methods_supported: The PKCE methods; None as above.
        iss_in_response: Whether authorization responses have `iss` (RFC 9207).
    """

    issuer: str
    endpoints: Mapping[str, str] = field(default_factory=dict)
    grant_types_supported: tuple[str, ...] | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] | None = None
    scopes_supported: tuple[str, ...] | None = None
    code_challenge_methods_supported: tuple[str, ...] | None = None
    iss_in_response: bool = False


def well_known_urls(issuer: str) -> tuple[str, str]:
    """Return where the metadata of an issuer may be, the likelier place first.

    OpenID Connect Discovery, section 4, appends its name to the issuer's path;
    RFC 8414, section 3.1, puts its own between host and path. Both first take away
    a slash at the end.

    Args:
        issuer: The issuer identifier, a URL without query or fragment.
    """
    parts = urllib.parse.urlsplit(issuer)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    return (
        f"{origin}{path}/.well-known/openid-configuration",
        f"{origin}/.well-known/oauth-authorization-server{path}",
    )


def read_metadata(body: bytes, *, issuer: str) -> ServerMetadata:
    """Read a metadata document (RFC 8414, sections 2 and 3.2).

    The lists are advice and read leniently: what cannot be understood is as if it
    were not there. Issuer and endpoints are not.

    Args:
        body: The document.
        issuer: The identifier that it was asked for. Section 3.3: the document's
            own must be the same to the letter, or one server could speak for
            another.

    Raises:
        ValueError: Why it is refused, as half a sentence.
    """
    document = read_object(body, max_bytes=MAX_BYTES)
    found = document.get("issuer")
    if not isinstance(found, str):
        msg = "it names no issuer"
        raise ValueError(msg)  # noqa: TRY004 - one kind of error, as in strict_json
    if found != issuer:
        msg = f"it is about another issuer, {quote(found, 100)!r}"
        raise ValueError(msg)
    for name in ENDPOINTS:
        if not isinstance(document.get(name), str | None):
            msg = f"its {name} is not a text"
            raise ValueError(msg)  # noqa: TRY004 - as above
    endpoints = {name: document[name] for name in ENDPOINTS if document.get(name)}
    if "token_endpoint" not in endpoints:
        msg = "it names no token_endpoint"
        raise ValueError(msg)
    return ServerMetadata(
        issuer=issuer,
        endpoints=endpoints,
        iss_in_response=(
            document.get("authorization_response_iss_parameter_supported") is True
        ),
        **{name: _words(document.get(name)) for name in _LISTS},
    )


def _words(value: Any) -> tuple[str, ...] | None:
    if not isinstance(value, list):
        return None
    return tuple(
        each
        for each in value[:_MOST]
        if isinstance(each, str)
        and len(each) <= _LONGEST
        and all("!" <= character <= "~" for character in each)
    )
