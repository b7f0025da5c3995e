"""What can be asked of Paysafe embedded wallets.

Source: docs.paysafe.com, embedded wallets, for lists and step-ups; a public demo
project for most paths of wallets. Which scope one wants is not documented: a token is
an admin's, a configuration's or a customer's.
"""

from __future__ import annotations

from oauthmagic.providers.endpoints import Endpoints, endpoint

_PAGE = "limit&offset"

ENDPOINTS = Endpoints(
    [
        endpoint(f"GET /v1/customers?{_PAGE}", "List customers"),
        endpoint("GET /v1/customers/{customerId}", "Show a customer"),
        endpoint("GET /v1/customer-persons/{customerId}", "Show a person"),
        endpoint(
            f"GET /v1/customers/{{customerId}}/accounts?{_PAGE}",
            "List the accounts of a customer",
        ),
        endpoint(
            "POST /v1/customers/{customerId}/accounts", "Open an account for a customer"
        ),
        endpoint("GET /v1/accounts/{accountId}", "Show an account and its balance"),
        endpoint("POST /v1/wallets", "Open a wallet: a customer with an account"),
        endpoint(
            f"GET /v1/transactions?accountId&customerId&{_PAGE}", "List transactions"
        ),
        endpoint("GET /v1/transactions/{transactionId}", "Show a transaction"),
        endpoint("POST /v1/transactions/deposits", "Pay into an account"),
        endpoint(
            "POST /v1/transactions/withdrawals",
            "Pay out; a second factor may be asked for",
        ),
        endpoint(
            "POST /v1/transactions/transfers",
            "Move money between wallets; a second factor may be asked for",
        ),
    ]
)
