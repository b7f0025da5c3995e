"""A keyring that is missing, locked, slow or small is a typed error with a remedy."""

import os

import keyring.backends.fail
import keyring.errors
import pytest
from faked_keyrings import Fake, PlaintextKeyring, Slow
from keeping import keep, make_token, texts
from opened import PASSPHRASE, file_store

from oauthmagic.errors import StoreDamaged, StoreUnavailable, StoreWriteFailed
from oauthmagic.redaction import Secret
from oauthmagic.store.keyrings import MAX_ITEM, Keyring
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
    assert len(items) == (1 if kind == "file" else len(items))


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
        keyring_store(directory, backend).tokens()


def test_a_part_that_is_gone_is_damage(directory):
    """A record is whole or an error."""
    backend = Fake()
    store = keyring_store(directory, backend)
    keep(store, make_token())
    for name in [name for name in backend.items if name[1].endswith("/0")]:
        if not name[1].startswith("index"):
            backend.items[name] = "x"

    with pytest.raises(StoreDamaged):
        keyring_store(directory, backend).tokens()


def test_a_key_that_is_gone_is_not_made_anew(directory):
    """The records of the old one could never be read again."""
    items = {}
    keep(open_store("file", place(directory, Fake(items))), make_token())

    with pytest.raises(StoreUnavailable, match="not in the keyring") as caught:
        open_store("file", place(directory, Fake()))
    assert caught.value.hint.startswith("Unlock the keyring")
    assert texts(open_store("file", place(directory, Fake(items)))) == ["fake-access-1"]


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
