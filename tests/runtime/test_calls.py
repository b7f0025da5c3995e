"""One call: one deadline, one patience, and no effect twice."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthmagic.errors import (
    ConnectionFailed,
    ConnectionLost,
    DeadlineExceeded,
    ResponseRefused,
    TlsError,
)
from oauthmagic.runtime.authorized import send_authorized
from oauthmagic.runtime.calls import Call
from oauthmagic.runtime.interruptions import wait
from oauthmagic.runtime.lifecycle import Wish
from oauthmagic.runtime.pauses import Pauses
from oauthmagic.transport.wire import WireRequest
from tests.runtime.conftest import Stage, answer, granted

HEADERS = (("Content-Type", "application/json"),)
KEYED = (*HEADERS, ("Idempotency-Key", "order-1"))
SAFE = ("GET", "HEAD", "OPTIONS")
IDEMPOTENT = (*SAFE, "PUT", "DELETE")


def busy(value="4", status=429, **headers):
    """Return a response that asks to wait."""
    return answer(status, headers=[("retry-after", value), *headers.items()])


def call(stage, *answers, method="GET", headers=(), timeout=30.0, world=None):
    """Make one call; return its response and what it took."""
    stage.script.answers = list(answers)
    made = Call(world or stage.world, timeout)
    request = WireRequest(
        method=method, url="https://api.acme.example/items", headers=headers
    )
    return made.send(request, stage.world.prepared), made


def lost(sent):
    """Return a lost connection."""
    return ConnectionLost("cut", sent=sent)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("method", IDEMPOTENT)
@pytest.mark.parametrize(
    ("value", "slept"),
    [("2", 2.0), ("0", 1.0), ("Tue, 01 Jan 2030 00:00:03 GMT", 3.0)],
)
def test_retry_after_is_waited_for(stage, status, method, value, slept):
    """Seconds or a date; never less than a second."""
    response, made = call(stage, busy(value, status), answer(200), method=method)

    assert response.status == 200
    assert stage.clock.slept == [slept]
    assert (made.waited, made.attempts) == (slept, 2)


def test_a_wrong_clock_does_not_matter(stage):
    """A date is measured against the response's own date."""
    response = busy(
        "Tue, 01 Jan 2019 00:00:03 GMT", date="Tue, 01 Jan 2019 00:00:00 GMT"
    )

    call(stage, response, answer(200))

    assert stage.clock.slept == [3.0]


@pytest.mark.parametrize("value", ["11", "86400", "Tue, 01 Jan 2030 01:00:00 GMT"])
def test_a_wait_that_is_too_long_is_the_callers_to_decide(stage, value):
    """The answer is returned at once, and nobody else is held up."""
    response, _ = call(stage, busy(value))

    assert response.status == 429
    assert stage.clock.slept == []
    assert stage.world.pauses.until("https://api.acme.example") is None


@pytest.mark.parametrize(
    "value",
    ["-1", "1.5", "soon", "9" * 30, "9999999999", "", "1e9", "NaN", "Infinity", "٣",
     "0x10", "1;2", "Fri, 31 Dec 9999 23:59:59 GMT", "Tue, 01 Jan 2030", "\x00",
     "1" * 5000, "Thu, 01 Jan 2099 00:00:00 GMT", "+5"],
)  # fmt: skip
def test_a_hostile_retry_after_is_not_obeyed(stage, value):
    """It wants a wait and cannot say which: ours, which grows, within ten seconds."""
    response, made = call(stage, *[busy(value)] * 4)

    assert response.status == 429
    assert stage.clock.slept == [1.0, 2.0, 4.0]
    assert (made.waited, made.attempts) == (7.0, 4)


def test_without_retry_after_nothing_is_waited_for(stage):
    """A server that is down is no server that asks for time."""
    assert call(stage, answer(503))[0].status == 503
    assert call(stage, answer(429))[0].status == 429
    assert stage.clock.slept == []


