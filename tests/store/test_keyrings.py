"""A keyring that is missing, locked, slow or small is a typed error with a remedy."""

import base64
import os
import sys
import threading
from dataclasses import replace

import keyring.backends.fail
import keyring.errors
import pytest
from faked_keyrings import Fake, PlaintextKeyring, Slow
from keeping import keep, make_token, sound, texts
from opened import PASSPHRASE, file_store

from oauthmagic.errors import (
    KeyringMissing,
    StoreBusy,
    StoreDamaged,
    StoreUnavailable,
    StoreWriteFailed,
)
from oauthmagic.redaction import Secret
from oauthmagic.store.disks import Disk, private_directory
from oauthmagic.store.keyrings import MAX_ITEM, PATIENCE, Keyring, KeyringShelf
from oauthmagic.store.locks import Locks
from oauthmagic.store.opening import Place, open_store
from tests.store.test_shared import same


def place(directory, backend, **kwargs):
    """Return where a store is, with a keyring."""
    return Place(
        directory=directory,
        keyring=Keyring(backend, patience=0.3),
        passphrase=kwargs.pop("passphrase", None),
        randomness=kwargs.pop("randomness", os.urandom),
        clock_of=lambda _: make_token().clock,
    )


def keyring_store(directory, backend):
    """Open the store whose records lie in the keyring."""
    return open_store("keyring", place(directory, backend))


@pytest.mark.parametrize("kind", ["file", "keyring"])
def test_another_kernel_finds_the_token(directory, kind):
    """The key is made once, and lies in the keyring."""
    items = {}
    keep(open_store(kind, place(directory, Fake(items))), make_token())

    found = open_store(kind, place(directory, Fake(items))).tokens()

    assert same(found[0], make_token())


def test_records_are_cut_into_items_that_every_keyring_takes(directory):
    """Windows keeps 2,560 bytes of an item, in UTF-16."""
    backend = Fake(changed=lambda value: value[:1280])
    store = keyring_store(directory, backend)
    long = make_token(access_token=Secret("fake-" + "x" * 9000))
    for number in range(60):
        keep(store, make_token(number, subject=str(number)))

    keep(store, long)

    assert max(map(len, backend.items.values())) <= MAX_ITEM
    assert len(store.tokens()) == 61
    assert same(store.tokens()[-1], long)
    assert not any("fake" in value for value in backend.items.values())


def test_what_is_replaced_or_forgotten_leaves_no_items(directory):
    """Neither parts nor names."""
    backend = Fake()
    store = keyring_store(directory, backend)
    keep(store, make_token(1, subject="ann"))
    before = len(backend.items)
    for number in range(5):
        keep(store, make_token(number))
    with store.exclusive(make_token().key) as entry:
        entry.delete()

    assert len(backend.items) == before
    assert texts(store) == ["fake-access-1"]


@pytest.mark.parametrize("kind", ["file", "keyring"])
@pytest.mark.parametrize(
    ("backend", "said"),
    [
        (keyring.backends.fail.Keyring, "no keyring here that keeps secrets"),
        (PlaintextKeyring, "no keyring here that keeps secrets"),
        (lambda: Fake(broken=keyring.errors.KeyringLocked("locked")), "KeyringLocked"),
        (lambda: Fake(broken=keyring.errors.InitError("no bus")), "InitError"),
        (lambda: Fake(broken=RuntimeError("fake-secret")), "RuntimeError"),
        (lambda: Fake(changed=lambda value: value[:10]), "did not keep"),
        (lambda: Fake(changed=lambda _: None), "did not keep"),
        (Slow, r"did not answer within 0\.3 seconds"),
    ],
    ids=["fail", "plain text", "locked", "no bus", "broken", "cuts", "loses", "slow"],
)
def test_a_keyring_that_will_not_do_is_refused(directory, kind, backend, said):
    """With the alternatives, before a token is kept anywhere."""
    with pytest.raises(StoreUnavailable, match=said) as caught:
        open_store(kind, place(directory, backend()))

    assert "OAUTHMAGIC_STORE_PASSPHRASE" in caught.value.hint
    assert "fake-secret" not in str(caught.value)
    assert not list(directory.glob("*.token"))


