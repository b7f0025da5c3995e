"""Tables of tokens, scopes and providers, with fixed dtypes; never token text.

The dtypes are named, so that pandas 2.2 and 3 agree, whatever is installed beside.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from oauthmagic.oauth.scopes import format_scope
from oauthmagic.oauth.targets import PRODUCTION_MARK, environment_of, production_mark
from oauthmagic.views.frames import collector_paused
from oauthmagic.views.untypeset import untypeset

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    import pandas as pd

    from oauthmagic.keys.preflight import Check
    from oauthmagic.oauth.tokens import Token
    from oauthmagic.providers.provider import Provider

TOKEN_DTYPES = {
    # What is looked at most comes first: a narrow screen cuts the rest.
    "target": "string",
    "status": "string",
    "remaining": "timedelta64[us]",
    "refreshable": "bool",
    "grant": "string",
    "subject": "string",
    "scopes": "string",
    "scopes_requested": "string",
    "issued": "datetime64[us, UTC]",
    "expires": "datetime64[us, UTC]",
    "fingerprint": "string",
    "alias": "string",
}
SCOPE_DTYPES = {
    "scope": "string",
    "description": "string",
    # Not known is neither yes nor no.
    "requested": "boolean",
    "granted": "boolean",
}
ENDPOINT_DTYPES = {
    # A narrow screen cuts what is in the middle.
    "path": "string",
    "method": "string",
    "scopes": "string",
    # Not known where no scope is described, or no token is held.
    "covered": "boolean",
    "summary": "string",
}
CHECK_DTYPES = {
    "check": "string",
    "ok": "bool",
    "found": "string",
    "advice": "string",
}
INTROSPECTION_DTYPES = {
    "member": "string",
    "server": "string",
    "here": "string",
}
PROVIDER_DTYPES = {
    "provider": "string",
    "title": "string",
    "environments": "string",
    "grants": "string",
    "default_grant": "string",
    "scopes": "int64",
}


_STATUS = {True: "expired", False: "valid", None: "unknown"}
_SECOND = timedelta(seconds=1)


@collector_paused()
def token_table(
    tokens: Iterable[Token], *, damaged: Iterable[str] = ()
) -> pd.DataFrame:
    """Return one row per token held, the latest last.

    Where one is of production, a column says so; elsewhere there is none. What many
    tokens have in common is worked out once: the time of their clock, their scopes.

    Args:
        tokens: The tokens.
        damaged: The target that each record says it is of that cannot be read; "" for
            one that does not say. These come first.
    """
    held = list(tokens)
    clocks = {id(token.clock): token.clock for token in held}
    now = {each: clock() for each, clock in clocks.items()}
    scopes = cache(lambda scopes: format_scope(sorted(scopes)))
    environment = cache(lambda target: _marked(environment_of(target)))
    lives = [_life(token, now[id(token.clock)]) for token in held]
    rows: dict[str, list[Any]] = {
        "target": [token.target for token in held],
        "environment": [environment(token.target) for token in held],
        "grant": [token.grant for token in held],
        "subject": [token.subject for token in held],
        "scopes": [scopes(token.scopes) for token in held],
        "scopes_requested": [scopes(token.scopes_requested) for token in held],
        "issued": [token.issued_at for token in held],
        "expires": [token.expires_at for token in held],
        "remaining": [left for _, left in lives],
        "status": [status for status, _ in lives],
        "refreshable": [token.refresh_token is not None for token in held],
        "fingerprint": [token.fingerprint for token in held],
        "alias": [token.alias for token in held],
    }
    lost = [_damaged_row(target) for target in damaged]
    table = _table(
        {
            name: [*(row[name] for row in lost), *column]
            for name, column in rows.items()
        },
        {"environment": "string", **TOKEN_DTYPES},
    )
    if (table["environment"] == PRODUCTION_MARK).any():
        table = table[["target", "environment", *list(TOKEN_DTYPES)[1:]]]
        return untypeset(table)
    return untypeset(table.drop(columns="environment"))


def _damaged_row(target: str) -> dict[str, Any]:
    environment = _marked(environment_of(target)) if target else None
    known = {"target": target or None, "environment": environment, "status": "damaged"}
    return dict.fromkeys(TOKEN_DTYPES) | {"refreshable": False} | known


def _marked(environment: str) -> str:
    return PRODUCTION_MARK if production_mark(environment) else environment


def scope_table(provider: Provider, token: Token | None) -> pd.DataFrame:
    """Return one row per scope of a provider, with what the token asked and got."""
    requested = token.scopes_requested if token else frozenset()
    granted = token.scopes if token else frozenset()
    unknown = token is not None and not granted
    names = dict.fromkeys([*provider.scopes, *sorted(requested | granted)])
    return _frame(
        [
            {
                "scope": name,
                "description": provider.scopes.get(name, ""),
                "requested": None if unknown else name in requested,
                "granted": None if unknown else name in granted,
            }
            for name in names
        ],
        SCOPE_DTYPES,
    )


def endpoint_table(provider: Provider, token: Token | None) -> pd.DataFrame:
    """Return one row per endpoint, with whether the token's scopes cover it."""
    granted = token.scopes if token else frozenset()
    return _frame(
        [
            {
                "method": each.method,
                "path": each.path,
                "summary": each.summary,
                "scopes": each.needs,
                "covered": not each.missing(granted)
                if granted and each.needs
                else None,
            }
            for each in provider.endpoints
        ],
        ENDPOINT_DTYPES,
    )


