"""What can be asked of a STET bank.

Source: STET's API description (1.4), and BPCE's limits pages for what its banks offer:
no bank has `GET /trusted-beneficiaries`, only Banque Populaire the end user's identity.
"""

from __future__ import annotations

from oauthmagic.providers.endpoints import Endpoints, endpoint

ENDPOINTS = Endpoints(
    [
        endpoint("GET /accounts", "List the customer's accounts", "aisp"),
        endpoint(
            "GET /accounts/{accountResourceId}/balances",
            "Show the balances of an account, with the customer's consent",
            "aisp",
        ),
        endpoint(
            "GET /accounts/{accountResourceId}/transactions"
            "?dateFrom&dateTo&entryReferenceFrom&entryReferenceTo&page",
            "List the transactions of an account, with the customer's consent",
            "aisp",
        ),
        endpoint("PUT /consents", "Send which accounts the customer chose", "aisp"),
        endpoint("GET /end-user-identity", "Show the customer's name", "aisp"),
        endpoint(
            "POST /funds-confirmations",
            "Ask whether an account covers an amount",
            "cbpii",
            "piisp",
        ),
        endpoint("POST /payment-requests", "Initiate a payment", "pisp"),
        endpoint(
            "GET /payment-requests/{paymentRequestResourceId}",
            "Show how far a payment is",
            "pisp",
        ),
    ]
)
