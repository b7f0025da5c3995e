"""The authorization request and its response: RFC 6749, section 4.1; RFC 9207.

Building and reading are two functions; what ties them together is an
`AuthorizationRequest`, which the client keeps while the user is away.
"""

from __future__ import annotations

import hmac
import urllib.parse
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from oauthmagic.errors import CommandError, OAuthError, WrongState
from oauthmagic.oauth import pkce
from oauthmagic.oauth.scopes import format_scope
from oauthmagic.redaction import Secret, quote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Random octets of a state: 256 bits.
STATE_OCTETS = 32
#: The longest redirected URL that is read.
MAX_URL = 16 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthorizationRequest:
    """What was asked, kept until the answer comes.

    Attributes:
        url: Where the user's browser goes.
        redirect_uri: Where the answer comes to.
        state: Ties the answer to this request; a secret until then.
        code_verifier: Proves at the token endpoint who asked; None where the
            server forbids PKCE.
        issuer: What `iss` in the answer must be, or "" if not known.
        iss_in_response: Whether an answer without `iss` is none.
    """

    url: str
    redirect_uri: str
    state: Secret
    code_verifier: Secret | None = None
    issuer: str = field(default="")
    iss_in_response: bool = False


def build_authorization_request(  # noqa: PLR0913 - a request has as many parts
    authorization_endpoint: str,
    *,
    client_id: str,
    redirect_uri: str,
    scopes: tuple[str, ...],
    randomness: Callable[[int], bytes],
    use_pkce: bool = True,
    issuer: str = "",
    iss_in_response: bool = False,
    extra: Mapping[str, str] | None = None,
) -> AuthorizationRequest:
    """Build an authorization request (RFC 6749, section 4.1.1).

    Args:
        authorization_endpoint: Where the user logs in.
        client_id: The client identifier.
        redirect_uri: As registered, to the letter.
        scopes: What is asked for.
        randomness: Returns so many random bytes.
        use_pkce: Whether to send a code challenge (RFC 7636).
        issuer: The authorization server's issuer, if known.
        iss_in_response: Whether the server says that its answers have `iss`.
        extra: Further parameters, for example `acr_values`.
    """
    state = pkce.code_verifier(randomness(STATE_OCTETS))
    verifier = pkce.code_verifier(randomness(pkce.OCTETS)) if use_pkce else None
    parameters = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": format_scope(scopes),
        "state": state.reveal(),
        **(extra or {}),
    }
    if verifier is not None:
        parameters["code_challenge"] = pkce.code_challenge(verifier)
        parameters["code_challenge_method"] = "S256"
    query = urllib.parse.urlencode({k: v for k, v in parameters.items() if v})
    separator = "&" if "?" in authorization_endpoint else "?"
    return AuthorizationRequest(
        url=f"{authorization_endpoint}{separator}{query}",
        redirect_uri=redirect_uri,
        state=state,
        code_verifier=verifier,
        issuer=issuer,
        iss_in_response=iss_in_response,
    )


def state_of(url: str) -> str:
    """Return the state in a redirected URL, or "" if it has none or two."""
    values = _parameters(url).get("state", [])
    return values[0] if len(values) == 1 else ""


def read_authorization_response(
    request: AuthorizationRequest, url: str
) -> Secret | OAuthError:
    """Read the URL that the user was redirected to (RFC 6749, section 4.1.2).

    Args:
        request: The request it should answer.
        url: The whole URL, from the address bar or the callback.

    Returns:
        The authorization code, or the error that the server sent.

    Raises:
        WrongState: It answers another request, or comes from another issuer; the
            request goes on waiting.
        CommandError: It is not an answer at all; the request goes on waiting.
    """
    parameters = _parameters(url)
    repeated = [name for name, values in parameters.items() if len(values) > 1]
    if repeated:
        msg = "The redirected URL has a parameter twice."
        raise CommandError(msg, hint="Paste the URL exactly as the browser shows it.")
    found = {name: values[0] for name, values in parameters.items()}
    del parameters
    if not hmac.compare_digest(
        found.get("state", "").encode(errors="replace"),
        request.state.reveal().encode(),
    ):
        msg = "The redirected URL does not answer this login: its state is another."
        raise WrongState(msg)
    # RFC 9207, section 2.4: absent is as wrong as another, where it is announced.
    iss = found.get("iss", "" if request.iss_in_response else request.issuer)
    if request.issuer and iss != request.issuer:
        msg = "The redirected URL comes from another authorization server."
        raise WrongState(msg)
    if "error" in found:
        return OAuthError.for_code(found["error"])(
            quote(found.get("error_description")), error=quote(found["error"], 60)
        )
    if not found.get("code"):
        msg = "The redirected URL has neither a code nor an error."
        raise CommandError(msg, hint="Paste the whole URL from the address bar.")
    return Secret(found["code"])


def _parameters(url: str) -> dict[str, list[str]]:
    if len(url) > MAX_URL:
        msg = "The redirected URL is too long."
        raise CommandError(msg)
    query = url.partition("#")[0].partition("?")[2]
    try:
        return urllib.parse.parse_qs(query, keep_blank_values=True, max_num_fields=50)
    except ValueError:
        msg = "The redirected URL cannot be read."
        raise CommandError(msg) from None