def provider_table(
    providers: Iterable[tuple[str, Provider | Exception]],
) -> pd.DataFrame:
    """Return one row per provider that can be named, or why it cannot be had."""
    rows: list[dict[str, Any]] = []
    for name, provider in providers:
        if isinstance(provider, Exception):
            row = {"title": str(provider), "environments": "", "grants": ""}
            rows.append(row | {"provider": name, "default_grant": "", "scopes": 0})
            continue
        rows.append(
            {
                "provider": provider.name,
                "title": provider.title,
                "environments": ", ".join(provider.environments),
                "grants": ", ".join(provider.grants),
                "default_grant": provider.default_grant,
                "scopes": len(provider.scopes),
            }
        )
    return _frame(rows, PROVIDER_DTYPES)


def check_table(checks: Iterable[Check]) -> pd.DataFrame:
    """Return one row per thing that was looked at in certificates.

    Where nothing is to be done there is no column of advice: a terminal then shows
    all of the others.
    """
    rows = [
        {
            "check": each.name,
            "ok": each.ok,
            "found": each.found,
            "advice": each.advice,
        }
        for each in checks
    ]
    table = _frame(rows, CHECK_DTYPES)
    if any(row["advice"] for row in rows):
        return table
    return untypeset(table.drop(columns="advice"))


def introspection_table(facts: Iterable[tuple[str, str, str]]) -> pd.DataFrame:
    """Return one row for each thing that a server says of a token."""
    rows = [dict(zip(INTROSPECTION_DTYPES, each, strict=True)) for each in facts]
    return _frame(rows, INTROSPECTION_DTYPES)


def status(token: Token) -> str:
    """Return "valid", "expired" or "unknown": whether the access token is over."""
    return _STATUS[token.is_expired()]


def _life(token: Token, now: datetime) -> tuple[str, timedelta | None]:
    """Return a token's status and the whole seconds left, as it says by itself."""
    expired = token.access_token is None
    if token.expires_at is None:
        return _STATUS[expired or None], None
    left = (token.expires_at - now) // _SECOND
    return _STATUS[expired or now >= token.expires_at], max(left, 0) * _SECOND


def _frame(rows: list[dict[str, Any]], dtypes: dict[str, str]) -> pd.DataFrame:
    return _table({name: [row[name] for row in rows] for name in dtypes}, dtypes)


def _table(columns: dict[str, list[Any]], dtypes: dict[str, str]) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - heavy

    # By column, so that a table without rows has the same dtypes.
    return untypeset(
        pd.DataFrame(
            {name: pd.Series(columns[name], dtype=of) for name, of in dtypes.items()}
        )
    )
