"""What a lasting store keeps comes back as it was, or not at all."""

import json
import os
import shutil
import stat
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keeping import NOW, keep, make_token, sound, texts
from opened import quick_store
from scales import scaled

from oauthmagic.errors import StoreBusy, StoreDamaged, StoreUnavailable
from oauthmagic.redaction import Secret
from oauthmagic.store.records import Kept, from_bytes, to_bytes

FIELDS = (
    "target",
    "token_type",
    "grant",
    "client_id",
    "subject",
    "fingerprint",
    "reason",
    "alias",
    "note",
    "scopes",
    "scopes_requested",
    "issued_at",
    "expires_at",
    "refresh_expires_at",
    "generation",
)


def same(token, other):
    """Tell whether two tokens are the same, secrets included."""
    secrets = ("access_token", "refresh_token", "id_token")
    return all(getattr(token, name) == getattr(other, name) for name in FIELDS) and all(
        (one and one.reveal()) == (two and two.reveal())
        for one, two in [
            (getattr(token, name), getattr(other, name)) for name in secrets
        ]
    )


def test_another_kernel_finds_the_token_as_it_was(directory, store):
    """Every field, and the time that its target has there."""
    token = make_token(alias="work", note="said once", refresh_expires_at=NOW)
    keep(store, token)

    found = quick_store(directory, clock=lambda: NOW).tokens()

    assert len(found) == 1
    assert same(found[0], token)
    assert found[0].key == token.key
    assert found[0].remaining().total_seconds() == 300


text = st.text(max_size=20)
secret = st.none() | st.text(min_size=1, max_size=40).map(Secret)
times = st.none() | st.datetimes().map(lambda time: time.replace(tzinfo=NOW.tzinfo))


@given(
    changes=st.fixed_dictionaries(
        {
            "target": text,
            "access_token": secret,
            "refresh_token": secret,
            "id_token": secret,
            "token_type": text,
            "scopes": st.frozensets(text, max_size=4),
            "scopes_requested": st.frozensets(text, max_size=4),
            "client_id": text,
            "subject": text,
            "alias": text,
            "expires_at": times,
            "refresh_expires_at": times,
            "generation": st.integers(0, 2**60),
        }
    ),
    order=st.integers(0, 2**40),
)
@settings(max_examples=scaled(200, 5_000), deadline=None)
def test_a_record_is_read_as_it_was_written(changes, order):
    """Whatever stands in a token."""
    token = make_token(**changes)

    kept = from_bytes(to_bytes(Kept(token=token, order=order)), lambda _: lambda: NOW)

    assert kept.order == order
    assert same(kept.token, token)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@settings(max_examples=scaled(200, 5_000), deadline=None)
def test_what_is_no_record_is_none(found):
    """The reader of records never raises."""
    assert from_bytes(found, lambda _: lambda: NOW) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("generation", "1"),
        ("generation", True),
        ("access_token", 5),
        ("issued_at", None),
        ("issued_at", "yesterday"),
        ("scopes", "a b"),
        ("scopes", [1]),
        ("target", None),
        ("order", 1.5),
        ("more", 1),
    ],
)
def test_a_record_with_a_wrong_member_is_none(name, value):
    """Another version may have written it."""
    members = json.loads(to_bytes(Kept(token=make_token(), order=1)))

    changed = json.dumps(members | {name: value}).encode()

    assert from_bytes(changed, lambda _: lambda: NOW) is None


def test_the_latest_is_the_last(directory, store):
    """A renewal keeps its place; what is obtained or adopted goes to the end."""
    for number, target in enumerate(["acme@sandbox", "beta@sandbox", "gamma@sandbox"]):
        keep(store, make_token(number, target=target), latest=True)
    keep(store, make_token(7, target="acme@sandbox"))
    keep(store, make_token(8, target="beta@sandbox"), latest=True)

    assert texts(quick_store(directory)) == [
        "fake-access-7",
        "fake-access-2",
        "fake-access-8",
    ]


def test_a_generation_is_never_given_twice(store):
    """Not even to a token of the same key that is obtained after it was forgotten."""
    token = make_token()
    seen = set()
    for _ in range(20):
        with store.exclusive(token.key) as entry:
            for _ in range(3):
                number = entry.next_generation()
                assert number not in seen
                seen.add(number)
                entry.write(token.replace(generation=number))
            entry.delete()


