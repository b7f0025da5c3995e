"""What comes to the doors of a redirect: Jupyter Server's route and the listener."""

from __future__ import annotations

import os
import stat
import urllib.parse
from pathlib import Path

import pytest
from callback_doors import CASES, Login, send
from scales import scaled

from oauthmagic.errors import OAuthError, OAuthMagicError
from oauthmagic.oauth.callbacks import key_of
from oauthmagic.oauth.tokens import Token
from oauthmagic.session import callbacks
from oauthmagic.views.callback_pages import DONE, HEADERS, LOGGED_OUT

SECONDS = 10
#: What a server adds by itself; the cookie is Jupyter Server's, for whom it knows.
OF_HTTP = {"Content-Length", "Connection", "Date", "Set-Cookie"}
TARGET = "/acme/callback"


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    """Look often, so that nobody waits."""
    monkeypatch.setattr(callbacks, "LOOK", 0.01)


class Door:
    """One of the two doors, and a login behind it."""

    def __init__(self, way, jupyter):
        self.way = way
        self.logged_in = jupyter.logged_in if way == "jupyter_server" else ()
        uri, environ = f"http://127.0.0.1:0{TARGET}", {}
        if way == "jupyter_server":
            uri, environ = jupyter.callback, jupyter.environ
        self.login = Login(uri, environ)
        assert self.login.pending.way == way
        parts = urllib.parse.urlsplit(self.login.asked["redirect_uri"])
        self.port, self.path = parts.port, parts.path

    def send(self, request, **more):
        """Send a request, logged in where one has to be."""
        more.setdefault("headers", self.logged_in)
        return send(self.port, request, **more)


@pytest.fixture(params=["jupyter_server", "loopback"])
def door(request, jupyter):
    """Both doors, one after the other."""
    door = Door(request.param, jupyter)
    yield door
    door.login.session.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_every_callback_has_its_verdict(door, case):
    """It completes the login, ends it, or nothing happens; nothing is ever shown."""
    login = door.login
    host = case.get("host")
    request = login.filled(case["request"], door.path)
    first, headers, body = door.send(request, host=host)

    if case["verdict"] == "ignored":
        assert not login.over.is_set()
        door.send(f"GET {login.good()}")
    assert login.over.wait(SECONDS)

    *before, (outcome, goes_on) = login.told
    assert all(still for _, still in before)
    assert not goes_on
    kind = OAuthError if case["verdict"] == "refused" else Token
    assert isinstance(outcome, kind)
    codes = [form["code"] for form in login.endpoint.forms]
    assert codes == ([] if case["verdict"] == "refused" else ["c0de"])
    if case["verdict"] != "ignored":
        assert first.startswith("HTTP/1.1 200")
        assert body == DONE
        shown = [(name, value) for name, value in headers if name not in OF_HTTP]
        assert sorted(shown) == sorted(HEADERS)
    raw = repr((first, headers, body))
    assert login.asked["state"] not in raw
    assert "c0de" not in raw
    assert not [value for name, value in headers if name.lower() == "location"]


def test_there_are_enough_callbacks_of_every_kind():
    """At least forty, each with a name of its own."""
    assert len({case["name"] for case in CASES}) == len(CASES) >= 40
    assert {case["verdict"] for case in CASES} == {"completes", "refused", "ignored"}


def test_after_a_flood_of_bad_callbacks_the_good_one_completes(door, figure):
    """Nobody can end somebody else's login, or fill the place where it waits."""
    count = scaled(500, 10_000)
    for number in range(count):
        door.send(f"GET {door.path}?code=bad&state={number:043}")
    assert not door.login.over.is_set()

    door.send(f"GET {door.login.good()}")

    assert door.login.over.wait(SECONDS)
    assert [form["code"] for form in door.login.endpoint.forms] == ["c0de"]
    figure(f"bad callbacks at {door.way}, then the good one", f"{count}, then a token")


def test_an_answer_is_taken_once(door):
    """The second finds nothing that waits, and no second token request is made."""
    door.send(f"GET {door.login.good()}")
    assert door.login.over.wait(SECONDS)

    try:
        door.send(f"GET {door.login.good()}")
    except OSError:
        assert door.way == "loopback"  # which is gone by now

    assert len(door.login.endpoint.forms) == 1


