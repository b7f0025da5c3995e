"""Two OAuth servers that nobody here wrote, each in its own process on loopback.

`django_server` is django-oauth-toolkit, `oidc_server` is the npm package
`oidc-provider`. Each starts once in a test run (once in each xdist worker), is
registered with the clients below, and counts the requests that it gets.

Where Node.js, npm or Django is missing, the tests are skipped with the reason;
with `OAUTHMAGIC_REQUIRE=all` in the environment they fail.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import importlib.util
import json
import os
import re
import select
import shutil
import subprocess
import sys
import urllib.parse
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HERE = Path(__file__).parent
#: As it was before any fixture changed it: npm and Node.js find their settings there.
ENVIRON = dict(os.environ)
#: Generous, for a machine that is busy with the other tests.
SECONDS_TO_START = 120
SECONDS_TO_STOP = 10
LEAST_NODE = 22

# Characters that a form, Basic and a careless decoder each treat in their own way;
# `%41` is `A` to whoever decodes once too often.
ODD = ":+%41 &=/"
# Not in a client_id or client_secret by RFC 6749, appendix A, though Django allows it.
ODDER = f"{ODD}é"
USERNAME = f"zoé{ODDER}"
PASSWORD = f"not-a-password{ODDER}"
ITEMS = (
    {"id": 1, "name": "Current account", "balance": 12.5},
    {"id": 2, "name": "Épargne", "balance": 0.0},
    {"id": 3, "name": "Card", "balance": -3.25},
)


@dataclass(frozen=True, kw_only=True)
class Client:
    """A client as it is registered."""

    client_id: str
    client_secret: str
    grant: str
    token_endpoint_auth_method: str


@dataclass(frozen=True, kw_only=True)
class RunningServer:
    """A server under test: where it is, and who is registered there."""

    base_url: str
    issuer: str
    token_endpoint: str
    introspection_endpoint: str
    revocation_endpoint: str
    api_base: str
    clients: Mapping[str, Client]
    username: str = USERNAME
    password: str = PASSWORD
    items: tuple[Mapping[str, Any], ...] = field(default=ITEMS, repr=False)

    def requests_to(self, url: str) -> int:
        """Return how many requests the path of `url` has had."""
        parts = urllib.parse.urlsplit(url)
        netloc = urllib.parse.urlsplit(self.base_url).netloc
        connection = http.client.HTTPConnection(netloc, timeout=SECONDS_TO_STOP)
        with contextlib.closing(connection):
            connection.request("GET", "/debug/requests")
            counted: dict[str, int] = json.load(connection.getresponse())
        return counted.get(parts.path, 0)

    def token_requests(self) -> int:
        """Return how many requests the token endpoint has had."""
        return self.requests_to(self.token_endpoint)


@pytest.fixture(scope="session")
def django_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Run django-oauth-toolkit; it takes client_secret_basic and _post from all."""
    unavailable_on_windows()
    if importlib.util.find_spec("oauth2_provider") is None:
        unavailable("django-oauth-toolkit is not installed")
    clients = {
        "basic": client("basic"),
        "odd": client("odd", end=ODDER),
        "password": client("password", grant="password", end=ODDER),
    }
    state = tmp_path_factory.mktemp("django")
    command = [sys.executable, str(HERE / "django_project.py"), str(state)]
    with running(command, clients, log=state / "log.txt") as base_url:
        yield RunningServer(
            base_url=base_url,
            issuer=f"{base_url}/o",
            token_endpoint=f"{base_url}/o/token/",
            introspection_endpoint=f"{base_url}/o/introspect/",
            revocation_endpoint=f"{base_url}/o/revoke_token/",
            api_base=f"{base_url}/api",
            clients=clients,
        )


