"""Paysafe embedded wallets.

Source: docs.paysafe.com/api/embedded-wallets, common/authentication, and
docs.paysafe.com/docs/embedded-wallets, strong-customer-authentication.

The names of the parameters of the password, token exchange and code grants are
not documented in what could be read; the standard's names are used. RFC 9700
forbids the password grant; the page offers it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthmagic.oauth.grants import TOKEN_EXCHANGE
from oauthmagic.providers.environments import TYPES, Environment
from oauthmagic.providers.paging import by_meta
from oauthmagic.providers.paysafe_endpoints import ENDPOINTS
from oauthmagic.providers.provider import Provider

if TYPE_CHECKING:
    from oauthmagic.errors import OAuthMagicError

SCOPES = {
    # The only scope that the documentation shows; what it allows is not described.
    "whitelabelWallet": "Use the embedded wallets of the brand",
}


def _environment(name: str, origin: str) -> Environment:
    """Return an environment; the brand is a part of the path (page: brandIdentity)."""
    base = f"{origin}/digitalwallets"
    auth = f"{base}/v1/auth/brands/{{tenant}}"
    return TYPES[name](
        token_endpoint=f"{auth}/token",
        api_base=base,
        endpoints={
            "authorization_endpoint": f"{auth}/authorize",
            "sca_endpoint": f"{base}/v1/auth/sca/events",
        },
    )


_TOKEN_HINTS = {
    401: "Verify client_id and client_secret; credentials of the test environment are "
    "refused by the live one, and the reverse.",
    404: "The brand is not known: check the word behind paysafe/.",
    429: "Too many requests: wait, then try again less often.",
}
_API_HINTS = {
    401: "The token is missing, invalid or expired: %token TARGET --fresh.",
    403: "The token may not do this: admin, configuration and customer tokens open "
    "different operations.",
    429: "Too many requests: wait, then try again less often.",
}


def explain(where: str, status: int | None, error: OAuthMagicError | None) -> str:
    """Return the documented cause and next step of a refusal, or ""."""
    code = getattr(error, "error", "")
    if code not in ("", "invalid_client") and not code.startswith("DW-"):
        return ""  # the code says more than the status
    return (_TOKEN_HINTS if where == "token" else _API_HINTS).get(status or 0, "")


PROVIDER = Provider(
    name="paysafe",
    title="Paysafe embedded wallets",
    environments={
        "demo": _environment("demo", "https://paysafe.demo.invalid"),
        "sandbox": _environment("sandbox", "https://api.test.paysafe.com"),
        "production": _environment("production", "https://api.paysafe.com"),
    },
    grants=(
        "client_credentials",
        "authorization_code",
        "password",
        TOKEN_EXCHANGE,
        "refresh_token",
    ),
    default_grant="client_credentials",
    scopes=SCOPES,
    # "{URL-encoded-client-ID}:{URL-encoded-client-secret}", as RFC 6749 has it.
    token_endpoint_auth_method="client_secret_basic",  # noqa: S106 - the method's name
    basic_encoding="form",
    # Any brand; `liberty` is the page's example.
    tenants={},
    tenant_kind="brand",
    probe="/v1/customers",
    endpoints=ENDPOINTS,
    step_up="sca",
    next_page=by_meta,
    explain=explain,
    simulator="oauthmagic.sandbox.paysafe:create",
    documentation="https://docs.paysafe.com/api/embedded-wallets",
)
