"""A JSON Web Token for display: RFC 7519, in the form of RFC 7515, section 7.1.

Reading is not believing: nothing here looks at the signature, and nothing else of this
package acts on what a token says of itself. When a token ends is known from the answer
that brought it.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oauthmagic.oauth.strict_json import read_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oauthmagic.redaction import Secret

#: The largest token that is read.
MAX_BYTES = 64 * 1024
#: The tokens that may be JWTs, by their attribute of a `Token`.
KINDS = ("access_token", "id_token")
# Three parts; one that is encrypted has five (RFC 7516, section 7.1).
_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Claims:
    """What a JWT says.

    Attributes:
        kind: Which token says it: "access_token", "id_token".
        header: The JOSE header.
        values: The claims by their names, as they are.
        verified_by: By which algorithm and key its signature was verified, in words;
            "" where nobody has looked: then anybody can have written it.
    """

    kind: str
    header: Mapping[str, Any]
    values: Mapping[str, Any]
    verified_by: str = ""


def read_claims(token: Secret | None, kind: str) -> Claims | None:
    """Read a token as a JWT; None if it is none that can be read.

    Args:
        token: The token, if there is one.
        kind: What it is: "access_token", "id_token".
    """
    if token is None:
        return None
    try:
        header, values = _members(token)
    except ValueError:
        return None
    return Claims(kind=kind, header=header, values=values)


def _members(token: Secret) -> tuple[dict[str, Any], dict[str, Any]]:
    match = _COMPACT.fullmatch(token.reveal(), 0, MAX_BYTES + 1)
    if match is None or match.end() > MAX_BYTES:
        raise ValueError
    header, values = map(_object, match.groups())
    if not isinstance(header.get("alg"), str):
        raise ValueError  # noqa: TRY004 - one kind of error for the reader
    return header, values


def _object(part: str) -> dict[str, Any]:
    # Without padding (RFC 7515, section 2); binascii.Error is a ValueError.
    body = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    return read_object(body, max_bytes=MAX_BYTES)