@pytest.fixture(scope="session")
def oidc_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Run `oidc-provider`; it takes both, too, whichever the client registered."""
    unavailable_on_windows()
    clients = {
        "basic": client("basic"),
        "post": client("post", method="client_secret_post"),
        "odd": client("odd", end=ODD),
        "password": client("password", grant="password", end=ODD),
        "device": client("device", grant="device_code"),
    }
    node = install_oidc_provider()
    log = tmp_path_factory.mktemp("oidc") / "log.txt"
    command = [node, str(HERE / "oidc" / "server.mjs")]
    with running(command, clients, log=log) as base_url:
        yield RunningServer(
            base_url=base_url,
            issuer=base_url,
            token_endpoint=f"{base_url}/token",
            introspection_endpoint=f"{base_url}/token/introspection",
            revocation_endpoint=f"{base_url}/token/revocation",
            api_base=f"{base_url}/api",
            clients=clients,
        )


def client(
    name: str,
    *,
    grant: str = "client_credentials",
    method: str = "client_secret_basic",
    end: str = "",
) -> Client:
    """Return a client whose client_id and client_secret end in odd characters."""
    return Client(
        client_id=f"{name}{end}",
        client_secret=f"not-a-secret-of-{name}{end}",
        grant=grant,
        token_endpoint_auth_method=method,
    )


@contextlib.contextmanager
def running(
    command: list[str], clients: Mapping[str, Client], *, log: Path
) -> Iterator[str]:
    """Run a server for the `with` block; it gives its base URL.

    The server reads its registrations from its standard input, so that no secret
    is in a process list, and ends when that is closed: also if the tests crash.
    """
    registrations = {
        "clients": [asdict(client) for client in clients.values()],
        "items": ITEMS,
        "password": PASSWORD,
        "username": USERNAME,
    }
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            command,
            env=ENVIRON,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(registrations) + "\n")
            process.stdin.flush()
            ready, _, _ = select.select([process.stdout], [], [], SECONDS_TO_START)
            port = process.stdout.readline().strip() if ready else ""
            if not port:
                pytest.fail(f"The server did not start:\n{log.read_text()}")
            yield f"http://127.0.0.1:{port}"
        finally:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            try:
                process.wait(SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                process.kill()


def install_oidc_provider() -> str:
    """Install what `oidc/package-lock.json` names, once; return Node.js's path.

    The lock holds a Node.js, too, for a system's own is often too old.
    """
    folder = HERE / "oidc"
    lock = (folder / "package-lock.json").read_bytes()
    digest = hashlib.sha256(lock).hexdigest()
    modules = folder / "node_modules"
    # npm empties the folder first, so a stamp never outlives what it stands for.
    stamp = modules / ".oauthmagic-installed"
    with only_one_process(folder / "install.lock"):
        if not stamp.exists() or stamp.read_text() != digest:
            npm = shutil.which("npm")
            if npm is None:
                unavailable("npm is not installed")
            done = subprocess.run(
                [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=folder,
                env=ENVIRON,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                unavailable(f"npm could not install oidc-provider:\n{done.stderr}")
            stamp.write_text(digest)
    installed = sorted(modules.glob("node-*/bin/node"))
    candidates = [*map(str, installed), shutil.which("node") or ""]
    node = next(filter(is_new_enough, candidates), None)
    if node is None:
        unavailable(f"Node.js {LEAST_NODE} or later is not installed")
    return node


@contextlib.contextmanager
def only_one_process(path: Path) -> Iterator[None]:
    """Hold a lock file, so that parallel test workers install one at a time."""
    import fcntl  # noqa: PLC0415 - Windows has none, and has skipped by now

    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_new_enough(node: str) -> bool:
    """Tell whether a program runs here and is a Node.js that will do."""
    try:
        shown = subprocess.run(
            [node, "--version"], capture_output=True, text=True, check=False
        ).stdout
    except OSError:
        return False
    found = re.match(r"v(\d+)\.", shown)
    return found is not None and int(found[1]) >= LEAST_NODE


def unavailable(reason: str) -> NoReturn:
    """Skip the test; fail it where everything is required."""
    if ENVIRON.get("OAUTHMAGIC_REQUIRE") == "all":
        pytest.fail(f"{reason}, and OAUTHMAGIC_REQUIRE=all")
    pytest.skip(reason)


def unavailable_on_windows() -> None:
    """Skip where neither file locks nor waiting for a pipe work as here."""
    if os.name != "posix":
        unavailable("the servers are started in a way that only Unix knows")
