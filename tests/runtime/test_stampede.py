"""Many workers, one limiter, virtual time: one told to wait means all wait."""

from __future__ import annotations

import heapq
import random
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from scales import scaled

from oauthmagic.runtime.calls import Call
from oauthmagic.runtime.pauses import Pauses
from oauthmagic.transport.wire import WireRequest, WireResponse

WORKERS, A_SECOND, LATENCY = 16, 50, 0.02
START = datetime(2030, 1, 1, tzinfo=UTC)


class VirtualTime:
    """Time that moves on when all workers sleep."""

    def __init__(self, workers):
        self.now = 0.0
        self._awake = workers
        self._sleepers = []
        self._moved = threading.Condition()

    def sleep(self, seconds):
        """Wait until so much time has passed."""
        with self._moved:
            until = self.now + seconds
            heapq.heappush(self._sleepers, until)
            self._rest()
            while self.now < until:
                self._moved.wait()

    def leave(self):
        """Be waited for no more."""
        with self._moved:
            self._rest()

    def _rest(self):
        self._awake -= 1
        if self._awake == 0 and self._sleepers:
            self.now = self._sleepers[0]
            while self._sleepers and self._sleepers[0] <= self.now:
                heapq.heappop(self._sleepers)
                self._awake += 1
            self._moved.notify_all()


class Limiter:
    """A server that takes fifty requests a second, and tells others to wait for one."""

    def __init__(self, time):
        self.taken = 0
        self.refused = 0
        self.in_a_pause = 0
        self._time = time
        self._window = (0, 0)
        self._told = []
        self._lock = threading.Lock()

    def send(self, _request, *, timeout, limit):
        """Answer after a while."""
        assert timeout > 0 < limit
        with self._lock:
            now = self._time.now
            self.in_a_pause += any(told < now < told + 1 for told in self._told[-50:])
        self._time.sleep(LATENCY / 2)
        with self._lock:
            second, count = self._window
            count = count + 1 if second == int(self._time.now) else 1
            self._window = (int(self._time.now), count)
            is_taken = count <= A_SECOND
        self._time.sleep(LATENCY / 2)
        with self._lock:
            if is_taken:
                self.taken += 1
                return WireResponse(status=200)
            self.refused += 1
            self._told.append(self._time.now)
            return WireResponse(status=429, headers=(("retry-after", "1"),))


def run(stage, requests, *, together):
    """Send so many requests by all workers; return the limiter, time and statuses."""
    time = VirtualTime(WORKERS)
    limiter = Limiter(time)
    pauses, chance = Pauses(), random.Random(1)  # noqa: S311 - a simulation
    statuses = []

    def work():
        world = replace(
            stage.world,
            transport=limiter,
            clock=lambda: START + timedelta(seconds=time.now),
            monotonic=lambda: time.now,
            sleep=time.sleep,
            randomness=chance.randbytes,
            pauses=pauses if together else Pauses(),
        )
        request = WireRequest(method="GET", url="https://api.acme.example/items")
        for _ in range(requests // WORKERS):
            response = Call(world).send(request, world.prepared)
            statuses.append(response.status)
        time.leave()

    threads = [threading.Thread(target=work) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return limiter, time.now, statuses


def test_a_429_is_no_beginning_of_a_storm(stage, figure):
    """Nothing is lost, and nobody who could know of a pause asks during it."""
    requests = WORKERS * scaled(60, 320)

    limiter, seconds, statuses = run(stage, requests, together=True)
    alone, _, _ = run(stage, requests, together=False)

    assert statuses == [200] * requests
    assert limiter.in_a_pause == 0
    assert alone.in_a_pause > 0
    # Each worker has one request on its way when a pause begins, and no more than one.
    assert limiter.refused <= WORKERS * seconds
    figure(
        f"{requests} requests, {WORKERS} workers, {A_SECOND} a second: "
        "lost, sent in a pause",
        f"0, 0 (each on its own {alone.in_a_pause}; refused {limiter.refused}; "
        f"{seconds:.0f} s, ideal {requests / A_SECOND:.0f} s)",
    )
