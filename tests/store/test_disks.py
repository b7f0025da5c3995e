"""A file is whole, private and ours, or it is not touched."""

import os
import stat
from pathlib import Path

import pytest
from keeping import FailingDisk

from oauthmagic.errors import StoreDamaged, StoreUnavailable, StoreWriteFailed
from oauthmagic.store.disks import (
    Disk,
    check_private,
    private_directory,
    read_private,
    remove_whole,
    write_whole,
)
from oauthmagic.store.shelves import Directory


class Noted(Disk):
    """A disk that notes what it is asked for, and writes three bytes at a time."""

    def __init__(self):
        self.steps = []
        self.handles = set()

    def open(self, path, flags):
        """Note the name and whether it must be new."""
        kind = (
            "directory" if flags & os.O_DIRECTORY else "new" * bool(flags & os.O_EXCL)
        )
        self.steps.append(f"open {path.name} {kind}")
        handle = super().open(path, flags)
        self.handles.add(handle)
        return handle

    def write(self, handle, data):
        """Write a part only, as a disk may."""
        self.steps.append("write")
        return super().write(handle, data[:3])

    def sync(self, handle):
        """Note it."""
        self.steps.append("sync")
        super().sync(handle)

    def close(self, handle):
        """Note it."""
        self.steps.append("close")
        self.handles.remove(handle)
        super().close(handle)

    def move(self, source, target):
        """Note both names."""
        self.steps.append(f"move {source.name} {target.name}")
        super().move(source, target)

    def remove(self, path):
        """Note the name."""
        self.steps.append(f"remove {path.name}")
        super().remove(path)


def test_a_write_is_safe_step_by_step(tmp_path):
    """Written elsewhere, synchronized, moved, and the directory synchronized."""
    disk = Noted()

    write_whole(disk, tmp_path / "a", b"12345678")

    assert disk.steps == [
        "remove a.new",
        "open a.new new",
        *["write"] * 3,
        "sync",
        "close",
        "move a.new a",
        f"open {tmp_path.name} directory",
        "sync",
        "close",
    ]
    assert disk.handles == set()
    assert (tmp_path / "a").read_bytes() == b"12345678"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


def test_what_a_killed_writer_left_is_no_obstacle(tmp_path):
    """Nor is it written to: it may have another mode, or be a link."""
    (tmp_path / "elsewhere").write_bytes(b"kept")
    (tmp_path / "a.new").symlink_to(tmp_path / "elsewhere")

    write_whole(Disk(), tmp_path / "a", b"12")

    assert (tmp_path / "a").read_bytes() == b"12"
    assert (tmp_path / "elsewhere").read_bytes() == b"kept"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "elsewhere"]


def test_a_write_that_fails_leaves_no_handle_and_nothing_new(tmp_path):
    """However it fails, but for the last two steps, which come after the move."""

    class Failing(FailingDisk, Noted):
        def __init__(self, at):
            Noted.__init__(self)
            FailingDisk.__init__(self, at)

    for step in range(2, 9):
        disk = Failing(step)
        try:
            write_whole(disk, tmp_path / "a", b"12")
        except OSError:
            assert disk.handles == set()
        assert not list(tmp_path.glob("*.new"))


def test_a_removal_is_safe_step_by_step(tmp_path):
    """And does nothing, the directory included, where there is none."""
    disk = Noted()
    (tmp_path / "a").write_bytes(b"1")

    remove_whole(disk, tmp_path / "a")
    remove_whole(disk, tmp_path / "a")

    assert disk.steps == [
        "remove a",
        f"open {tmp_path.name} directory",
        "sync",
        "close",
        "remove a",
    ]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o604, 0o666, 0o620, 0o602, 0o700])
def test_a_file_is_narrowed_to_its_owner(tmp_path, mode):
    """What the owner may do stays."""
    path = tmp_path / "a"
    path.write_bytes(b"12")
    path.chmod(mode)

    assert read_private(path) == b"12"
    assert stat.S_IMODE(path.stat().st_mode) == mode & 0o700


