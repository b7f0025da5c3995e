"""RFC 7009: what is sent, in which order, and what is said of what was not revoked."""

import errno
import threading
import urllib.parse
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keeping import FailingDisk
from opened import quick_store

from oauthmagic import errors
from oauthmagic.errors import (
    CommandError,
    ConnectionFailed,
    DeadlineExceeded,
    LoginRequired,
    MissingCredentials,
    RevocationFailed,
)
from oauthmagic.oauth.credentials import Credentials
from oauthmagic.oauth.tokens import Token
from oauthmagic.redaction import Secret
from oauthmagic.runtime.lifecycle import TokenKeeper
from oauthmagic.runtime.patience import Patient
from oauthmagic.runtime.revocation import revoke
from oauthmagic.transport.wire import WireRequest, WireResponse

REVOKE = "https://id.acme.example/revoke"
NOW = datetime(2030, 1, 1, tzinfo=UTC)
OK = WireResponse(status=200)
BOTH = ("refresh_token", "access_token")


def says(error, status=400, **headers):
    """Return a refusal."""
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    body = f'{{"error": "{error}"}}'.encode()
    return WireResponse(status=status, headers=tuple(named), body=body)


def busy(seconds, status=503):
    """Return what a busy server answers."""
    return WireResponse(status=status, headers=(("retry-after", str(seconds)),))


@pytest.fixture
def world(stage):
    """A world whose provider revokes."""
    endpoints = {"revocation_endpoint": REVOKE}
    return replace(
        stage.world, environment=replace(stage.world.environment, endpoints=endpoints)
    )


@pytest.fixture
def held(stage, world):
    """Keep a token, for which the kinds say what there is of it."""

    def held(kinds=BOTH, **changes):
        token = Token(
            target="acme@sandbox",
            access_token=None,
            client_id="me",
            issued_at=NOW,
            expires_at=NOW + timedelta(minutes=5),
            refresh_expires_at=NOW + timedelta(days=90),
            clock=stage.clock,
        )
        given = {kind: Secret(f"plainly-fake-{kind}") for kind in kinds}
        token = token.replace(**{**given, **changes})
        return stage.keeper.adopt(world, token, stage.credentials)

    return held


def forms(script):
    """Return the forms that were sent to the endpoint, in order."""
    assert {request.url for request in script.requests} <= {REVOKE}
    return [
        dict(urllib.parse.parse_qsl(request.body.decode()))
        for request in script.requests
    ]


def test_the_refresh_token_goes_first_and_then_it_is_forgotten(stage, world, held):
    """Section 2.1: each with its hint, the client authenticated as for a token."""
    stage.script.answers = [OK, OK]

    assert revoke(held(), stage.keeper, world) is None

    assert forms(stage.script) == [
        {"token": f"plainly-fake-{kind}", "token_type_hint": kind} for kind in BOTH
    ]
    for request in stage.script.requests:
        headers = dict(request.headers)
        assert request.method == "POST"
        assert headers["authorization"].startswith("Basic ")
        assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert stage.store.tokens() == []


def test_what_is_held_is_what_is_revoked(stage, world, held):
    """A snapshot from before a refresh would name tokens that are gone."""
    old = held()
    held(["access_token"], access_token=Secret("plainly-fake-newer"))
    stage.script.answers = [OK]

    assert revoke(old, stage.keeper, world) is None

    assert [form["token"] for form in forms(stage.script)] == ["plainly-fake-newer"]


