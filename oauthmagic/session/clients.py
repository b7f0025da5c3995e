"""The HTTP library's own client, over the token runtime."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from oauthmagic.runtime.authorized import after_answer, bearer
from oauthmagic.runtime.calls import Call
from oauthmagic.runtime.traces import RecordingTransport
from oauthmagic.transport.clients import TokenAuth, make_client
from oauthmagic.transport.engines import quick

if TYPE_CHECKING:
    import httpx

    from oauthmagic.oauth.tokens import Token
    from oauthmagic.runtime.lifecycle import TokenKeeper
    from oauthmagic.runtime.world import World
    from oauthmagic.transport.wire import WireResponse

#: How many tokens back a late 401 is still understood.
MOST_SENT = 8


def client_for(world: World, token: Token, keeper: TokenKeeper) -> httpx.Client:
    """Return a client whose requests carry a token, renewed as it must be.

    Args:
        world: What its requests run in.
        token: The token to begin with.
        keeper: Renews it.
    """
    world = _at_less_cost(world)
    current = token
    sent: dict[bytes, Token] = {}

    def value() -> str:
        nonlocal current
        current = keeper.usable(current, world)
        world.admit(current)
        header = bearer(current)
        # By the value, so that each thread's 401 is about the token that it sent; by
        # its hash, so that whoever looks into a client finds no token.
        sent[_mark(header)] = current
        while len(sent) > MOST_SENT:
            del sent[next(iter(sent))]
        return header

    def refused(response: WireResponse, header: str) -> bool:
        nonlocal current
        before = sent.get(_mark(header), current)
        renewed = after_answer(response, before, keeper=keeper, world=world)
        if renewed is before:
            return False
        current = renewed
        return True

    return make_client(
        lambda request: Call(world).send(request, world.prepared),
        api_base=world.environment.api_base,
        origins=world.environment.token_origins,
        auth=TokenAuth(value, refused),
    )


def _at_less_cost(world: World) -> World:
    """Return a world whose requests go out as quickly as they can."""
    transport = world.transport
    if isinstance(transport, RecordingTransport):
        return replace(world, transport=transport.over(quick(transport.inner)))
    return replace(world, transport=quick(transport))


def _mark(header: str) -> bytes:
    return sha256(header.encode()).digest()
