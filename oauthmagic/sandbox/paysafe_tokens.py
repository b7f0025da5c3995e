"""The token endpoint of the simulated Paysafe, without any HTTP in it.

Source: docs.paysafe.com, embedded wallets, issue-access-token and its schemas: the
grants, in lower case on the wire, and the scope. Not documented, so the standards'
names or our inventions: every parameter but `grant_type` and `scope` (RFC 6749, 7636,
8693), what can be exchanged for a token, and the rotation of refresh tokens.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from oauthmagic.sandbox.paysafe_clients import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    PASSWORD,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
    USER,
    Client,
    authenticate,
)
from oauthmagic.sandbox.paysafe_data import PEOPLE, SUBJECT_TOKENS, Person
from oauthmagic.sandbox.paysafe_events import Operation
from oauthmagic.sandbox.paysafe_issued import SCOPE, Grant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from oauthmagic.sandbox.answers import Answer, Refusal
    from oauthmagic.sandbox.paysafe_answers import Header, TokenErrors
    from oauthmagic.sandbox.paysafe_authorization import AuthorizationEndpoint
    from oauthmagic.sandbox.paysafe_issued import IssuedTokens
    from oauthmagic.sandbox.paysafe_sca import ScaEvents

GRANTS: Final = (
    CLIENT_CREDENTIALS,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
    PASSWORD,
    AUTHORIZATION_CODE,
)
#: The page's display names, which are not what goes over the wire.
_DISPLAYED: Final = (*(each.upper() for each in GRANTS), "TOKEN_EXCHANGE")
_URN: Final = "urn:ietf:params:oauth:token-type:"
ACCESS_TOKEN_TYPE: Final = f"{_URN}access_token"
SUBJECT_TOKEN_TYPES: Final = (ACCESS_TOKEN_TYPE, f"{_URN}id_token", f"{_URN}jwt")


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenRequest:
    """A token request, read.

    Attributes:
        brand: From the path.
        form: The parameters; empty ones are left out, none is there twice.
        authorization: The Authorization header, or None.
        fingerprint: Stands for path and body.
        proof: The header `SCA-Authorization`, or None.
        issuer: What this server calls itself.
        errors: Shapes refusals.
    """

    brand: str
    form: Mapping[str, str] = field(repr=False)
    authorization: str | None = field(repr=False)
    fingerprint: str
    proof: str | None = field(repr=False)
    issuer: str
    errors: TokenErrors

    def required(self, name: str) -> str:
        """Return a parameter.

        Raises:
            Refusal: It is missing.
        """
        value = self.form.get(name)
        if value is None:
            raise self.errors.invalid_request(f"The parameter {name} is missing.")
        return value


class TokenServer:
    """Performs grants.

    Args:
        issued: Makes tokens.
        endpoint: Where codes come from.
    """

    def __init__(self, issued: IssuedTokens, endpoint: AuthorizationEndpoint) -> None:
        self._issued = issued
        self._endpoint = endpoint

    def token(self, request: TokenRequest, sca: ScaEvents) -> Answer:
        """Answer a token request (RFC 6749, section 3.2).

        Args:
            request: The request.
            sca: Asks the user where that has to be.

        Raises:
            Refusal: No tokens, and why.
        """
        errors = request.errors
        client = authenticate(request.form, request.authorization, errors)
        grant_type = request.required("grant_type")
        if grant_type not in GRANTS:
            description = "The grant_type is not supported."
            if grant_type in _DISPLAYED:
                description += " On the wire it is written in lower case."
            raise errors.refusal(400, "unsupported_grant_type", description)
        if grant_type not in client.grants:
            description = "This client may not use this grant."
            raise errors.refusal(400, "unauthorized_client", description)
        if request.form.get("scope", SCOPE) != SCOPE:
            description = f"The only scope is {SCOPE}."
            raise errors.refusal(400, "invalid_scope", description)
        perform = {
            CLIENT_CREDENTIALS: self._client_credentials,
            REFRESH_TOKEN: self._refresh,
            AUTHORIZATION_CODE: self._redeem,
        }.get(grant_type)
        if perform is not None:
            return self._issued.issue(perform(request, client), request.issuer)
        more: dict[str, object] = {}
        if grant_type == PASSWORD:
            person = _person_with_password(request)
        else:
            person = self._person_of_subject(request)
            more["issued_token_type"] = ACCESS_TOKEN_TYPE
        operation = Operation(
            owner=(request.brand, person.customer_id),
            fingerprint=f"{client.client_id} {request.fingerprint}",
            proof=request.proof,
        )
        sca.require(operation, _refused_by(errors))
        grant = Grant(
            brand=request.brand, client_id=client.client_id, kind=USER, person=person
        )
        return self._issued.issue(grant, request.issuer, **more)

    def _client_credentials(self, request: TokenRequest, client: Client) -> Grant:
        return Grant(brand=request.brand, client_id=client.client_id, kind=client.kind)

    def _refresh(self, request: TokenRequest, client: Client) -> Grant:
        text = request.required(REFRESH_TOKEN)
        grant = self._issued.use_refresh_token(text, request.brand, client.client_id)
        if grant is None:
            description = "The refresh token is unknown, has been used or has expired."
            raise request.errors.invalid_grant(description)
        return grant

    def _redeem(self, request: TokenRequest, client: Client) -> Grant:
        code = request.required("code")
        if self._endpoint.was_spent(code):
            # RFC 6749, section 4.1.2: what came of the first use ends as well.
            self._issued.revoke_code(code)
        consent = self._endpoint.redeem(
            request.form, request.brand, client, request.errors
        )
        return Grant(
            brand=request.brand,
            client_id=client.client_id,
            kind=USER,
            person=consent.person,
            code=code,
            nonce=consent.nonce,
        )

    def _person_of_subject(self, request: TokenRequest) -> Person:
        """Return whom a subject token speaks for (RFC 8693, section 2.1)."""
        form, errors = request.form, request.errors
        subject_token = request.required("subject_token")
        kind = request.required("subject_token_type")
        wanted = form.get("requested_token_type", ACCESS_TOKEN_TYPE)
        if kind not in SUBJECT_TOKEN_TYPES or wanted != ACCESS_TOKEN_TYPE:
            raise errors.invalid_request("This token type is not supported.")
        if "actor_token" in form or "actor_token_type" in form:
            raise errors.invalid_request("Delegation (actor_token) is not supported.")
        if "resource" in form or "audience" in form:
            description = "Tokens are for this server only."
            raise errors.refusal(400, "invalid_target", description)
        person = self._issued.person_of(subject_token, request.brand)
        if person is None:
            username = SUBJECT_TOKENS.get(subject_token)
            for each in PEOPLE[request.brand]:
                if each.username == username:
                    person = each
        if person is None:
            # RFC 8693, section 2.2.2: not invalid_grant.
            raise errors.invalid_request("The subject_token is not valid.")
        return person


def _person_with_password(request: TokenRequest) -> Person:
    username = request.required("username")
    password = request.required("password").encode(errors="replace")
    for person in PEOPLE[request.brand]:
        if person.username == username and hmac.compare_digest(
            person.password.encode(), password
        ):
            return person
    raise request.errors.invalid_grant("The user name or the password is wrong.")


def _refused_by(
    errors: TokenErrors,
) -> Callable[[int, str, Header | None, dict[str, object]], Refusal]:
    """Return what shapes an SCA refusal at the token endpoint; the codes are ours."""

    def refuse(
        status: int, message: str, challenge: Header | None, _: dict[str, object]
    ) -> Refusal:
        if challenge is None:
            return errors.refusal(status, "invalid_request", message)
        return errors.refusal(status, "sca_required", message, challenge)

    return refuse
