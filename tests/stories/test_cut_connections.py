"""Connections that break anywhere: nothing is done twice, and `sent` is right."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from scales import scaled
from wires import CuttingProxy, Shop

from oauthmagic import Session
from oauthmagic.errors import ConnectionFailed, ConnectionLost

PROVIDER = """
[provider]
name = "shop"
[environments.sandbox]
token_endpoint = "http://127.0.0.1:{port}/token"
api_base = "http://127.0.0.1:{port}"
"""
#: Both directions of one exchange, in bytes.
SIZE = 2048


@pytest.fixture
def shop():
    """A server that counts effects."""
    with Shop(size=SIZE) as shop:
        yield shop


@pytest.fixture
def client(shop, tmp_path):
    """Return a session whose requests go through a proxy with its cuts."""
    sessions, proxies = [], []

    def client(cuts):
        proxies.append(CuttingProxy(shop.port, cuts).__enter__())
        file = tmp_path / "shop.toml"
        file.write_text(PROVIDER.format(port=proxies[-1].port))
        sessions.append(Session(environ={}))
        sessions[-1].add(file)
        sessions[-1].adopt("shop", {"access_token": "plainly-fake-token"})
        return sessions[-1], proxies[-1]

    yield client
    for session in sessions:
        session.close()
    for proxy in proxies:
        proxy.__exit__()


def order(session, name, *, method="POST", key="", padding=0):
    """Place an order; return the error by which it failed, or None."""
    header = f"Idempotency-Key: {key}\n" if key else ""
    text = f"{method} {name}\nContent-Type: text/plain\n{header}\n{'x' * padding}"
    try:
        reply = session.api("shop", text)
    except (ConnectionFailed, ConnectionLost) as error:
        return error
    assert reply.status == 201
    return None


def cut_at_random(seed, *, most):
    """Return cuts for a proxy: each connection ends within so many bytes."""
    chance = random.Random(seed)  # noqa: S311 - to be the same in every run

    def cuts():
        where = chance.randrange(most)
        return chance.choice([(where, None), (None, where)])

    return cuts


def test_a_cut_at_any_byte_is_told_as_what_it_was(shop, client, figure):
    """`no` means that the server saw nothing, `yes` that it answered; nothing twice."""
    # As long as the answer: what is missing is filled with the body.
    pending = [(None, None)]
    session, proxy = client(lambda: pending.pop() if pending else (None, None))
    order(session, "/o-----", padding=1000)
    padding = SIZE - proxy.received + 1000
    session.close()
    head = shop.answer.index(b"\r\n\r\n") + 4
    step = scaled(32, 1)
    cuts = [(at, None) for at in range(0, SIZE, step)]
    cuts += [(None, at) for at in range(0, SIZE, step)]
    outcomes = Counter()

    for number, (up, down) in enumerate(cuts):
        name = f"/o{number:05d}"
        before = proxy.received
        pending.append((up, down))
        error = order(session, name, padding=padding)
        seen = proxy.received - before
        if error is None:
            # Sent anew, because nothing had been: one whole request in all.
            outcomes["nothing was sent, sent again"] += 1
            assert (up, shop.done[name], seen) == (0, 1, SIZE)
            session.close()
            continue
        outcomes[f"sent: {error.sent}"] += 1
        assert shop.done[name] == (0 if down is None else 1)
        if error.sent == "no":
            assert seen == 0
        if down is not None:
            assert error.sent == ("yes" if down >= head else "unknown")
        else:
            assert error.sent != "yes"

    assert max(shop.arrived.values()) == 1
    figure(
        f"a POST cut at {len(cuts)} of {2 * SIZE} byte offsets: done twice, sent wrong",
        f"0, 0 ({', '.join(f'{what}: {n}' for what, n in sorted(outcomes.items()))})",
    )


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_no_reset_makes_an_effect_happen_twice(shop, client, figure, method):
    """Without a key a request arrives once at most, wherever its connection ends."""
    count = scaled(200, 10_000)
    session, proxy = client(cut_at_random(method, most=6 * SIZE))

    errors = [
        order(session, f"/{method}-{number}", method=method, padding=1700)
        for number in range(count)
    ]

    failed = [error for error in errors if error is not None]
    assert max(shop.arrived.values()) == 1
    for number, error in enumerate(errors):
        done = shop.done[f"/{method}-{number}"]
        assert error is not None or done == 1
        assert error is None or error.sent != "no" or done == 0
        assert error is None or error.sent != "yes" or done == 1
    assert failed
    figure(
        f"{count} {method}s through a proxy that resets at random bytes: duplicates",
        f"0 ({proxy.cut} resets, {len(failed)} told as lost)",
    )


def test_with_a_key_most_resets_are_not_noticed(shop, client, figure):
    """The server knows the key again: sent twice at most, done once."""
    count = scaled(200, 10_000)
    session, proxy = client(cut_at_random("key", most=6 * SIZE))

    errors = [
        order(session, f"/k-{number}", key=f"key-{number}", padding=1700)
        for number in range(count)
    ]

    failed = len([error for error in errors if error is not None])
    assert max(shop.done.values()) == 1
    assert max(shop.arrived.values()) == 2
    assert failed < count / 4
    figure(
        f"{count} POSTs with an Idempotency-Key through such a proxy: duplicates",
        f"0 ({proxy.cut} resets, {failed} told as lost)",
    )


@pytest.mark.parametrize("method", ["PUT", "DELETE", "GET"])
def test_what_may_be_done_twice_is_sent_twice_at_most(shop, client, method):
    """A reset in the middle of the answer, then none: the caller sees the answer."""
    cuts = [(None, None), (None, 100)]
    session, _ = client(lambda: cuts.pop() if cuts else (None, None))

    assert order(session, "/one", method=method) is None
    assert shop.arrived["/one"] == 2


def test_a_connection_that_went_stale_is_replaced_under_a_post(shop, client):
    """Closed while idle: nothing of the second request was sent on it."""
    first = SIZE + len(shop.answer)
    cuts = [(None, None), (None, first)]
    session, proxy = client(lambda: cuts.pop() if cuts else (None, None))
    assert order(session, "/one") is None

    # The answer to this one would have been cut, had the connection been kept.
    session.close()

    assert order(session, "/two") is None
    assert (shop.done["/one"], shop.done["/two"], proxy.connections) == (1, 1, 2)
