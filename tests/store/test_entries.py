"""One key of a shared store, and what other kernels do to it meanwhile."""

import dataclasses
import os
import threading

import pytest
from keeping import FailingDisk, keep, make_token, sound, texts
from opened import now, quick_store

from oauthmagic.errors import StoreDamaged, StoreWriteFailed
from oauthmagic.keys.sealing import Seal
from oauthmagic.store.disks import Disk
from oauthmagic.store.envelopes import MAGIC
from oauthmagic.store.locks import Locks
from oauthmagic.store.records import Kept, from_bytes, key_bytes, to_bytes
from oauthmagic.store.shared import SharedStore
from oauthmagic.store.shelves import Directory


class Watched(Directory):
    """A shelf that counts how often a record is read, and names one that is gone."""

    reads = 0
    gone = ()

    def names(self):
        """Name those that are gone, too: they were there a moment ago."""
        return [*self.gone, *super().names()]

    def read(self, name):
        """Count."""
        self.reads += 1
        return super().read(name)


def watched_store(directory, randomness=os.urandom):
    """Return a store and its shelf."""
    shelf = Watched(directory, Disk())
    store = SharedStore(
        shelf,
        Seal(b"k" * 32, os.urandom),
        Locks(directory, Disk()),
        clock_of=lambda _: now,
        randomness=randomness,
    )
    return store, shelf


def test_an_entry_is_read_anew(directory, store):
    """Another kernel may have written it while this one held no lock."""
    key = make_token().key
    other = quick_store(directory)
    with store.exclusive(key) as entry:
        assert entry.token is None
        entry.write(make_token(1))
        assert entry.token.access_token.reveal() == "fake-access-1"

    with other.exclusive(key) as entry:
        entry.write(make_token(2))
    with store.exclusive(key) as entry:
        assert entry.token.access_token.reveal() == "fake-access-2"
        entry.delete()
        entry.delete()
        assert entry.token is None
    assert other.tokens() == []


def test_a_table_of_tokens_reads_only_what_has_changed(directory):
    """It is looked at often; to renew, the record itself is read."""
    store, shelf = watched_store(directory)
    for number in range(3):
        keep(quick_store(directory), make_token(number, subject=str(number)))
    assert len(store.tokens()) == 3
    before = shelf.reads

    assert len(store.tokens()) == 3
    assert shelf.reads == before
    keep(quick_store(directory), make_token(7, subject="1"))
    assert sorted(texts(store)) == ["fake-access-0", "fake-access-2", "fake-access-7"]
    assert shelf.reads == before + 1
    with store.exclusive(make_token(subject="0").key) as entry:
        assert entry.token is not None
    assert shelf.reads == before + 2


def test_what_this_kernel_wrote_it_need_not_read(directory):
    """It knows it."""
    store, shelf = watched_store(directory)
    keep(store, make_token())
    before = shelf.reads

    assert texts(store) == ["fake-access-1"]
    assert shelf.reads == before


def test_a_record_that_goes_while_it_is_looked_for_is_no_error(directory):
    """Another kernel forgot it."""
    store, shelf = watched_store(directory)
    keep(store, make_token())
    shelf.gone = ("0" * 32,)

    assert texts(store) == ["fake-access-1"]
    keep(store, make_token(2, subject="ann"), latest=True)
    assert texts(store) == ["fake-access-1", "fake-access-2"]


def test_the_first_generation_is_a_guess_and_the_next_ones_are_not(directory):
    """Six random bytes, so that a token obtained anew has another."""
    asked = []

    def randomness(count):
        asked.append(count)
        return b"\x01" * count

    store, _ = watched_store(directory, randomness)
    with store.exclusive(make_token().key) as entry:
        first = entry.next_generation()
        entry.write(make_token().replace(generation=first))
        second = entry.next_generation()

    assert asked == [6]
    assert first == 0x010101010101
    assert second == first + 1


def test_a_place_in_the_order_is_kept_or_the_last(store):
    """The first one, one that is obtained anew, and one that is only renewed."""
    for number, latest in ((1, False), (2, False), (1, False), (1, True), (2, False)):
        keep(store, make_token(number, subject=str(number)), latest=latest)

    assert texts(store) == ["fake-access-2", "fake-access-1"]
    orders = sorted(store.kept(name).order for name in store._shelf.names())
    assert orders == [2, 3]


def test_tokens_of_one_place_are_told_apart_by_their_target(directory, store):
    """Two kernels may have given one number at a time."""
    for target in ("beta@sandbox", "acme@sandbox"):
        keep(store, make_token(target=target))
        for path in directory.glob("*.token"):
            path.rename(directory / f"{target}.{path.stem}.away")
    for path in directory.glob("*.away"):
        path.rename(directory / f"{path.stem.split('.')[-1]}.token")

    assert [token.target for token in quick_store(directory).tokens()] == [
        "acme@sandbox",
        "beta@sandbox",
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda head, target, sealed: (head, target + b"x", sealed),
        lambda _, target, sealed: (b"oauthmagic token 2", target, sealed),
        lambda head, target, sealed: (head + b" ", target, sealed),
        lambda head, _, sealed: (head, b"", sealed),
        lambda head, target, sealed: (target, head, sealed),
        lambda head, target, sealed: (head, target, sealed[:-1]),
        lambda head, target, _: (head, target),
    ],
    ids=["target", "version", "blank", "no target", "order", "cut", "none"],
)
def test_the_lines_in_clear_are_sealed_with_the_record(directory, store, change):
    """What it is, and for which target."""
    keep(store, make_token())
    path = next(directory.glob("*.token"))
    head, target, sealed = path.read_bytes().split(b"\n", 2)
    assert (head, target) == (b"oauthmagic token 1", b"acme@sandbox")
    path.write_bytes(b"\n".join(change(head, target, sealed)))

    with pytest.raises(StoreDamaged) as caught:
        sound(quick_store(directory))
    assert str(caught.value) == (
        "A record of the token store was changed, cut or sealed otherwise."
    )


