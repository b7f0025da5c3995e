"""The client under test: a session that goes through one grant against a server."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import urllib.parse
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hostile_servers import Answer, plain

from oauthmagic import Session, UserActionRequired
from oauthmagic.oauth.grants import TOKEN_EXCHANGE
from oauthmagic.providers.file import read_provider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hostile_servers import HostileServer

    from oauthmagic import Token
    from oauthmagic.providers.provider import Provider

    Hostile = Callable[[bytes], Answer] | Answer

NOW = datetime(2030, 1, 1, 9, tzinfo=UTC)
# Each encoding writes these in its own way; each is one of a kind.
CLIENT_SECRET = 'plainly-fake-secret/+%41 &é"\\<:'
PASSWORD = 'plainly-fake-password/+%41 &é"\\<:'
OLD_ACCESS = "plainly-fake-old-access.0123456789/+="
OLD_REFRESH = "plainly-fake-old-refresh.9876543210/+="
SUBJECT = "plainly-fake-subject.5555/+="
CODE = "plainly-fake-code.7777/+="
REDIRECT_URI = "https://me.example/callback"

DETAILS = {
    "eventId": "event-1",
    "walletOperationId": "operation-1",
    "authenticationMode": "EMBEDDED",
    "availableVerifications": [{"method": "PIN"}],
}
#: A 401's challenge that asks for a second factor.
CHALLENGE = 'SCA realm="x", auth-param1="{}"'.format(
    base64.b64encode(json.dumps({"scaDetails": DETAILS}).encode()).decode()
)
PROVIDER = f"""
[provider]
name = "acme"
title = "Acme"
default_grant = "client_credentials"
grants = [
    "client_credentials", "password", "authorization_code", "refresh_token",
    "{TOKEN_EXCHANGE}",
]

[environments.sandbox]
token_endpoint = "{{url}}/token"
authorization_endpoint = "{{url}}/authorize"
api_base = "{{url}}/api"
"""
#: The grants of the client, one of them with a second factor, and what each sends
#: beside the client's secret, by the name that stands for it in the data files.
FLOWS = {
    "client_credentials": {},
    "password": {"PASSWORD": PASSWORD},
    "authorization_code": {"CODE": CODE},
    "token_exchange": {"SUBJECT": SUBJECT},
    "refresh_token": {"OLD_REFRESH": OLD_REFRESH},
    "step_up": {"PASSWORD": PASSWORD},
}


def sent_in(flow: str) -> dict[str, str]:
    """Return what a server can repeat of a flow, by the name that stands for it."""
    nothing = dict.fromkeys(("PASSWORD", "CODE", "SUBJECT", "OLD_REFRESH"), "-")
    known = {"CLIENT_SECRET": CLIENT_SECRET, "CHALLENGE": CHALLENGE}
    return nothing | known | FLOWS[flow]


def provider_at(url: str, *, step_up: str = "") -> Provider:
    """Return a provider with every grant, all of it at one server."""
    described = read_provider(
        PROVIDER.format(url=url), source="acme.toml", folder=Path()
    )
    # What a file cannot say.
    sandbox = described.environments["sandbox"]
    endpoints = {**sandbox.endpoints, "sca_endpoint": f"{url}/sca"}
    return replace(
        described,
        environments={"sandbox": replace(sandbox, endpoints=endpoints)},
        step_up=step_up,
    )


@contextlib.contextmanager
def session_at(
    server: HostileServer, *, step_up: str = "", **changes: Any
) -> Iterator[Session]:
    """Make a session that knows the server; its time goes on when it waits."""
    slept: list[float] = []
    session = Session(
        **{
            "environ": {},
            "clock": lambda: NOW + timedelta(seconds=sum(slept)),
            "sleep": slept.append,
            "randomness": os.urandom,
            **changes,
        }
    )
    with contextlib.closing(session):
        session.add(provider_at(server.url, step_up=step_up))
        session.slept = slept  # type: ignore[attr-defined] - for the test to look at
        yield session


def credentials() -> dict[str, str]:
    """Return credentials that no frame of a test keeps."""
    return {
        "client_id": "analyst",
        "client_secret": CLIENT_SECRET,
        "username": "zoé",
        "password": PASSWORD,
        "subject_token": SUBJECT,
        "redirect_uri": REDIRECT_URI,
    }


def run(
    session: Session,
    flow: str,
    server: HostileServer,
    hostile: Hostile,
) -> Token:
    """Go through a grant whose token request has a hostile answer; return the token."""
    if flow == "refresh_token":
        held = {"access_token": OLD_ACCESS, "refresh_token": OLD_REFRESH}
        session.adopt("acme", held | {"expires_in": 300}, credentials=credentials())
        server.play(hostile)
        return session.refresh("acme")
    if flow == "authorization_code":
        try:
            session.token("acme", grant=flow, fresh=True, credentials=credentials())
        except UserActionRequired as error:
            asked = error.pending
        server.play(hostile)
        return session.resume("acme", answer=redirected(asked.url))
    if flow == "step_up":
        return attempt(session, server, plain(200, {"status": "VERIFIED"}), hostile)
    server.play(hostile)
    return session.token("acme", grant=flow, fresh=True, credentials=credentials())


def attempt(session: Session, server: HostileServer, *answers: Hostile) -> Token:
    """Log in with a second factor; its attempt and what follows have these answers."""
    own = plain(200, {"access_token": "own-token-1", "token_type": "Bearer"})
    server.play(plain(401, WWW_Authenticate=CHALLENGE), own, *answers)
    with contextlib.suppress(UserActionRequired):
        session.token("acme", grant="password", fresh=True, credentials=credentials())
    return session.resume("acme", answer="1234")


def redirected(url: str, **changes: str | None) -> str:
    """Return the redirected URL that answers an authorization request."""
    asked = dict(urllib.parse.parse_qsl(url.partition("?")[2]))
    parameters = {"state": asked["state"], "code": CODE} | changes
    query = urllib.parse.urlencode({k: v for k, v in parameters.items() if v})
    return f"{asked['redirect_uri']}?{query}"
