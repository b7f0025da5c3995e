"""What a simulator was asked is counted, and not without bound."""

from oauthmagic.sandbox.seen import MOST_KEPT, SeenRequests


def test_the_oldest_half_goes_when_there_are_too_many():
    """A simulator that runs for weeks does not fill the memory."""
    requests = SeenRequests()
    for status in range(MOST_KEPT + 1):
        requests.record("GET", "/items", status)

    assert len(requests) == MOST_KEPT // 2 + 1
    assert requests[0] == ("GET", "/items", MOST_KEPT // 2)
    assert requests[-1].status == MOST_KEPT
