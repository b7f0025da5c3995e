"""Where a server leaves what was redirected: for who waits, for as long, and once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

import pytest

from oauthmagic.oauth.callbacks import LIFE, MAX_QUERY, key_of
from oauthmagic.oauth.redirect_ways import RunningServer
from oauthmagic.store.rendezvous import Rendezvous

KEY = key_of("fake-state")
QUERY = "code=fake-code&state=fake-state"


@pytest.fixture
def place(tmp_path):
    """A rendezvous whose time is given."""
    place = Rendezvous(tmp_path / "meet", clock=lambda: place.now)
    place.now = 1_000_000.0
    place.folder = tmp_path / "meet"
    return place


def names(place):
    """Return what lies there."""
    return sorted(path.name for path in place.folder.iterdir())


def test_what_is_left_is_taken_once(place):
    """The file with the code lives until the kernel looks."""
    place.wait(KEY)
    assert place.leave(KEY, QUERY)
    assert (place.folder / f"{KEY}.callback").stat().st_mode & 0o777 == 0o600

    assert place.take(KEY) == QUERY
    assert place.take(KEY) == ""
    place.end(KEY)
    assert names(place) == []


def test_nothing_is_written_for_a_login_that_does_not_wait(place):
    """Whoever has no state of ours cannot make a file."""
    place.wait(KEY)
    for key in (key_of("other"), "", KEY[:-1]):
        assert not place.leave(key, QUERY)
    assert not place.leave(KEY, "x" * (MAX_QUERY + 1))
    assert names(place) == [f"{KEY}.waiting"]


def test_a_login_waits_as_long_as_it_lives(place):
    """Then nothing is taken for it, and the next one clears it away."""
    place.wait(KEY)
    place.now += LIFE
    assert not place.leave(KEY, QUERY)

    place.wait(key_of("next"))
    assert names(place) == [f"{key_of('next')}.waiting"]


@pytest.mark.skipif(sys.platform == "win32", reason="links are privileged there")
def test_links_lead_nowhere(place, tmp_path):
    """Neither as the place, nor as a login that waits, nor as what was left."""
    secret = tmp_path / "secret"
    secret.write_text("not-for-the-kernel", encoding="utf-8")
    place.wait(KEY)
    (place.folder / f"{KEY}.callback").symlink_to(secret)
    with pytest.raises(OSError, match=r".+"):
        place.take(KEY)
    (place.folder / f"{KEY}.callback").unlink()
    (place.folder / f"{KEY}.waiting").unlink()
    (place.folder / f"{KEY}.waiting").symlink_to(secret)
    assert not place.leave(KEY, QUERY)
    assert secret.read_text(encoding="utf-8") == "not-for-the-kernel"


def test_what_is_too_long_is_thrown_away(place):
    """Whoever put it there."""
    place.wait(KEY)
    path = place.folder / f"{KEY}.callback"
    path.write_bytes(b"x" * (MAX_QUERY + 1))

    assert place.take(KEY) == ""
    assert not path.exists()


@pytest.mark.parametrize(
    "said",
    [b"", b"[]", b"{}", b'{"base_url": "x", "port": 1, "pid": 1}', b"\xff",
     b'{"base_url": "/", "port": "1", "pid": 1}'],
)  # fmt: skip
def test_a_server_that_says_nonsense_is_none(place, said):
    """Its file was changed."""
    server = RunningServer(base_url="/", port=1, pid=1)
    with place.announced(server, "fake-name"):
        assert place.servers() == (server,)
        (place.folder / "fake-name.server").write_bytes(said)
        assert place.servers() == ()
    assert names(place) == []


def test_a_server_that_was_killed_is_forgotten(place):
    """Its lock died with it, whatever it left."""
    code = textwrap.dedent(
        """
        import os, sys
        from pathlib import Path
        from oauthmagic.oauth.redirect_ways import RunningServer
        from oauthmagic.store.rendezvous import Rendezvous
        server = RunningServer(base_url="/", port=1, pid=os.getpid())
        with Rendezvous(Path(sys.argv[1])).announced(server, "fake-name"):
            print(os.getpid(), flush=True)
            sys.stdin.read()
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(place.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ) as process:
        pid = int(process.stdout.readline())
        found = [server.pid for server in place.servers()]
        process.kill()

    assert found == [pid]
    assert json.loads((place.folder / "fake-name.server").read_text())["pid"] == pid
    assert place.servers() == ()
    assert names(place) == []
