"""Asking about a token that is held, as the client that holds it (RFC 7662)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthmagic.errors import CommandError, OAuthError, UnknownName
from oauthmagic.flows.introspection import introspect_token
from oauthmagic.oauth.credentials import Credentials
from oauthmagic.oauth.introspection import KINDS
from oauthmagic.runtime.granting import endpoint_of
from oauthmagic.runtime.patience import Patient

if TYPE_CHECKING:
    from oauthmagic.oauth.introspection import Introspection
    from oauthmagic.oauth.tokens import Token
    from oauthmagic.runtime.lifecycle import TokenKeeper
    from oauthmagic.runtime.world import World


def introspect(
    token: Token, kind: str, keeper: TokenKeeper, world: World
) -> Introspection:
    """Ask the server what it knows of a token; what is held does not change.

    Args:
        token: The token.
        kind: "access_token" or "refresh_token".
        keeper: Holds the credentials that it came by.
        world: What the request runs in.

    Raises:
        CommandError: There is no such token, or the provider has no
            `introspection_endpoint`; nothing was sent.
        OAuthError: The server does not tell this client.
        OAuthMagicError: No usable answer came.
    """
    world.admit(token)
    if kind not in KINDS:
        raise UnknownName("kind of token", kind, KINDS)
    asked = getattr(token, kind)
    if asked is None:
        msg = f"There is no {kind.replace('_', ' ')} held for {world.target}."
        raise CommandError(msg, hint=f"%token show {world.target} shows what is.")
    world = world.with_endpoints()
    url = world.environment.endpoints.get("introspection_endpoint")
    if url is None:
        msg = f"{world.provider.title} documents no way to introspect a token."
        raise CommandError(msg, hint=_instead(world))
    known = Credentials(client_id=token.client_id)
    endpoint = endpoint_of(world, keeper.credentials(token).over(known), url)
    try:
        return introspect_token(Patient(world), endpoint, asked, kind)
    except OAuthError as error:
        if error.status not in (401, 403):
            raise
        hint = (
            "Many servers let only some clients ask (RFC 7662, section 2.1): ask "
            f"{world.provider.title} whether yours may. {_instead(world)}"
        )
        raise error.with_hint(f"{error.hint} {hint}".strip()) from None


def _instead(world: World) -> str:
    return (
        f"%token show {world.target} shows what is known here, and an API request "
        "whether the server takes it."
    )
