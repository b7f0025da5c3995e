"""A forked child goes on with a session, and shares no lock and no socket."""

import os
import threading

import pytest
from opened import quick_store
from rotating import RotatingServer

import oauthmagic
from oauthmagic.errors import LoginRequired

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def in_child(step):
    """Run a step in a forked child; return how it ended."""
    child = os.fork()
    if not child:  # no test goes on in here
        try:
            step()
        except BaseException:  # noqa: BLE001 - told by the number
            os._exit(1)
        os._exit(0)
    return child


def test_a_child_that_is_forked_while_a_token_is_renewed(tmp_path):
    """Its parent's thread is not in it; it waits for the lock, and finds the token."""
    begun, let_go = threading.Event(), threading.Event()

    def hold():
        begun.set()
        let_go.wait()

    with (
        RotatingServer(before_answer=hold) as server,
        oauthmagic.Session(store=quick_store(tmp_path / "t"), environ={}) as session,
    ):
        session.add(server.provider_file(tmp_path))
        session.adopt(
            "acme",
            {"refresh_token": server.new_family()},
            credentials={"client_id": "me"},
        )
        thread = threading.Thread(target=session.api, args=("acme", "GET /ping"))
        thread.start()
        begun.wait()
        child = in_child(lambda: check(session))
        let_go.set()
        thread.join()
        _, status = os.waitpid(child, 0)

        assert status == 0
        assert (server.refreshes, server.revoked) == (1, 0)
        assert session.api("acme", "GET /ping").status == 200


def check(session):
    """Use the token."""
    assert session.api("acme", "GET /ping").status == 200


def test_a_child_does_not_refresh_what_its_parent_holds_in_memory(tmp_path):
    """Both would send the one refresh token; the login would be over for both."""

    def refuse():
        with pytest.raises(LoginRequired) as caught:
            session.api("acme", "GET /ping")
        assert 'choose the store "file"' in caught.value.hint

    with RotatingServer() as server, oauthmagic.Session(environ={}) as session:
        session.add(server.provider_file(tmp_path))
        session.adopt(
            "acme",
            {"refresh_token": server.new_family()},
            credentials={"client_id": "me"},
        )
        children = [in_child(refuse) for _ in range(3)]
        statuses = [os.waitpid(child, 0)[1] for child in children]

        assert statuses == [0, 0, 0]
        assert session.api("acme", "GET /ping").status == 200
        assert (server.refreshes, server.revoked) == (1, 0)
