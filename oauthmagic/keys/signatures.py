"""Sign HTTP requests with a seal: draft-cavage-http-signatures, RFC 3230 (Digest).

Only `rsa-sha256`, the one algorithm that STET banks use. The signing string is one
line per header, `name: value`, joined by line feeds; `(request-target)` stands for
the lower-case method and the path with its query (draft 12, section 2.3).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from oauthmagic.errors import CommandError, ProtocolError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric import rsa

    #: Names in any case, and values, in order.
    Headers = Iterable[tuple[str, str]]

ALGORITHM: Final = "rsa-sha256"
REQUEST_TARGET: Final = "(request-target)"
#: What a working client of BPCE signs, in its order (alphabetical).
SIGNED: Final = (REQUEST_TARGET, "date", "digest", "x-request-id")
#: What it signs when it registers.
SIGNED_AT_REGISTRATION: Final = (REQUEST_TARGET, "digest", "x-request-id")
#: Where nothing says what is signed (draft 12, section 2.1.6).
_DEFAULT: Final = ("date",)
LONGEST: Final = 8192
_NAME: Final = re.compile(r"\(request-target\)|[!#$%&'*+.^_`|~0-9a-z-]+")
_PARAMETER: Final = re.compile(
    r'[ \t]*([A-Za-z]+)=(?:"([ !#-\[\]-~]*)"|([0-9]{1,15}))[ \t]*'
)
_VISIBLE: Final = re.compile(r"[\t -~]*")
_IN_QUOTES: Final = re.compile(r"[ !#-\[\]-~]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """A Signature header, read.

    Attributes:
        key_id: Whose key verifies it.
        headers: What was signed, in order.
        value: The signature itself.
    """

    key_id: str
    headers: tuple[str, ...]
    value: bytes = field(repr=False)


def digest(body: bytes | None) -> str:
    """Return the value of a Digest header (RFC 3230, section 4.3.2)."""
    octets = hashlib.sha256(body or b"").digest()
    return f"SHA-256={base64.b64encode(octets).decode('ascii')}"


def signing_string(
    names: Sequence[str], *, method: str, path_and_query: str, headers: Headers
) -> str:
    """Return what is signed (draft 12, section 2.3).

    Args:
        names: Header names in lower case, and `(request-target)`.
        method: The method, in any case.
        path_and_query: As in the request line.
        headers: Names in any case, and values.

    Raises:
        CommandError: A header is missing, or cannot be put into a line.
    """
    given = [(key.lower(), value) for key, value in headers]
    lines = []
    for name in names:
        if not _NAME.fullmatch(name):
            msg = f"{name[:60]!r} is no name of a header in lower case."
            raise CommandError(msg)
        if name == REQUEST_TARGET:
            value = f"{method.lower()} {path_and_query}"
        else:
            values = [each for key, each in given if key == name]
            if not values:
                msg = f"The header {name} is to be signed, but is not in the request."
                raise CommandError(msg)
            value = ", ".join(each.strip(" \t") for each in values)
        # A line feed would begin a line that nobody sent.
        if not _VISIBLE.fullmatch(value):
            msg = f"The value of {name} cannot be signed."
            raise CommandError(msg)
        lines.append(f"{name}: {value}")
    return "\n".join(lines)


def sign(
    names: Sequence[str] = SIGNED,
    *,
    key: rsa.RSAPrivateKey,
    key_id: str,
    method: str,
    path_and_query: str,
    headers: Headers,
    always_post: bool = False,
) -> str:
    """Return the value of a Signature header.

    Args:
        names: What to sign, in this order.
        key: The seal's private key, see `oauthmagic.keys.qualified`.
        key_id: At BPCE the `client_id`.
        method: The request's method.
        path_and_query: As in the request line.
        headers: The request's headers; those in `names` must be there.
        always_post: Sign `post` whatever the method is, as one working client of
            BPCE does. The draft has the real method.

    Raises:
        CommandError: A header is missing, or something cannot be written.
    """
    if not _IN_QUOTES.fullmatch(key_id):
        msg = "The keyId holds a character that a Signature header cannot hold."
        raise CommandError(msg)
    if not names:
        msg = "A signature signs at least one header."
        raise CommandError(msg)
    text = signing_string(
        names,
        method="post" if always_post else method,
        path_and_query=path_and_query,
        headers=headers,
    )
    signed = key.sign(text.encode("ascii"), padding.PKCS1v15(), hashes.SHA256())
    members = {
        "keyId": key_id,
        "algorithm": ALGORITHM,
        "headers": " ".join(names),
        "signature": base64.b64encode(signed).decode("ascii"),
    }
    return ",".join(f'{name}="{value}"' for name, value in members.items())


def signed_headers(
    headers: Headers,
    *,
    key: rsa.RSAPrivateKey,
    key_id: str,
    method: str,
    path_and_query: str,
    body: bytes | None,
    always_post: bool = False,
) -> tuple[tuple[str, str], ...]:
    """Return a request's headers with Digest and Signature, made anew.

    Args:
        headers: The request's own; Date (see `http_date`) and X-Request-ID are there.
        key: The seal's private key.
        key_id: At BPCE the `client_id`.
        method: The request's method.
        path_and_query: As in the request line.
        body: What is sent, or None.
        always_post: See `sign`.

    Raises:
        CommandError: A header is missing, or something cannot be written.
    """
    kept = [each for each in headers if each[0].lower() not in ("digest", "signature")]
    kept.append(("Digest", digest(body)))
    signature = sign(
        key=key,
        key_id=key_id,
        method=method,
        path_and_query=path_and_query,
        headers=kept,
        always_post=always_post,
    )
    return (*kept, ("Signature", signature))


def http_date(moment: datetime) -> str:
    """Return the value of a Date header (RFC 9110, section 5.6.7)."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def read_signature(text: str) -> Signature:
    """Read the value of a Signature header (draft 12, section 2.1).

    Parameters that are not known are passed over, as the draft wants it.

    Raises:
        ProtocolError: It is malformed, or signed in another way.
    """
    parameters = dict(_parameters(text))
    for name in ("keyId", "signature"):
        if not parameters.get(name):
            _refuse(f"it has no {name}")
    # Without it, the key decides; all keys here are for this one.
    if parameters.get("algorithm", ALGORITHM) != ALGORITHM:
        _refuse(f"its algorithm is not {ALGORITHM}")
    if "created" in parameters or "expires" in parameters:
        _refuse(f"{ALGORITHM} has neither created nor expires")
    names = tuple(parameters.get("headers", " ".join(_DEFAULT)).split(" "))
    if len(set(names)) != len(names):
        _refuse("it names a header twice")
    for name in names:
        if not _NAME.fullmatch(name):
            _refuse("what it has signed is no list of headers")
    try:
        value = base64.b64decode(parameters["signature"], validate=True)
    except (binascii.Error, ValueError):
        _refuse("it is not base64")
    return Signature(key_id=parameters["keyId"], headers=names, value=value)