CASES = {
    "both are refused": (
        [says("invalid_client", 401), says("invalid_client", 401)],
        {"refresh_token": "InvalidClient", "access_token": "InvalidClient"},
    ),
    "the refresh token is refused, the access token is not": (
        [says("server_error", 500), OK],
        {"refresh_token": "ServerError"},
    ),
    "the access token is refused, the refresh token is not": (
        [OK, says("invalid_request")],
        {"access_token": "InvalidRequest"},
    ),
    "access tokens are not revoked there": ([OK, says("unsupported_token_type")], {}),
    "neither is": (
        [says("unsupported_token_type"), says("unsupported_token_type")],
        {
            "refresh_token": "UnsupportedTokenType",
            "access_token": "UnsupportedTokenType",
        },
    ),
    "no connection": (
        [ConnectionFailed("No connection.", sent="no")] * 2,
        {"refresh_token": "ConnectionFailed", "access_token": "ConnectionFailed"},
    ),
    "the connection comes back": (
        [ConnectionFailed("No connection.", sent="no"), OK],
        {"refresh_token": "ConnectionFailed"},
    ),
    "no answer": (
        [OK, DeadlineExceeded("No whole answer within 8 seconds.")],
        {"access_token": "DeadlineExceeded"},
    ),
    "a redirect": (
        [WireResponse(status=307, headers=(("location", "https://evil.example"),))] * 2,
        {"refresh_token": "UnexpectedRedirect", "access_token": "UnexpectedRedirect"},
    ),
    "a redirect after a form": (
        [OK, WireResponse(status=302, headers=(("location", "https://evil.example"),))],
        {"access_token": "UnexpectedRedirect"},
    ),
    "a gateway's page": (
        [WireResponse(status=502, body=b"<html>"), OK],
        {"refresh_token": "OAuthError"},
    ),
    "busy, and it does not say for how long": (
        [WireResponse(status=503), WireResponse(status=429)],
        {"refresh_token": "OAuthError", "access_token": "RateLimited"},
    ),
    "busy for longer than anybody waits": (
        [busy(11), busy(3600, 429)],
        {"refresh_token": "OAuthError", "access_token": "RateLimited"},
    ),
    "busy for a moment": ([busy(2), OK, OK], {}),
    "busy for a moment, each time": ([busy(2), OK, busy(3, 429), OK], {}),
    "busy again": ([busy(2), busy(2), OK], {"refresh_token": "OAuthError"}),
    "busy for longer than is left": (
        [busy(8), OK, busy(3)],
        {"access_token": "OAuthError"},
    ),
    "busy until a date": (
        [busy("Tue, 01 Jan 2030 00:00:04 GMT", 429), OK, OK],
        {},
    ),
    "busy, in a way that cannot be read": (
        [busy("-1"), busy("soon", 429)],
        {"refresh_token": "OAuthError", "access_token": "RateLimited"},
    ),
    "no content": ([WireResponse(status=204), WireResponse(status=204)], {}),
}


@pytest.mark.parametrize("name", CASES)
def test_both_are_tried_then_it_is_forgotten_then_it_is_said(stage, world, held, name):
    """Whatever happens to the first: nothing is forgotten silently."""
    answers, failures = CASES[name]
    stage.script.answers = list(answers)

    failed = revoke(held(), stage.keeper, world)

    assert stage.script.answers == []
    assert stage.store.tokens() == []
    assert sum(stage.clock.slept) <= world.max_wait
    if not failures:
        assert failed is None
        return
    assert isinstance(failed, RevocationFailed)
    assert set(failed.revoked) == set(BOTH) - set(failures)
    why = {kind: type(error).__name__ for kind, error in failed.not_revoked.items()}
    assert why == failures
    for kind in failures:
        assert kind.replace("_", " ") in str(failed)
        assert kind.replace("_", " ") in failed.hint
    assert "plainly-fake" not in f"{failed} {failed.hint} {vars(failed)}"


def test_what_lives_on_is_named_with_its_end(stage, world, held):
    """Who is left to ask, and until when it matters."""
    stage.script.answers = [says("server_error", 500), says("server_error", 500)]

    failed = revoke(held(), stage.keeper, world)

    assert str(failed) == (
        "acme@sandbox did not revoke the refresh token and the access token: The "
        "server answered server_error (HTTP 500)."
    )
    assert failed.hint == (
        "Here the token is forgotten, and its credentials with it. At the server, as "
        "far as is known here: the refresh token ends at 2030-04-01 00:00:00 UTC; the "
        "access token ends at 2030-01-01 00:05:00 UTC. If somebody else may have it, "
        "ask Acme to revoke it; else let it end alone."
    )
    assert failed.expires_at == {
        "refresh_token": NOW + timedelta(days=90),
        "access_token": NOW + timedelta(minutes=5),
    }


