"""The token endpoint of the simulated STET bank: RFC 6749, RFC 7636, RFC 8705.

Source: the provider's pages "Get your token" and "Refresh your token", and answers
that a client recorded: access tokens of 140 characters, `scope` with
`offline_access` where there is a refresh token, 3600 seconds where the client came
by itself. Our inventions: 60 seconds for a code, the descriptions, 403 for a role
or a certificate that does not fit, and that an answer does not say when its refresh
token ends (the pages do not show it).
"""

from __future__ import annotations

import base64
import hmac
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from oauthmagic.oauth.pkce import code_challenge
from oauthmagic.redaction import Secret
from oauthmagic.sandbox.stet_answers import (
    BankRefusal,
    Settings,
    json_of,
    oauth_refusal,
)
from oauthmagic.sandbox.stet_clients import (
    GENERIC_CLIENTS,
    MANAGE_REGISTRATION,
    authenticate_client,
    missing_role,
)
from oauthmagic.sandbox.stet_logins import Held, Login

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from oauthmagic.keys.qualified import QualifiedCertificate
    from oauthmagic.sandbox.answers import Answer
    from oauthmagic.sandbox.stet_clients import Client

CODE_LIFETIME: Final = timedelta(seconds=60)
OWN_ACCESS_SECONDS: Final = 3600
#: What a client may ask for without a customer.
OWN_SCOPES: Final = ("pisp", "cbpii", "piisp", MANAGE_REGISTRATION)
_TOKEN_BYTES: Final = 105
_CODE_BYTES: Final = 32
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")


