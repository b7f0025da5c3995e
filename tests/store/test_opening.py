"""A store that lasts is opened with its own key, or not at all."""

# The verbs are explained in store_states.toml:
# ruff: noqa: D102

import base64
import dataclasses
import json
import threading
import tomllib
from contextlib import ExitStack
from pathlib import Path

import pytest
from keeping import FailingDisk, keep, make_token, sound, texts
from opened import file_store

import oauthmagic.errors
from oauthmagic.errors import OAuthMagicError, StoreDamaged, StoreWriteFailed
from oauthmagic.keys.sealing import ScryptCost
from oauthmagic.store import opening
from oauthmagic.store.disks import Disk, private_directory
from oauthmagic.store.locks import Locks
from oauthmagic.store.opening import Place
from oauthmagic.store.places import user_directory

STATES = tomllib.loads((Path(__file__).parent / "store_states.toml").read_text())


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Make a store with two tokens, once."""
    directory = tmp_path_factory.mktemp("made") / "tokens"
    store = file_store(directory)
    keep(store, make_token(1))
    keep(store, make_token(2, target="beta@sandbox"))
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.fixture
def found(made, directory):
    """Put that store where a test may change it."""
    directory.mkdir(mode=0o700)
    for name, content in made.items():
        path = directory / name
        path.write_bytes(content)
        path.chmod(0o600)
    return directory


class Changes:
    """The verbs of `store_states.toml`."""

    def __init__(self, directory, stack):
        one, two = sorted(path.stem for path in directory.glob("*.token"))
        self.directory = directory
        self.stack = stack
        self.names = {"key": "key.json", "one": f"{one}.token", "two": f"{two}.token"}

    def __call__(self, line):
        """Carry out a line."""
        verb, _, rest = line.partition(" ")
        name, _, argument = rest.partition(" ")
        path = self.directory / self.names.get(name, name)
        getattr(self, verb.replace("-", "_"))(path, argument)

    def cut(self, path, count):
        path.write_bytes(path.read_bytes()[: int(count)])

    def empty(self, path, _):
        path.write_bytes(b"")

    def remove(self, path, _):
        path.unlink()

    def write(self, path, text):
        path.write_text(text)

    def append(self, path, text):
        path.write_bytes(path.read_bytes() + (text or " ").encode())

    def swap(self, *_):
        one, two = (self.directory / self.names[name] for name in ("one", "two"))
        first = one.read_bytes()
        one.write_bytes(two.read_bytes())
        two.write_bytes(first)

    def copy(self, path, other):
        (self.directory / self.names[other]).write_bytes(path.read_bytes())

    def rename(self, path, name):
        path.rename(path.with_name(name))

    def mode(self, path, octal):
        path.chmod(int(octal, 8))

    def link(self, path, _):
        path.rename(self.directory.parent / "elsewhere")
        path.symlink_to(self.directory.parent / "elsewhere")

    def replace_by_directory(self, path, _):
        path.unlink()
        path.mkdir()

    def set(self, member, value):
        path = self.directory / "key.json"
        members = json.loads(path.read_bytes()) | {member.name: json.loads(value)}
        path.write_text(json.dumps(members))

    def lock(self, *_):
        token = make_token()
        self.stack.enter_context(file_store(self.directory).exclusive(token.key))


def opened(directory, how):
    """Open a store as a state says."""
    passphrase = {"other passphrase": "another fake passphrase", "no passphrase": None}
    if how in passphrase:
        return file_store(directory, passphrase=passphrase[how])
    return file_store(directory)


@pytest.mark.parametrize(
    "state", STATES["state"], ids=[state["name"] for state in STATES["state"]]
)
def test_a_store_in_this_state(found, state):
    """It gives its tokens, or a typed error; never fewer tokens without a word."""
    with ExitStack() as stack:
        change = Changes(found, stack)
        for line in state.get("do", ()):
            change(line)

        if isinstance(state["comes"], int):
            assert len(sound(opened(found, state.get("open")))) == state["comes"]
            return
        kind = getattr(oauthmagic.errors, state["comes"])
        with pytest.raises(kind, match=state["says"]) as caught:
            sound(opened(found, state.get("open")))
        assert caught.value.hint
        assert state.get("hint", "") in caught.value.hint
        assert "fake" not in f"{caught.value}{caught.value.hint}"


def test_every_flipped_bit_of_the_key_file_is_refused(found, figure):
    """So is every cut of it; what is read from it is bounded before it is used."""
    path = found / "key.json"
    good = path.read_bytes()
    cases = [good[:length] for length in range(len(good))]
    for at in range(len(good)):
        flipped = bytearray(good)
        flipped[at] ^= 1 << at % 8
        cases.append(bytes(flipped))

    for case in cases:
        path.write_bytes(case)
        with pytest.raises(OAuthMagicError):
            file_store(found)

    path.write_bytes(good)
    assert len(file_store(found).tokens()) == 2
    figure(f"key file, {len(cases)} flips and cuts", "0 accepted")


def test_a_full_disk_at_the_first_time_leaves_nothing_half(directory):
    """The key file is whole or not there."""
    for step in range(1, 6):
        with pytest.raises(StoreWriteFailed, match="was not saved"):
            file_store(directory, disk=FailingDisk(step, ever_after=True))
        assert not (directory / "key.json").exists()

    keep(file_store(directory), make_token())
    assert texts(file_store(directory)) == ["fake-access-1"]


def test_a_place_of_the_user_is_below_the_users_state(monkeypatch, tmp_path):
    """Where the system keeps what programs remember (XDG base directories)."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    assert user_directory() == tmp_path / "oauthmagic" / "tokens"


