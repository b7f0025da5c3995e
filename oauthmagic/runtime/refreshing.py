"""A refresh request, and what becomes of it when its answer is lost on the way.

A server that replaces refresh tokens has then replaced one whose successor nobody
knows. Those that forgive it do so for seconds, so the same is sent once more at once;
after that, only the user can help.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthmagic.errors import (
    ConnectionLost,
    DeadlineExceeded,
    InvalidClient,
    LoginRequired,
    OAuthError,
    StepUpRequired,
)
from oauthmagic.oauth import clients, grants
from oauthmagic.oauth.credentials import missing_credentials
from oauthmagic.runtime.granting import ends_the_refresh_token, perform

if TYPE_CHECKING:
    from oauthmagic.oauth.credentials import Credentials
    from oauthmagic.oauth.responses import TokenResponse
    from oauthmagic.oauth.tokens import Token, TokenKey
    from oauthmagic.redaction import Secret
    from oauthmagic.runtime.world import World

#: Seconds within which a refresh whose answer was lost is sent once more.
GRACE = 5.0
_UNKNOWN = (
    "Whether the server has replaced the refresh token is not known. The old one is "
    "kept, and tried again when the token is next needed."
)


class Refreshes:
    """Sends refresh requests, and remembers of which the answer was lost."""

    def __init__(self) -> None:
        self._lost: dict[TokenKey, int] = {}

    def send(
        self, world: World, credentials: Credentials, held: Token, refresh_token: Secret
    ) -> TokenResponse | None:
        """Return the answer to a refresh, or None if the token was refused for good.

        Raises:
            LoginRequired: The server asks for a second factor.
            MissingCredentials: The client cannot authenticate.
            ConnectionLost: The answer was lost, and once more; nothing is known.
            DeadlineExceeded: The same.
            OAuthMagicError: As `oauthmagic.runtime.granting.perform`.
        """
        try:
            return self._send(world, credentials, held, refresh_token)
        except StepUpRequired:
            msg = f"{world.target} asks for a second factor before it renews the token."
            raise LoginRequired(msg, hint=login_hint(held)) from None
        except InvalidClient:
            # Public clients need none; whoever adopted a token may have left them out.
            method = world.provider.token_endpoint_auth_method
            missing = credentials.missing(clients.needed_fields(method))
            if missing:
                raise missing_credentials(world.target, missing) from None
            raise
        except OAuthError as error:
            if not ends_the_refresh_token(error):
                raise
            return None

    def why_refused(self, held: Token) -> str:
        """Return why a refresh token was refused, as far as that is known here."""
        if self._lost.get(held.key) == held.generation:
            return "the answer to a refresh was lost, and the refresh token replaced"
        return "refresh token refused"

    def forget(self, key: TokenKey) -> None:
        """Forget what was lost: there is a new token."""
        self._lost.pop(key, None)

    def _send(
        self, world: World, credentials: Credentials, held: Token, refresh_token: Secret
    ) -> TokenResponse:
        asked = grants.refresh_token(refresh_token)
        begun = world.clock()
        try:
            return perform(world, credentials, asked)
        except (ConnectionLost, DeadlineExceeded) as error:
            if error.sent == "no":
                raise
            self._lost[held.key] = held.generation
            if (world.clock() - begun).total_seconds() > GRACE:
                raise error.with_hint(_UNKNOWN) from None
        try:
            return perform(world, credentials, asked)
        except (ConnectionLost, DeadlineExceeded) as error:
            raise error.with_hint(_UNKNOWN) from None


def login_hint(token: Token) -> str:
    """Return how to log in again."""
    return f"Log in again: %token {token.alias or token.target} --fresh."
