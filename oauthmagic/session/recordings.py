"""Which target's exchanges are written down where."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from oauthmagic.runtime.traces import RecordedSleep, RecordingTransport, Trace
from oauthmagic.store.forks import begins_anew_in_children

if TYPE_CHECKING:
    from oauthmagic.runtime.world import World
    from oauthmagic.transport.wire import Transport


class Recordings:
    """The traces of a session, by target."""

    def __init__(self) -> None:
        self._traces: dict[str, Trace] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        begins_anew_in_children(self)

    def begin_anew(self) -> None:
        """Take, in a forked child, a lock of its own."""
        self._lock = threading.Lock()

    def last(self, target: str = "") -> Trace | None:
        """Return what was exchanged for a target; without one, the last that was."""
        with self._lock:
            traces = [each for each in self._traces.values() if each.latest]
        if target:
            traces = [each for each in traces if each.target == target]
        return max(traces, key=lambda each: each.latest, default=None)

    def traced(self, world: World) -> World:
        """Return the world with everything that it exchanges written down."""
        name = str(world.target)
        with self._lock:
            if name not in self._traces:
                self._traces[name] = Trace(name, world.clock, self._numbers)
            trace = self._traces[name]
        return replace(
            world,
            trace=trace,
            sleep=RecordedSleep(world.sleep, trace),
            transport=recorded(world.transport, world, trace),
        )


def recorded(
    transport: Transport,
    world: World,
    trace: Trace | None,
    *,
    has_certificate: bool = False,
) -> Transport:
    """Return a transport whose exchanges are written down, if anything is."""
    if trace is None:
        return transport
    environment = world.environment
    return RecordingTransport(
        transport,
        trace,
        endpoints={
            "token_endpoint": environment.token_endpoint,
            **environment.endpoints,
        },
        api_base=environment.api_base,
        has_certificate=has_certificate,
    )