def test_a_passphrase_needs_no_keyring(directory):
    """And beats it."""
    backend = Fake(broken=RuntimeError("never asked"))
    given = place(directory, backend, passphrase=Secret(PASSPHRASE))
    keep(open_store("file", given), make_token())

    assert texts(file_store(directory)) == ["fake-access-1"]


def test_a_keyring_that_fails_later_costs_no_token(directory):
    """It lives on in memory, and is saved when the keyring is back."""
    backend = Fake()
    store = keyring_store(directory, backend)
    keep(store, make_token(1))
    before = dict(backend.items)

    def refuse(_):
        raise keyring.errors.PasswordSetError

    backend.changed = refuse
    with pytest.raises(StoreWriteFailed, match="NOT saved"):
        keep(store, make_token(2))

    assert backend.items == before
    assert texts(store) == ["fake-access-2"]
    backend.changed = lambda value: value
    assert texts(store) == ["fake-access-2"]
    assert texts(keyring_store(directory, backend)) == ["fake-access-2"]


@pytest.mark.parametrize(
    "head", ["", "no JSON", "[1]", "[1, -1]", "[1, 99999]", '{"a": 1}', "[true, 1]"]
)
def test_a_changed_item_is_damage(directory, head):
    """Somebody else wrote it."""
    backend = Fake()
    store = keyring_store(directory, backend)
    keep(store, make_token())
    name = next(name for name in backend.items if len(name[1]) == 32)
    backend.items[name] = head

    with pytest.raises(StoreDamaged):
        sound(keyring_store(directory, backend))


def test_a_part_that_is_gone_is_damage(directory):
    """A record is whole or an error."""
    backend = Fake()
    store = keyring_store(directory, backend)
    keep(store, make_token())
    for name in [name for name in backend.items if name[1].endswith("/0")]:
        if not name[1].startswith("index"):
            backend.items[name] = "x"

    with pytest.raises(StoreDamaged):
        sound(keyring_store(directory, backend))


def test_a_key_that_is_gone_is_not_made_anew(directory):
    """The records of the old one could never be read again."""
    items = {}
    keep(open_store("file", place(directory, Fake(items))), make_token())

    with pytest.raises(StoreUnavailable, match="not in the keyring") as caught:
        open_store("file", place(directory, Fake()))
    assert caught.value.hint.startswith("Unlock the keyring")
    assert texts(open_store("file", place(directory, Fake(items)))) == ["fake-access-1"]


@pytest.fixture
def chosen():
    """Have the package keyring choose a backend of the test."""
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


def test_the_keyring_of_the_system_is_the_one_that_the_package_chooses(chosen):
    """Asked for when it is first needed, and then kept."""
    backend = Fake()
    chosen(backend)
    ring = Keyring()

    ring.set("a", "fake-value")
    chosen(Fake())

    assert backend.items == {("oauthmagic", "a"): "fake-value"}
    assert ring.get("a") == "fake-value"
    assert ring.get("b") is None
    ring.delete("a")
    ring.delete("a")
    assert backend.items == {}


def test_a_keyring_may_be_there_later(chosen):
    """It was installed, or unlocked, meanwhile; what was unsafe is not kept."""
    ring = Keyring()
    chosen(keyring.backends.fail.Keyring())
    with pytest.raises(StoreUnavailable, match="no keyring here"):
        ring.get("a")

    chosen(Fake({("oauthmagic", "a"): "fake-value"}))

    assert ring.get("a") == "fake-value"


@pytest.mark.parametrize("kind", [PlaintextKeyring, Fake])
def test_a_chain_is_as_safe_as_its_links(kind):
    """One that keeps what it is given in clear may be the one that is used."""

    class Chain(Fake):
        backends = (Fake(), kind())

    if kind is Fake:
        assert Keyring(Chain()).get("a") is None
        return
    with pytest.raises(StoreUnavailable, match="no keyring here"):
        Keyring(Chain()).get("a")