class TokenServer:
    """Issues codes and tokens and judges them.

    Args:
        clock: The time (aware).
        randomness: Where they come from.
        clients: Who is registered; others may change it.
        settings: What differs between banks; others may change it.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        randomness: random.Random,
        clients: Mapping[str, Client],
        settings: Settings,
    ) -> None:
        self._clock = clock
        self._randomness = randomness
        self._clients = clients
        self._settings = settings
        self._codes: dict[str, Held] = {}
        self._used_codes: dict[str, int] = {}
        self._access_tokens: dict[str, Held] = {}
        self._refresh_tokens: dict[str, Held] = {}
        self._chains = 0
        self._grants = {
            "authorization_code": self._exchange,
            "refresh_token": self._refresh,
            "client_credentials": self._own,
        }

    def issue_code(self, login: Login, redirect_uri: str, challenge: str) -> str:
        """Return a new authorization code, good once and for 60 seconds."""
        code = self._opaque(_CODE_BYTES)
        self._chains += 1
        self._codes[code] = Held(
            login=login,
            expires_at=self._clock() + CODE_LIFETIME,
            chain=self._chains,
            redirect_uri=redirect_uri,
            challenge=challenge,
        )
        return code

    def token(
        self, form: Mapping[str, str], certificate: QualifiedCertificate, bank: str
    ) -> Answer:
        """Answer a token request (RFC 6749, section 3.2).

        Raises:
            Refusal: It is refused.
        """
        grant = self._grants.get(form.get("grant_type", ""))
        if grant is None:
            raise oauth_refusal(
                400, "unsupported_grant_type", "There is no such grant_type."
            )
        client_id = self._client_of(form, certificate)
        if self._settings.strict and "scope" in form and grant != self._own:
            raise oauth_refusal(
                400, "invalid_request", "This request must be sent without scope."
            )
        return grant(form, client_id, certificate, bank)

    def _client_of(
        self, form: Mapping[str, str], certificate: QualifiedCertificate
    ) -> str:
        return authenticate_client(
            form.get("client_id", ""),
            certificate,
            clients=self._clients,
            settings=self._settings,
            now=self._clock(),
        )

    def authorize(self, authorization: str | None, bank: str) -> Held:
        """Return what a request's access token stands for.

        Raises:
            BankRefusal: It is missing, unknown, expired or another bank's.
        """
        scheme, _, token = (authorization or "").partition(" ")
        held = self._access_tokens.get(token.strip())
        if (
            scheme.lower() != "bearer"
            or held is None
            or held.login.bank != bank
            or held.expires_at <= self._clock()
        ):
            raise BankRefusal(
                401, "Invalid token in authorization header", "invalid_token"
            )
        return held

    def revoke(
        self, form: Mapping[str, str], certificate: QualifiedCertificate
    ) -> Answer:
        """Answer a revocation request (RFC 7009): either token revokes the other.

        Raises:
            Refusal: The client is not who it says, or names no token.
        """
        client_id = self._client_of(form, certificate)
        token = form.get("token", "")
        if not token:
            raise oauth_refusal(400, "invalid_request", "The token is missing.")
        held = self._access_tokens.get(token) or self._refresh_tokens.get(token)
        # What is unknown, or somebody else's, counts as revoked (section 2.2).
        if held is not None and held.login.client_id == client_id:
            self._end_chain(held.chain)
        return json_of(200)

    def revoke_access_tokens(self) -> None:
        """Revoke every access token issued so far; refresh tokens stay."""
        self._access_tokens.clear()

    def _exchange(
        self,
        form: Mapping[str, str],
        client_id: str,
        certificate: QualifiedCertificate,
        bank: str,
    ) -> Answer:
        code = form.get("code", "")
        if code in self._used_codes:
            # RFC 6749, section 4.1.2: whoever used it first may be a thief.
            self._end_chain(self._used_codes[code])
        held = self._codes.get(code)
        if held is None or not held.is_good(client_id, bank, self._clock()):
            raise _bad("The code is unknown, used, expired or another client's.")
        del self._codes[code]
        self._used_codes[code] = held.chain
        if form.get("redirect_uri") != held.redirect_uri:
            raise _bad("The redirect_uri is not the one that the code was sent to.")
        verifier = form.get("code_verifier", "")
        # A verifier without a challenge is a downgrade (RFC 9700, section 2.1.1).
        fits = hmac.compare_digest(_challenge_of(verifier), held.challenge)
        if not fits:
            raise _bad("The code_verifier does not fit the code_challenge.")
        self._check_role(certificate, held.login)
        return self._issue(held)

    def _refresh(
        self,
        form: Mapping[str, str],
        client_id: str,
        certificate: QualifiedCertificate,
        bank: str,
    ) -> Answer:
        token = form.get("refresh_token", "")
        held = self._refresh_tokens.get(token)
        if held is None or not held.is_good(client_id, bank, self._clock()):
            raise _bad(
                "The refresh token is unknown, used, revoked or another client's, or "
                "the customer's authentication is too long ago."
            )
        self._check_role(certificate, held.login)
        del self._refresh_tokens[token]
        return self._issue(held)

    def _own(
        self,
        form: Mapping[str, str],
        client_id: str,
        certificate: QualifiedCertificate,
        bank: str,
    ) -> Answer:
        generic = client_id in GENERIC_CLIENTS
        scopes = tuple(form.get("scope", "pisp").split(" "))
        allowed = (MANAGE_REGISTRATION,) if generic else self._clients[client_id].scopes
        if not all(each in allowed and each in OWN_SCOPES for each in scopes):
            raise oauth_refusal(
                400, "invalid_scope", "The scope is unknown, or not for this client."
            )
        now = self._clock()
        login = Login(
            client_id=client_id,
            bank=bank,
            customer="",
            scopes=scopes,
            authenticated_at=now,
        )
        self._check_role(certificate, login)
        self._chains += 1
        return self._issue(Held(login=login, expires_at=now, chain=self._chains))

    def _check_role(self, certificate: QualifiedCertificate, login: Login) -> None:
        if role := missing_role(certificate, login.scopes):
            raise oauth_refusal(
                403, "unauthorized_client", f"The certificate lacks the role {role}."
            )

    def _issue(self, held: Held) -> Answer:
        login, now = held.login, self._clock()
        seconds = (
            self._settings.access_seconds if login.customer else OWN_ACCESS_SECONDS
        )
        access_token = self._opaque(_TOKEN_BYTES)
        self._access_tokens[access_token] = Held(
            login=login,
            expires_at=now + timedelta(seconds=seconds),
            chain=held.chain,
        )
        members: dict[str, object] = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": seconds,
        }
        scopes = login.scopes
        if login.customer:
            # From the last authentication, not from the last refresh.
            end = login.authenticated_at + timedelta(days=self._settings.refresh_days)
            refresh_token = self._opaque(_TOKEN_BYTES)
            self._refresh_tokens[refresh_token] = Held(
                login=login, expires_at=end, chain=held.chain
            )
            members["refresh_token"] = refresh_token
            scopes = (*scopes, "offline_access")
        members["scope"] = " ".join(scopes)
        return json_of(
            200, members, ("Cache-Control", "no-store"), ("Pragma", "no-cache")
        )

    def _end_chain(self, chain: int) -> None:
        for tokens in (self._access_tokens, self._refresh_tokens):
            for token in [key for key, held in tokens.items() if held.chain == chain]:
                del tokens[token]

    def _opaque(self, count: int) -> str:
        octets = self._randomness.randbytes(count)
        return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def _bad(description: str) -> Exception:
    return oauth_refusal(400, "invalid_grant", description)


def _challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a verifier; "" of none (RFC 7636, section 4.6)."""
    if not verifier:
        return ""
    return code_challenge(Secret(verifier)) if _VERIFIER.fullmatch(verifier) else "-"