def test_pasting_works_while_a_door_is_open(door):
    """What the browser shows can be pasted all the same; the door closes behind it."""
    login = door.login
    origin = login.asked["redirect_uri"].removesuffix(door.path)

    token = login.session.resume("acme", answer=f"{origin}{login.good()}")

    assert isinstance(token, Token)
    assert login.told == [(token, False)]


def test_a_forgotten_login_closes_its_door(door):
    """An answer that comes later reaches nobody."""
    door.login.session.forget("acme")

    try:
        door.send(f"GET {door.login.good()}")
    except OSError:
        assert door.way == "loopback"

    assert door.login.endpoint.forms == []
    assert isinstance(door.login.told[-1][0], OAuthMagicError)


def test_whoever_is_logged_out_sees_how_to_go_on(jupyter):
    """No login page with the code in `next`, and what came is not used."""
    login = Login(jupyter.callback, jupyter.environ)
    for headers in ((), ("Authorization: token wrong",), ("Cookie: username-x=y",)):
        answer = send(jupyter.port, f"GET {login.good()}", headers=headers)

        assert answer[0].startswith("HTTP/1.1 403")
        assert answer[2] == LOGGED_OUT
        shown = [pair for pair in answer[1] if pair[0] not in OF_HTTP]
        assert sorted(shown) == sorted(HEADERS)
    assert not login.over.is_set()
    assert login.endpoint.forms == []
    login.session.close()


def test_no_log_line_holds_a_code_or_a_state(jupyter):
    """Whoever asks, and whatever it is answered: the server logs everything here."""
    login = Login(jupyter.callback, jupyter.environ)
    state = login.asked["state"]
    target = login.good(code="c0de-that-nobody-may-log")
    referer = f"Referer: https://bank.example/?code=c0de-that-nobody-may-log&s={state}"
    for method in ("GET", "POST", "HEAD", "PUT"):
        for headers in ((referer,), (*jupyter.logged_in, referer)):
            send(jupyter.port, f"{method} {target}", headers=headers)
    assert login.over.wait(SECONDS)

    logged = jupyter.log.read_text(encoding="utf-8")

    assert "oauthmagic/callback" in logged
    assert "c0de-that-nobody-may-log" not in logged
    assert state not in logged


def test_the_place_to_meet_holds_a_hash_and_nothing_else(jupyter):
    """Only this user may enter; a waiting login is an empty file, gone afterwards."""
    login = Login(jupyter.callback, jupyter.environ)
    place = Path(jupyter.environ["JUPYTER_RUNTIME_DIR"]) / "oauthmagic"
    file = place / f"{key_of(login.asked['state'])}.waiting"

    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_bytes() == b""
    send(jupyter.port, f"GET {login.good()}", headers=jupyter.logged_in)
    assert login.over.wait(SECONDS)
    login.session.close()
    for _ in range(200):
        if not file.exists():
            break
        callbacks.threading.Event().wait(0.01)
    assert not list(place.glob(f"{file.stem}*"))


def test_a_kernel_knows_its_own_server_from_others(jupyter):
    """The card says whose it is; a server that ended is not counted."""
    of_this = {**jupyter.environ, "JPY_PARENT_PID": str(jupyter.pid)}
    own = Login(jupyter.callback, of_this)
    other = Login(jupyter.callback, jupyter.environ)

    assert own.pending.why.startswith("This notebook's Jupyter Server")
    assert other.pending.why.startswith("Your Jupyter Server")
    assert "ends by itself" in own.pending.describe()
    own.session.close()
    other.session.close()


def test_a_directory_of_somebody_else_is_not_used(tmp_path):
    """The login can be pasted, and says why."""
    place = tmp_path / "oauthmagic"
    (tmp_path / "elsewhere").mkdir()
    place.symlink_to(tmp_path / "elsewhere")
    login = Login(
        "https://hub.example/oauthmagic/callback",
        {"JUPYTER_RUNTIME_DIR": str(tmp_path)},
    )

    assert login.pending.way == "paste"
    assert os.listdir(tmp_path / "elsewhere") == []  # noqa: PTH208 - names are enough
