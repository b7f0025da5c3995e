"""The redirect login: from an authorization request to a token, with the user between.

RFC 6749, section 4.1; RFC 7636; RFC 9207.
"""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING

from oauthmagic.errors import (
    AccessDenied,
    CommandError,
    OAuthError,
    OAuthMagicError,
)
from oauthmagic.oauth import grants
from oauthmagic.oauth.authorization import (
    build_authorization_request,
    read_authorization_response,
)
from oauthmagic.runtime.pending import PendingAction, Waiting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oauthmagic.errors import UserActionRequired
    from oauthmagic.oauth.credentials import Credentials
    from oauthmagic.oauth.tokens import Token
    from oauthmagic.providers.provider import Provider
    from oauthmagic.runtime.lifecycle import TokenKeeper, Wish
    from oauthmagic.runtime.pending import WaitingRoom
    from oauthmagic.runtime.world import World
    from oauthmagic.session.callbacks import Callbacks
    from oauthmagic.session.demos import Demo

#: How long a login may take.
PATIENCE = timedelta(minutes=10)
#: The words that play the user's side in a demo.
WORDS = ("accept", "refuse", "timeout")


def ask_to_log_in(
    room: WaitingRoom,
    keeper: TokenKeeper,
    world: World,
    wish: Wish,
    credentials: Credentials,
    demo: Demo | None,
    callbacks: Callbacks,
    *,
    extra: Mapping[str, str] | None = None,
) -> UserActionRequired:
    """Begin a redirect login and return the error that asks the user.

    The same wish, asked again while it waits, is the same login.

    Args:
        room: Where the login waits.
        keeper: Keeps the token.
        world: What it runs in.
        wish: What is asked for.
        credentials: The client's, its redirect_uri included.
        demo: Plays the user's side, in a demo.
        callbacks: The ways back.
        extra: Further parameters of the authorization request.
    """
    name = wish.alias or str(world.target)
    again = room.again(name, wish)
    if again is not None:
        return again
    world = world.with_endpoints()
    endpoint = world.environment.endpoints.get("authorization_endpoint")
    if endpoint is None:
        msg = f"{world.provider.title} has no authorization_endpoint."
        raise CommandError(msg, hint="Add it to the provider, or use another grant.")
    # Before anybody is sent anywhere: who else holds the port would be sent the code.
    door = None if demo else callbacks.open(credentials.redirect_uri)
    request = build_authorization_request(
        endpoint,
        client_id=credentials.client_id,
        redirect_uri=door.redirect_uri if door else credentials.redirect_uri,
        scopes=wish.scopes,
        randomness=world.randomness,
        use_pkce=world.provider.pkce,
        issuer=world.environment.endpoints.get("issuer", ""),
        iss_in_response=world.environment.iss_in_response,
        extra=extra,
    )

    if world.trace is not None:
        world.trace.authorization_request(request.url)

    def complete(answer: str) -> Token:
        url = _redirected(answer, request.url, demo)
        if world.trace is not None:
            world.trace.authorization_response(url)
        outcome = read_authorization_response(request, url)
        if isinstance(outcome, OAuthError):
            raise outcome.with_hint(
                "The login was refused or given up. Run the cell again to start anew."
            )
        return keeper.obtain(
            world,
            wish,
            credentials,
            parameters=grants.authorization_code(
                outcome, request.redirect_uri, request.code_verifier
            ),
        )

    def came(url: str) -> None:
        # Who watches is told what came of it.
        with contextlib.suppress(OAuthMagicError):
            room.resume(name, url)

    if door is not None:
        door.begin(request.state, came)
    action = PendingAction(
        kind="redirect",
        target=name,
        asked_by=world.provider.title,
        environment=world.environment.name,
        wants=described(world.provider, wish.scopes),
        url=request.url,
        expires_at=world.clock() + PATIENCE,
        seconds=PATIENCE.total_seconds(),
        answers=WORDS if demo else (),
        way=door.way.name if door else "",
        why=door.way.why if door else "",
    )
    waiting = Waiting(action=action, wish=wish, complete=complete, clock=world.clock)
    if door is not None:
        waiting.stop = door.close
    return room.ask(
        waiting,
        f"{world.provider.title} asks you to log in and consent.",
    )


def described(provider: Provider, scopes: tuple[str, ...]) -> tuple[str, ...]:
    """Return a line for each scope that a login asks for."""
    return tuple(
        f"{scope}: {provider.scopes.get(scope) or 'no description'}" for scope in scopes
    )


def _redirected(answer: str, url: str, demo: Demo | None) -> str:
    """Return the redirected URL that an answer is, or stands for."""
    answer = answer.strip()
    if answer.startswith(("https://", "http://")) and answer.isprintable():
        return answer
    if demo is None or answer not in WORDS:
        msg = "That is not the redirected URL."
        raise CommandError(
            msg,
            hint=f"In the demo, answer one of: {', '.join(WORDS)}."
            if demo
            else "Paste the whole URL from the browser's address bar.",
        )
    redirected = demo.decide(url, answer)
    if redirected is None:
        msg = "The login page timed out and sent nobody back."
        raise AccessDenied(msg, hint="Run the cell again to start anew.")
    return redirected