def test_what_is_no_file_is_not_read(tmp_path):
    """A pipe in its place would be waited for without an end."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "directory").mkdir()

    with pytest.raises(OSError, match="another kind"):
        read_private(tmp_path / "pipe")
    with pytest.raises(OSError, match="directory"):
        read_private(tmp_path / "directory")
    assert read_private(tmp_path / "nothing") is None


def test_what_is_no_directory_is_none(tmp_path):
    """A file, or a link to a directory."""
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path)

    for name in ("file", "link"):
        with pytest.raises(OSError):  # noqa: PT011 - in the words of the system
            private_directory(tmp_path / name)


def test_a_directory_is_made_with_its_parents(tmp_path):
    """Each for its owner only; one that there is stays as it is, but for its mode."""
    before = os.umask(0)
    try:
        private_directory(tmp_path / "a" / "b")
        private_directory(tmp_path / "a" / "b")
    finally:
        os.umask(before)
    for path in (tmp_path / "a", tmp_path / "a" / "b"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
        path.chmod(0o755)
    private_directory(tmp_path / "a" / "b")

    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700


def test_what_is_written_reaches_the_disk(tmp_path, monkeypatch):
    """The file before it is moved, and the directory after."""
    synchronized = []
    fsync = os.fsync

    def note(handle):
        synchronized.append(stat.S_ISDIR(os.fstat(handle).st_mode))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", note)
    write_whole(Disk(), tmp_path / "a", b"12")

    assert synchronized == [False, True]


def test_a_link_is_not_opened(tmp_path):
    """Not to read, and not to write, whatever else is asked."""
    (tmp_path / "elsewhere").write_bytes(b"kept")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")

    for flags in (os.O_RDONLY, os.O_RDWR, os.O_WRONLY | os.O_CREAT):
        with pytest.raises(OSError, match="symbolic links"):
            Disk().open(tmp_path / "link", flags)
    with pytest.raises(OSError, match="symbolic links"):
        read_private(tmp_path / "link")


def test_the_first_reason_is_the_one_that_is_told(tmp_path):
    """Where what is new cannot be removed, either, that is no other reason."""

    class Full(Disk):
        def sync(self, _):
            raise OSError(28, "the first reason")

        def remove(self, path):
            if path.exists():
                raise OSError(5, "the second reason")
            super().remove(path)

    with pytest.raises(OSError, match="the first reason"):
        write_whole(Full(), tmp_path / "a", b"12")


def test_a_directory_that_somebody_makes_meanwhile_is_taken(tmp_path, monkeypatch):
    """Two kernels start at once."""
    monkeypatch.setattr(Path, "exists", lambda _: False)

    private_directory(tmp_path)


def test_no_handle_is_left_open(tmp_path):
    """Nor is one inherited by programs that are started meanwhile."""
    (tmp_path / "a").write_bytes(b"1")
    private_directory(tmp_path)
    handle = Disk().open(tmp_path / "a", os.O_RDONLY)
    try:
        assert not os.get_inheritable(handle)
        with pytest.raises(OSError, match="another kind"):
            check_private(handle, stat.S_ISDIR)
    finally:
        os.close(handle)
    before = open_handles()
    for _ in range(3):
        private_directory(tmp_path)
        write_whole(Disk(), tmp_path / "a", b"2")
        read_private(tmp_path / "a")

    assert open_handles() == before


def open_handles():
    """Return how many files this process has open, where the system tells."""
    listed = Path("/proc/self/fd")
    return len(list(listed.iterdir())) if listed.exists() else 0


@pytest.fixture
def shelf(tmp_path):
    """A shelf in a directory."""
    return Directory(tmp_path / "shelf", Disk())


def test_a_shelf_keeps_records_by_name(tmp_path, shelf):
    """What is no record of it is left alone."""
    (tmp_path / "shelf" / "key.json").write_bytes(b"{}")
    shelf.write("b", b"2")
    shelf.write("a", b"1")

    assert shelf.names() == ["a", "b"]
    assert (shelf.read("a"), shelf.read("c")) == (b"1", None)
    assert shelf.mark("c") is None
    before = shelf.mark("a")
    assert shelf.mark("a") == before
    shelf.write("a", b"2")
    assert shelf.mark("a") != before
    shelf.remove("a")
    shelf.remove("a")
    assert shelf.names() == ["b"]
    assert sorted(path.name for path in (tmp_path / "shelf").iterdir()) == [
        "b.token",
        "key.json",
    ]


@pytest.mark.parametrize("change", ["size", "mode", "time", "file"])
def test_a_mark_changes_with_the_record(tmp_path, shelf, change):
    """Whoever changed it, and however: what was read before is not used."""
    shelf.write("a", b"1")
    path = tmp_path / "shelf" / "a.token"
    before, found = shelf.mark("a"), path.stat()

    if change == "size":
        path.write_bytes(b"12")
        os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    elif change == "mode":
        path.chmod(0o640)
    elif change == "time":
        os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns + 1))
    else:
        (tmp_path / "shelf" / "b").write_bytes(b"1")
        (tmp_path / "shelf" / "b").chmod(0o600)
        os.utime(tmp_path / "shelf" / "b", ns=(found.st_atime_ns, found.st_mtime_ns))
        (tmp_path / "shelf" / "b").replace(path)

    assert shelf.mark("a") != before


def test_a_shelf_that_is_gone_is_empty_and_one_that_is_no_directory_is_an_error(
    tmp_path, shelf
):
    """Somebody started anew, or put something else in its place."""
    (tmp_path / "shelf").rmdir()
    assert shelf.names() == []

    (tmp_path / "shelf").write_bytes(b"")
    with pytest.raises(StoreUnavailable) as caught:
        shelf.names()
    assert str(caught.value) == "The token store cannot be read (Not a directory)."
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (Path.mkdir, StoreDamaged, "is not a file of ours (Is a directory)."),
        (os.mkfifo, StoreDamaged, "is not a file of ours (it is of another kind"),
        (lambda path: path.symlink_to("/"), StoreDamaged, "is not a file of ours ("),
        (
            lambda path: (path.write_bytes(b""), os.chown(path, 12345, -1)),
            StoreDamaged,
            "is not safe: it belongs to somebody else.",
        ),
    ],
    ids=["directory", "pipe", "link", "foreign"],
)
def test_a_record_that_is_not_ours_is_damage(tmp_path, shelf, make, error, says):
    """With the reason, and without its path."""
    if "safe" in says and os.geteuid():
        pytest.skip("only root can give files away")
    make(tmp_path / "shelf" / "a.token")

    with pytest.raises(error) as caught:
        shelf.read("a")

    assert str(caught.value).startswith(f"A record of the token store {says}")
    assert str(tmp_path) not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_record_that_cannot_be_read_is_not_damaged(shelf):
    """The disk has its reasons, and another day it may."""
    with pytest.raises(StoreUnavailable) as caught:
        shelf.read("a" * 300)

    assert str(caught.value) == "The token store cannot be read (File name too long)."


def test_what_could_not_be_done_is_said(tmp_path):
    """Whether the token was saved, or removed, and why not."""
    shelf = Directory(tmp_path / "shelf", FailingDisk(1, ever_after=True))

    with pytest.raises(StoreWriteFailed) as caught:
        shelf.write("a", b"1")
    assert str(caught.value) == "The token was NOT saved (No space left on device)."
    assert caught.value.__suppress_context__

    with pytest.raises(StoreWriteFailed) as caught:
        shelf.remove("a")
    assert str(caught.value) == (
        "The token was not removed from the store (No space left on device)."
    )
    assert caught.value.hint == "Try again when the disk works."
    assert caught.value.__suppress_context__

    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreUnavailable) as caught:
        Directory(tmp_path / "file", Disk())
    assert str(caught.value) == (
        "The directory of the token store cannot be used (Not a directory)."
    )
    assert caught.value.__suppress_context__
