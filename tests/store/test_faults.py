"""A disk that is full, broken or read-only costs no token and hides nothing."""

import errno
import itertools

import pytest
from keeping import FailingDisk, keep, make_token, texts
from opened import quick_store

from oauthmagic.errors import StoreBusy, StoreWriteFailed

CODES = {
    code: getattr(errno, code)
    for code in ("ENOSPC", "EIO", "EROFS", "EDQUOT", "EINTR", "EMFILE")
}


def steps_of(write, directory, before):
    """Return how many calls a write makes."""
    disk = FailingDisk()
    if before:
        keep(quick_store(directory), make_token(1))
    write(quick_store(directory, disk=disk))
    return len(disk.calls)


def replace(store):
    """Keep the second token."""
    keep(store, make_token(2))


def delete(store):
    """Forget the token."""
    with store.exclusive(make_token().key) as entry:
        entry.delete()


@pytest.mark.parametrize("before", [[], ["fake-access-1"]], ids=["first", "next"])
def test_a_write_that_fails_at_any_step(tmp_path, before, figure):
    """Old or new on the disk, the new one in memory, a typed error with the reason."""
    steps = steps_of(replace, tmp_path / "counted", before)
    torn = 0
    for code, step in itertools.product(CODES, range(1, steps + 1)):
        directory = tmp_path / f"{code}-{step}"
        if before:
            keep(quick_store(directory), make_token(1))
        disk = FailingDisk(step, CODES[code], ever_after=True)
        store = quick_store(directory, disk=disk)

        with pytest.raises(StoreWriteFailed, match="NOT saved") as caught:
            replace(store)

        on_disk = texts(quick_store(directory))
        torn += on_disk not in (before, ["fake-access-2"])
        assert texts(store) == ["fake-access-2"]
        # After the last step but one it has been saved, only not for certain.
        waits = on_disk == before
        assert store.unsaved(make_token().key) == (str(caught.value) if waits else "")

        disk.at = 0
        assert texts(store) == ["fake-access-2"]
        assert store.unsaved(make_token().key) == ""
        assert texts(quick_store(directory)) == ["fake-access-2"]

    figure(
        f"{', '.join(CODES)} at each of {steps} steps of a "
        f"{'later' if before else 'first'} write",
        f"{torn} torn, {len(CODES) * steps} typed errors",
    )
    assert torn == 0


@pytest.mark.parametrize("code", CODES)
def test_a_token_that_cannot_be_removed_is_still_there(tmp_path, code):
    """Forgetting says that it failed."""
    steps = steps_of(delete, tmp_path / "counted", before=True)
    for step in range(1, steps + 1):
        directory = tmp_path / str(step)
        keep(quick_store(directory), make_token(1))
        store = quick_store(directory, disk=FailingDisk(step, CODES[code]))

        with pytest.raises(StoreWriteFailed, match="not removed") as caught:
            delete(store)

        assert "fake" not in str(caught.value)
        assert texts(quick_store(directory)) in ([], ["fake-access-1"])


def test_while_a_token_is_not_saved_nobody_else_renews_it(directory):
    """On the disk is one that was replaced; sent again, it would end the login."""
    keep(quick_store(directory), make_token(1))
    disk = FailingDisk(1, ever_after=True)
    store = quick_store(directory, disk=disk)
    with pytest.raises(StoreWriteFailed):
        keep(store, make_token(2))

    other = quick_store(directory, patience=0.05)
    with pytest.raises(StoreBusy):
        keep(other, make_token(3))
    keep(other, make_token(4, subject="ann"))

    disk.at = 0
    assert texts(store) == ["fake-access-2", "fake-access-4"]
    keep(other, make_token(5))
    assert texts(store) == ["fake-access-5", "fake-access-4"]


def test_a_newer_token_of_somebody_else_wins(tmp_path, directory):
    """Another host, which does not share the lock, could write while we could not."""
    keep(quick_store(directory), make_token(1))
    store = quick_store(directory, disk=FailingDisk(1, ever_after=True))
    with pytest.raises(StoreWriteFailed):
        keep(store, make_token(2))
    (tmp_path / "there").mkdir()

    keep(quick_store(directory, locks=tmp_path / "there"), make_token(3))

    assert texts(store) == ["fake-access-3"]
    assert store.unsaved(make_token().key) == ""


def test_what_could_not_be_saved_can_be_forgotten(directory):
    """It was in memory only."""
    store = quick_store(directory, disk=FailingDisk(1, ever_after=True))
    with pytest.raises(StoreWriteFailed):
        keep(store, make_token(2))

    store.clear()

    assert store.tokens() == []
