"""A real Jupyter Server with our extension, under a base URL as on Binder."""

from __future__ import annotations

import dataclasses
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

BASE_URL = "/user/ann-b1nd3r/"
TIMEOUT = 60


@dataclasses.dataclass
class Jupyter:
    """A running server."""

    port: int
    token: str
    log: object
    environ: dict
    pid: int

    @property
    def callback(self):
        """Where a provider sends the browser back to."""
        return f"http://127.0.0.1:{self.port}{BASE_URL}oauthmagic/callback"

    @property
    def logged_in(self):
        """The headers of somebody who is logged in."""
        return (f"Authorization: token {self.token}",)


@pytest.fixture(scope="session")
def jupyter(tmp_path_factory):
    """Run it; it logs everything."""
    pytest.importorskip("jupyter_server")
    home = tmp_path_factory.mktemp("jupyter")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token, log = secrets.token_hex(16), home / "server.log"
    names = ("CONFIG", "DATA", "RUNTIME")
    homes = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in names}
    environ = {**os.environ, **homes, "HOME": str(home), "JUPYTER_NO_CONFIG": "1"}
    command = [
        *(sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root"),
        *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--debug"),
        *(f"--IdentityProvider.token={token}", "--ServerApp.ip=127.0.0.1"),
        *(f"--ServerApp.root_dir={home}", f"--ServerApp.base_url={BASE_URL}"),
        "--ServerApp.jpserver_extensions={'oauthmagic.server': True}",
    ]
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environ,
        )
    try:
        url = f"http://127.0.0.1:{port}{BASE_URL}api/status?token={token}"
        end = time.monotonic() + TIMEOUT
        while True:
            assert server.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < end, log.read_text(encoding="utf-8")
            try:
                urllib.request.urlopen(url, timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        yield Jupyter(port, token, log, environ, server.pid)
    finally:
        server.terminate()
        server.wait(TIMEOUT)
