"""What can be asked of Revsto / TagPay.

Source: docs.revsto.com/distributor-api: users, customer accounts, payment flows,
internal posting, events and webhooks. Paths of other operations could not be read, and
which scope `GET /transactions` wants is taken from the one of a single transaction.
"""

from __future__ import annotations

from oauthmagic.providers.endpoints import Endpoints, endpoint

_BASE = "/distributor/v1"
_PAGE = "?limit&offset&sort"

ENDPOINTS = Endpoints(
    [
        endpoint(
            f"GET {_BASE}/users/profiles{_PAGE}",
            "List the profiles that a user can have",
            "profile_view",
        ),
        endpoint(
            f"GET {_BASE}/products{_PAGE}",
            "List the products that an account can be opened for",
            "account_view",
        ),
        endpoint(
            f"POST {_BASE}/users/{{userId}}/accounts",
            "Open an account for a user",
            "account_creation",
        ),
        endpoint(
            f"GET {_BASE}/transactions{_PAGE}", "List transactions", "transaction_view"
        ),
        endpoint(
            f"GET {_BASE}/transactions/{{transactionId}}",
            "Show a transaction",
            "transaction_view",
        ),
        endpoint(
            f"POST {_BASE}/transactions/distributorPosting",
            "Move money between internal accounts",
            "posting",
        ),
        endpoint(f"POST {_BASE}/hooks", "Subscribe to events", "event_management"),
    ]
)
