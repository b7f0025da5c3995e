"""A login on another device: the codes are shown, and the server is asked meanwhile."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from oauthmagic.errors import CommandError, LoginRequired, OAuthMagicError
from oauthmagic.flows.device_logins import Polling, authorize_device, poll
from oauthmagic.oauth import grants
from oauthmagic.runtime.granting import endpoint_of
from oauthmagic.runtime.pending import PendingAction, Waiting
from oauthmagic.session.logins import described

if TYPE_CHECKING:
    from oauthmagic.errors import UserActionRequired
    from oauthmagic.oauth.credentials import Credentials
    from oauthmagic.oauth.tokens import Token
    from oauthmagic.runtime.lifecycle import TokenKeeper, Wish
    from oauthmagic.runtime.pending import WaitingRoom
    from oauthmagic.runtime.world import World


def ask_to_log_in_elsewhere(
    room: WaitingRoom,
    keeper: TokenKeeper,
    world: World,
    wish: Wish,
    credentials: Credentials,
) -> UserActionRequired:
    """Begin a device login and return the error that asks the user.

    The same wish, asked again while it waits, is the same login.

    Args:
        room: Where the login waits.
        keeper: Keeps the token.
        world: What it runs in.
        wish: What is asked for.
        credentials: The client's.

    Raises:
        CommandError: The provider has no device_authorization_endpoint.
        OAuthMagicError: It gave no codes.
    """
    name = wish.alias or str(world.target)
    again = room.again(name, wish)
    if again is not None:
        return again
    world = world.with_endpoints()
    url = world.environment.endpoints.get("device_authorization_endpoint")
    if url is None:
        msg = f"{world.provider.title} has no device_authorization_endpoint."
        raise CommandError(msg, hint="Add it to the provider, or use another grant.")
    endpoint = endpoint_of(world, credentials, url)
    given = authorize_device(world.transport, endpoint, wish.scopes)

    def request() -> Token:
        asked = grants.device_code(given.device_code)
        token = keeper.obtain(world, wish, credentials, parameters=asked)
        if waiting.is_forgotten:
            # The question was under way when the user had enough of it.
            keeper.forget(token)
            msg = "It was forgotten."
            raise LoginRequired(msg, hint="Run the cell again to start anew.")
        return token

    polling = Polling(given, request, world.clock)
    stopped = threading.Event()

    def ask_until_it_ends() -> None:
        poll(polling, stopped.wait)
        if not stopped.is_set():
            # Who watches is told what came of it.
            with contextlib.suppress(OAuthMagicError):
                room.resume(name, "")

    action = PendingAction(
        kind="device",
        target=name,
        asked_by=world.provider.title,
        environment=world.environment.name,
        wants=described(world.provider, wish.scopes),
        url=given.verification_uri,
        user_code=given.user_code,
        complete_url=given.verification_uri_complete,
        expires_at=polling.expires_at,
        seconds=float(given.expires_in),
    )
    waiting = Waiting(
        action=action,
        wish=wish,
        complete=lambda _: polling.ask(),
        clock=world.clock,
        stop=stopped.set,
    )
    asked = room.ask(
        waiting, f"{world.provider.title} asks you to log in on another device."
    )
    threading.Thread(
        target=ask_until_it_ends, daemon=True, name="oauthmagic-device"
    ).start()
    return asked