def test_the_hint_names_the_directory_to_remove(found):
    """Nothing else mends a store whose key is lost."""
    (found / "key.json").unlink()

    with pytest.raises(StoreDamaged) as caught:
        file_store(found)

    assert caught.value.hint.endswith(f"To start anew, remove {found}.")


#: What stands in a key file; nothing of it is secret.
MEMBERS = {"version": 1, "source": "passphrase", "n": 32768, "r": 8, "p": 1}


def refusal(open_it):
    """Return the error of a store that is not opened."""
    with pytest.raises(OAuthMagicError) as caught:
        open_it()
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert "fake" not in f"{caught.value}{caught.value.hint}"
    return caught.value


def test_a_key_file_says_what_the_key_is_made_with(found):
    """Its version, the source, and what scrypt took; with a sealed word as a check."""
    members = json.loads((found / "key.json").read_bytes())

    assert {name: members[name] for name in MEMBERS} == MEMBERS
    assert set(members) == {*MEMBERS, "salt", "check"}
    assert len(base64.b64decode(members["salt"])) == 16


def test_a_key_file_that_cannot_be_used_says_how_to_start_anew(found):
    """A link, what was changed, the wrong key, none at all."""
    path = found / "key.json"
    anew = f"Nothing of it is used. To start anew, remove {found}."
    checked = "Check OAUTHMAGIC_STORE_PASSPHRASE and restart the kernel;"
    good = path.read_bytes()

    error = refusal(lambda: file_store(found, passphrase="another"))
    assert (str(error), error.hint) == (
        "The passphrase is not that of the token store, or its key file was changed.",
        f"{checked} only if it is lost, remove {found}.",
    )
    path.write_bytes(good.replace(b'"n": 32768', b'"n": 16384'))
    assert "key file was changed" in str(refusal(lambda: file_store(found)))
    path.write_bytes(good + b"\n")
    error = refusal(lambda: file_store(found))
    assert (str(error), error.hint) == (
        "The key file of the token store was changed.",
        anew,
    )
    path.unlink()
    error = refusal(lambda: file_store(found))
    assert (str(error), error.hint) == (
        "The key file of the token store is gone; its records cannot be read.",
        anew,
    )
    path.symlink_to(found / "elsewhere")
    (found / "elsewhere").write_bytes(good)
    error = refusal(lambda: file_store(found))
    assert str(error).startswith("The key file of the token store cannot be used (")
    assert error.hint == anew


