"""`session.aclient`: an httpx client for tasks that looks after its token."""

import asyncio

import httpx
import pytest
from rotating import RotatingServer

from oauthmagic import Session
from oauthmagic.errors import UrlRefused

PRODUCTS = "/distributor/v1/products"


@pytest.fixture(params=["with fast", "without"])
def extra(request, monkeypatch):
    """With libcurl, and without it."""
    if request.param == "without":
        monkeypatch.setattr("oauthmagic.session.clients.has_curl", lambda: False)
    else:
        pytest.importorskip("pycurl")
    return request.param


@pytest.fixture
def acme(tmp_path):
    """A session whose token is over, and its server."""
    with RotatingServer() as server, Session(environ={}) as session:
        session.add(server.provider_file(tmp_path))
        session.adopt(
            "acme",
            {"refresh_token": server.new_family()},
            credentials={"client_id": "me"},
        )
        yield session, server


async def statuses(session, count, path="/ping"):
    """Return the statuses of so many requests at once."""
    async with session.aclient("acme") as client:
        replies = await asyncio.gather(*(client.get(path) for _ in range(count)))
    return [reply.status_code for reply in replies]


@pytest.mark.usefixtures("extra")
def test_a_thousand_tasks_on_a_token_that_is_over_renew_it_once(acme):
    """One refresh, a thousand answers; no refresh token is sent twice."""
    session, server = acme

    found = asyncio.run(statuses(session, 1000))

    assert found == [200] * 1000
    assert (server.refreshes, server.reuses, server.revoked) == (1, 0, 0)


@pytest.mark.usefixtures("extra")
def test_a_refused_token_is_renewed_once_for_all(acme):
    """A hundred tasks are answered 401, and each is sent once more."""
    session, server = acme
    asyncio.run(statuses(session, 1))
    calls = server.api_calls
    for family in server._families:
        family.access_tokens.clear()

    found = asyncio.run(statuses(session, 100))

    assert found == [200] * 100
    assert (server.refreshes, server.revoked) == (2, 0)
    assert server.api_calls <= calls + 200


@pytest.mark.usefixtures("extra")
def test_it_is_used_in_one_loop_after_the_other(acme):
    """Connections of a loop that is over are not looked for in the next."""
    session, _ = acme
    client = session.aclient("acme")

    async def ask(last):
        reply = await client.get("/ping")
        if last:
            await client.aclose()
        return reply.status_code

    assert [asyncio.run(ask(last)) for last in (False, True)] == [200, 200]
    assert isinstance(client, httpx.AsyncClient)


@pytest.mark.usefixtures("extra")
def test_a_task_that_is_cancelled_holds_up_nobody(acme):
    """Its connection is given up; the others go on."""
    session, _server = acme

    async def main():
        async with session.aclient("acme") as client:
            await client.get("/ping")
            tasks = [asyncio.create_task(client.get("/ping")) for _ in range(8)]
            await asyncio.sleep(0)
            for task in tasks[::2]:
                task.cancel()
            rest = await asyncio.gather(*tasks, return_exceptions=True)
            again = await client.get("/ping")
        return rest, again

    rest, again = asyncio.run(main())

    assert [reply.status_code for reply in rest[1::2]] == [200] * 4
    assert all(isinstance(each, asyncio.CancelledError) for each in rest[::2])
    assert again.status_code == 200


@pytest.mark.usefixtures("extra")
def test_the_token_goes_nowhere_else(acme):
    """Another origin is refused before anything is sent."""
    session, server = acme

    async def main():
        async with session.aclient("acme") as client:
            await client.get("/ping")
            calls = server.api_calls
            for url in ("https://evil.example/ping", "http://127.0.0.1:9/ping"):
                with pytest.raises(UrlRefused):
                    await client.get(url)
        return calls

    assert asyncio.run(main()) == server.api_calls


def test_a_demo_answers_as_well():
    """In its own time: waiting takes none."""
    session = Session(environ={})
    demo = session.demo("revsto@demo")

    async def main():
        async with session.aclient("revsto@demo") as client:
            demo.throttle(4)
            return (await client.get(PRODUCTS)).status_code

    begun = demo.now()
    assert asyncio.run(main()) == 200
    assert 4 <= (demo.now() - begun).total_seconds() < 5


@pytest.mark.usefixtures("extra")
def test_what_it_exchanged_is_in_the_trace(acme):
    """As with every other door, without the token."""
    session, _ = acme

    asyncio.run(statuses(session, 2))

    shown = str(session.trace("acme"))
    assert shown.count("GET /ping") >= 2
