"""A session keeps its tokens where it was told, and says when it cannot."""

import pandas as pd
import pytest
from keeping import FailingDisk
from opened import PASSPHRASE, quick_store

import oauthmagic
from oauthmagic.errors import (
    EnvironmentRefused,
    StoreDamaged,
    StoreUnavailable,
    StoreWriteFailed,
    UnknownName,
)
from oauthmagic.session.known import known_secrets

SEALED = {"OAUTHMAGIC_STORE_PASSPHRASE": PASSPHRASE}
PROVIDER = """
[provider]
name = "acme"
title = "Acme"
grants = ["refresh_token"]
token_endpoint_auth_method = "none"
[environments.sandbox]
token_endpoint = "https://id.acme.example/token"
api_base = "https://api.acme.example"
"""
PRODUCTS = "GET /distributor/v1/products"


def records(home):
    """Return the files of the file store."""
    return sorted(home.rglob("oauthmagic/tokens/*.token"))


def test_another_kernel_goes_on_with_the_token(clean_environ):
    """Two sessions of one user: the second asks for no token, and finds the alias."""
    with (
        oauthmagic.Session(store="file", environ=SEALED) as one,
        oauthmagic.Session(store="file", environ=SEALED) as two,
    ):
        token = one.token("revsto@demo", alias="work")

        assert two.show("work").fingerprint == token.fingerprint
        assert two.tokens().to_dict("list")["alias"] == ["work"]
        assert two.api("work", PRODUCTS).status == 200
        two.forget("work")
        assert len(one.tokens()) == 0
    assert records(clean_environ) == []


def test_it_can_lie_elsewhere(tmp_path, clean_environ):
    """A home directory may be on a network that knows no locks."""
    environ = {**SEALED, "OAUTHMAGIC_STORE_DIRECTORY": str(tmp_path / "elsewhere")}
    with oauthmagic.Session(store="file", environ=environ) as session:
        session.token("revsto@demo")

    assert len(list((tmp_path / "elsewhere").glob("*.token"))) == 1
    assert records(clean_environ) == []


def test_what_one_kernel_renewed_the_other_uses(clean_environ):  # noqa: ARG001 - a home
    """The snapshot that a notebook holds does not change; the next call sees it."""
    with (
        oauthmagic.Session(store="file", environ=SEALED) as one,
        oauthmagic.Session(store="file", environ=SEALED) as two,
    ):
        before = one.token("revsto@demo")
        renewed = two.refresh("revsto@demo")

        now = one.show("revsto@demo").access_token.reveal()
        assert now == renewed.access_token.reveal() != before.access_token.reveal()


def test_without_a_key_there_is_no_file(clean_environ):
    """Never plain text: no keyring and no passphrase is an error with both remedies."""
    with pytest.raises(StoreUnavailable) as caught:
        oauthmagic.Session(store="file", environ={})

    assert "OAUTHMAGIC_STORE_PASSPHRASE" in caught.value.hint
    assert 'pip install "oauthmagic[keyring]"' in caught.value.hint
    assert records(clean_environ) == []


def test_an_unknown_store_is_a_did_you_mean():
    """As every name."""
    with pytest.raises(UnknownName, match="Did you mean 'keyring'"):
        oauthmagic.Session(store="keyrin", environ={})


@pytest.mark.parametrize("kind", ["file", "keyring"])
def test_on_a_public_binder_nothing_is_kept_on_the_disk(kind, clean_environ):
    """Whatever passphrase there is."""
    environ = {**SEALED, "BINDER_REPO_URL": "https://git.example/x"}

    with pytest.raises(EnvironmentRefused, match="public Binder"):
        oauthmagic.Session(store=kind, environ=environ)
    assert not list(clean_environ.rglob("oauthmagic"))


def test_what_memory_held_goes_into_the_file(clean_environ):
    """A notebook that began without a thought can be continued tomorrow."""
    with oauthmagic.Session(environ=SEALED) as session:
        token = session.token("revsto@demo")
        session.configure(store="file")

        assert len(records(clean_environ)) == 1
        assert session.show("revsto@demo").fingerprint == token.fingerprint
        assert session.api("revsto@demo", PRODUCTS).status == 200
        session.configure(store=None)
        assert len(session.tokens()) == 0
        session.configure(store="file")
        assert len(session.tokens()) == 1


