"""Verify a JWT with the keys that its issuer publishes: RFC 7517 (JWK Set), RFC 8725.

The keys come from the provider's `jwks_uri` and from nowhere else: what the token's own
header offers (`jwk`, `jku`, `x5c`, `x5u`) is not looked at. The algorithms are a list;
`none` and those with a shared secret are not on it, so that no public key can be taken
for such a secret (RFC 8725, sections 2.1 and 3.1).
"""

from __future__ import annotations

import dataclasses
import warnings
from typing import TYPE_CHECKING, Any, Final

from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import import_key

from oauthmagic.errors import SignatureRefused
from oauthmagic.oauth.jwts import read_claims
from oauthmagic.oauth.strict_json import read_object
from oauthmagic.redaction import quote

if TYPE_CHECKING:
    from oauthmagic.oauth.jwts import Claims
    from oauthmagic.redaction import Secret

#: The largest key set that is read; real ones have 1 to 20 KiB.
MAX_BYTES: Final = 256 * 1024
#: The most keys of a set that are looked at, and that are tried.
_MOST_KEYS, _MOST_TRIED = 200, 8
#: RFC 7518, section 3.3: "A key of size 2048 bits or larger MUST be used."
_LEAST_RSA_BYTES: Final = 256
#: Algorithm to key type and curves (RFC 7518, section 3.1; RFC 8037; RFC 9864).
ALGORITHMS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    **dict.fromkeys(("RS256", "RS384", "RS512"), ("RSA", ())),
    **dict.fromkeys(("PS256", "PS384", "PS512"), ("RSA", ())),
    "ES256": ("EC", ("P-256",)),
    "ES384": ("EC", ("P-384",)),
    "ES512": ("EC", ("P-521",)),
    "EdDSA": ("OKP", ("Ed25519",)),
    "Ed25519": ("OKP", ("Ed25519",)),
}
#: The public members of a key; nothing else of one is read (section 6).
_PUBLIC: Final = {
    "RSA": ("kty", "n", "e"),
    "EC": ("kty", "crv", "x", "y"),
    "OKP": ("kty", "crv", "x"),
}


def verified_claims(
    token: Secret, kind: str, key_set: bytes
) -> Claims | SignatureRefused:
    """Return the claims of a JWT whose signature one of the keys has made.

    Only the signature is judged; times, issuer and audience are the reader's.

    Args:
        token: The token.
        kind: What it is: "access_token", "id_token".
        key_set: The body of a JWK Set.

    Returns:
        The claims, with algorithm and key in `verified_by`; or the error to raise.
    """
    try:
        return _verified(token, kind, key_set)
    except ValueError as error:
        msg = f"The signature could not be verified: {error}."
        return SignatureRefused(msg)


def _verified(token: Secret, kind: str, key_set: bytes) -> Claims:
    claims = read_claims(token, kind)
    if claims is None:
        raise ValueError(f"the {kind.replace('_', ' ')} is no JWT that can be read")
    algorithm, name = claims.header["alg"], claims.header.get("kid")
    if algorithm not in ALGORITHMS:
        raise ValueError(
            f"its algorithm is {quote(algorithm, 40)!r}, not a public key's"
        )
    if "crit" in claims.header:
        raise ValueError("its header demands an extension that is not known (crit)")
    keys = _keys(key_set)
    if name is not None:
        keys = [key for key in keys if key.get("kid") == name]
        if not keys:
            shown = quote(str(name), 60)
            raise ValueError(f"the provider publishes no key called {shown!r}")
    fitting = [key for key in keys if _fits(key, algorithm)]
    if not fitting:
        raise ValueError(f"the provider publishes no key for {algorithm} that may sign")
    for key in fitting[:_MOST_TRIED]:
        if _has_signed(token, key, algorithm):
            called = quote(str(key.get("kid", "")), 60)
            which = f"key {called!r}" if called else "a key without a name"
            return dataclasses.replace(claims, verified_by=f"{algorithm}, {which}")
    raise ValueError("no key that the provider publishes has made its signature")


def _keys(body: bytes) -> list[dict[str, Any]]:
    try:
        keys = read_object(body, max_bytes=MAX_BYTES).get("keys")
    except ValueError as error:
        msg = f"the provider's key set cannot be read: {error}"
        raise ValueError(msg) from None
    if not isinstance(keys, list):
        msg = "the provider's key set has no list of keys"
        raise ValueError(msg)  # noqa: TRY004 - one kind of error, as in strict_json
    return [key for key in keys[:_MOST_KEYS] if isinstance(key, dict)]


def _fits(key: dict[str, Any], algorithm: str) -> bool:
    """Return whether a key may verify signatures by an algorithm (RFC 7517, 4)."""
    kind, curves = ALGORITHMS[algorithm]
    operations = key.get("key_ops")
    return (
        key.get("kty") == kind
        and key.get("use") in (None, "sig")
        and key.get("alg") in (None, algorithm)
        and (
            operations is None
            or (isinstance(operations, list) and "verify" in operations)
        )
        and (not curves or key.get("crv") in curves)
        and all(isinstance(key.get(member), str) for member in _PUBLIC[kind])
        # Four characters of base64url are three bytes.
        and (kind != "RSA" or len(key["n"]) * 3 // 4 >= _LEAST_RSA_BYTES)
    )


def _has_signed(token: Secret, key: dict[str, Any], algorithm: str) -> bool:
    public = {member: key[member] for member in _PUBLIC[key["kty"]]}
    # The list of a registry that is given is the one that counts.
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    try:
        with warnings.catch_warnings():
            # What is weak has been left out; servers still say EdDSA (RFC 9864).
            warnings.simplefilter("ignore", SecurityWarning)
            jws.deserialize_compact(
                token.reveal(),
                import_key(public),
                registry=registry,
            )
    # Of keys that are none there is ValueError and TypeError, too.
    except (JoseError, ValueError, TypeError):
        return False
    return True
