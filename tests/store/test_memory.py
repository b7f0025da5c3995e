"""The store of one session: gone with it, and safe among threads while it lasts."""

import os
import threading

import pytest
from keeping import keep, make_token, texts

from oauthmagic.store.memory import FORKED, MemoryStore


@pytest.fixture
def memory():
    """An empty store."""
    return MemoryStore()


def test_the_latest_is_the_last(memory):
    """A renewal keeps its place; what is obtained or adopted goes to the end."""
    for number in range(3):
        keep(memory, make_token(number, subject=str(number)), latest=True)
    keep(memory, make_token(7, subject="0"))
    assert texts(memory) == ["fake-access-7", "fake-access-1", "fake-access-2"]

    keep(memory, make_token(8, subject="1"), latest=True)

    assert texts(memory) == ["fake-access-7", "fake-access-2", "fake-access-8"]


def test_what_was_forgotten_is_gone(memory):
    """One, or all; nothing is forgotten twice."""
    for number in range(3):
        keep(memory, make_token(number, subject=str(number)))
    with memory.exclusive(make_token(subject="1").key) as entry:
        assert entry.token.access_token.reveal() == "fake-access-1"
        entry.delete()
        entry.delete()
        assert entry.token is None

    assert texts(memory) == ["fake-access-0", "fake-access-2"]
    assert memory.clear() == 2
    assert memory.clear() == 0
    assert memory.tokens() == []
    assert memory.damaged() == []
    assert memory.discard("") == 0
    assert memory.unsaved(make_token().key) == ""


def test_a_generation_is_never_given_twice(memory):
    """Over all keys, from one on."""
    numbers = []
    for subject in ("ann", "bob", "ann"):
        with memory.exclusive(make_token(subject=subject).key) as entry:
            numbers.append(entry.next_generation())

    assert numbers == [1, 2, 3]


def test_a_key_is_held_by_one_thread(memory):
    """Others of the same key wait; those of another do not."""
    key, other = make_token().key, make_token(subject="ann").key
    inside = threading.Event()

    def use():
        with memory.exclusive(key):
            inside.set()

    thread = threading.Thread(target=use, daemon=True)
    with memory.exclusive(key):
        thread.start()
        with memory.exclusive(other):
            assert not inside.wait(0.1)
    thread.join(30)
    assert inside.is_set()


@pytest.mark.parametrize(
    "use",
    [
        lambda store, _: store.tokens(),
        lambda store, _: store.clear(),
        lambda store, _: store.exclusive(make_token().key).__enter__(),
        lambda _, entry: entry.token,
        lambda _, entry: entry.write(make_token()),
        lambda _, entry: entry.delete(),
    ],
    ids=["tokens", "clear", "exclusive", "token", "write", "delete"],
)
def test_nobody_sees_a_change_by_half(memory, use):
    """The dictionary is changed and read under one guard."""
    done = threading.Event()
    with memory.exclusive(make_token(subject="ann").key) as entry:
        pass

    def act():
        use(memory, entry)
        done.set()

    with memory._guard:
        threading.Thread(target=act, daemon=True).start()
        assert not done.wait(0.05)
    assert done.wait(30)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_begins_anew(memory):
    """With the tokens, and without what two may not use or hold.

    The refresh tokens stay with the parent, and so do the locks of its threads.
    """
    keep(memory, make_token(1))
    keep(memory, make_token(2, subject="ann", refresh_token=None, note="kept"))
    reader, writer = os.pipe()
    with memory.exclusive(make_token().key), memory._guard:
        child = os.fork()
        if not child:  # no test goes on in here
            with memory.exclusive(make_token().key) as entry:
                entry.write(entry.token)
            found = [
                f"{token.access_token.reveal()} {token.refresh_token} {token.note}"
                for token in memory.tokens()
            ]
            os.write(writer, "\n".join(found).encode())
            os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reader, 1000).decode().splitlines() == [
        f"fake-access-1 None {FORKED}",
        "fake-access-2 None kept",
    ]
    assert FORKED.startswith("A forked process does not refresh")
    assert memory.tokens()[0].refresh_token is not None
    os.close(reader)
    os.close(writer)


def test_a_child_keeps_what_needs_no_refresh(memory):
    """A token without refresh token serves in a child as it did in its parent."""
    keep(memory, make_token(1, refresh_token=None))
    keep(memory, make_token(2, subject="ann"))

    memory.begin_anew()

    one, two = memory.tokens()
    assert one.note == ""
    assert (two.refresh_token, two.note) == (None, FORKED)
    assert FORKED.startswith("A forked process does not refresh")