def verify(
    signature: Signature,
    *,
    key: rsa.RSAPublicKey,
    method: str,
    path_and_query: str,
    headers: Headers,
    must_cover: Iterable[str] = (),
    always_post: bool = False,
) -> None:
    """Verify the signature of a request.

    Args:
        signature: As read.
        key: The key that `key_id` stands for.
        method: The request's method.
        path_and_query: As in the request line.
        headers: The request's headers.
        must_cover: What has to be signed.
        always_post: See `sign`.

    Raises:
        ProtocolError: It is not that key's signature of that request.
    """
    for name in must_cover:
        if name not in signature.headers:
            _refuse(f"it leaves out {name}")
    try:
        text = signing_string(
            signature.headers,
            method="post" if always_post else method,
            path_and_query=path_and_query,
            headers=headers,
        )
        key.verify(
            signature.value, text.encode("ascii"), padding.PKCS1v15(), hashes.SHA256()
        )
    except CommandError as error:
        _refuse(str(error).rstrip("."))
    except InvalidSignature:
        _refuse("it was made with another key, or of another request")


def _parameters(text: str) -> Iterable[tuple[str, str]]:
    if len(text) > LONGEST:
        _refuse("it is too long")
    seen = set()
    position = 0
    while True:
        found = _PARAMETER.match(text, position)
        if found is None:
            _refuse("it is not a list of parameters")
        name, quoted, number = found.groups()
        # An octet stream may not say two things (draft 12, section 2.1).
        if name in seen:
            _refuse("it has a parameter twice")
        seen.add(name)
        yield name, number if quoted is None else quoted
        position = found.end()
        if position == len(text):
            return
        if text[position] != ",":
            _refuse("it is not a list of parameters")
        position += 1


def _refuse(why: str) -> NoReturn:
    msg = f"The signature was refused: {why}."
    raise ProtocolError(msg)