def test_of_two_tokens_the_better_one_stays(clean_environ):  # noqa: ARG001 - a home
    """One that can be refreshed is not given up for one that is over."""
    credentials = {"client_id": "me"}
    over = {"access_token": "fake-access-old", "expires_in": 0}
    good = {"access_token": "fake-access-new", "refresh_token": "fake-refresh"}
    for first, second in ((over, good), (good, over)):
        with oauthmagic.Session(environ=SEALED) as session:
            session.configure(store="file")
            session.forget(every=True)
            session.adopt("stet/17515@sandbox", first, credentials=credentials)
            session.configure(store=None)
            session.adopt("stet/17515@sandbox", second, credentials=credentials)
            session.configure(store="file")

            held = session.show("stet/17515@sandbox")
            assert held.access_token.reveal() == "fake-access-new"


def test_a_token_whose_provider_is_not_known_here(tmp_path, clean_environ):  # noqa: ARG001
    """A store outlives what a kernel was told: it can be seen and forgotten."""
    with oauthmagic.Session(store="file", environ=SEALED) as session:
        path = tmp_path / "acme.toml"
        path.write_text(PROVIDER)
        session.add(path)
        session.adopt("acme", {"access_token": "fake-access"})
    with oauthmagic.Session(store="file", environ=SEALED) as session:
        assert session.show("acme@sandbox").target == "acme@sandbox"
        with pytest.raises(UnknownName) as caught:
            session.api("acme@sandbox", "GET /x")
        assert "add its provider first" in caught.value.hint
        assert session.forget("acme@sandbox") == 1
        assert len(session.tokens()) == 0


def test_a_store_that_cannot_be_opened_leaves_the_old_one():
    """Nothing is lost by trying."""
    with oauthmagic.Session(environ={}) as session:
        session.token("revsto@demo")
        with pytest.raises(StoreUnavailable):
            session.configure(store="file")

        assert len(session.tokens()) == 1


def test_a_full_disk_is_said_and_costs_nothing(tmp_path):
    """The token serves from memory, says so, and is saved when there is room."""
    disk = FailingDisk(1, ever_after=True)
    store = quick_store(tmp_path / "tokens", disk=disk)
    with oauthmagic.Session(store=store, environ={}) as session:
        token = session.token("revsto@demo")
        assert token.note.startswith("The token was NOT saved (No space left on")

        reply = session.api("revsto@demo", PRODUCTS)
        assert reply.status == 200
        assert "NOT saved" in reply.note
        assert "NOT saved" in session.show("revsto@demo").note

        disk.at = 0
        assert session.api("revsto@demo", PRODUCTS).note == ""
        assert "NOT saved" not in session.show("revsto@demo").note
    assert len(quick_store(tmp_path / "tokens").tokens()) == 1


def test_adopting_is_durable_or_an_error(tmp_path):
    """Whoever hands a token over may delete theirs when it returns."""
    store = quick_store(tmp_path / "tokens", disk=FailingDisk(1, ever_after=True))
    with oauthmagic.Session(store=store, environ={}) as session:
        with pytest.raises(StoreWriteFailed, match="NOT saved"):
            session.adopt("revsto@demo", {"access_token": "fake-access"})

        assert len(session.tokens()) == 1


def damage(directory, how):
    """Damage the only record of a store."""
    (path,) = records(directory)
    content = path.read_bytes()
    path.write_bytes(content[:-1] if how == "cut" else content[:3])


@pytest.mark.parametrize("how", ["cut", "hardly anything left"])
def test_a_damaged_record_refuses_its_own_target_only(clean_environ, how):
    """Every way to it says so, and forgetting it is the way out; others go on."""
    with oauthmagic.Session(store="file", environ=SEALED) as session:
        session.token("revsto@demo")
        damage(clean_environ, how)
        session.adopt("paysafe/liberty@demo", {"access_token": "fake-access"})

        for call in (
            lambda: session.api("revsto@demo", PRODUCTS),
            lambda: session.token("revsto@demo"),
            lambda: session.show("revsto@demo"),
            lambda: session.revoke("revsto@demo"),
        ):
            with pytest.raises(StoreDamaged, match="changed, cut") as caught:
                call()
            assert "%token forget revsto@demo removes it" in caught.value.hint
        assert session.show("paysafe/liberty@demo").target == "paysafe/liberty@demo"
        assert repr(session) == "<oauthmagic.Session holding 1 token>"
        table = session.tokens()
        assert list(table["status"]) == ["damaged", "unknown"]
        assert pd.isna(table["target"][0]) is (how != "cut")
        assert not table["refreshable"][0]

        assert session.forget("revsto@demo") == 1
        assert session.token("revsto@demo").is_expired() is False
        assert "damaged" not in list(session.tokens()["status"])


