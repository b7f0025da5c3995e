"""Verifying the JWTs of a token with the keys that the provider publishes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from oauthmagic.errors import CommandError, SignatureRefused
from oauthmagic.flows.key_sets import fetch_key_set
from oauthmagic.keys.key_sets import verified_claims
from oauthmagic.oauth.jwts import KINDS, read_claims
from oauthmagic.redaction import quote
from oauthmagic.runtime.patience import Patient

if TYPE_CHECKING:
    from oauthmagic.oauth.jwts import Claims
    from oauthmagic.oauth.tokens import Token
    from oauthmagic.runtime.world import World

_UNVERIFIED = "%token show without --verify shows what it says, unverified."


def verify(token: Token, world: World) -> tuple[Claims, ...]:
    """Return the claims of a token's JWTs, each of which is verified.

    The keys are asked for anew each time, without the token.

    Raises:
        CommandError: There is no JWT, or the provider names no `jwks_uri`.
        SignatureRefused: No published key has made one of the signatures.
        OAuthMagicError: The keys could not be had.
    """
    world.admit(token)
    kinds = [kind for kind in KINDS if read_claims(getattr(token, kind), kind)]
    if not kinds:
        msg = f"No token of {world.target} is a JWT: there is no signature to verify."
        raise CommandError(msg, hint=f"%token introspect {world.target} asks for it.")
    world = world.with_endpoints()
    url = world.environment.endpoints.get("jwks_uri")
    if url is None:
        msg = f"{world.provider.title} names no keys to verify a signature with."
        hint = f"Name its jwks_uri in the provider's file. {_UNVERIFIED}"
        raise CommandError(msg, hint=hint)
    body = fetch_key_set(Patient(world), url, timeout=world.token_timeout)
    issuer = world.environment.endpoints.get("issuer")
    found = []
    for kind in kinds:
        outcome = verified_claims(getattr(token, kind), kind, body)
        if isinstance(outcome, SignatureRefused):
            raise outcome.with_hint(
                f"Do not rely on the claims of this {kind.replace('_', ' ')}. Some "
                f"servers sign access tokens for themselves alone. {_UNVERIFIED}"
            )
        by = f"{outcome.verified_by} of {quote(url, 200)}"
        if issuer and outcome.values.get("iss") != issuer:
            by += "; its iss is not the issuer that the provider is known by"
        found.append(replace(outcome, verified_by=by))
    return tuple(found)