def test_waiting_has_an_end(stage):
    """Ten seconds in all, however often the server says 4."""
    response, _ = call(stage, *[busy("4", 503)] * 3)

    assert response.status == 503
    assert stage.clock.slept == [4.0, 4.0]


def test_the_deadline_covers_the_waiting(stage):
    """Of five seconds, three are waited; three more would not end in time."""
    response, _ = call(stage, busy("3"), busy("3"), timeout=5)

    assert response.status == 429
    assert stage.clock.slept == [3.0]


@pytest.mark.parametrize("number", [0, 1, 65535])
def test_all_go_on_within_a_tenth_of_the_wait_and_not_at_once(stage, number):
    """The randomness is the world's."""
    world = replace(stage.world, randomness=lambda count: number.to_bytes(count, "big"))

    call(stage, busy("2"), answer(200), world=world)

    assert stage.clock.slept == [2.0 + 0.2 * number / 65536]


@given(
    st.lists(st.sampled_from(["0", "1", "3", "9", "-1", "soon", ""]), max_size=12),
    st.floats(0.5, 40),
    st.integers(0, 65535),
)
def test_no_server_can_make_a_call_long(values, timeout, number):
    """Property: ten seconds of waiting at most, and never past the deadline."""
    stage = Stage()
    world = replace(stage.world, randomness=lambda count: number.to_bytes(count, "big"))
    begun = stage.clock.monotonic()

    answers = [*map(busy, values), answer(200)]
    _, made = call(stage, *answers, timeout=timeout, world=world)

    assert made.waited <= 10
    assert stage.clock.monotonic() - begun < timeout
    assert made.attempts <= len(answers)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("status", [429, 503])
def test_what_may_have_been_done_is_not_repeated(stage, method, status):
    """A 429 may come from behind the one who did it; the next caller waits, though."""
    response, _ = call(stage, busy("4", status), method=method)

    assert response.status == status
    assert stage.clock.slept == []
    call(stage, answer(200))
    assert stage.clock.slept == [4.0]


@pytest.mark.parametrize("method", IDEMPOTENT)
@pytest.mark.parametrize("sent", ["no", "unknown", "yes"])
def test_a_lost_connection_is_made_once_more(stage, method, sent):
    """What may be done twice is sent twice at most (RFC 9110, section 9.2.2)."""
    response, made = call(stage, lost(sent), answer(200), method=method)
    assert (response.status, made.attempts, made.reconnected) == (200, 2, True)

    with pytest.raises(ConnectionLost):
        call(stage, lost(sent), lost(sent), answer(200), method=method)
    assert len(stage.script.answers) == 1


@pytest.mark.parametrize("method", ["POST", "PATCH", "LOCK"])
def test_an_effect_is_not_sent_twice(stage, method):
    """Unless nothing of the first was sent."""
    for sent in ("unknown", "yes"):
        with pytest.raises(ConnectionLost) as caught:
            call(stage, lost(sent), answer(200), method=method)
        assert caught.value.sent == sent
        assert len(stage.script.answers) == 1

    response, made = call(stage, lost("no"), answer(201), method=method)
    assert (response.status, made.attempts) == (201, 2)


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ("no", "no", "no"),
        ("unknown", "no", "unknown"),
        ("yes", "no", "yes"),
        ("no", "unknown", "unknown"),
        ("unknown", "yes", "yes"),
    ],
)
def test_an_error_speaks_of_all_attempts(stage, first, second, told):
    """The second sent nothing; that does not undo what the first may have done."""
    with pytest.raises(ConnectionLost) as caught:
        call(stage, lost(first), lost(second), method="DELETE")
    assert caught.value.sent == told

    with pytest.raises(ConnectionFailed) as failed:
        call(stage, lost(first), ConnectionFailed("none", sent="no"), method="PUT")
    assert failed.value.sent == first


