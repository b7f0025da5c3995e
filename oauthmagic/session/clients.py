"""The HTTP library's own client, over the token runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthmagic.runtime.authorized import after_answer, bearer
from oauthmagic.transport.clients import TokenAuth, make_client

if TYPE_CHECKING:
    import httpx

    from oauthmagic.oauth.tokens import Token
    from oauthmagic.runtime.lifecycle import TokenKeeper
    from oauthmagic.runtime.world import World
    from oauthmagic.transport.wire import WireResponse


def client_for(world: World, token: Token, keeper: TokenKeeper) -> httpx.Client:
    """Return a client whose requests carry a token, renewed as it must be.

    Args:
        world: What its requests run in.
        token: The token to begin with.
        keeper: Renews it.
    """
    current = token

    def value() -> str:
        nonlocal current
        current = keeper.usable(current, world)
        return bearer(current)

    def refused(response: WireResponse) -> bool:
        nonlocal current
        before = current
        current = after_answer(response, before, keeper=keeper, world=world)
        return current is not before

    return make_client(
        world.transport,
        api_base=world.environment.api_base,
        origins=world.environment.token_origins,
        auth=TokenAuth(value, refused),
        timeout=world.api_timeout,
        limit=world.max_body,
        prepare=world.prepare or (lambda request: request),
    )
