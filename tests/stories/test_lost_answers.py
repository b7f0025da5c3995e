"""The answer to a refresh is lost, after the server has replaced the token."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from opened import quick_store
from rotating import RotatingServer

import oauthmagic
from oauthmagic.errors import ConnectionLost, LoginRequired

SUPPORT = Path(__file__).parent.parent / "support"


class Cuts:
    """Cuts the connection at the first so many answers."""

    def __init__(self, count):
        self.left = count

    def __call__(self):
        """Say what to do with this answer."""
        self.left -= 1
        return "cut" if self.left >= 0 else None


def session_at(server, tmp_path):
    """Hold an expired token of the server."""
    session = oauthmagic.Session(store=quick_store(tmp_path / "tokens"), environ={})
    session.add(server.provider_file(tmp_path))
    session.adopt(
        "acme",
        {
            "access_token": "fake-access-old",
            "refresh_token": server.new_family(),
            "expires_in": 0,
        },
        credentials={"client_id": "me"},
    )
    return session


def test_it_is_sent_once_more_and_a_server_that_forgives_answers(tmp_path):
    """Within five seconds; the user notices nothing."""
    with (
        RotatingServer(forgives=True, before_answer=Cuts(1)) as server,
        session_at(server, tmp_path) as session,
    ):
        assert session.api("acme", "GET /ping").status == 200
        assert (server.refreshes, server.reuses) == (2, 0)


def test_a_server_that_does_not_forgive_ends_the_login_with_its_reason(tmp_path):
    """Once, and with what to do; the dead token is not sent a third time."""
    with (
        RotatingServer(before_answer=Cuts(1)) as server,
        session_at(server, tmp_path) as session,
    ):
        with pytest.raises(LoginRequired, match="answer to a refresh was lost") as one:
            session.api("acme", "GET /ping")
        with pytest.raises(LoginRequired):
            session.refresh("acme")

        assert one.value.hint == "Log in again: %token acme@sandbox --fresh."
        assert (server.refreshes, server.reuses) == (1, 1)


def test_lost_twice_is_said_and_the_old_token_is_kept(tmp_path):
    """Nothing is known; the next try may succeed, and does."""
    with (
        RotatingServer(forgives=True, before_answer=Cuts(2)) as server,
        session_at(server, tmp_path) as session,
    ):
        with pytest.raises(ConnectionLost) as caught:
            session.refresh("acme")
        assert "is not known. The old one is kept" in caught.value.hint

        assert session.refresh("acme").access_token is not None


@pytest.mark.parametrize("forgives", [True, False])
def test_killed_between_the_rotation_and_the_write(tmp_path, forgives):
    """The old token is on the disk, whole: what can be done with it is done."""
    killed = []

    def kill_once():
        if killed:
            return None
        killed.append(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        return "cut"

    with (
        RotatingServer(forgives=forgives, before_answer=kill_once) as server,
        session_at(server, tmp_path) as session,
    ):
        process = subprocess.Popen(
            [
                sys.executable,
                SUPPORT / "renewing_process.py",
                tmp_path / "tokens",
                tmp_path / "acme.toml",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        process.communicate(b"go\n")

        assert killed == [process.pid]
        assert session.show("acme").access_token.reveal() == "fake-access-old"
        if forgives:
            assert session.api("acme", "GET /ping").status == 200
        else:
            with pytest.raises(LoginRequired, match="refresh token refused"):
                session.api("acme", "GET /ping")