def test_nothing_but_the_target_lies_in_clear(directory, store):
    """Neither a secret nor whose it is; file names say nothing."""
    keep(store, make_token(alias="work"))

    for path in directory.iterdir():
        content = path.read_bytes()
        for word in (b"fake", b"access", "jö".encode(), b"work", b"password", b"me\0"):
            assert word not in content
            assert word not in path.name.encode()
    assert any(b"acme@sandbox" in path.read_bytes() for path in directory.iterdir())


def test_only_its_owner_can_read_it(tmp_path):
    """From the first byte on, whatever the umask, the directories above included."""
    before = os.umask(0)
    try:
        keep(quick_store(tmp_path / "state" / "tokens"), make_token())
    finally:
        os.umask(before)

    modes = {
        path.relative_to(tmp_path).as_posix().partition(".")[2] or "directory": oct(
            stat.S_IMODE(path.stat().st_mode)
        )
        for path in tmp_path.rglob("*")
    }
    assert modes == {"directory": "0o700", "lock": "0o600", "token": "0o600"}


def test_wider_modes_are_narrowed(directory, store):
    """Somebody may have copied them with a tool that does not care."""
    keep(store, make_token())
    directory.chmod(0o755)
    record = next(directory.glob("*.token"))
    record.chmod(0o644)

    assert texts(quick_store(directory)) == ["fake-access-1"]
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(record.stat().st_mode) == 0o600


def test_a_link_is_not_followed(tmp_path, directory, store):
    """Neither as a record nor as the directory."""
    keep(store, make_token())
    record = next(directory.glob("*.token"))
    record.rename(tmp_path / "elsewhere")
    record.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "link").symlink_to(directory)

    with pytest.raises(StoreDamaged, match="not a file of ours"):
        sound(quick_store(directory))
    with pytest.raises(StoreUnavailable, match="cannot be used"):
        quick_store(tmp_path / "link")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_belongs_to_somebody_else_is_refused(directory, store):
    """They could exchange it at any time."""
    keep(store, make_token())
    os.chown(next(directory.glob("*.token")), 12345, -1)

    with pytest.raises(StoreDamaged, match="belongs to somebody else"):
        sound(quick_store(directory))

    os.chown(directory, 12345, -1)
    with pytest.raises(StoreUnavailable, match="belongs to somebody else"):
        quick_store(directory)


def test_a_record_is_good_under_its_own_name_only(directory, store):
    """One user's token moved to another's place is no token."""
    keep(store, make_token(1))
    keep(store, make_token(2, subject="ann"))
    one, two = sorted(directory.glob("*.token"))
    one.write_bytes(two.read_bytes())

    with pytest.raises(StoreDamaged):
        sound(quick_store(directory))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda good: good[:-1], "acme@sandbox"),
        (lambda good: good[:0], ""),
        (lambda good: good.replace(b"acme", b"\xff"), ""),
        (lambda good: good.replace(b"acme@sandbox", b"acme"), ""),
        (lambda good: good.replace(b"acme@sandbox", b"a b"), ""),
        (lambda good: good.replace(b"acme", b"beta"), "beta@sandbox"),
    ],
    ids=["cut", "empty", "no text", "no environment", "no target", "another's"],
)
def test_a_damaged_record_is_named_and_removed_alone(directory, store, change, said):
    """What it says of itself is in clear, which proves nothing, but says what to do."""
    keep(store, make_token(1))
    path = next(directory.glob("*.token"))
    keep(store, make_token(2, target="gamma@sandbox"))
    path.write_bytes(change(path.read_bytes()))
    fresh = quick_store(directory)

    (damage,) = fresh.damaged()

    assert damage.target == said
    assert damage.why.__traceback__ is None
    assert [token.target for token in fresh.tokens()] == ["gamma@sandbox"]
    assert fresh.discard("gamma@sandbox") == 0
    assert fresh.discard("other@sandbox") == 0
    assert fresh.discard(said) == 1
    assert fresh.damaged() == []
    assert texts(fresh) == ["fake-access-2"]


def test_what_was_got_anew_meanwhile_is_not_removed(directory, store):
    """Whoever waits for the lock looks again when it is theirs."""
    keep(store, make_token(1))
    path = next(directory.glob("*.token"))
    path.write_bytes(path.read_bytes()[:-1])
    count = []
    with store.exclusive(make_token().key) as entry:
        waiting = threading.Thread(
            target=lambda: count.append(quick_store(directory).discard("acme@sandbox"))
        )
        waiting.start()
        waiting.join(0.2)
        assert count == []
        entry.delete()
        entry.write(make_token(2))
    waiting.join(3)

    assert count == [0]
    assert texts(store) == ["fake-access-2"]


