"""A process that is killed leaves the old token or the new one, and no lock."""

import json
import subprocess
import sys
from pathlib import Path

from opened import quick_store
from rotating import RotatingServer
from scales import scaled

import oauthmagic

SCRIPT = Path(__file__).parent.parent / "support" / "killed_writers.py"


def run(*arguments):
    """Run the script that forks and kills; return what it found."""
    done = subprocess.run(
        [sys.executable, SCRIPT, *map(str, arguments)],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_killed_at_any_step_of_a_write(tmp_path, figure):
    """Making, replacing and forgetting; nothing is torn, the next writer goes on."""
    found = run("steps", tmp_path)

    bad = [case for case in found if not case[2]]
    figure(
        f"SIGKILL at each of {len(found)} steps of writes to the store",
        f"{len(bad)} lost or torn",
    )
    assert {case[0] for case in found} == {"create", "replace", "delete"}
    assert len(found) >= 15
    assert not bad


def test_busy_processes_killed_at_random(tmp_path, figure):
    """Four renew one token for ever; the server forgives an answer that was lost.

    Between the server's rotation and our write lies a token that nobody has. The old
    one is still on the disk, and a server that forgives takes it once more.
    """
    kills = scaled(40, 2_000)
    directory = tmp_path / "tokens"
    with RotatingServer(forgives=True) as server:
        provider = server.provider_file(tmp_path)
        with oauthmagic.Session(store=quick_store(directory), environ={}) as session:
            session.add(provider)
            first = server.new_family()
            session.adopt(
                "acme", {"refresh_token": first}, credentials={"client_id": "me"}
            )
            found = run("busy", directory, provider, kills, 1)

            lost = len(found["errors"]) + server.revoked
            figure(
                f"{kills} random kills of 4 busy processes "
                f"({server.refreshes:,} refreshes)",
                f"{lost} tokens lost, {found['torn']} torn",
            )
            assert found == {"kills": kills, "torn": 0, "errors": []}
            assert server.revoked == 0
            assert session.refresh("acme").access_token is not None
