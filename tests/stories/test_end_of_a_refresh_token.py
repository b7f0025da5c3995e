"""The refresh token has an end of its own, and it is shown as the server said it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

import oauthmagic
from oauthmagic.transport.wire import WireResponse

PROVIDER = """
[provider]
name = "acme"
grants = ["refresh_token"]

[environments.sandbox]
token_endpoint = "https://id.example/token"
api_base = "https://api.example"
"""
NOW = datetime(2030, 1, 1, tzinfo=UTC)


class TokenEndpoint:
    """Answers every request with a token; a transport."""

    def __init__(self, **members):
        self.members = {"access_token": "plainly-fake-2", "token_type": "Bearer"}
        self.members |= members

    def send(self, _request, **_):
        """Answer."""
        return WireResponse(
            status=200,
            headers=(("content-type", "application/json"),),
            body=json.dumps(self.members).encode(),
        )


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({}, 1800),
        ({"refresh_expires_in": 900}, 960),
        ({"refresh_token": "plainly-fake-r2"}, None),
        ({"refresh_token": "plainly-fake-r2", "refresh_expires_in": 1800}, 1860),
    ],
    ids=["the old one stays", "its end is told anew", "a new one", "a new one's end"],
)
def test_a_refresh_keeps_the_end_of_a_refresh_token_that_stays(
    tmp_path, answer, expected
):
    """A minute after it was adopted with half an hour to live."""
    time = [NOW]
    session = oauthmagic.Session(
        transport=TokenEndpoint(**answer), clock=lambda: time[0]
    )
    (tmp_path / "acme.toml").write_text(PROVIDER)
    session.add(tmp_path / "acme.toml")
    session.adopt(
        "acme",
        {"refresh_token": "plainly-fake-r1", "refresh_expires_in": 1800},
        credentials={"client_id": "analyst", "client_secret": "plainly-fake"},
    )

    time[0] += timedelta(minutes=1)
    token = session.refresh("acme")

    end = None if expected is None else NOW + timedelta(seconds=expected)
    assert token.refresh_expires_at == end