def test_without_the_package_it_is_said_how_to_get_it(monkeypatch):
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "keyring", None)

    with pytest.raises(KeyringMissing, match="keyring is not installed") as caught:
        Keyring().get("a")

    assert caught.value.hint == 'pip install "oauthmagic[keyring]"'
    assert caught.value.__suppress_context__


def test_a_keyring_has_a_name(chosen):
    """It is told without reading an item; one that is unsafe has none to tell."""

    class Named(Fake):
        name = "of the test"

    backend = Named(broken=RuntimeError("never asked"))
    assert Keyring(backend).name() == "of the test"
    assert Keyring(object()).name().startswith("<object object")
    chosen(PlaintextKeyring())
    with pytest.raises(KeyringMissing, match="no keyring here"):
        Keyring().name()


def test_a_slow_keyring_is_left_alone():
    """A thread that waits for it does not keep the process from ending."""
    with pytest.raises(StoreUnavailable, match=r"within 0\.1 seconds") as caught:
        Keyring(Slow(), patience=0.1).get("a")

    assert caught.value.hint == "Unlock it, then try again."
    waiting = [t for t in threading.enumerate() if t.name == "oauthmagic-keyring"]
    assert waiting
    assert all(thread.daemon for thread in waiting)


@pytest.mark.parametrize("kept", ["half", None])
def test_half_a_secret_is_not_left_behind(kept):
    """What was cut is removed, and the error says nothing of it."""
    backend = Fake(changed=lambda _: kept)

    with pytest.raises(StoreUnavailable, match="did not keep") as caught:
        Keyring(backend).set("a", "fake-value")

    assert "fake-value" not in str(caught.value)
    assert backend.items == ({} if kept else {("oauthmagic", "a"): None})
    frame = caught.tb.tb_next
    while frame is not None:
        assert "fake-value" not in repr(frame.tb_frame.f_locals)
        frame = frame.tb_next


def test_where_half_a_secret_cannot_be_removed_the_first_error_is_told():
    """That it was cut; not that it could not be removed."""

    class Stubborn(Fake):
        def delete_password(self, *_):
            raise keyring.errors.PasswordDeleteError

    with pytest.raises(StoreUnavailable, match="did not keep"):
        Keyring(Stubborn(changed=lambda value: value[:3])).set("a", "fake-value")


def test_a_keyring_is_waited_for():
    """It may open a window; twenty seconds are enough to find the key."""

    class Unhurried(Fake):
        def get_password(self, service, username):
            threading.Event().wait(0.1)
            return super().get_password(service, username)

    assert Keyring(Unhurried({("oauthmagic", "a"): "x"})).get("a") == "x"
    assert PATIENCE == 20


def test_what_is_no_text_is_no_item():
    """A backend may answer what it likes."""
    assert Keyring(Fake({("oauthmagic", "a"): 7})).get("a") is None


def test_a_record_has_a_turn_and_parts(directory):
    """Written beside the old one; the old one goes when the new one is whole."""
    backend = Fake()
    shelf = KeyringShelf(Keyring(backend), Locks(directory, Disk()))
    private_directory(directory)

    def held(name):
        return {key[1]: value for key, value in backend.items.items() if name in key[1]}

    shelf.write("r", b"x" * 750)
    assert held("r") == {"r": "[1, 1]", "r/1/0": base64.b64encode(b"x" * 750).decode()}
    shelf.write("r", b"y" * 751)
    assert set(held("r")) == {"r", "r/2/0", "r/2/1"}
    assert held("r")["r"] == "[2, 2]"
    assert (len(held("r")["r/2/0"]), len(held("r")["r/2/1"])) == (1000, 4)
    assert shelf.read("r") == b"y" * 751
    assert shelf.mark("r") == "[2, 2]"
    assert (shelf.read("s"), shelf.mark("s")) == (None, None)

    for name in ("q", "s"):
        shelf.write(name, b"")
    assert shelf.names() == ["q", "r", "s"]
    assert shelf.read("q") == b""
    shelf.remove("r")
    shelf.remove("r")
    assert shelf.names() == ["q", "s"]
    assert held("r") == {}


