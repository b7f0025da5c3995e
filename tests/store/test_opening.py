"""A store that lasts is opened with its own key, or not at all."""

# The verbs are explained in store_states.toml:
# ruff: noqa: D102

import json
import tomllib
from contextlib import ExitStack
from pathlib import Path

import pytest
from keeping import FailingDisk, keep, make_token, texts
from opened import file_store

import oauthmagic.errors
from oauthmagic.errors import OAuthMagicError, StoreDamaged, StoreWriteFailed

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
            assert len(opened(found, state.get("open")).tokens()) == state["comes"]
            return
        kind = getattr(oauthmagic.errors, state["comes"])
        with pytest.raises(kind, match=state["says"]) as caught:
            opened(found, state.get("open")).tokens()
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


def test_the_hint_names_the_directory_to_remove(found):
    """Nothing else mends a store whose key is lost."""
    (found / "key.json").unlink()

    with pytest.raises(StoreDamaged) as caught:
        file_store(found)

    assert caught.value.hint.endswith(f"To start anew, remove {found}.")
