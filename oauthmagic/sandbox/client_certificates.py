"""The client's certificate, on its way from the connection to a simulator.

Two entries of the WSGI environment, both optional:

    oauthmagic.client_certificate  the certificate as DER, where the client showed one
    oauthmagic.tls_alert           a function that ends the exchange as TLS would; there
                                   where no real TLS is (`in_process`)

Over a socket, TLS itself has refused a client without a certificate, if the server
was started so (`serving`); a server that does not ask for one makes its answer of
the refusal, as nginx does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from oauthmagic.sandbox.answers import refuse
from oauthmagic.transport.tls import alert_received

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

CLIENT_CERTIFICATE: Final = "oauthmagic.client_certificate"
TLS_ALERT: Final = "oauthmagic.tls_alert"

#: What OpenSSL calls the alerts of RFC 8446, section 6.2, when it reports them.
ALERTS: Final = {
    "certificate_required": "TLSV13_ALERT_CERTIFICATE_REQUIRED",
    "certificate_expired": "SSLV3_ALERT_CERTIFICATE_EXPIRED",
    "unknown_ca": "TLSV1_ALERT_UNKNOWN_CA",
}


def raise_alert(name: str) -> NoReturn:
    """End an exchange as a client sees it that gets this alert.

    Under TLS 1.3 it comes late: the client has sent its request by then.

    Args:
        name: A key of `ALERTS`.

    Raises:
        TlsError: Always.
    """
    raise alert_received(ALERTS[name])


def end_exchange(environ: WSGIEnvironment, name: str) -> NoReturn:
    """End an exchange for what its client certificate lacks.

    Args:
        environ: The request's environment.
        name: A key of `ALERTS`.

    Raises:
        TlsError: Where there is no real TLS.
        Refusal: Where there is one that let the client in; the body is ours.
    """
    alert = environ.get(TLS_ALERT)
    if alert is not None:
        alert(name)
    refuse(400, name, "A valid client certificate is required for this request.")