def test_a_record_that_is_no_file_of_ours_says_nothing_of_itself(directory, store):
    """It is not read, and goes without what it points to."""
    keep(store, make_token())
    path = next(directory.glob("*.token"))
    path.rename(directory / "elsewhere")
    path.symlink_to(directory / "elsewhere")
    fresh = quick_store(directory)

    assert [damage.target for damage in fresh.damaged()] == [""]
    assert fresh.discard("") == 1
    assert (directory / "elsewhere").exists()
    assert fresh.damaged() == []


def test_another_key_opens_nothing(directory, store):
    """And says that it is not the right one."""
    keep(store, make_token())

    other = quick_store(directory, key=b"o" * 32)

    with pytest.raises(StoreDamaged, match="sealed otherwise") as caught:
        sound(other)
    assert "%token forget --all" in caught.value.hint


def test_every_flipped_bit_and_every_cut_is_refused(directory, store, figure):
    """An integrity failure is typed, and never an empty store."""
    keep(store, make_token())
    path = next(directory.glob("*.token"))
    good = path.read_bytes()
    cases = [good[:length] for length in range(len(good))]
    cases += [good + b"\0", good + good]
    for at in range(len(good)):
        for bit in range(8):
            flipped = bytearray(good)
            flipped[at] ^= 1 << bit
            cases.append(bytes(flipped))

    accepted = 0
    fresh = quick_store(directory)
    for case in cases:
        path.write_bytes(case)
        with pytest.raises(StoreDamaged):
            accepted += len(sound(fresh))

    path.write_bytes(good)
    assert texts(fresh) == ["fake-access-1"]
    figure(
        f"store tampering, {len(cases):,} flips and cuts of {len(good):,} bytes",
        f"{accepted} accepted",
    )


def test_forgetting_all_removes_what_cannot_be_read(directory, store):
    """The way out of a damaged store."""
    keep(store, make_token(1))
    keep(store, make_token(2, subject="ann"))
    next(directory.glob("*.token")).write_bytes(b"")

    assert store.clear() == 2
    assert store.tokens() == []
    assert not list(directory.glob("*.token"))


def test_a_lock_that_is_held_too_long_is_an_error(directory, store):
    """With what to do, and without waiting for ever."""
    impatient = quick_store(directory, patience=0.05)
    token = make_token()

    with (
        store.exclusive(token.key),
        pytest.raises(StoreBusy, match=r"0\.05 seconds") as caught,
        impatient.exclusive(token.key),
    ):
        pass
    # Who ends a kernel in the middle of a renewal loses the refresh token.
    assert caught.value.hint.startswith("Wait")


def test_a_directory_that_was_removed_is_not_made_again(directory, store):
    """A store without its key file could be read by no other kernel."""
    keep(store, make_token())
    shutil.rmtree(directory)

    with pytest.raises(StoreUnavailable, match="was removed") as caught:
        keep(store, make_token(2))

    assert caught.value.hint.startswith("Restart the kernel")
    assert not directory.exists()
    keep(quick_store(directory), make_token(3))


def test_another_key_of_the_store_is_not_held_back(store):
    """Who renews one token does not make others wait."""
    with (
        store.exclusive(make_token().key),
        store.exclusive(make_token(subject="ann").key),
    ):
        keep(store, make_token(subject="bob"))


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_holds_no_lock(directory, store):
    """What a child inherits would be held as long as it lives."""
    token = make_token()
    ready, stop = os.pipe(), os.pipe()
    with store.exclusive(token.key):
        child = os.fork()
        if not child:  # no test goes on in here
            os.write(ready[1], b"1")
            os.read(stop[0], 1)
            os._exit(0)
        os.read(ready[0], 1)
    try:
        keep(quick_store(directory, patience=0.5), token)
    finally:
        os.write(stop[1], b"1")
        os.waitpid(child, 0)
        for handle in (*ready, *stop):
            os.close(handle)


def test_many_threads_write_one_after_the_other(directory, store):
    """No write is lost, none is half."""
    threads = [
        threading.Thread(
            target=lambda number=number: keep(
                quick_store(directory), make_token(number, subject=str(number % 4))
            )
        )
        for number in range(32)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(store.tokens()) == 4
    assert not list(directory.glob("*.new"))