@pytest.mark.parametrize(
    "trouble",
    [
        ConnectionFailed("none", sent="no"),
        TlsError("stranger", sent="no"),
        DeadlineExceeded("late", sent="unknown"),
        ResponseRefused("large", sent="yes"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_other_trouble_is_told_at_once(stage, trouble):
    """Sending the same again would not help, or there is no time for it."""
    with pytest.raises(type(trouble)):
        call(stage, trouble, answer(200))

    assert len(stage.script.answers) == 1


def test_a_key_makes_an_effect_repeatable(stage):
    """The key stays the same, so that the server knows the request again."""
    response, made = call(
        stage, lost("unknown"), busy("2"), answer(201), method="POST", headers=KEYED
    )

    assert (response.status, made.attempts) == (201, 3)
    assert {each.headers for each in stage.script.requests} == {KEYED}


@pytest.mark.parametrize(
    "headers",
    [
        (("Idempotency-Key", ""),),
        (("X-Idempotency-Key", "order-1"),),
        (("Idempotent-Replayed", "order-1"),),
    ],
    ids=ascii,
)
def test_what_is_no_key_does_not(stage, headers):
    """An empty one, and a header that the provider does not declare."""
    with pytest.raises(ConnectionLost):
        call(stage, lost("unknown"), answer(201), method="POST", headers=headers)


def test_a_provider_may_have_its_own_header(stage):
    """`idempotency_header`, in any case."""
    provider = replace(stage.world.provider, idempotency_header="X-Request-Key")
    world = replace(stage.world, provider=provider)
    headers = (("x-request-key", "order-1"),)

    response, _ = call(
        stage,
        lost("unknown"),
        answer(201),
        method="POST",
        headers=headers,
        world=world,
    )

    assert response.status == 201


def test_a_key_that_is_made_anew_each_time_is_none(stage):
    """Two keys are two orders."""
    keys = iter("ab")

    def complete(request):
        header = ("Idempotency-Key", next(keys))
        return replace(request, headers=(*request.headers, header))

    stage.script.answers = [lost("unknown"), answer(201)]
    request = WireRequest(
        method="POST", url="https://api.acme.example/items", headers=KEYED
    )
    with pytest.raises(ConnectionLost):
        Call(stage.world).send(request, complete)


def test_what_is_left_of_the_time_is_what_an_attempt_gets(stage):
    """The second try does not begin the deadline anew."""
    given = []

    class Slow:
        def send(self, request, *, timeout, limit):
            given.append(timeout)
            stage.clock.advance(4)
            return stage.script.send(request, timeout=timeout, limit=limit)

    world = replace(stage.world, transport=Slow())
    call(stage, lost("unknown"), busy("2"), answer(200), timeout=30, world=world)

    assert given == [30, 26, 20]


def test_no_time_left_for_a_second_try_is_the_first_ones_error(stage):
    """The connection was lost when the time was up."""

    class Slow:
        def send(self, request, *, timeout, limit):
            stage.clock.advance(timeout)
            return stage.script.send(request, timeout=timeout, limit=limit)

    with pytest.raises(ConnectionLost) as caught:
        call(stage, lost("yes"), world=replace(stage.world, transport=Slow()))

    assert caught.value.sent == "yes"


def test_a_slow_renewal_is_part_of_the_time(stage):
    """Nothing of the request is sent when nobody waits for its answer any more."""
    stage.script.answers = [
        granted("fake-token-one", "fake-token-r1"),
        granted("fake-token-two"),
    ]
    token = stage.keeper.obtain(stage.world, Wish(grant="password"), stage.credentials)
    stage.clock.advance(400)

    class Slow:
        def send(self, request, *, timeout, limit):
            stage.clock.advance(6)
            return stage.script.send(request, timeout=timeout, limit=limit)

    with pytest.raises(DeadlineExceeded, match="within 5 seconds") as exceeded:
        send_authorized(
            WireRequest(method="POST", url="https://api.acme.example/items"),
            token,
            keeper=stage.keeper,
            world=replace(stage.world, transport=Slow()),
            timeout=5,
        )

    assert exceeded.value.sent == "no"
    assert stage.script.bearers() == []


def test_there_is_not_always_time_to_spread(stage):
    """Ten seconds are waited, and not a tenth more."""
    world = replace(stage.world, randomness=lambda count: b"\xff" * count)

    call(stage, busy("10"), answer(200), world=world)

    assert stage.clock.slept == [10.0]


def test_a_replay_shares_the_time_and_the_patience(stage):
    """After a 401 the same call goes on: its ten seconds, its one second try."""
    stage.script.answers = [
        granted("fake-token-one", "fake-token-r1"),
        busy("6"),
        answer(401),
        granted("fake-token-two"),
        busy("6"),
    ]
    token = stage.keeper.obtain(stage.world, Wish(grant="password"), stage.credentials)
    request = WireRequest(method="GET", url="https://api.acme.example/items")

    result = send_authorized(request, token, keeper=stage.keeper, world=stage.world)

    assert (result.response.status, result.replayed, result.waited) == (429, True, 6.0)
    assert stage.clock.slept == [6.0]


def test_a_pause_is_one_origins(stage):
    """Another host is not held up, nor is another port."""
    pauses = stage.world.pauses
    pauses.begin("https://other.example", now=stage.clock.monotonic(), seconds=9)
    pauses.begin("https://api.acme.example:8443", now=0, seconds=9)

    call(stage, answer(200))

    assert stage.clock.slept == []


def test_a_pause_is_made_longer_and_never_shorter():
    """The longest of what was said counts; what is over is forgotten."""
    pauses = Pauses()
    pauses.begin("a", now=0, seconds=5)
    pauses.begin("a", now=1, seconds=2)
    assert pauses.until("a") == 5
    pauses.begin("a", now=1, seconds=9)
    assert pauses.until("a") == 10

    pauses.end("a", 5)
    assert pauses.until("a") == 10
    pauses.end("a", 10)
    assert pauses.until("a") is None

    pauses.begin("b", now=0, seconds=1)
    pauses.begin("c", now=2, seconds=1)
    assert pauses.until("b") is None
    pauses.clear()
    assert pauses.until("c") is None


def test_a_pause_is_known_in_a_forked_child_and_its_lock_is_not():
    """A thread of the parent may hold it, and there is no such thread in the child."""
    pauses = Pauses()
    pauses.begin("a", now=0, seconds=5)
    pauses._lock.acquire()

    pauses.begin_anew()

    assert pauses.until("a") == 5


def test_a_pause_that_becomes_longer_is_waited_for(stage):
    """Somebody else was told more meanwhile."""
    pauses, origin = stage.world.pauses, "https://api.acme.example"
    pauses.begin(origin, now=stage.clock.monotonic(), seconds=2)

    def sleep(seconds):
        if not stage.clock.slept:
            pauses.begin(origin, now=stage.clock.monotonic(), seconds=5)
        stage.clock.sleep(seconds)

    call(stage, answer(200), world=replace(stage.world, sleep=sleep))

    assert stage.clock.slept == [2.0, 3.0]


def test_a_pause_that_outlasts_the_patience_lets_one_ask(stage):
    """It may be over by now; if it is not, the answer says so, and is the answer."""
    pauses, origin = stage.world.pauses, "https://api.acme.example"
    pauses.begin(origin, now=stage.clock.monotonic(), seconds=60)

    response, made = call(stage, busy("5"), answer(200))

    assert (response.status, made.attempts) == (429, 1)
    assert stage.clock.slept == []


def test_waiting_is_done_in_slices():
    """Not every system wakes a sleeper for Ctrl-C; none sleeps for long here."""
    done = threading.Event()
    thread = threading.Thread(target=lambda: (wait(0.01), done.set()))
    thread.start()

    assert done.wait(2)
    thread.join()
