"""The authorization request and its response: RFC 6749, section 4.1; RFC 9207.

Building and reading are two functions; what ties them together is an
`AuthorizationRequest`, which the client keeps while the user is away.
"""

from __future__ import annotations

import hmac
import re
import urllib.parse
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from oauthmagic.errors import CommandError, OAuthError, WrongState
from oauthmagic.oauth import pkce
from oauthmagic.oauth.responses import ERROR_CODE
from oauthmagic.oauth.scopes import format_scope
from oauthmagic.redaction import Secret, quote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Random octets of a state: 256 bits.
STATE_OCTETS = 32
#: The longest redirected URL that is read.
MAX_URL = 16 * 1024

_AS_IT_IS = "Paste the URL exactly as the browser shows it."
_DEFAULT_PORTS = {"https": 443, "http": 80}
#: RFC 6749, appendix A.11.
_CODE = re.compile(r"[\x20-\x7e]+")


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
    # RFC 9700, section 4.4.2.2: where it came to tells servers apart that send no iss.
    if _place(url) != _place(request.redirect_uri):
        msg = (
            "The redirected URL is not at the redirect_uri of this login, "
            f"{request.redirect_uri}."
        )
        raise CommandError(msg, hint=_AS_IT_IS)
    repeated = [name for name, values in parameters.items() if len(values) > 1]
    if repeated:
        msg = "The redirected URL has a parameter twice."
        raise CommandError(msg, hint=_AS_IT_IS)
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
    # RFC 6749, section 3.1: a parameter without a value is none.
    error, code = found.get("error"), found.get("code")
    if error:
        known = error if ERROR_CODE.fullmatch(error) else ""
        return OAuthError.for_code(known)(
            quote(found.get("error_description")), error=known
        )
    if not code:
        msg = "The redirected URL has neither a code nor an error."
        raise CommandError(msg, hint="Paste the whole URL from the address bar.")
    if not _CODE.fullmatch(code):
        msg = "The redirected URL has a code with characters that no code may have."
        raise CommandError(msg, hint=_AS_IT_IS)
    return Secret(code)


def _place(url: str) -> tuple[str, str, int | None, str] | None:
    """Return scheme, host, port and path of a URL; None where it has a user, or none.

    RFC 3986, section 6.2: the case of a host and a port that goes without saying
    make no difference; a path is compared to the letter (RFC 9700, section 2.1).
    """
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    # Line breaks in it were passed over just now.
    if "@" in parts.netloc or "\\" in url or not url.isprintable():
        return None
    port = port or _DEFAULT_PORTS.get(parts.scheme)
    return parts.scheme, host, port, parts.path or "/"


def _parameters(url: str) -> dict[str, list[str]]:
    if len(url) > MAX_URL:
        msg = "The redirected URL is too long."
        raise CommandError(msg, hint=_AS_IT_IS)
    query = url.partition("#")[0].partition("?")[2]
    try:
        return urllib.parse.parse_qs(query, keep_blank_values=True, max_num_fields=50)
    except ValueError:
        msg = "The redirected URL cannot be read."
        raise CommandError(msg, hint=_AS_IT_IS) from None
