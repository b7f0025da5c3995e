"""What libcurl's error codes mean here: one of our own errors, and nothing quoted.

The numbers are part of libcurl's interface (`curl/curl.h`) and do not change.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from oauthmagic.errors import (
    ConnectionFailed,
    ConnectionLost,
    DeadlineExceeded,
    TlsError,
    TransportError,
)
from oauthmagic.transport.heads import heads_too_large, not_http, unsendable
from oauthmagic.transport.tls import alert_received, is_about_the_client

if TYPE_CHECKING:
    from oauthmagic.errors import Sent

_URL_MALFORMAT, _TIMED_OUT, _TOO_LARGE = 3, 28, 100
#: Not spoken by libcurl at all; an answer that is no HTTP.
_NOT_HTTP = (1, 8, 61)
_RECEIVING = 56
_LOST = (16, 18, 42, 52, 55, _RECEIVING, 92)
_TLS = (35, 53, 54, 58, 59, 60, 64, 66, 77, 80, 82, 83, 90, 91)
_CERTIFICATE = 60
#: How libcurl says that a chunk is none; everything else of that code is the network.
_CHUNK = re.compile(r"chunk|hexadecimal|trailer", re.IGNORECASE)
#: How OpenSSL calls an alert that came, in its older and its newer releases.
_ALERT = re.compile(r"\b(sslv3|ssl/tls|tlsv1|tlsv13) (alert [a-z ]+?)(?=[,.:(]|$)")
_REASON = re.compile(r"SSL routines:[a-z_]*:([a-z0-9/ ]+)")
_OTHER_NAME = re.compile(
    r"no alternative certificate|does not match|no matching|unable to obtain common"
)
#: X.509 verification results (`openssl/x509_vfy.h`).
_RESULTS = {
    9: "certificate is not yet valid",
    10: "certificate has expired",
    18: "self-signed certificate",
    19: "self-signed certificate in certificate chain",
    20: "unable to get local issuer certificate",
    21: "unable to verify the first certificate",
    23: "certificate revoked",
    24: "invalid CA certificate",
    26: "unsuitable certificate purpose",
    62: "hostname mismatch, certificate is not valid for this name",
    64: "IP address mismatch, certificate is not valid for this address",
}


def failure(
    code: int, message: str, *, sent: Sent, timeout: float, verification: int
) -> TransportError:
    """Return the error for one of libcurl's.

    Args:
        code: Its number.
        message: Its text; it may quote what a server said.
        sent: Whether the server may have seen the request.
        timeout: The seconds that there were.
        verification: The result of the verification of the server's certificate.
    """
    alert = _alert(message)
    if code == _TIMED_OUT:
        msg = f"No whole answer within {timeout:.3g} seconds."
        error: TransportError = DeadlineExceeded(msg, sent=sent)
    elif code == _URL_MALFORMAT:
        error = unsendable()
    elif sent == "no":
        error = _unconnected(code, message, alert, verification)
    elif is_about_the_client(alert):
        # Under TLS 1.3 it comes after the request.
        error = alert_received(alert, sent=sent)
    elif code == _TOO_LARGE:
        error = heads_too_large()
    elif code in _NOT_HTTP or (code == _RECEIVING and _CHUNK.search(message)):
        error = not_http()
    elif code in _LOST or code in _TLS:
        error = ConnectionLost("The connection was lost.", sent=sent)
    else:
        error = TransportError("The request cannot be sent as HTTP.", sent=sent)
    return error


def _unconnected(
    code: int, message: str, alert: str, verification: int
) -> TransportError:
    if code == _CERTIFICATE:
        return _refused(message, verification)
    if code in _TLS or alert:
        return _unsecured(message, alert)
    return ConnectionFailed("No connection could be made.", sent="no")


def _refused(message: str, verification: int) -> TlsError:
    why = _RESULTS.get(verification, "")
    if not why and _OTHER_NAME.search(message):
        why = "hostname mismatch, certificate is not valid for this name"
    why = why or f"verification result {verification}"
    return TlsError(f"The server's certificate was refused: {why}.", sent="no")


def _unsecured(message: str, alert: str) -> TlsError:
    if is_about_the_client(alert):
        return alert_received(alert, sent="no")
    found = _REASON.search(message)
    why = alert or (found[1].strip().upper().replace(" ", "_") if found else "")
    msg = f"No secure connection could be made ({why or 'TLS error'})."
    return TlsError(msg, sent="no")


def _alert(message: str) -> str:
    """Return an alert by the name that Python's OpenSSL has for it, or ""."""
    found = _ALERT.search(message)
    if found is None:
        return ""
    family = found[1].replace("ssl/tls", "sslv3")
    return f"{family} {found[2].strip()}".upper().replace(" ", "_")
