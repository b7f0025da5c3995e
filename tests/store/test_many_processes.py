"""One token, many who use it at once: one of them renews it."""

import asyncio
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from opened import quick_store
from rotating import RotatingServer
from scales import scaled

import oauthmagic

SUPPORT = Path(__file__).parent.parent / "support"


@pytest.fixture
def server():
    """A server that revokes the family where a refresh token comes twice."""
    with RotatingServer() as server:
        yield server


@pytest.fixture
def session_with(tmp_path, server):
    """Make sessions that know the server; they are closed at the end."""
    with ExitStack() as stack:

        def make(store="memory"):
            made = oauthmagic.Session(store=store, environ={})
            session = stack.enter_context(made)
            session.add(server.provider_file(tmp_path))
            return session

        yield make


def adopt_expired(session, server):
    """Hold a token that is over, and a refresh token that is good once."""
    session.adopt(
        "acme",
        {
            "access_token": "fake-access-old",
            "refresh_token": server.new_family(),
            "expires_in": 0,
        },
        credentials={"client_id": "me"},
    )


@contextmanager
def processes(count, store, provider):
    """Start processes that use the token at each line of their input."""
    command = [sys.executable, SUPPORT / "renewing_process.py", store, provider]
    started = [
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(count)
    ]
    try:
        for process in started:
            assert process.stdout.readline() == "ready\n"
        yield started
    finally:
        for process in started:
            process.stdin.close()
            process.wait()
            process.stdout.close()


def test_eight_processes_refresh_once(tmp_path, server, session_with, figure):
    """The file store's lock: read again, refresh, write, use; seven find the result."""
    trials = scaled(15, 200)
    provider = server.provider_file(tmp_path)
    session = session_with(quick_store(tmp_path / "tokens"))
    once = 0
    with processes(8, tmp_path / "tokens", provider) as started:
        for _ in range(trials):
            adopt_expired(session, server)
            before = server.refreshes
            for process in started:
                process.stdin.write("go\n")
                process.stdin.flush()
            answers = {process.stdout.readline() for process in started}

            assert len(answers) == 1, answers
            assert answers.pop().startswith("200 fake-access-")
            once += server.refreshes - before == 1

    figure(
        f"8 processes x {trials} trials on one expired token: exactly 1 refresh",
        f"{once} of {trials}, {server.revoked} families revoked",
    )
    assert once == trials
    assert server.revoked == server.reuses == 0


@pytest.mark.parametrize("store", ["memory", "file"])
def test_64_threads_refresh_once(tmp_path, server, session_with, store, figure):
    """Whatever the store, the first to find the token over renews it for all."""
    kind = quick_store(tmp_path / "tokens") if store == "file" else store
    session = session_with(kind)
    adopt_expired(session, server)
    barrier = threading.Barrier(64)
    statuses = []

    def use():
        barrier.wait()
        statuses.append(session.api("acme", "GET /ping").status)

    threads = [threading.Thread(target=use) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    figure(
        f"64 threads on one expired token, store in {store}",
        f"{server.refreshes} refresh, {statuses.count(200)} answered",
    )
    assert statuses == [200] * 64
    assert server.refreshes == 1


def test_a_thousand_coroutines_refresh_once(server, session_with, figure):
    """Tasks hand the work to threads; the token is renewed once for all of them."""
    session = session_with()
    adopt_expired(session, server)

    async def all_of_them():
        calls = [
            asyncio.to_thread(session.api, "acme", "GET /ping") for _ in range(1000)
        ]
        return await asyncio.gather(*calls)

    replies = asyncio.run(all_of_them())

    answered = [reply.status for reply in replies].count(200)
    figure(
        "1,000 coroutines on one expired token",
        f"{server.refreshes} refresh, {answered} answered",
    )
    assert answered == 1000
    assert server.refreshes == 1
