"""Acme Bank for oauthmagic: copy this page, and replace what is Acme's.

Source: developer.acme.example, "Getting started" (say where each fact is from).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthmagic.providers.environments import TYPES, Environment
from oauthmagic.providers.provider import Provider

if TYPE_CHECKING:
    from oauthmagic.errors import OAuthMagicError

SCOPES = {
    "accounts": "View accounts and balances",
    "payments": "Prepare payments",
}

_HINTS = {
    ("token", 401): "Acme locks a client after three wrong secrets: check yours first.",
    ("api", 403): "The scope is missing, or your contract does not cover this call.",
    ("api", 429): "Acme allows 60 requests a minute.",
}


def explain(where: str, status: int | None, error: OAuthMagicError | None) -> str:
    """Return the documented cause and next step of a refusal, or ""."""
    if getattr(error, "error", "") == "invalid_scope":
        return "Acme names its scopes in the singular in its portal, not on the wire."
    return _HINTS.get((where, status or 0), "")


def _environment(name: str, domain: str) -> Environment:
    return TYPES[name](
        # Or no token_endpoint, and "issuer" among endpoints: then Acme is asked.
        token_endpoint=f"https://id.{domain}/token",
        api_base=f"https://api.{domain}/v1",
        endpoints={"revocation_endpoint": f"https://id.{domain}/revoke"},
    )


PROVIDER = Provider(
    name="acme",
    title="Acme Bank",
    environments={
        "sandbox": _environment("sandbox", "sandbox.acme.example"),
        "production": _environment("production", "acme.example"),
    },
    grants=("client_credentials", "refresh_token"),
    default_grant="client_credentials",
    scopes=SCOPES,
    default_scopes=("accounts",),
    explain=explain,
    documentation="https://developer.acme.example",
)
