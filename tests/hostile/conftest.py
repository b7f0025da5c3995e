"""Two servers of raw bytes: the one that is asked, and one that must never be."""

from __future__ import annotations

import contextlib

import pytest
from hostile_servers import HostileServer

from oauthmagic.transport.http import HttpTransport


@pytest.fixture
def server():
    """The server that the client talks to."""
    with contextlib.closing(HostileServer()) as server:
        yield server


@pytest.fixture
def other():
    """A server that nobody may be led to."""
    with contextlib.closing(HostileServer()) as other:
        yield other
        assert other.connections == 0


@pytest.fixture(scope="module")
def transport():
    """One transport for many sessions: reading all certificates takes its time."""
    with contextlib.closing(HttpTransport()) as transport:
        yield transport
