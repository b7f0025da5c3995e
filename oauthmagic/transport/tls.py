"""Who is at the other end: TLS 1.2 or later, always verified."""

from __future__ import annotations

import os
import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from oauthmagic.errors import TlsError

if TYPE_CHECKING:
    from oauthmagic.redaction import Secret


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


def tls_error(error: ssl.SSLError) -> TlsError:
    """Return why there is no secure connection."""
    if isinstance(error, ssl.SSLCertVerificationError):
        # OpenSSL ends some of its reasons with a full stop, others not.
        why = error.verify_message.rstrip(".")
        return TlsError(f"The server's certificate was refused: {why}.", sent="no")
    why = error.reason or "TLS error"
    return TlsError(f"No secure connection could be made ({why}).", sent="no")