def test_what_is_missing_is_said(found, directory):
    """A passphrase that is not given, and a disk that is full."""
    error = refusal(lambda: file_store(found, passphrase=None))
    assert (
        str(error) == "The token store is sealed with a passphrase, and none is given."
    )
    assert error.hint == "Set OAUTHMAGIC_STORE_PASSPHRASE before the kernel starts."

    full = FailingDisk(1, ever_after=True)
    error = refusal(lambda: file_store(directory / "new", disk=full))
    assert str(error) == (
        "The key file of the token store was not saved (No space left on device)."
    )
    assert error.hint == 'Choose the store "memory" until the disk works.'


@pytest.mark.parametrize(
    ("changes", "bearable"),
    [
        ({"n": 1 << 14}, True),
        ({"n": 1 << 13}, False),
        ({"n": 1 << 18}, False),
        ({"n": 20000}, False),
        ({"r": 16}, False),
        ({"p": 2}, False),
        ({"source": "file"}, False),
        ({"source": ["passphrase"]}, False),
        ({"version": 2}, False),
        ({"salt": "*"}, False),
        ({"salt": 5}, False),
        ({"check": 5}, False),
        ({"n": None}, False),
        ({"n": "32768"}, False),
        ({"more": 1}, False),
    ],
    ids=str,
)
def test_what_a_key_file_asks_for_is_bounded(found, changes, bearable):
    """Before it is done: memory and time are this machine's."""
    path = found / "key.json"
    members = json.loads(path.read_bytes())
    path.write_text(json.dumps(members | changes))

    said = str(refusal(lambda: file_store(found)))

    assert ("The passphrase is not" in said) is bearable
    assert ("The key file of the token store was changed." in said) is not bearable


def test_a_key_file_without_a_member_is_none(found):
    """Or that is longer than any can be."""
    path = found / "key.json"
    members = json.loads(path.read_bytes())
    for name in members:
        left = {key: value for key, value in members.items() if key != name}
        path.write_text(json.dumps(left))
        assert "was changed" in str(refusal(lambda: file_store(found)))
    path.write_text(json.dumps(members) + " " * 4096)
    assert "was changed" in str(refusal(lambda: file_store(found)))


def test_two_kernels_do_not_make_two_keys(directory):
    """The second one waits for the first, and finds its key."""
    private_directory(directory)
    opened_one = threading.Event()

    def open_one():
        file_store(directory)
        opened_one.set()

    thread = threading.Thread(target=open_one, daemon=True)
    with Locks(directory, Disk()).held("key"):
        thread.start()
        assert not opened_one.wait(0.1)
        assert not (directory / "key.json").exists()
    thread.join(30)
    assert opened_one.is_set()
    assert (directory / "key.lock").is_file()


def test_a_place_is_a_value(directory):
    """Frozen, and with names: a store and its key do not change places."""
    place = Place(passphrase=None, randomness=bytes, clock_of=None, directory=directory)

    assert (place.keyring, place.disk) == (None, None)
    assert not hasattr(place, "__dict__")
    with pytest.raises(AttributeError):
        place.directory = directory
    with pytest.raises(TypeError):
        Place(None, bytes, None, directory)


def test_what_a_key_is_made_with_does_not_change():
    """A key made with other numbers opens nothing."""
    key = opening._Key(source="passphrase", salt=b"s" * 16, cost=ScryptCost())

    with pytest.raises(dataclasses.FrozenInstanceError):
        key.source = "keyring"
    with pytest.raises(TypeError):
        opening._Key("passphrase", b"s" * 16, ScryptCost())
    assert not hasattr(key, "__dict__")
