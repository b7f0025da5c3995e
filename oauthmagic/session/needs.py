"""What a request needs, by the description of its API, and what its token lacks.

A description may be wrong: it stops no request, and only the resource server decides.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from oauthmagic.errors import OAuthMagicError
from oauthmagic.transport.urls import parse_url

if TYPE_CHECKING:
    from collections.abc import Collection

    from oauthmagic.oauth.tokens import Token
    from oauthmagic.providers.endpoints import Endpoint
    from oauthmagic.runtime.world import World

#: Scopes that can be repeated in a line for the user to copy.
PLAIN_SCOPE = re.compile(r"[\w.:/@+-]{1,100}")


def how_to_ask(missing: tuple[str, ...], world: World, token: Token | None) -> str:
    """Return the scopes that are missing, and the line that obtains them."""
    known = world.provider.scopes
    what = f"Missing scope: {', '.join(missing)}."
    if known and not set(missing) <= set(known):
        return what
    granted = _granted(world, token)
    # Some are granted without being asked for, and cannot be.
    held = [each for each in sorted(granted) if not known or each in known]
    name = f" --as {token.alias}" if token and token.alias else ""
    line = f"%token {world.target} --scope {' '.join([*held, *missing])}{name}"
    return f"{what} Ask for it: {line}"


def needs_sentence(method: str, url: str, world: World, token: Token) -> str:
    """Return what an endpoint needs and the token lacks, with the way to it; or ""."""
    endpoint = endpoint_of(method, url, world)
    missing = _missing(endpoint, token.scopes)
    if endpoint is None or not missing:
        return ""
    said = f"By its description, {method} {endpoint.path} needs {endpoint.needs}."
    return f"{said} {how_to_ask(missing, world, token)}"


def needs_comment(method: str, url: str, world: World, token: Token | None) -> str:
    """Return what an endpoint needs as lines of an `.http` text, or ""."""
    endpoint = endpoint_of(method, url, world)
    if endpoint is None or not endpoint.needs:
        return ""
    said = f"# Needs the scope {endpoint.needs}"
    if missing := _missing(endpoint, _granted(world, token)):
        return f"{said}.\n# {how_to_ask(missing, world, token)}\n"
    has_it = token is not None and token.scopes
    return f"{said}, which the token held has.\n" if has_it else f"{said}.\n"


def endpoint_of(method: str, url: str, world: World) -> Endpoint | None:
    """Return the endpoint that a request asks for, or None where none is known."""
    if not world.provider.endpoints:
        return None
    try:
        asked, base = parse_url(url), parse_url(world.environment.api_base)
    except OAuthMagicError:
        return None
    before = base.path.rstrip("/")
    if asked.origin != base.origin or not asked.path.startswith(f"{before}/"):
        return None
    return world.provider.endpoints.match(method, asked.path.removeprefix(before))


def _granted(world: World, token: Token | None) -> Collection[str]:
    """Return the scopes that the token held has, or one to come would ask for."""
    return world.provider.default_scopes if token is None else token.scopes


def _missing(endpoint: Endpoint | None, granted: Collection[str]) -> tuple[str, ...]:
    """Return the scopes that are not granted, as far as any are known."""
    if endpoint is None or not granted:
        return ()
    missing = endpoint.missing(granted)
    return missing if all(map(PLAIN_SCOPE.fullmatch, missing)) else ()
