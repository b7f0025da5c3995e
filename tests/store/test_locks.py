"""A lock is held by one, however many threads and processes want it."""

import errno
import os
import threading
from contextlib import ExitStack

import pytest

from oauthmagic.errors import StoreBusy, StoreUnavailable
from oauthmagic.redaction import Secret
from oauthmagic.store.disks import Disk
from oauthmagic.store.forks import begins_anew_in_children
from oauthmagic.store.locks import PATIENCE, Locks


class Time:
    """Seconds that pass only while somebody sleeps."""

    def __init__(self):
        self.now = 100.0
        self.slept = []

    def sleep(self, seconds):
        """Let them pass."""
        self.slept.append(seconds)
        self.now += seconds

    def monotonic(self):
        """Return the time."""
        return self.now


@pytest.fixture
def time():
    """Time of the test."""
    return Time()


def locks(path, time, disk=None, **kwargs):
    """Return the locks of a directory, as another process has them."""
    return Locks(
        path, disk or Disk(), sleep=time.sleep, monotonic=time.monotonic, **kwargs
    )


def test_another_process_looks_again_until_its_patience_ends(tmp_path, time):
    """A hundred times a second; the message says how long it was."""
    with (
        locks(tmp_path, time).held("a"),
        pytest.raises(StoreBusy, match=r"busy with this token for 0\.5 seconds\."),
        locks(tmp_path, time, patience=0.5).held("a"),
    ):
        pass

    assert set(time.slept) == {0.01}
    assert 0.49 < sum(time.slept) < 0.52


def test_another_process_gets_the_lock_when_it_is_free(tmp_path, time):
    """And waits no longer."""
    with ExitStack() as stack:
        stack.enter_context(locks(tmp_path, time).held("a"))
        waits = time.sleep

        def sleep(seconds):
            waits(seconds)
            if len(time.slept) == 3:
                stack.close()

        time.sleep = sleep
        with locks(tmp_path, time).held("a"):
            assert len(time.slept) == 3


def test_the_patience_is_longer_than_any_token_request(tmp_path, time):
    """Unless told, longer than a revocation with all its waits."""
    with (
        locks(tmp_path, time).held("a"),
        pytest.raises(StoreBusy, match="for 45 seconds"),
        locks(tmp_path, time).held("a"),
    ):
        pass

    assert PATIENCE == 45
    assert 45 <= sum(time.slept) < 45.05


def test_another_thread_waits_in_the_same_way(tmp_path, time):
    """It does not look at the file, and its patience ends, too."""
    time.monotonic = iter([0, 0, 0.2, 0.3]).__next__
    held = locks(tmp_path, time, patience=0.3)
    told = []

    def use():
        try:
            with held.held("a"):
                told.append("held")
        except StoreBusy as error:
            told.append(str(error))

    with held.held("a"):
        thread = threading.Thread(target=use)
        thread.start()
        thread.join(5)

    assert told == [
        "Another kernel or program has been busy with this token for 0.3 seconds."
    ]
    assert time.slept == []