def test_an_end_that_is_not_known_or_over_is_said_so(stage, world, held):
    """Not every server says how long a refresh token lives."""
    token = held(refresh_expires_at=None)
    stage.clock.advance(600)
    stage.script.answers = [says("server_error", 500)] * 2

    failed = revoke(token, stage.keeper, world)

    assert "the refresh token has no known end" in failed.hint
    assert "the access token ended at 2030-01-01 00:05:00 UTC" in failed.hint


@pytest.mark.parametrize("kind", BOTH)
def test_there_may_be_only_one(stage, world, held, kind):
    """An access token alone has nobody to end with."""
    stage.script.answers = [says("unsupported_token_type")]

    failed = revoke(held([kind]), stage.keeper, world)

    assert [*failed.not_revoked] == [kind]
    assert stage.store.tokens() == []


def test_without_an_endpoint_nothing_is_sent_and_nothing_forgotten(stage, held):
    """The user decides whether forgetting is enough."""
    with pytest.raises(CommandError, match="documents no way") as failed:
        revoke(held(), stage.keeper, stage.world)

    assert "%token forget acme@sandbox" in failed.value.hint
    assert len(stage.store.tokens()) == 1
    assert stage.script.requests == []


def test_an_issuer_that_cannot_be_asked_is_an_endpoint_that_cannot(stage, world, held):
    """Without a network the report is the same, wherever the endpoint would be."""

    def discover(_):
        raise ConnectionFailed("No connection could be made.", sent="no")

    environment = replace(
        world.environment,
        token_endpoint="",
        endpoints={"issuer": "https://id.acme.example"},
    )
    world = replace(world, environment=environment, discover=discover)

    failed = revoke(held(), stage.keeper, world)

    assert [*failed.not_revoked] == list(BOTH)
    assert "No connection could be made." in str(failed)
    assert stage.store.tokens() == []


def test_an_issuer_that_is_not_believed_costs_no_token(stage, world, held):
    """What has to be put right first is put right first."""

    def discover(_):
        raise errors.DiscoveryFailed("Endpoints on other hosts.")

    environment = replace(
        world.environment,
        token_endpoint="",
        endpoints={"issuer": "https://id.acme.example"},
    )
    token = held()

    with pytest.raises(errors.DiscoveryFailed):
        revoke(
            token,
            stage.keeper,
            replace(world, environment=environment, discover=discover),
        )

    assert len(stage.store.tokens()) == 1


def test_a_client_that_cannot_say_who_it_is_loses_nothing(stage, world, held):
    """Whoever adopted a token may have left the credentials out; they can be given."""
    token = held()
    stage.keeper.remember(token, Credentials(client_id="me"))
    stage.script.answers = [says("invalid_client", 401)] * 2

    with pytest.raises(MissingCredentials) as failed:
        revoke(token, stage.keeper, world)

    assert "OAUTHMAGIC_ACME_SANDBOX_CLIENT_SECRET" in failed.value.hint
    assert len(stage.store.tokens()) == 1


def test_a_public_client_needs_no_secret(stage, world, held):
    """Whatever its provider says of others; it may not be what the server minds."""
    token = held()
    stage.keeper.remember(token, Credentials(client_id="me"))
    stage.script.answers = [OK, says("invalid_client", 401)]

    failed = revoke(token, stage.keeper, world)

    assert [*failed.not_revoked] == ["access_token"]
    assert forms(stage.script)[0]["client_id"] == "me"
    assert stage.store.tokens() == []


def test_a_token_that_is_gone_is_not_revoked(stage, world, held):
    """Two revocations at once: one of them finds nothing."""
    token = held()
    stage.keeper.forget(token)

    with pytest.raises(CommandError, match="forgotten meanwhile"):
        revoke(token, stage.keeper, world)

    assert stage.script.requests == []


