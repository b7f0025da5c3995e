"""The HTTP library's own clients, over the token runtime."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from oauthmagic.errors import OAuthMagicError
from oauthmagic.runtime.authorized import after_answer, bearer
from oauthmagic.runtime.calls import Call, Waiting
from oauthmagic.runtime.lifecycle import leeway
from oauthmagic.runtime.traces import RecordingTransport
from oauthmagic.transport.clients import TokenAuth, make_async_client, make_client
from oauthmagic.transport.engines import bare, has_curl, quick

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

    from oauthmagic.oauth.tokens import Token
    from oauthmagic.runtime.lifecycle import TokenKeeper
    from oauthmagic.runtime.world import World
    from oauthmagic.transport.curl_loop import LoopTransport
    from oauthmagic.transport.wire import WireRequest, WireResponse

#: How many tokens back a late 401 is still understood.
MOST_SENT = 8
#: How many threads an asynchronous client has for what cannot be awaited.
_THREADS = 64

_T = TypeVar("_T")


def client_for(world: World, token: Token, keeper: TokenKeeper) -> httpx.Client:
    """Return a client whose requests carry a token, renewed as it must be.

    Args:
        world: What its requests run in.
        token: The token to begin with.
        keeper: Renews it.
    """
    held = _Held(world, token, keeper)
    cheaper = _at_less_cost(world)
    return make_client(
        lambda request: Call(cheaper).send(request, cheaper.prepared),
        api_base=world.environment.api_base,
        origins=world.environment.token_origins,
        auth=TokenAuth(held.value, held.refused),
    )


def async_client_for(
    world: World, token: Token, keeper: TokenKeeper
) -> httpx.AsyncClient:
    """Return the same for an event loop.

    Args:
        world: What its requests run in.
        token: The token to begin with.
        keeper: Renews it.
    """
    held = _Held(world, token, keeper)
    sending = _AsyncSending(world)
    return make_async_client(
        sending.send,
        close=sending.close,
        api_base=world.environment.api_base,
        origins=world.environment.token_origins,
        auth=TokenAuth(
            held.value,
            held.refused,
            elsewhere=sending.elsewhere,
            is_due=held.is_due,
        ),
    )


class _Held:
    """The token of a client, for any number of threads."""

    def __init__(self, world: World, token: Token, keeper: TokenKeeper) -> None:
        self._world = world
        self._keeper = keeper
        self._current = token
        self._sent: dict[int, Token] = {}

    def is_due(self) -> bool:
        """Return whether the token has to be renewed before it is sent."""
        return bool(self._current.is_expired(leeway(self._current)))

    def value(self) -> str:
        """Return the value of the Authorization header, renewed if need be."""
        self._current = current = self._keeper.usable(self._current, self._world)
        self._world.admit(current)
        header = bearer(current)
        # By the value, so that each thread's 401 is about the token that it sent; by
        # its hash, so that whoever looks into a client finds no token.
        self._sent[_mark(header)] = current
        while len(self._sent) > MOST_SENT:
            self._sent.pop(next(iter(self._sent)), None)
        return header

    def refused(self, response: WireResponse, header: str) -> bool:
        """Return whether a response asks for a newer token, and there is one."""
        before = self._sent.get(_mark(header), self._current)
        renewed = after_answer(response, before, keeper=self._keeper, world=self._world)
        if renewed is before:
            return False
        self._current = renewed
        return True


class _AsyncSending:
    """Sends for an event loop: through libcurl if it can, in threads otherwise."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="oauthmagic")
        self._loop: LoopTransport | None = None
        transport = bare(world.transport)
        tls = getattr(transport, "tls", None)
        if tls is not None and has_curl():
            from oauthmagic.transport.curl_loop import LoopTransport  # noqa: PLC0415 - an extra

            self._loop = LoopTransport(tls)

    def elsewhere(self, function: Callable[[], _T]) -> Awaitable[_T]:
        """Run a function in a thread."""
        return asyncio.get_running_loop().run_in_executor(self._threads, function)

    def close(self) -> None:
        """Let go of the threads and the connections."""
        self._threads.shutdown(wait=False)
        if self._loop is not None:
            self._loop.close()

    async def send(self, request: WireRequest) -> WireResponse:
        """Send a request, and again where that is allowed and may help.

        Raises:
            OAuthMagicError: As `oauthmagic.runtime.calls.Call.send`.
        """
        steps = Call(self._world).steps(request, self._world.prepared)
        try:
            step = next(steps)
            while True:
                if isinstance(step, Waiting):
                    await self._wait(step.seconds)
                    step = next(steps)
                    continue
                try:
                    answer = await self._exchanged(step.request, step.timeout)
                except OAuthMagicError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
        except StopIteration as end:
            response: WireResponse = end.value
            return response

    async def _exchanged(self, request: WireRequest, left: float) -> WireResponse:
        world = self._world
        loop = self._loop
        if loop is None or not _can_watch():
            return await self.elsewhere(
                lambda: world.transport.send(
                    request, timeout=left, limit=world.max_body
                )
            )
        traced = world.transport
        if not isinstance(traced, RecordingTransport):
            return await loop.send(request, timeout=left, limit=world.max_body)
        begun = traced.begun()
        try:
            response = await loop.send(request, timeout=left, limit=world.max_body)
        except OAuthMagicError as error:
            traced.failed(begun, request, error)
            raise
        traced.answered(begun, request, response)
        return response

    async def _wait(self, seconds: float) -> None:
        world = self._world
        if world.monotonic is not time.monotonic:
            # In a time of its own waiting takes none.
            await self.elsewhere(lambda: world.sleep(seconds))
            return
        if world.trace is not None:
            world.trace.waited(seconds)
        await asyncio.sleep(seconds)


def _can_watch() -> bool:
    from oauthmagic.transport.curl_loop import can_watch  # noqa: PLC0415 - an extra

    return can_watch(asyncio.get_running_loop())


def _at_less_cost(world: World) -> World:
    """Return a world whose requests go out as quickly as they can."""
    transport = world.transport
    if isinstance(transport, RecordingTransport):
        return replace(world, transport=transport.over(quick(transport.inner)))
    return replace(world, transport=quick(transport))


def _mark(header: str) -> int:
    # Python's own hash: keyed, the same for a process, and made once for a text.
    return hash(header)
