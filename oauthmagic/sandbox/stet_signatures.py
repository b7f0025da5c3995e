"""What the simulated STET bank makes of Digest and Signature.

Source: requests that a client of BPCE signed (draft-cavage-http-signatures,
`rsa-sha256`, `keyId` the `client_id`; where it registers, the address of the
certificate). What exactly the bank wants is not documented, nor what it answers: 403
is our invention. How old a signature may be is not checked.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

from oauthmagic.errors import ProtocolError
from oauthmagic.keys.signatures import REQUEST_TARGET, digest, read_signature, verify
from oauthmagic.sandbox.stet_answers import BankRefusal, Settings

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

    from oauthmagic.keys.qualified import QualifiedCertificate

_MUST_COVER: Final = (REQUEST_TARGET, "digest")


def check_signature(
    request: Request,
    *,
    seal: QualifiedCertificate | None,
    key_id: str | None,
    settings: Settings,
) -> None:
    """Verify a request's Digest and Signature, as the settings want it.

    Args:
        request: The request, its body read.
        seal: The certificate of the key that signs, or None if none is known.
        key_id: What `keyId` must be, or None for anything.
        settings: How strictly.

    Raises:
        BankRefusal: One of them is wrong, or missing where it is required.
    """
    if settings.signatures == "ignored":
        return
    given = request.headers.get("Digest")
    if given is not None and not hmac.compare_digest(
        given.encode(), digest(request.get_data()).encode()
    ):
        raise BankRefusal(403, "The Digest is not that of the body.")
    text = request.headers.get("Signature")
    if text is None:
        if settings.signatures == "required":
            raise BankRefusal(403, "The request must be signed (Digest, Signature).")
        return
    if seal is None or seal.public_key is None:
        raise BankRefusal(403, "No certificate is registered for signatures.")
    try:
        signature = read_signature(text)
        if key_id is not None and signature.key_id != key_id:
            raise BankRefusal(403, "The keyId is not the client_id.")
        verify(
            signature,
            key=seal.public_key,
            method=request.method,
            path_and_query=_target(request),
            headers=list(request.headers.items()),
            must_cover=_MUST_COVER,
            always_post=settings.signed_method == "post",
        )
    except ProtocolError as error:
        raise BankRefusal(403, str(error)) from error


def _target(request: Request) -> str:
    """Return path and query as they were sent, not decoded."""
    target: str = request.environ.get("REQUEST_URI", "")
    # RFC 9112, section 3.2.2: an absolute target has its origin before the path.
    _, found, rest = target.partition("://")
    return f"/{rest.partition('/')[2]}" if found else target
