"""Where things are in the simulated Paysafe.

Source: docs.paysafe.com, embedded wallets, for everything under `auth` and for the
outsourced attempts; a public demo project for most wallet paths, under `/v2`. Ours:
the consent page, the same wallet paths under `/v1`, and those that
`oauthmagic.sandbox.paysafe_resources` names.
"""

from __future__ import annotations

from typing import Final

from werkzeug.routing import Map, Rule

BASE: Final = "/digitalwallets"
AUTH: Final = f"{BASE}/v1/auth/brands"
EVENTS: Final = f"{BASE}/v1/auth/sca/events"
_VERSION: Final = f"{BASE}/<any(v1, v2):version>"
WALLETS: Final = (
    ("GET", "/customers", "customers"),
    ("GET", "/customers/<identifier>", "customer"),
    ("GET", "/customer-persons/<identifier>", "customer"),
    ("GET", "/customers/<identifier>/accounts", "accounts"),
    ("POST", "/customers/<identifier>/accounts", "create_account"),
    ("GET", "/accounts/<identifier>", "account"),
    ("POST", "/wallets", "create_wallet"),
    ("GET", "/transactions", "transactions"),
    ("GET", "/transactions/<identifier>", "transaction"),
    ("POST", "/transactions/deposits", "deposit"),
    ("POST", "/transactions/withdrawals", "withdraw"),
    ("POST", "/transactions/transfers", "transfer"),
)
URLS: Final = Map(
    [
        Rule(f"{AUTH}/<brand>/token", endpoint="token", methods=["POST"]),
        Rule(f"{AUTH}/<brand>/authorize", endpoint="authorize", methods=["GET"]),
        Rule(f"{AUTH}/<brand>/consent", endpoint="consent", methods=["GET", "POST"]),
        Rule(f"{EVENTS}/<event_id>/challenges", endpoint="challenge", methods=["POST"]),
        Rule(f"{EVENTS}/<event_id>/attempts", endpoint="attempt", methods=["POST"]),
        Rule(
            f"{_VERSION}/sca/events/<event_id>/attempts",
            endpoint="outsourced_attempt",
            methods=["POST"],
        ),
        *(
            Rule(_VERSION + path, endpoint=endpoint, methods=[method])
            for method, path, endpoint in WALLETS
        ),
    ],
    merge_slashes=False,
    strict_slashes=False,
)
#: Endpoints that read the query.
LISTS: Final = ("customers", "accounts", "transactions")
#: Endpoints that ask for strong customer authentication.
WITH_SCA: Final = ("withdraw", "transfer")
