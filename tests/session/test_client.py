"""`session.client`: an httpx client that looks after its token."""

import httpx
import pytest

from oauthmagic import Session
from oauthmagic.errors import UrlRefused
from oauthmagic.transport.clients import TokenAuth, make_client
from oauthmagic.transport.wire import WireResponse

PRODUCTS = "/distributor/v1/products"


@pytest.fixture
def session():
    """A session with nothing in it."""
    return Session(environ={})


def statuses(session):
    """Return what the simulator answered, in order."""
    return [status for *_, status in session.demo("revsto@demo")._simulator.requests]


def test_it_is_a_true_httpx_client(session):
    """Relative URLs are resolved against the API base."""
    with session.client("revsto@demo") as client:
        reply = client.get(PRODUCTS, params={"limit": 2})

    assert isinstance(client, httpx.Client)
    assert len(reply.json()["items"]) == 2
    assert str(reply.url) == f"https://revsto.demo.invalid/api{PRODUCTS}?limit=2"


def test_it_sends_bodies(session):
    """JSON, with its own headers."""
    session.token("revsto@demo", scopes="event_management")
    hook = {
        "name": "mine",
        "url": "https://me.example/hook",
        "events": ["account.status.blocked"],
    }

    with session.client("revsto@demo") as client:
        reply = client.post("/distributor/v1/hooks", json=hook)

    assert reply.is_success
    assert reply.json()["name"] == "mine"


def test_its_token_is_refreshed_in_time_and_once_after_a_401(session):
    """As everywhere else: one refresh, one replay."""
    with session.client("revsto@demo") as client:
        session.demo("revsto@demo").advance(271)
        assert client.get(PRODUCTS).status_code == 200
        session.demo("revsto@demo").revoke()
        assert client.get(PRODUCTS).status_code == 200

    assert statuses(session) == [200, 200, 200, 401, 200, 200]


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "http://revsto.demo.invalid/api/distributor/v1/products",
        "https://revsto.demo.invalid:444/api/distributor/v1/products",
        "https://revsto.demo.invalid/elsewhere",
    ],
)
def test_the_token_goes_nowhere_else(session, url):
    """Not even the request does."""
    with session.client("revsto@demo") as client:
        before = len(statuses(session))
        with pytest.raises(UrlRefused):
            client.get(url)

    assert len(statuses(session)) == before


def test_it_waits_as_the_session_does(session):
    """The same patience at every door, in the demo's own time."""
    demo = session.demo("revsto@demo")
    with session.client("revsto@demo") as client:
        demo.throttle(4)
        begun = demo.now()
        assert client.get(PRODUCTS).status_code == 200

    assert 4 <= (demo.now() - begun).total_seconds() < 5


def test_who_is_told_to_wait_tells_all(session):
    """A POST is not repeated after a 429, but the next caller does not ask too soon."""
    session.token("revsto@demo", scopes=["posting", "account_view"])
    demo = session.demo("revsto@demo")
    demo.throttle(4)
    refused = session.api("revsto@demo", "POST /distributor/v1/hooks\n\n{}")

    with session.client("revsto@demo") as client:
        assert client.get(PRODUCTS).status_code == 200

    assert refused.status == 429
    assert statuses(session)[-2:] == [429, 200]


def test_a_demo_that_begins_anew_is_not_waited_for(session):
    """`--reset` ends what the throttle began."""
    session.token("revsto@demo", scopes=["posting"])
    demo = session.demo("revsto@demo")
    demo.throttle(4)
    session.api("revsto@demo", "POST /distributor/v1/hooks\n\n{}")

    demo.reset()

    assert session.api("revsto@demo", PRODUCTS).note == ""


def test_it_keeps_cookies_as_the_library_does():
    """What a server sets comes back to it."""
    kept = []

    def send(request):
        kept.append(dict(request.headers).get("Cookie"))
        return WireResponse(
            status=200, headers=(("set-cookie", "a=b"),) * (not kept[1:])
        )

    client = make_client(
        send,
        api_base="https://api.example",
        origins=(),
        auth=TokenAuth(lambda: "Bearer plainly-fake", lambda *_: False),
    )
    with client:
        for _ in range(2):
            client.get("/")

    assert kept == [None, "a=b"]