def test_a_record_sealed_for_another_target_is_damage(directory, store):
    """Even by who has the key: what it holds has to be what it says it is for."""
    token = make_token()
    seal = Seal(b"k" * 32, os.urandom)
    name = seal.name(key_bytes(token.key))
    plain = to_bytes(Kept(token=token, order=1))
    sealed = seal.seal(plain, b"\n".join((MAGIC, name.encode(), b"beta")))
    store._shelf.write(name, b"\n".join((MAGIC, b"beta", sealed)))

    fresh = quick_store(directory)
    with fresh.exclusive(token.key) as entry, pytest.raises(StoreDamaged) as caught:
        _ = entry.token
    # A traceback with its locals goes into a report.
    frame = caught.tb.tb_next
    while frame is not None:
        assert "fake-access" not in repr(frame.tb_frame.f_locals)
        frame = frame.tb_next


def test_what_could_not_be_saved_is_saved_when_it_can_be(directory):
    """By the next who looks or locks; until then it serves, and the reason is told."""
    disk = FailingDisk(1, ever_after=True)
    store = quick_store(directory, disk=disk)
    key = make_token().key
    with pytest.raises(StoreWriteFailed):
        keep(store, make_token())
    assert texts(store) == ["fake-access-1"]
    assert store.unsaved(key) == "The token was NOT saved (No space left on device)."
    assert store.unsaved(make_token(subject="ann").key) == ""
    disk.code = 5

    assert texts(store) == ["fake-access-1"]
    assert store.unsaved(key) == "The token was NOT saved (Input/output error)."
    disk.at = 0
    with store.exclusive(key) as entry:
        assert entry.token.access_token.reveal() == "fake-access-1"
    assert store.unsaved(key) == ""
    assert texts(quick_store(directory)) == ["fake-access-1"]


def test_what_could_not_be_saved_is_over_with_a_later_write(directory):
    """Or with forgetting."""
    disk = FailingDisk(1, ever_after=True)
    store = quick_store(directory, disk=disk)
    with pytest.raises(StoreWriteFailed):
        keep(store, make_token(1))
    with pytest.raises(StoreWriteFailed):
        keep(store, make_token(2))
    assert texts(store) == ["fake-access-2"]

    with store.exclusive(make_token().key) as entry:
        disk.at = 0
        entry.write(make_token(3))
    assert store.unsaved(make_token().key) == ""
    assert texts(store) == texts(quick_store(directory)) == ["fake-access-3"]

    disk.calls.clear()
    disk.at = 1
    with pytest.raises(StoreWriteFailed):
        keep(store, make_token(4))
    with store.exclusive(make_token().key) as entry:
        disk.at = 0
        entry.delete()
    assert store.tokens() == quick_store(directory).tokens() == []


def test_all_that_is_kept_is_counted(store):
    """What is in memory only is forgotten with it."""
    for number in range(3):
        keep(store, make_token(subject=str(number)))

    assert store.clear() == 3
    assert store.clear() == 0


def test_nobody_forgets_while_somebody_renews(directory, store):
    """Each record under its own lock."""
    keep(store, make_token())
    done = threading.Event()

    def clear():
        quick_store(directory).clear()
        done.set()

    thread = threading.Thread(target=clear, daemon=True)
    with store.exclusive(make_token().key):
        thread.start()
        assert not done.wait(0.1)
    assert done.wait(30)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_begins_anew(store):
    """A thread of the parent may read a record at that moment."""
    keep(store, make_token())
    reader, writer = os.pipe()
    with store._guard:
        child = os.fork()
        if not child:  # no test goes on in here
            os.write(writer, b"1" if texts(store) == ["fake-access-1"] else b"0")
            os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reader, 1) == b"1"
    os.close(reader)
    os.close(writer)


def test_keys_are_bytes_that_tell_them_apart():
    """Whatever is in their parts; the order of scopes is none."""
    keys = [
        make_token(target="a", client_id="b").key,
        make_token(target="a,b", client_id="").key,
        make_token(subject="a", alias="").key,
        make_token(subject="", alias="a").key,
        make_token(scopes_requested=frozenset({"a b"})).key,
        make_token(scopes_requested=frozenset({"a", "b"})).key,
    ]

    assert len({key_bytes(key) for key in keys}) == 6
    assert key_bytes(make_token(scopes_requested=frozenset("ab")).key) == key_bytes(
        make_token(scopes_requested=frozenset("ba")).key
    )


def test_what_is_kept_is_a_value():
    """Nobody changes a token behind the back of the store."""
    kept = Kept(token=make_token(), order=1)

    with pytest.raises(dataclasses.FrozenInstanceError):
        kept.order = 2
    with pytest.raises(TypeError):
        Kept(make_token(), 1)
    assert not hasattr(kept, "__dict__")


@pytest.mark.parametrize(("megabytes", "is_read"), [(3, True), (5, False)])
def test_a_record_is_bounded(megabytes, is_read):
    """Claims of thousands of roles fit; what was made to fill the memory does not."""
    kept = Kept(token=make_token(note="x" * (megabytes << 20)), order=1)

    assert (from_bytes(to_bytes(kept), lambda _: now) is not None) is is_read