@pytest.mark.parametrize("count", [8192, 8193])
def test_the_parts_of_a_record_are_bounded(directory, count):
    """A changed item does not have a keyring asked a million times."""
    backend = Fake({("oauthmagic", "r"): f"[1, {count}]"})
    shelf = KeyringShelf(Keyring(backend), Locks(directory, Disk()))
    backend.get_password = lambda _, name: (
        f"[1, {count}]" if name == "r" else "AAAA" if name.startswith("r/1/") else None
    )

    if count == 8192:
        assert len(shelf.read("r")) == 3 * 8192
    else:
        with pytest.raises(StoreDamaged, match="not one of ours"):
            shelf.read("r")


@pytest.mark.parametrize(
    "head",
    ["", "no JSON", "7", "[1]", "[1, 2, 3]", "[1, -1]", "[true, 1]", "[1, true]"],
)
def test_what_is_no_head_of_a_record_is_none_of_ours(directory, head):
    """Two numbers: which turn it is, and how many parts there are."""
    shelf = KeyringShelf(
        Keyring(Fake({("oauthmagic", "r"): head})), Locks(directory, Disk())
    )

    with pytest.raises(StoreDamaged, match="in the keyring is not one of ours"):
        shelf.read("r")


@pytest.mark.parametrize("part", ["AAA", "AA*A", "AAAA*", "A A A A", None])
def test_a_part_that_was_changed_is_damage(directory, part):
    """Nothing is repaired."""
    items = {("oauthmagic", "r"): "[1, 1]", ("oauthmagic", "r/1/0"): part}
    shelf = KeyringShelf(Keyring(Fake(items)), Locks(directory, Disk()))
    if part is None:
        del items["oauthmagic", "r/1/0"]
        items["oauthmagic", "r"] = "[1, 3]"

    with pytest.raises(StoreDamaged) as caught:
        shelf.read("r")

    assert str(caught.value) == "A record in the keyring is not whole."
    assert caught.value.__context__ is None


@pytest.mark.parametrize("act", ["write", "remove"])
def test_a_keyring_that_fails_says_what_was_not_done(directory, act):
    """In one sentence, with the reason."""
    backend = Fake()
    private_directory(directory)
    shelf = KeyringShelf(Keyring(backend), Locks(directory, Disk()))
    shelf.write("r", b"x")
    backend.broken = keyring.errors.KeyringLocked("locked")

    with pytest.raises(StoreWriteFailed) as caught:
        shelf.write("r", b"y") if act == "write" else shelf.remove("r")

    what = {
        "write": "The token was NOT saved",
        "remove": "The token was not removed from the keyring",
    }[act]
    assert str(caught.value) == f"{what} (The keyring cannot be used (KeyringLocked))."
    assert caught.value.__suppress_context__


def test_nobody_changes_the_list_of_names_meanwhile(directory):
    """Two kernels that keep two tokens both find their names in it."""
    private_directory(directory)
    locks = Locks(directory, Disk(), patience=0.05)
    backend = Fake()
    shelf = KeyringShelf(Keyring(backend), locks)
    shelf.write("r", b"x")

    with Locks(directory, Disk()).held("index"):
        for change in (lambda: shelf.write("s", b"x"), lambda: shelf.remove("r")):
            with pytest.raises(StoreBusy):
                change()
    assert shelf.names() == ["r"]


@pytest.mark.parametrize("kind", ["file", "keyring"])
def test_without_a_keyring_given_it_is_the_systems(directory, chosen, kind):
    """The key lies in it; and the records, in the store of that name."""
    backend = Fake()
    chosen(backend)
    given = replace(place(directory, None), keyring=None)

    keep(open_store(kind, given), make_token())

    assert len(base64.b64decode(backend.items["oauthmagic", "store key"])) == 32
    assert (len(backend.items) > 1) is (kind == "keyring")
    assert bool(list(directory.glob("*.token"))) is (kind == "file")
    assert (directory / "key.json").exists() is (kind == "file")
    assert texts(open_store(kind, given)) == ["fake-access-1"]


