"""A step goes on to its end, whoever is interrupted, and is shared while it runs."""

import ctypes
import os
import sys
import threading
import time

import pytest

from oauthmagic.errors import InvalidGrant, LoginRequired
from oauthmagic.runtime import interruptions
from oauthmagic.runtime.interruptions import Flights, finished, wait


def in_thread(call):
    """Start a call in a thread; return the thread and where its outcome will be."""
    outcome = []

    def run():
        try:
            outcome.append(call())
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, outcome


def test_a_step_is_finished_in_a_thread_of_its_own():
    """A daemon: a process that ends does not wait for a server."""
    seen = []

    def step():
        seen.append(threading.current_thread())
        return 7

    assert finished(step) == 7
    assert seen[0] is not threading.current_thread()
    assert seen[0].daemon
    assert seen[0].name == "oauthmagic-renewal"


def test_a_step_takes_its_time():
    """Whoever waits looks five times a second whether it was interrupted."""
    looked = []
    wait = threading.Event.wait

    class Watched(threading.Event):
        def wait(self, timeout=None):
            looked.append(timeout)
            return wait(self, timeout)

    flight = interruptions._Flight(lambda: threading.Event().wait(0.3))
    flight._over = Watched()
    flight.start()

    assert flight.outcome() is False
    assert len(looked) > 1
    assert set(looked) == {0.2}


def test_waiting_is_done_in_slices(monkeypatch):
    """No longer than was asked for, and no slice longer than a tick."""
    now = [100.0]
    slept = []

    def sleep(seconds):
        slept.append(round(seconds, 6))
        now[0] += seconds

    with monkeypatch.context() as patch:
        patch.setattr(time, "monotonic", lambda: now[0])
        patch.setattr(time, "sleep", sleep)
        interruptions.wait(0.5)
        interruptions.wait(0)
        interruptions.wait(-1)

    assert slept == [0.2, 0.2, 0.1]


def test_an_error_is_raised_where_it_is_waited_for():
    """With all that it says, and without the frames of the step."""
    raised = InvalidGrant("fake description", status=400, hint="Do this.")

    def step():
        raise raised

    with pytest.raises(InvalidGrant) as caught:
        finished(step)

    error = caught.value
    assert error is not raised
    assert (str(error), error.hint, error.status) == (str(raised), "Do this.", 400)
    assert error.__notes__ == ["Hint: Do this."]
    names = [entry.name for entry in caught.traceback]
    assert "step" not in names


def test_each_who_waits_raises_an_error_of_their_own():
    """A traceback grows where an error is raised twice."""
    flights = Flights()
    begun, go_on = threading.Event(), threading.Event()
    calls = []

    def step():
        calls.append(1)
        begun.set()
        assert go_on.wait(30)
        raise LoginRequired("over", hint="Log in.")

    waiting = [in_thread(lambda: flights.joined("a", step))]
    assert begun.wait(30)
    waiting += [in_thread(lambda: flights.joined("a", step)) for _ in range(3)]
    for _ in range(200):
        if interrupted_waiting() >= 4:
            break
    go_on.set()
    for thread, _ in waiting:
        thread.join(30)

    errors = [outcome[0] for _, outcome in waiting]
    assert calls == [1]
    assert {type(error) for error in errors} == {LoginRequired}
    assert {error.hint for error in errors} == {"Log in."}
    assert len({id(error) for error in errors}) == 4


def interrupted_waiting():
    """Return how many threads wait for an outcome, after a moment."""
    threading.Event().wait(0.01)
    return sum(
        any(
            frame.f_code is interruptions._Flight.outcome.__code__
            for frame in frames_of(top)
        )
        for top in sys._current_frames().values()
    )


def frames_of(frame):
    """Yield a frame and those that called it."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def test_who_comes_later_begins_anew():
    """An outcome is shared by those who were there, and is no cache."""
    flights = Flights()

    assert [flights.joined("a", lambda number=number: number) for number in (1, 2)] == [
        1,
        2,
    ]
    assert flights._under_way == {}


def test_who_knows_the_outcome_does_not_join():
    """The flight is over before anybody is told."""
    flights = Flights()
    told = []

    def step():
        return "first"

    def again():
        told.append(flights.joined("a", step))
        told.append(flights.joined("a", lambda: "second"))

    thread, _ = in_thread(again)
    thread.join(30)

    assert told == ["first", "second"]


def test_only_one_begins_a_step():
    """Whoever looks for one under way is the only one who looks."""
    flights = Flights()

    with flights._guard:
        thread, outcome = in_thread(lambda: flights.joined("a", lambda: 1))
        thread.join(0.05)
        assert outcome == []
    thread.join(30)
    assert outcome == [1]


def test_another_key_is_another_step():
    """Who renews one token does not make others wait."""
    flights = Flights()
    begun, go_on = threading.Event(), threading.Event()

    def slow():
        begun.set()
        assert go_on.wait(30)
        return "slow"

    thread, outcome = in_thread(lambda: flights.joined("a", slow))
    assert begun.wait(30)
    assert flights.joined("b", lambda: "quick") == "quick"
    go_on.set()
    thread.join(30)
    assert outcome == ["slow"]


def test_who_is_interrupted_does_not_stop_the_step():
    """Ctrl-C frees the user at once, and the new refresh token is still kept."""
    begun, go_on, kept = threading.Event(), threading.Event(), threading.Event()

    def step():
        begun.set()
        assert go_on.wait(30)
        kept.set()

    thread, outcome = in_thread(lambda: finished(step))
    assert begun.wait(30)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread.ident), ctypes.py_object(KeyboardInterrupt)
    )
    thread.join(3)

    assert [type(each) for each in outcome] == [KeyboardInterrupt]
    assert not kept.is_set()
    go_on.set()
    assert kept.wait(30)


def test_a_thread_that_cannot_be_started_leaves_nobody_waiting(monkeypatch):
    """The error is raised, and the next one begins anew."""
    flights = Flights()

    def refuse(_):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="start new thread"):
            flights.joined("a", lambda: 1)

    assert flights.joined("a", lambda: 2) == 2


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_does_not_wait_for_its_parents_threads():
    """They do not exist in it, and nobody would end the step."""
    flights = Flights()
    begun, go_on = threading.Event(), threading.Event()

    def step():
        begun.set()
        assert go_on.wait(30)

    thread, _ = in_thread(lambda: flights.joined("a", step))
    assert begun.wait(30)
    reader, writer = os.pipe()
    with flights._guard:
        child = os.fork()
        if not child:  # no test goes on in here
            os.write(writer, flights.joined("a", lambda: b"1"))
            os._exit(0)
    os.waitpid(child, 0)
    go_on.set()
    thread.join(30)

    assert os.read(reader, 1) == b"1"
    os.close(reader)
    os.close(writer)


def test_a_wait_lasts_as_long_as_it_says():
    """In slices, so that it can be interrupted on every system."""
    begun = time.monotonic()

    wait(0.25)
    wait(0)
    wait(-1)

    assert 0.25 <= time.monotonic() - begun < 2


def test_who_waits_looks_up_now_and_then():
    """A step may take longer than one look."""
    assert finished(lambda: time.sleep(0.3) or "done") == "done"
