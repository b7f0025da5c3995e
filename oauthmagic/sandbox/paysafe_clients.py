"""The clients of the simulated Paysafe, and how they authenticate.

Source: docs.paysafe.com, embedded wallets: there are clients of the partner's back
office (admin), of its apps before a user is known (configuration), and what a user
gets is for one wallet. Client authentication is Basic with the URL-encoded id and
secret (issue-access-token; RFC 6749, section 2.3.1). Not documented, so ours: which
client may use which grant. The partner's client of the demo may use them all, so
that one pair of credentials is enough for the whole tour.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import urllib.parse
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oauthmagic.sandbox.paysafe_answers import TokenErrors

CLIENT_CREDENTIALS: Final = "client_credentials"
REFRESH_TOKEN: Final = "refresh_token"  # noqa: S105 - the grant's name
PASSWORD: Final = "password"  # noqa: S105 - the grant's name
AUTHORIZATION_CODE: Final = "authorization_code"
TOKEN_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105
USER_GRANTS: Final = (PASSWORD, TOKEN_EXCHANGE, AUTHORIZATION_CODE, REFRESH_TOKEN)

ADMIN: Final = "admin"
CONFIGURATION: Final = "configuration"
USER: Final = "user"
#: Seconds that an access token lives. 36000 and 900 are in the pages' samples; the
#: one for users is ours.
LIFETIMES: Final = {ADMIN: 36000, CONFIGURATION: 900, USER: 900}
#: Brands; liberty is the page's example, the other is ours.
BRANDS: Final = ("liberty", "aurora")


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """A registered client.

    Attributes:
        client_id: Its identifier.
        client_secret: Its secret; never shown.
        kind: What its own tokens are for: `ADMIN`, `CONFIGURATION` or `USER`.
        grants: The `grant_type` values that it may use.
    """

    client_id: str
    client_secret: str = field(repr=False)
    kind: str
    grants: tuple[str, ...]


#: The partner's back office; in the demo it may use every grant.
PARTNER: Final = Client(
    client_id="demo-partner",
    client_secret="simulated-client-secret",  # noqa: S106 - plainly fake
    kind=ADMIN,
    grants=(CLIENT_CREDENTIALS, *USER_GRANTS),
)
#: An app before a user is known. Its secret has to be encoded before base64.
APP_CONFIGURATION: Final = Client(
    client_id="demo/configuration",
    client_secret="simulated: 100% secret+configuration",  # noqa: S106 - plainly fake
    kind=CONFIGURATION,
    grants=(CLIENT_CREDENTIALS,),
)
#: An app in the hands of a user.
APP: Final = Client(
    client_id="demo-app",
    client_secret="simulated-app-secret",  # noqa: S106 - plainly fake
    kind=USER,
    grants=USER_GRANTS,
)
CLIENTS: Final = {each.client_id: each for each in (PARTNER, APP_CONFIGURATION, APP)}


def authenticate(
    form: Mapping[str, str], authorization: str | None, errors: TokenErrors
) -> Client:
    """Return the client that sends a token request (RFC 6749, section 2.3.1).

    Args:
        form: The parameters.
        authorization: The Authorization header, or None.
        errors: Shapes the refusal.

    Raises:
        Refusal: It does not authenticate, or in another way than Basic.
    """
    if authorization is None:
        raise errors.invalid_client(
            "Client authentication is missing: send id and secret with Basic."
        )
    if "client_secret" in form:
        raise errors.invalid_request(
            "The client authenticates twice: leave client_secret out of the body."
        )
    found = _basic_credentials(authorization)
    client = CLIENTS.get(found[0]) if found else None
    if (
        found is None
        or client is None
        or not hmac.compare_digest(found[1].encode(), client.client_secret.encode())
    ):
        raise errors.invalid_client("The client id or the client secret is wrong.")
    if form.get("client_id", client.client_id) != client.client_id:
        raise errors.invalid_request("The client_id in the body is another client's.")
    return client


def _basic_credentials(authorization: str) -> tuple[str, str] | None:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeError):
        return None
    client_id, colon, client_secret = decoded.partition(":")
    if not colon:
        return None
    return urllib.parse.unquote_plus(client_id), urllib.parse.unquote_plus(
        client_secret
    )