@pytest.mark.parametrize(
    "kept", ["", "fake", "*", base64.b64encode(b"k" * 31).decode(), "x" * 43]
)
@pytest.mark.parametrize("kind", ["file", "keyring"])
def test_a_key_that_was_changed_is_none(directory, kind, kept):
    """It has 32 bytes, and nothing is made of half of one."""
    backend = Fake()
    keep(open_store(kind, place(directory, backend)), make_token())
    backend.items["oauthmagic", "store key"] = kept

    with pytest.raises(StoreUnavailable) as caught:
        open_store(kind, place(directory, backend))

    assert str(caught.value) == "The key of the token store is not in the keyring."
    assert caught.value.hint.startswith("Unlock")


def test_a_key_of_another_keyring_is_told_from_damage(directory):
    """The check of the key file says so, before a record is read."""
    backend = Fake()
    keep(open_store("file", place(directory, backend)), make_token())
    other = base64.b64encode(b"k" * 32).decode()
    backend.items["oauthmagic", "store key"] = other

    with pytest.raises(StoreDamaged) as caught:
        open_store("file", place(directory, backend))

    assert str(caught.value) == (
        "The key in the keyring is not that of the token store, or its key file was "
        "changed."
    )
    assert f"remove {directory}." in caught.value.hint


def test_a_store_with_its_key_in_the_keyring_needs_no_passphrase(directory):
    """And does not take one."""
    backend = Fake()
    keep(open_store("file", place(directory, backend)), make_token())

    with pytest.raises(StoreUnavailable) as caught:
        open_store("file", place(directory, backend, passphrase=Secret(PASSPHRASE)))

    assert "with a key in the keyring, not a passphrase" in str(caught.value)
    assert caught.value.hint == (
        "Start the kernel without OAUTHMAGIC_STORE_PASSPHRASE."
    )


def test_a_keyring_that_fails_at_the_key_names_every_way_out(directory):
    """A passphrase, the extra, and the memory."""
    backend = Fake(broken=keyring.errors.KeyringLocked("locked"))

    with pytest.raises(StoreUnavailable) as caught:
        open_store("file", place(directory, backend))

    for way in ("OAUTHMAGIC_STORE_PASSPHRASE", '"oauthmagic[keyring]"', '"memory"'):
        assert way in caught.value.hint
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("items", [{}, None], ids=["another key", "no keyring"])
def test_a_store_is_given_up_only_if_its_key_is_lost(directory, items):
    """Most often it is the wrong keyring; a passphrase would not help any more."""
    keep(open_store("file", place(directory, Fake({}))), make_token())
    backend = keyring.backends.fail.Keyring()
    if items is not None:
        open_store("file", place(directory.with_name("other"), Fake(items)))
        backend = Fake(items)

    with pytest.raises((StoreDamaged, StoreUnavailable)) as caught:
        open_store("file", place(directory, backend))

    assert caught.value.hint.startswith("Unlock the keyring that the key was made in")
    assert caught.value.hint.endswith(f"only if it is lost, remove {directory}.")


@pytest.mark.parametrize("passphrase", [Secret(PASSPHRASE), None])
def test_a_passphrase_helps_the_file_store_only(directory, passphrase):
    """So the advice for a missing keyring is to choose that store."""
    given = place(directory, keyring.backends.fail.Keyring(), passphrase=passphrase)

    with pytest.raises(StoreUnavailable) as caught:
        open_store("keyring", given)

    assert '%config OAuthMagic.store = "file"' in caught.value.hint
    assert ("is set" in caught.value.hint) is (passphrase is not None)


def test_a_keyring_says_what_it_is_called():
    """The doctor asks; nothing is read."""
    backend = Fake({("oauthmagic", "a"): "fake-value"})

    assert Keyring(backend).name() == backend.name
