"""Revsto / TagPay, Distributor API.

Source: docs.revsto.com/distributor-api: authentication, faq, customer-accounts.

The token server behaves like league/oauth2-server; which version is not
documented, so both of its error families are understood. Whether the refresh
grant is enabled is documented as "if supported". RFC 9700 forbids the password
grant; this provider documents no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthmagic.errors import OAuthError
from oauthmagic.providers.environments import (
    DemoEnvironment,
    ProductionEnvironment,
    SandboxEnvironment,
)
from oauthmagic.providers.paging import by_offset
from oauthmagic.providers.provider import Provider
from oauthmagic.providers.revsto_endpoints import ENDPOINTS

if TYPE_CHECKING:
    from oauthmagic.errors import OAuthMagicError

_TOKEN_PATH = "/api/distributor/v1/oauth2/token"  # noqa: S105 - a path

SCOPES = {
    "profile_view": "View user profiles and identity information",
    "kyc_view": "View KYC document requirements and status",
    "user_creation": "Create new user accounts and identities",
    "document_management": "Upload and manage KYC documents",
    "open_identity": "Open and activate user accounts",
    "account_creation": "Create financial product accounts for users",
    "account_view": "View account information, balances, and details",
    "account_close": "Close and deactivate accounts",
    "user_deactivate": "Deactivate user accounts",
    "event_management": "Create, modify, and delete webhook subscriptions",
    "transaction_view": "View transaction history and details",
    "customer-instruction_view": "View customer payment instructions",
    "payment-instruction_view": "View payment instruction details",
    "customer-instruction_initiation": "Initiate customer payment instructions",
    "customer-instruction_submission": "Submit customer payment instructions",
    # Not a misprint of the line above: the page lists both.
    "customer-instruction_submit": "Direct submit customer payment instructions",
    "posting": "Perform internal posting operations",
}

#: What an explorer needs and nothing that changes data. The page advises to ask
#: for all 17; RFC 9700, section 2.3, for no more than is needed.
READ_ONLY = ("profile_view", "kyc_view", "account_view", "transaction_view")

ENVIRONMENTS = {
    "demo": DemoEnvironment(
        token_endpoint=f"https://revsto-token.demo.invalid{_TOKEN_PATH}",
        api_base="https://revsto.demo.invalid/api",
    ),
    # The token endpoints are on other hosts than the API, as documented.
    "sandbox": SandboxEnvironment(
        token_endpoint=f"https://35702.tagpay.fr{_TOKEN_PATH}",
        api_base="https://sandbox.revsto.com/api",
    ),
    "production": ProductionEnvironment(
        token_endpoint=f"https://35703.tagpay.fr{_TOKEN_PATH}",
        api_base="https://login.revsto.com/api",
    ),
}

_TOKEN_HINTS = {
    400: "Revsto answers 400 for missing or invalid parameters, and also when the "
    "credentials belong to the other environment or your IP address is not on its "
    "allow list: check the environment (@sandbox or @production), then ask Revsto "
    "to allow your address.",
    401: "Verify username, password, client_id and client_secret. The attempt was "
    "not repeated, so that the account is not locked.",
    403: "Contact Revsto to verify that API access is enabled for your account.",
    429: "The rate limit is exceeded: wait, then try again less often.",
}
_API_HINTS = {
    400: "Check the parameters; product and profile ids differ between sandbox and "
    "production.",
    401: "The token is expired or revoked: %token TARGET --fresh gets a new one.",
    403: "The token lacks the scope for this endpoint, or API access is not enabled: "
    "compare %token scopes TARGET, ask for more with --scope, or contact Revsto.",
    429: "The rate limit is exceeded: wait, then try again less often.",
}


def explain(where: str, status: int | None, error: OAuthMagicError | None) -> str:
    """Return the documented cause and next step of a refusal, or ""."""
    # A code that says exactly what is wrong beats the page's table of statuses;
    # wrong user names come as 400 from newer servers of this family.
    code = error.error if isinstance(error, OAuthError) else ""
    if code in ("invalid_scope", "unsupported_grant_type", "unauthorized_client"):
        return ""
    if code in ("invalid_grant", "invalid_credentials"):
        return _TOKEN_HINTS[401]
    return (_TOKEN_HINTS if where == "token" else _API_HINTS).get(status or 0, "")


PROVIDER = Provider(
    name="revsto",
    title="Revsto / TagPay",
    environments=ENVIRONMENTS,
    grants=("password", "refresh_token"),
    default_grant="password",
    scopes=SCOPES,
    default_scopes=READ_ONLY,
    # Every runnable sample of the page sends id and secret in the form.
    token_endpoint_auth_method="client_secret_post",  # noqa: S106 - the method's name
    envelope="items",
    probe="/distributor/v1/products",
    endpoints=ENDPOINTS,
    next_page=by_offset,
    explain=explain,
    simulator="oauthmagic.sandbox.revsto:create",
    documentation="https://docs.revsto.com/distributor-api/authentication",
)
