"""What is written down of an exchange that comes again and again."""

import itertools
from datetime import UTC, datetime

import pytest

from oauthmagic.redaction import MASK, Secret
from oauthmagic.runtime.traces import RecordingTransport, Trace
from oauthmagic.transport.wire import WireRequest, WireResponse

BASE = "https://api.acme.example"
HEADERS = (("authorization", "Bearer fake-access-token-one"),)


class Fixed:
    """Answers with what it is given."""

    def __init__(self):
        self.response = WireResponse(status=200, body=b"{}")

    def send(self, *_, **__):
        """Answer."""
        return self.response


@pytest.fixture
def server():
    """Return what answers."""
    return Fixed()


@pytest.fixture
def trace():
    """Return a trace of a fixed time."""
    now = datetime(2030, 1, 1, tzinfo=UTC)
    return Trace("acme@sandbox", lambda: now, itertools.count(1))


@pytest.fixture
def recording(server, trace):
    """Return what writes exchanges into the trace."""
    return RecordingTransport(server, trace, endpoints={}, api_base=BASE)


def send(recording, path="/accounts", **changes):
    """Send a request."""
    request = WireRequest(method="GET", url=BASE + path, headers=HEADERS, **changes)
    recording.send(request, timeout=1, limit=1000)


def test_the_same_exchange_is_written_in_the_same_words(recording, trace):
    """Made once, or made anew."""
    for path in ("/accounts", "/accounts", "/other", "/accounts"):
        send(recording, path)

    first, second, other, again = trace.exchanges()

    assert first == second == again
    assert other.title == "GET /other"


def test_another_answer_is_written_in_its_own_words(recording, server, trace):
    """Status, headers and size of the body count."""
    answers = [
        WireResponse(status=200, body=b"{}"),
        WireResponse(status=404, body=b"{}"),
        WireResponse(status=200, body=b"{ }"),
        WireResponse(status=200, body=b"{}", headers=(("x-one", "1"),)),
    ]
    for server.response in answers:
        send(recording)

    assert len({each.response for each in trace.exchanges()}) == len(answers)


def test_a_secret_that_is_new_is_masked_from_then_on(recording, trace):
    """What was written before it was known to be one is not written again."""
    value = "fake-secret-of-a-path-9f8e7d"
    send(recording, f"/accounts/{value}")
    kept = Secret(value)
    send(recording, f"/accounts/{value}")

    before, after = trace.exchanges()

    assert kept
    assert value in before.request
    assert value not in after.request + after.title
    assert MASK in after.request


def test_whoever_writes_exchanges_down_keeps_no_token(recording):
    """Of the last request it has a hash, and the words that were written."""
    send(recording)

    kept = repr([recording._last_request, recording._last_answer])

    assert "fake-access-token-one" not in kept
    assert "GET" in kept