def test_a_record_that_does_not_say_whose_it_is_stops_no_held_token(clean_environ):
    """It is in the way where nothing is held: there it may be what is sought."""
    with oauthmagic.Session(store="file", environ=SEALED) as session:
        session.token("revsto@demo")
        damage(clean_environ, "hardly anything left")
        with oauthmagic.Session(store="file", environ=SEALED) as other:
            other.adopt("revsto@demo", {"access_token": "fake-access"})

        assert session.show("revsto@demo").target == "revsto@demo"
        # What serves is forgotten, and not what nobody can name.
        assert session.forget("revsto@demo") == 1
        assert list(session.tokens()["status"]) == ["damaged"]
        assert session.forget("revsto@demo") == 1
        assert len(session.tokens()) == 0


def test_all_is_forgotten_what_cannot_be_read_included(clean_environ):
    """Or a store could never be emptied."""
    with oauthmagic.Session(store="file", environ=SEALED) as session:
        session.token("revsto@demo")
        damage(clean_environ, "cut")
        session.adopt("paysafe/liberty@demo", {"access_token": "fake-access"})

        assert session.forget(every=True) == 2
        assert records(clean_environ) == []


def test_a_damaged_record_of_an_unknown_provider_is_forgotten_by_its_name(
    clean_environ, tmp_path
):
    """A store outlives what a kernel was told."""
    file = tmp_path / "acme.toml"
    file.write_text(
        '[provider]\nname = "acme"\ngrants = ["refresh_token"]\n'
        "[environments.sandbox]\n"
        'token_endpoint = "https://id.acme.example/token"\n'
        'api_base = "https://api.acme.example"\n'
    )
    with oauthmagic.Session(store="file", environ=SEALED) as session:
        session.add(file)
        session.adopt("acme@sandbox", {"access_token": "fake-access"})
    damage(clean_environ, "cut")

    with oauthmagic.Session(store="file", environ=SEALED) as session:
        assert session.forget("acme@sandbox") == 1
        assert records(clean_environ) == []


def test_the_passphrase_does_not_show():
    """It is a secret like any other."""
    with oauthmagic.Session(environ=SEALED) as session:
        with pytest.raises(UnknownName) as caught:
            session.token(PASSPHRASE.replace(" ", "-"))
        assert "[secret]" in str(caught.value) or PASSPHRASE not in str(caught.value)
        assert PASSPHRASE not in repr(vars(session._store))


def test_a_scan_knows_the_tokens_of_the_file_store(clean_environ):
    """Whatever form they have; and it makes no store where there is none."""
    assert known_secrets({}) == []
    assert not list(clean_environ.rglob("oauthmagic"))
    with oauthmagic.Session(store="file", environ=SEALED) as session:
        token = session.token("revsto@demo")

    found = {secret.reveal() for secret in known_secrets(SEALED)}

    assert {token.access_token.reveal(), token.refresh_token.reveal()} < found
    # Without the passphrase nobody knows them, and that is no error.
    assert known_secrets({}) == []


@pytest.mark.parametrize(
    ("directory", "why"),
    [
        ("~nosuchuser/x", "no such user"),
        ("fake\0directory", "no NUL"),
        ("fake\ud800directory", "cannot be written"),
    ],
)
def test_what_can_be_no_directory_is_said_and_stops_no_scan(directory, why):
    """A scan cannot know what is there, and goes on with what it knows."""
    environ = {**SEALED, "OAUTHMAGIC_STORE_DIRECTORY": directory}

    with pytest.raises(StoreUnavailable, match=why) as caught:
        oauthmagic.Session(store="file", environ=environ)

    assert "Set it to the path of a directory" in caught.value.hint
    assert [secret.reveal() for secret in known_secrets(environ)] == [PASSPHRASE]


@pytest.mark.parametrize("code", [0xDCFF, 0xD800], ids=["a byte", "half a pair"])
def test_a_passphrase_may_be_no_utf_8(code, clean_environ):
    """An environment holds bytes; each passphrase opens its own store only."""
    environ = {"OAUTHMAGIC_STORE_PASSPHRASE": f"{PASSPHRASE}{chr(code)}"}
    with oauthmagic.Session(store="file", environ=environ) as session:
        session.token("revsto@demo")

    with oauthmagic.Session(store="file", environ=environ) as again:
        assert len(again.tokens()) == 1
    with pytest.raises(StoreDamaged, match="passphrase is not that"):
        oauthmagic.Session(store="file", environ=SEALED)
    assert len(records(clean_environ)) == 1
    assert len(known_secrets(environ)) > 1