class Gate:
    """A transport that lets a request through when it is told to."""

    def __init__(self, answers):
        self.answers = answers
        self.reached = threading.Event()
        self.open = threading.Event()
        self.requests = []

    def send(self, request, *, timeout, limit):
        """Wait for the gate, then answer."""
        assert timeout
        assert limit
        self.requests.append(request)
        self.reached.set()
        assert self.open.wait(3)
        return self.answers.pop(0)


def test_a_refresh_waits_for_a_revocation_and_finds_the_token_forgotten(
    stage, world, held
):
    """No new token comes to life between the revocation and the forgetting."""
    token = held()
    gate = Gate([OK, OK])
    outcomes = {}

    def refresh():
        try:
            stage.keeper.renew(token, replace(world, transport=gate), reason="asked")
        except LoginRequired as error:
            outcomes["refresh"] = str(error)

    revoking = threading.Thread(
        target=revoke, args=(token, stage.keeper, replace(world, transport=gate))
    )
    revoking.start()
    assert gate.reached.wait(3)
    refreshing = threading.Thread(target=refresh)
    refreshing.start()
    gate.open.set()
    for thread in (revoking, refreshing):
        thread.join(3)

    assert "forgotten" in outcomes["refresh"]
    assert {request.url for request in gate.requests} == {REVOKE}
    assert stage.store.tokens() == []


def test_another_kernel_that_refreshes_waits_too(stage, world, held, tmp_path):
    """The lock is that of the store, whoever shares it."""
    stage.keeper = TokenKeeper(quick_store(tmp_path, clock=stage.clock))
    other = TokenKeeper(quick_store(tmp_path, clock=stage.clock))
    token = held()
    gate = Gate([OK, OK])
    through_the_gate = replace(world, transport=gate)
    outcomes = []

    def refresh():
        with pytest.raises(LoginRequired) as refused:
            other.renew(token, through_the_gate, reason="asked")
        outcomes.append(str(refused.value))

    revoking = threading.Thread(
        target=revoke, args=(token, stage.keeper, through_the_gate)
    )
    revoking.start()
    assert gate.reached.wait(3)
    refreshing = threading.Thread(target=refresh)
    refreshing.start()
    gate.open.set()
    for thread in (revoking, refreshing):
        thread.join(3)

    assert outcomes == ["The token of acme@sandbox was forgotten."]
    assert {request.url for request in gate.requests} == {REVOKE}


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([OK, OK], "acme@sandbox revoked it."),
        ([says("server_error", 500), OK], "did not revoke the refresh token"),
    ],
)
def test_a_disk_that_does_not_forget_hides_nothing(
    stage, world, held, tmp_path, answers, said
):
    """What is still here is an error, and what became of it there is its hint."""
    disk = FailingDisk(0, errno.EROFS, ever_after=True)
    stage.keeper = TokenKeeper(quick_store(tmp_path, disk=disk, clock=stage.clock))
    token = held()
    disk.calls.clear()
    disk.at = 1
    stage.script.answers = list(answers)

    with pytest.raises(errors.StoreWriteFailed, match="not removed") as failed:
        revoke(token, stage.keeper, world)

    assert said in failed.value.hint
    assert stage.script.answers == []


@given(
    waits=st.lists(st.integers(0, 20) | st.none(), max_size=6), most=st.integers(0, 12)
)
def test_all_waits_together_have_a_bound(waits, most):
    """However often it is asked to wait, and whatever it is asked."""
    slept, sent = [], []

    class Server:
        def send(self, request, **_):
            sent.append(request)
            wait = waits[(len(sent) - 1) % len(waits)] if waits else None
            return busy("x" if wait is None else wait)

    class Place:
        transport = Server()
        max_wait = float(most)
        sleep = staticmethod(slept.append)
        clock = staticmethod(lambda: NOW)

    patient = Patient(Place())
    request = WireRequest(method="POST", url=REVOKE)
    for _ in range(4):
        assert patient.send(request, timeout=1, limit=1).status == 503

    assert sum(slept) <= most
    assert len(sent) == 4 + len(slept)
    assert all(wait >= 1 for wait in slept)
