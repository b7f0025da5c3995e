"""Sign and verify with RS256: RFC 7515 (JWS), RFC 7519 (JWT).

Members are serialized in the order given and numbers as they are, so that a
simulated token has the very shape of the one that it stands for.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from oauthmagic.errors import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Mapping

RS256: Final = "RS256"
_ONLY_RS256: Final = [RS256]

#: The RSA key printed in RFC 7515, appendix A.2.1. Everybody has its private part:
#: it protects nothing, on purpose, and signs only what the simulators issue.
RFC7515_A2_KEY: Final = {
    "kty": "RSA",
    "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrc"
    "S2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7"
    "OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQ"
    "Y4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91"
    "kzk2PAcDTW9gb54h4FRWyuXpoQ",
    "e": "AQAB",
    "d": "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeX"
    "Zx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0"
    "QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6"
    "XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWS"
    "eWjnczT0QU91p1DhOVRuOopznQ",
}


@cache
def rfc7515_a2_key() -> RSAKey:
    """Return the published key of RFC 7515, appendix A.2, ready to sign."""
    return RSAKey.import_key(dict(RFC7515_A2_KEY))


def sign_payload(payload: bytes, header: Mapping[str, str], key: RSAKey) -> str:
    """Return the JWS Compact Serialization of a payload (RFC 7515, section 7.1).

    Args:
        payload: The bytes to sign.
        header: The JOSE header, `alg` included; its order is kept.
        key: The private key.
    """
    return jws.serialize_compact(dict(header), payload, key, algorithms=_ONLY_RS256)


def sign_rs256(
    claims: Mapping[str, object], header: Mapping[str, str], key: RSAKey
) -> str:
    """Return a signed JWT (RFC 7519, section 7.1).

    Args:
        claims: The claims; order and number types are kept.
        header: The JOSE header, `alg` included; its order is kept.
        key: The private key.
    """
    text = json.dumps(claims, separators=(",", ":"), ensure_ascii=False)
    return sign_payload(text.encode(), header, key)


def verify_rs256(token: str, key: RSAKey) -> dict[str, Any]:
    """Return the claims of a JWT if its signature is right (RFC 7519, section 7.2).

    Only the signature is judged here; times and audience are the caller's.

    Args:
        token: A JWS Compact Serialization.
        key: The public key, or a private one that holds it.

    Raises:
        ProtocolError: It is no JWT, has another `alg` or was not signed by the key.
    """
    try:
        verified = jws.deserialize_compact(token, key, algorithms=_ONLY_RS256)
        claims = json.loads(verified.payload)
    # Broken base64, UTF-8 and JSON are all ValueErrors.
    except (JoseError, ValueError) as error:
        msg = "The token's signature could not be verified."
        raise ProtocolError(msg) from error
    if not isinstance(claims, dict):
        msg = "The token's claims are not a JSON object."
        raise ProtocolError(msg)
    return claims