def test_a_lock_is_free_again_whatever_happened(tmp_path, time):
    """For threads and for processes."""
    mine = locks(tmp_path, time)
    with pytest.raises(RuntimeError), mine.held("a"):
        raise RuntimeError

    with mine.held("a"), mine.held("b"):
        pass
    with locks(tmp_path, time, patience=0).held("a"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.lock", "b.lock"]
    assert mine._held == set()


def test_a_handle_that_holds_no_lock_is_closed(tmp_path, time):
    """Nobody would ever close it, and a process has a thousand."""

    class Counting(Disk):
        opened = closed = 0

        def open(self, path, flags):
            Counting.opened += 1
            return super().open(path, flags)

        def close(self, handle):
            Counting.closed += 1
            super().close(handle)

    with (
        locks(tmp_path, time).held("a"),
        pytest.raises(StoreBusy),
        locks(tmp_path, time, Counting(), patience=0.05).held("a"),
    ):
        pass
    assert Counting.opened == Counting.closed >= 5


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.EROFS, "x"), r"\(Read-only file system\)"),
        (OSError("x"), r"\(OSError\)"),
    ],
)
def test_where_nothing_can_be_locked_it_is_said(tmp_path, time, error, said):
    """A file system without locks, or one that cannot be written."""

    class Refusing(Disk):
        def open(self, *_):
            raise error

    class Unlockable(Disk):
        closed = 0

        def open(self, *_):
            return os.open(tmp_path, os.O_RDONLY | os.O_PATH)

        def close(self, handle):
            Unlockable.closed += 1
            super().close(handle)

    with (
        pytest.raises(StoreUnavailable, match=f"cannot be locked {said}") as caught,
        locks(tmp_path, time, Refusing()).held("a"),
    ):
        pass
    assert caught.value.__suppress_context__
    with (
        pytest.raises(StoreUnavailable, match="cannot be locked") as caught,
        locks(tmp_path, time, Unlockable()).held("a"),
    ):
        pass
    assert Unlockable.closed == 1
    assert caught.value.__suppress_context__


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_begins_anew(tmp_path, time):
    """It holds no lock of its parent's, whichever thread has it, and can take it."""
    mine = locks(tmp_path, time)
    begun = []

    class Thing:
        def begin_anew(self):
            begun.append(os.getpid())

    thing = Thing()
    begins_anew_in_children(thing)
    told, go_on = os.pipe(), os.pipe()
    with mine.held("a"):
        mine._held.add(1_000_000)  # closed by somebody else
        child = os.fork()
        if not child:  # no test goes on in here
            anew = not mine._held and not mine._of_threads
            os.write(told[1], b"1" if anew and begun == [os.getpid()] else b"0")
            os.read(go_on[0], 1)
            os._exit(0)
        mine._held.discard(1_000_000)

    assert os.read(told[0], 1) == b"1"
    with locks(tmp_path, time, patience=0).held("a"):
        pass
    os.write(go_on[1], b"1")
    os.waitpid(child, 0)
    assert begun == []
    for handle in (*told, *go_on):
        os.close(handle)
    assert thing


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_the_register_of_secrets_is_free_in_a_child():
    """It is held while the process is copied; then each of its threads can use it."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:  # no test goes on in here
        thread = threading.Thread(target=lambda: Secret("fake-in-a-child"), daemon=True)
        thread.start()
        thread.join(5)
        os.write(writer, b"0" if thread.is_alive() else b"1")
        os._exit(0)
    os.waitpid(child, 0)
    thread = threading.Thread(target=lambda: Secret("fake-in-the-parent"))
    thread.start()
    thread.join(5)

    assert os.read(reader, 1) == b"1"
    assert not thread.is_alive()
    os.close(reader)
    os.close(writer)


def test_a_lock_that_is_kept_is_free_for_this_process_only(tmp_path, time):
    """Until it is kept no longer: on the disk is a token that was replaced."""
    mine = locks(tmp_path, time, patience=0)
    other = locks(tmp_path, time, patience=0)
    with mine.held("a"):
        mine.keep("a")
    with pytest.raises(StoreBusy), other.held("a"):
        pass
    with other.held("b"):
        pass

    with mine.held("a"):
        mine.keep_no_longer("a")
        mine.keep_no_longer("a")
    with other.held("a"):
        pass
    with mine.held("a"):
        pass
    assert (mine._kept, mine._held) == ({}, set())


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_keeps_no_lock(tmp_path, time):
    """What its parent keeps is its parent's."""
    mine = locks(tmp_path, time, patience=0)
    with mine.held("a"):
        mine.keep("a")
    reader, writer = os.pipe()
    child = os.fork()
    if not child:  # no test goes on in here
        anew = not mine._kept and not mine._keeping
        try:
            with mine.held("a"):
                anew = False
        except StoreBusy:
            pass
        os.write(writer, b"1" if anew else b"0")
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reader, 1) == b"1"
    os.close(reader)
    os.close(writer)


def test_a_directory_that_was_removed_is_not_made_again(tmp_path, time):
    """Without its key file it would be a store that nobody can read."""
    with (
        pytest.raises(StoreUnavailable) as caught,
        locks(tmp_path / "x", time).held("a"),
    ):
        pass

    assert str(caught.value) == "The directory of the token store was removed."
    assert caught.value.__suppress_context__
    assert caught.value.hint.startswith("Restart the kernel")
    assert '%config OAuthMagic.store = "memory"' in caught.value.hint
    assert not (tmp_path / "x").exists()
