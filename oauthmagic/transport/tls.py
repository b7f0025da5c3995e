"""Who is at the other end: TLS 1.2 or later, always verified."""

from __future__ import annotations

import os
import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from oauthmagic.errors import TlsError

if TYPE_CHECKING:
    from oauthmagic.errors import Sent
    from oauthmagic.redaction import Secret


_WANTED = (
    "The server wants your client certificate (at a bank: the QWAC). "
    "Give certificate and private_key as credentials."
)
_UNKNOWN = (
    "The server does not know who issued the client certificate: "
    "use one that belongs to this environment."
)
#: What to do about alerts (RFC 8446, section 6.2) that speak of the client's
#: certificate, by OpenSSL's names for them.
_ABOUT_THE_CLIENT: Final = {
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": _WANTED,
    # All that TLS 1.2 says where there is none; it may mean something else.
    "SSLV3_ALERT_HANDSHAKE_FAILURE": f"Perhaps: {_WANTED}",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "The client certificate is not valid today: "
    "use a newer one, and check the clock.",
    "TLSV1_ALERT_UNKNOWN_CA": _UNKNOWN,
    "TLSV1_ALERT_DECRYPT_ERROR": _UNKNOWN,
}


def tls_context(
    ca_file: str | Path | None = None,
    certificate: Secret | None = None,
    private_key: Secret | None = None,
) -> ssl.SSLContext:
    """Return a verifying context: TLS 1.2 or later, host name checked.

    Made here and not by a library, because those write the session's keys to a
    file where `SSLKEYLOGFILE` says so.

    Args:
        ca_file: PEM file of the only authorities to trust.
        certificate: PEM text of the client's certificate (mutual TLS).
        private_key: PEM text of its key.

    Raises:
        TlsError: A file cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate is not None and private_key is not None:
        _show_certificate(context, certificate, private_key)
    if ca_file is None:
        import certifi  # noqa: PLC0415 - comes with the HTTP library

        context.load_default_certs()
        context.load_verify_locations(certifi.where())
        return context
    try:
        context.load_verify_locations(str(ca_file))
    except (OSError, ssl.SSLError):
        msg = "The file named by ca_file cannot be read as PEM certificates."
        raise TlsError(msg, sent="no", hint="Check the path and the file.") from None
    return context


def _show_certificate(
    context: ssl.SSLContext, certificate: Secret, private_key: Secret
) -> None:
    # OpenSSL reads a chain from a file only; the key is on disk this long.
    descriptor, name = tempfile.mkstemp(prefix="oauthmagic-", suffix=".pem")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{private_key.reveal()}\n{certificate.reveal()}\n")
        # A key with a pass phrase is refused, not asked for on the terminal.
        context.load_cert_chain(name, password="")
    except (OSError, ssl.SSLError):
        msg = "The client's certificate and private key cannot be used."
        raise TlsError(
            msg,
            sent="no",
            hint="Both must be PEM, the key without a pass phrase, and the key must "
            "belong to the certificate.",
        ) from None
    finally:
        Path(name).unlink()


def alert_received(reason: str, *, sent: Sent = "unknown") -> TlsError:
    """Return the error for an alert by which a server ended the connection.

    Under TLS 1.3 one about the client's certificate comes late: the client has sent
    its request by then (RFC 8446, section 4.4.2.4).

    Args:
        reason: What OpenSSL calls it.
        sent: Whether the server may have seen the request.
    """
    msg = f"The server ended the connection ({reason})."
    return TlsError(msg, sent=sent, hint=_ABOUT_THE_CLIENT.get(reason, ""))


def is_about_the_client(reason: str) -> bool:
    """Return whether an alert speaks of the client's certificate."""
    return reason in _ABOUT_THE_CLIENT


def late_alert(error: ssl.SSLError | None, sent: Sent) -> TlsError | None:
    """Return what an alert says of the client's certificate after the handshake.

    None where there is none: other TLS errors by then mean a broken connection.
    """
    reason = error.reason if error else ""
    return alert_received(reason, sent=sent) if is_about_the_client(reason) else None


def tls_cause(error: BaseException | None) -> ssl.SSLError | None:
    """Return the TLS error behind one of the HTTP library's, or None."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error


def tls_error(error: ssl.SSLError) -> TlsError:
    """Return why there is no secure connection."""
    if isinstance(error, ssl.SSLCertVerificationError):
        # OpenSSL ends some of its reasons with a full stop, others not.
        why = error.verify_message.rstrip(".")
        return TlsError(f"The server's certificate was refused: {why}.", sent="no")
    why = error.reason or "TLS error"
    if is_about_the_client(why):
        return alert_received(why, sent="no")
    return TlsError(f"No secure connection could be made ({why}).", sent="no")
