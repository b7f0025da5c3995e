"""Banks with the STET PSD2 API, as BPCE 89C3 runs it.

Source: www.api.89c3.com, "Get your token" and "Refresh your token" (STET
1.4.0.47, part I, section 3.4.3.2), and the limits pages of its products.

One host for each bank code, tokens for each bank. The client authenticates by its
QWAC and its `client_id`; there is no client secret. Code and refresh requests go
without `scope`. Which path revokes a token is not documented.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from oauthmagic.keys import preflight as checks
from oauthmagic.keys.pem import read_pem
from oauthmagic.keys.qualified import load_private_key, read_certified_key
from oauthmagic.keys.signatures import http_date, signed_headers
from oauthmagic.providers.environments import TYPES, Environment
from oauthmagic.providers.paging import by_hal
from oauthmagic.providers.provider import Provider
from oauthmagic.providers.stet_banks import BANKS
from oauthmagic.providers.stet_endpoints import ENDPOINTS
from oauthmagic.transport.urls import parse_url

if TYPE_CHECKING:
    from datetime import datetime

    from oauthmagic.errors import OAuthMagicError
    from oauthmagic.keys.preflight import Check
    from oauthmagic.keys.qualified import CertifiedKey
    from oauthmagic.oauth.credentials import Credentials
    from oauthmagic.providers.preparation import Preparation
    from oauthmagic.redaction import Secret
    from oauthmagic.transport.wire import WireRequest

SCOPES = {
    "aisp": "Account information: accounts, balances, transactions",
    "extended_transaction_history": "With aisp: the whole history (not at BPCE)",
    "cbpii": "Funds availability (STET 1.4.2 and later)",
    "piisp": "Funds availability (the name of STET 1.4.0)",
    "pisp": "Payment initiation",
    "manageRegistration": "Registration of a client (client_credentials, with the "
    "bank's generic client_id, alone)",
}

#: STET version -> the part of the path that stands for it.
VERSIONS = {"1.4.2": "v1.4.2", "1.4.0": "v1", "1.6.2": "v1.6.2"}


def _environment(name: str, host: str, **endpoints: str) -> Environment:
    base = f"https://www.{{tenant}}.{host}/stet/psd2"
    return TYPES[name](
        token_endpoint=f"{base}/oauth/token",
        api_base=f"{base}/{{version}}",
        endpoints={
            "authorization_endpoint": f"{base}/oauth/authorize",
            **{key: f"{base}{path}" for key, path in endpoints.items()},
        },
    )


_ABOUT_THE_QWAC = (
    "The bank compares your QWAC with the request: its authorization number with "
    "client_id, its roles with the scope. %token show TARGET lists what it sees."
)
_TOKEN_HINTS = {
    "invalid_client": _ABOUT_THE_QWAC,
    "unauthorized_client": _ABOUT_THE_QWAC,
    "invalid_grant": "The code is used once and for seconds only, and a refresh token "
    "ends 90 or 180 days after the customer's last strong authentication: start the "
    "login again.",
}
_API_HINTS = {
    401: "The token is expired or revoked: %token TARGET --fresh.",
    403: "The bank checks role, validity and client_id of your certificate on every "
    "call: %token show TARGET lists what it sees. Balances and transactions also "
    "need the customer's consent for the account (PUT /consents).",
    404: "Check the path and the id; NAAC alone means that the customer has no "
    "available account, an empty list.",
    429: "Without PSU-IP-Address a bank answers four calls a day for each customer, "
    "account and method; send the header only while the customer is there.",
}


def explain(where: str, status: int | None, error: OAuthMagicError | None) -> str:
    """Return the documented cause and next step of a refusal, or ""."""
    if where == "token":
        return _TOKEN_HINTS.get(getattr(error, "error", ""), "")
    return _API_HINTS.get(status or 0, "")


def no_rows(status: int, body: object) -> bool:
    """Say whether a reply means that the customer has no available account."""
    return (
        status == 404  # noqa: PLR2004
        and isinstance(body, dict)
        and body.get("message") == "NAAC"
    )


def prepare(request: WireRequest, preparation: Preparation) -> WireRequest:
    """Name the request, and sign it with the QSealC where one is given.

    The signed headers are those of a client that works with BPCE; the key is named
    by the `client_id`.
    """
    given = {name.lower() for name, _ in request.headers}
    headers: tuple[tuple[str, str], ...] = (
        *request.headers,
        ("Date", http_date(preparation.clock())),
        *[("X-Request-ID", preparation.guid())] * ("x-request-id" not in given),
    )
    signing_key = preparation.credentials.signing_key
    if signing_key:
        url = parse_url(request.url)
        headers = signed_headers(
            headers,
            key=load_private_key(read_pem(signing_key, "signing_key")),
            key_id=preparation.credentials.client_id,
            method=request.method,
            path_and_query=f"{url.path}?{url.query}" if url.query else url.path,
            body=request.body,
            always_post=preparation.settings["signed_method"] == "post",
        )
    return replace(request, headers=headers)


def preflight(
    credentials: Credentials, scopes: tuple[str, ...], now: datetime
) -> tuple[Check, ...]:
    """Look at the certificates as the bank will (page "Get your token", steps 3, 6).

    For a registration the `client_id` is the bank's generic one, which is in nobody's
    certificate.
    """
    found = checks.preflight(
        _pair(credentials.certificate, credentials.private_key, ""),
        _pair(credentials.signing_certificate, credentials.signing_key, "signing_"),
        client_id=credentials.client_id,
        scopes=[scope for scope in scopes if scope in checks.ROLE_OF],
        now=now,
    )
    if "manageRegistration" not in scopes:
        return found
    return tuple(each for each in found if not each.name.endswith("client_id"))


def _pair(
    certificate: str | Secret, key: str | Secret, prefix: str
) -> CertifiedKey | None:
    if not (certificate and key):
        return None
    return read_certified_key(
        read_pem(certificate, f"{prefix}certificate").reveal(),
        read_pem(key, f"{prefix or 'private_'}key"),
    )


PROVIDER = Provider(
    name="stet",
    title="STET PSD2 bank (BPCE 89C3)",
    environments={
        # RFC 7009 is named by the page, its path is not: this one is ours.
        "demo": _environment(
            "demo", "stet.demo.invalid", revocation_endpoint="/oauth/revoke"
        ),
        "sandbox": _environment("sandbox", "sandbox.api.89C3.com".lower()),
        "production": _environment("production", "live.api.89c3.com"),
    },
    grants=("authorization_code", "client_credentials", "refresh_token"),
    default_grant="authorization_code",
    scopes=SCOPES,
    # "aisp extended_transaction_history mode is NOT supported" (limits pages).
    # Registration is asked for alone, with another client_id.
    not_offered=("extended_transaction_history", "manageRegistration"),
    default_scopes=("aisp",),
    token_endpoint_auth_method="tls_client_auth",  # noqa: S106 - the method's name
    tenants=BANKS,
    tenant_kind="bank code",
    settings={
        "version": VERSIONS,
        # What a signature calls the method: a client that works with BPCE writes
        # "post" for every request.
        "signed_method": {"real": "real", "post": "post"},
        # Older pages, the seed of this adapter among them, say 90; newer ones 180.
        "consent_days": {"90": "90", "180": "180"},
    },
    consent_days="consent_days",
    prepare=prepare,
    probe="/accounts",
    endpoints=ENDPOINTS,
    preflight=preflight,
    next_page=by_hal,
    no_rows=no_rows,
    explain=explain,
    simulator="oauthmagic.sandbox.stet:create",
    documentation="https://www.api.89c3.com",
)
