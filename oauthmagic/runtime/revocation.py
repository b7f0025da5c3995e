"""Revoking a token: at the server first, then here (RFC 7009).

Both tokens are tried, whatever comes of the first, and then they are forgotten here
in any case: who revokes a token wants it gone. What the server did not revoke is
reported after that, so that nothing is forgotten silently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthmagic.errors import (
    CommandError,
    InvalidClient,
    OAuthMagicError,
    RateLimited,
    RevocationFailed,
    StoreWriteFailed,
    TransportError,
    UnsupportedTokenType,
)
from oauthmagic.flows.revocation import revoke_token
from oauthmagic.oauth import clients
from oauthmagic.oauth.credentials import Credentials, missing_credentials
from oauthmagic.runtime.granting import endpoint_of
from oauthmagic.runtime.interruptions import finished
from oauthmagic.runtime.patience import Patient

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from oauthmagic.flows.token_requests import Endpoint
    from oauthmagic.oauth.tokens import Token
    from oauthmagic.redaction import Secret
    from oauthmagic.runtime.lifecycle import TokenKeeper
    from oauthmagic.runtime.world import World

    #: What was not revoked, by `token_type_hint`, and why.
    _Failures = dict[str, OAuthMagicError]

#: Without the refresh token nobody renews what else is left, and servers should then
#: end the access token, too (section 2.1).
ORDER = ("refresh_token", "access_token")


def revoke(token: Token, keeper: TokenKeeper, world: World) -> RevocationFailed | None:
    """Revoke a token at the server, then forget it.

    The key's lock is held from the first request on, so that no refresh slips in
    between and leaves a token behind that nobody knows of.

    Args:
        token: The token; what is held for it now is what is revoked.
        keeper: Holds it.
        world: What the requests run in.

    Returns:
        None if the server revoked everything; else the error to raise. The token is
        forgotten either way.

    Raises:
        CommandError: The provider has no `revocation_endpoint`, or the token was
            forgotten meanwhile; nothing was sent, and nothing is forgotten.
        MissingCredentials: The server wants the client's; nothing is forgotten.
        StoreWriteFailed: It could not be forgotten; the hint says what the server did.
        OAuthMagicError: What the issuer says of itself cannot be believed; the same.
    """
    world.admit(token)
    known = Credentials(client_id=token.client_id)
    known = keeper.credentials(token).over(known)
    unreachable: OAuthMagicError | None = None
    try:
        world = world.with_endpoints()
    except (RateLimited, TransportError) as error:
        # An issuer that cannot be asked, as an endpoint that cannot be reached.
        unreachable = error.with_traceback(None)

    def ask(held: Token | None) -> RevocationFailed | None:
        if held is None:
            msg = f"The token of {world.target} was forgotten meanwhile."
            raise CommandError(msg, hint="There is nothing left to revoke here.")
        tokens = _tokens(held)
        if unreachable is not None:
            failures = dict.fromkeys(tokens, unreachable)
        else:
            failures = _failures(world, _endpoint(world, known), tokens)
            _check_credentials(world, known, tokens, failures)
        return _report(world, held, tokens, failures) if failures else None

    def step() -> RevocationFailed | None:
        said = ""
        try:
            with keeper.forgetting(token) as entry:
                failed = ask(entry.token)
                said = str(failed) if failed else f"{world.target} revoked it."
        except StoreWriteFailed as error:
            # What is left here does not hide what became of it at the server.
            raise error.with_hint(f"{said} {error.hint}".strip()) from None
        return failed

    return finished(step)


def _tokens(held: Token) -> dict[str, Secret]:
    tokens = {kind: getattr(held, kind) for kind in ORDER}
    return {kind: token for kind, token in tokens.items() if token is not None}


def _endpoint(world: World, credentials: Credentials) -> Endpoint:
    url = world.environment.endpoints.get("revocation_endpoint")
    if url is None:
        msg = f"{world.provider.title} documents no way to revoke a token."
        raise CommandError(
            msg,
            hint=f"%token forget {world.target} forgets it here; it ends alone.",
        )
    return endpoint_of(world, credentials, url)


def _failures(world: World, endpoint: Endpoint, tokens: dict[str, Secret]) -> _Failures:
    """Send each token to the server; return what it did not revoke."""
    transport = Patient(world)
    failures: _Failures = {}
    for kind, token in tokens.items():
        try:
            revoke_token(transport, endpoint, token, kind)
        except OAuthMagicError as error:
            failures[kind] = error.with_traceback(None)
    # Section 2.2.1: an access token that cannot be revoked ends with its refresh
    # token, or soon.
    is_over = "refresh_token" in tokens and "refresh_token" not in failures
    if is_over and isinstance(failures.get("access_token"), UnsupportedTokenType):
        del failures["access_token"]
    return failures


def _check_credentials(
    world: World, known: Credentials, tokens: Iterable[str], failures: _Failures
) -> None:
    """Refuse to forget where only the user's own credentials were wanting.

    Public clients need none, so they are not asked for before it is tried.

    Raises:
        MissingCredentials: The server took none of the tokens from an unknown client.
    """
    method = world.provider.token_endpoint_auth_method
    missing = known.missing(clients.needed_fields(method))
    unknown = [isinstance(failures.get(kind), InvalidClient) for kind in tokens]
    if missing and all(unknown):
        raise missing_credentials(world.target, missing)


def _report(
    world: World, held: Token, tokens: Iterable[str], failures: _Failures
) -> RevocationFailed:
    ends = {"refresh_token": held.refresh_expires_at, "access_token": held.expires_at}
    revoked = tuple(kind for kind in tokens if kind not in failures)
    reasons = " ".join(dict.fromkeys(map(str, failures.values())))
    others = f" (the {_listed(revoked)} it did)" if revoked else ""
    msg = f"{world.target} did not revoke the {_listed(failures)}{others}: {reasons}"
    now = world.clock()
    lives = "; ".join(
        f"the {_name(kind)} {_until(ends[kind], now)}" for kind in failures
    )
    hint = (
        "Here the token is forgotten, and its credentials with it. "
        f"At the server, as far as is known here: {lives}. If somebody else may have "
        f"it, ask {world.provider.title} to revoke it; else let it end alone."
    )
    return RevocationFailed(
        msg,
        revoked=revoked,
        not_revoked=failures,
        expires_at={kind: ends[kind] for kind in failures},
        hint=hint,
    )


def _listed(kinds: Iterable[str]) -> str:
    return " and the ".join(map(_name, kinds))


def _name(kind: str) -> str:
    return kind.replace("_", " ")


def _until(end: datetime | None, now: datetime) -> str:
    if end is None:
        return "has no known end"
    verb = "ends" if end > now else "ended"
    return f"{verb} at {end:%Y-%m-%d %H:%M:%S} UTC"
