"""Many rows against the simulators and over sockets: what a user would do."""

import os
import signal
import threading
import time
from pathlib import Path

import pandas as pd
import pytest
import sending_rows
from sending_rows import RowServer

from oauthmagic import Session
from oauthmagic.errors import CommandError, Interrupted
from oauthmagic.transport import engines


def acme(server, folder):
    """Return a session that knows a server on this machine as `acme`."""
    session = Session(
        environ={
            "OAUTHMAGIC_ACME_SANDBOX_CLIENT_ID": "me",
            "OAUTHMAGIC_ACME_SANDBOX_CLIENT_SECRET": "not-a-real-secret",
        }
    )
    file = Path(folder) / "acme.toml"
    file.write_text(sending_rows.PROVIDER.format(port=server.port), encoding="utf-8")
    session.add(file)
    return session


def test_the_balances_of_every_account_of_a_bank():
    """Each request is signed for its own path (STET), on the one login."""
    bank = "stet/13807@demo"
    session = Session(environ={})
    with pytest.raises(Exception, match="log in"):
        session.token(bank)
    session.resume(answer="accept")
    accounts = session.api(bank, "GET /accounts").frame("accounts")

    result = session.map(
        bank,
        "GET /accounts/{{resourceId}}/balances\nPSU-IP-Address: 192.0.2.1",
        accounts,
    )

    assert len(result) == len(accounts) > 1
    assert result["status"].notna().all()
    assert not result["error"].str.contains("ignature").any()


def test_a_storm_in_a_demo_takes_no_time_of_ours():
    """The demo's clock goes on by what it asks for; every row is answered."""
    session = Session(environ={})
    session.token("revsto@demo")
    demo = session.demo("revsto@demo")
    demo.throttle(40)
    begun = demo.now()
    rows = pd.DataFrame({"limit": range(1, 51)})

    result = session.map(
        "revsto@demo", "GET /distributor/v1/transactions?limit={{limit}}", rows
    )

    assert result["status"].eq(200).all()
    assert result["attempts"].tolist() == [2] + [1] * 49
    assert 40 <= (demo.now() - begun).total_seconds() <= 44


@pytest.mark.parametrize("has_curl", [True, False], ids=["best engine", "threads"])
def test_rows_over_sockets(tmp_path, monkeypatch, has_curl):
    """On the engine that is there, and on threads."""
    if not has_curl:
        monkeypatch.setattr(engines, "has_curl", lambda: False)
    with RowServer() as server, acme(server, tmp_path) as session:
        rows = pd.DataFrame({"id": range(300)})

        result = session.map("acme", "GET /rows/{{id}}", rows, concurrency=8)

    assert result["row"].tolist() == [*range(300)]
    assert sorted(server.asked) == [*range(300)]


@pytest.mark.parametrize("has_curl", [True, False], ids=["best engine", "threads"])
def test_ctrl_c_over_sockets(tmp_path, monkeypatch, has_curl):
    """At once, with what is done; nothing is sent after it."""
    if not has_curl:
        monkeypatch.setattr(engines, "has_curl", lambda: False)
    with RowServer(pause=0.02) as server, acme(server, tmp_path) as session:
        session.token("acme")
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        begun = time.monotonic()
        with pytest.raises(Interrupted) as caught:
            session.map(
                "acme",
                "GET /rows/{{id}}",
                pd.DataFrame({"id": range(5000)}),
                concurrency=4,
            )
        took = time.monotonic() - begun
        asked = len(server.asked)
        time.sleep(0.2)

    rows = caught.value.partial
    assert took < 3
    assert len(server.asked) <= asked + 4
    assert rows["status"].eq(200).sum() > 0
    # Those under way had not reached the server yet.
    assert rows["error"].eq("not sent").sum() >= 5000 - asked - 4


def test_what_is_no_engine_is_refused(tmp_path):
    """With a sentence; nothing is sent."""
    rows = pd.DataFrame({"id": [1]})
    with (
        RowServer() as server,
        acme(server, tmp_path) as session,
        pytest.raises(CommandError, match="no engine"),
    ):
        session.map("acme", "GET /{{id}}", rows, engine="x")

    assert server.asked == []
