"""The authorization endpoint of the simulated STET bank: RFC 6749, section 4.1.

Source: the provider's page "Get your token". Which parameters come back after a
refusal or a timeout is not documented: `error` and `state` are those of the RFC.
Whether the bank knows PKCE is not documented either: a challenge that is sent is
kept and verified (RFC 7636), and none is wanted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from oauthmagic.providers import stet_banks
from oauthmagic.sandbox.answers import Refusal
from oauthmagic.sandbox.stet_data import CUSTOMER
from oauthmagic.sandbox.stet_logins import Login
from oauthmagic.sandbox.stet_screens import (
    Decision,
    Screen,
    redirect,
    refuse_page,
    with_parameters,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from oauthmagic.sandbox.stet_clients import Client
    from oauthmagic.sandbox.stet_tokens import TokenServer

#: Scopes that a customer can consent to, and how a page says it.
CONSENTS: Final = {
    "aisp": "see your accounts, balances and transactions",
    "cbpii": "ask whether an amount is available",
    "piisp": "ask whether an amount is available",
    "pisp": "prepare payments",
}
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def consent_screen(
    query: Mapping[str, Sequence[str]],
    *,
    bank: str,
    path: str,
    clients: Mapping[str, Client],
    tokens: TokenServer,
    clock: Callable[[], datetime],
) -> Screen:
    """Return the screen that an authorization request leads to.

    Args:
        query: The request's parameters with all their values.
        bank: The bank's code.
        path: Where the decision is sent to.
        clients: Who is registered.
        tokens: What issues the code.
        clock: The time (aware).

    Raises:
        Refusal: A page, where the redirect URI cannot be trusted; else a redirect
            with `error`.
    """
    if any(len(values) > 1 for values in query.values()):
        refuse_page("A parameter of the request is there twice.")
    asked = {name: values[0] for name, values in query.items()}
    client = clients.get(asked.get("client_id", ""))
    if client is None:
        refuse_page("No such client_id is registered.")
    redirect_uri = asked.get("redirect_uri", "")
    if not client.may_redirect_to(redirect_uri):
        refuse_page("The redirect_uri is not registered for this client_id.")
    state = asked.get("state", "")
    if fault := _fault(asked, client, clock()):
        error, description = fault
        raise Refusal(
            redirect(
                with_parameters(
                    redirect_uri,
                    {
                        "error": error,
                        "error_description": description,
                        "state": state,
                    },
                )
            )
        )
    scopes = tuple(dict.fromkeys(asked["scope"].split(" ")))
    challenge = asked.get("code_challenge", "")

    def end(decision: Decision) -> str:
        if decision == "accept":
            login = Login(
                client_id=client.client_id,
                bank=bank,
                customer=CUSTOMER,
                scopes=scopes,
                authenticated_at=clock(),
            )
            answer = {"code": tokens.issue_code(login, redirect_uri, challenge)}
        else:
            why = "refused" if decision == "refuse" else "let the time run out"
            answer = {
                "error": "access_denied",
                "error_description": f"The customer {why}.",
            }
        return with_parameters(redirect_uri, {**answer, "state": state})

    return Screen(
        title=f"{stet_banks.name_of(bank)}: consent",
        facts=(
            ("Who asks", f"{client.name} ({client.client_id})"),
            ("What for", "; ".join(dict.fromkeys(CONSENTS[each] for each in scopes))),
            ("Where you go afterwards", redirect_uri),
        ),
        action=path,
        end=end,
    )


def _fault(
    asked: Mapping[str, str], client: Client, now: datetime
) -> tuple[str, str] | None:
    """Return what is wrong with a request that may be redirected."""
    scopes = asked.get("scope", "").split(" ")
    known = all(each in CONSENTS and each in client.scopes for each in scopes)
    challenge = asked.get("code_challenge")
    method = asked.get("code_challenge_method")
    is_s256 = method == "S256" and bool(_CHALLENGE.fullmatch(challenge or ""))
    checks = (
        (
            asked.get("response_type") == "code",
            ("unsupported_response_type", "The response_type must be code."),
        ),
        (
            client.is_active(now),
            ("unauthorized_client", "The registration does not count yet."),
        ),
        (
            "extended_transaction_history" not in scopes,
            ("invalid_scope", "extended_transaction_history is not supported."),
        ),
        (known, ("invalid_scope", "The scope is unknown, or not registered.")),
        (
            is_s256 or challenge is None is method,
            ("invalid_request", "The code_challenge must be one of S256."),
        ),
    )
    return next((fault for is_right, fault in checks if not is_right), None)
