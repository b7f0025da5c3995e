"""A real shell for each test, and servers on this machine that answer badly.

    def test_a_token_is_shown(shell):
        shell("%load_ext oauthmagic")
        ran = shell("%token revsto@demo")
        assert ran.value.target == "revsto@demo"

Nothing in here stands in for a part of this package.
"""

from __future__ import annotations

import atexit
import base64
import contextlib
import html
import http.server
import io
import json
import linecache
import threading
import urllib.parse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import IPython
import pytest
from canaries import forms_of, traces_of
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.profiledir import ProfileDir
from traitlets.config import Config

import oauthmagic.session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    """What came of a cell.

    Attributes:
        value: The value of its last line.
        error: What it raised, or None.
        stdout: What it printed, its displayed value and its error included.
        stderr: What it printed there.
    """

    value: Any
    error: BaseException | None
    stdout: str
    stderr: str

    @property
    def lines(self) -> list[str]:
        """The lines printed on both streams, without blank ones."""
        return [
            line for line in (self.stdout + self.stderr).splitlines() if line.strip()
        ]


class Notebook:
    """A shell that runs cells as a notebook does, history included.

    Attributes:
        shell: IPython's shell.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell

    def __call__(self, source: str) -> Ran:
        """Run a cell."""
        stdout, stderr = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            done = self.shell.run_cell(source, store_history=True)
        return Ran(
            value=done.result,
            error=done.error_before_exec or done.error_in_exec,
            stdout=stdout.getvalue(),
            stderr=stderr.getvalue(),
        )

    @property
    def names(self) -> dict[str, Any]:
        """The variables of the notebook."""
        return self.shell.user_ns

    def asked(self, target: str = "revsto@demo") -> list[tuple[str, str, int]]:
        """Return what the simulator behind a target was asked, oldest first."""
        demo = oauthmagic.current_session().demo(target)
        return list(demo._simulator.requests)

    def token_requests(self, target: str = "revsto@demo") -> list[int]:
        """Return the statuses of the token requests that the simulator answered."""
        return [
            seen.status
            for seen in self.asked(target)
            if seen.path.endswith("/oauth2/token")
        ]

    def saved_history(self) -> None:
        """Write the history to its file now, instead of in the background."""
        self.shell.history_manager.writeout_cache()


@pytest.fixture
def bare_shell(
    clean_environ: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Notebook]:
    """A new shell without our extension, its history in a file of its own."""
    # There is no public way to begin with a new session.
    monkeypatch.setattr(oauthmagic.session, "_current", None)
    # IPython puts every cell in there, for tracebacks.
    monkeypatch.setattr(linecache, "cache", dict(linecache.cache))
    if hasattr(linecache, "_ipython_cache"):  # before IPython 8.0
        monkeypatch.setattr(linecache, "_ipython_cache", {})
    InteractiveShell.clear_instance()
    folder = clean_environ / ".ipython" / "profile_default"
    config = Config()
    newer = IPython.version_info >= (9,)
    config.InteractiveShell.colors = "nocolor" if newer else "NoColor"
    config.HistoryManager.enabled = True
    config.HistoryManager.hist_file = str(folder / "history.sqlite")
    # The second table is what keeps outputs.
    config.HistoryManager.db_log_output = True
    shell = InteractiveShell.instance(
        config=config, profile_dir=ProfileDir(location=str(folder))
    )
    yield Notebook(shell)
    # What IPython does at the end of the process, where it would come too late.
    atexit.unregister(shell.atexit_operations)
    history = shell.history_manager
    shell.atexit_operations()
    if shell.history_manager is not None:  # before IPython 9
        if history.save_thread is not None:
            history.save_thread.stop()
        history.db.close()
    InteractiveShell.clear_instance()


@pytest.fixture
def shell(bare_shell: Notebook) -> Notebook:
    """A new shell with our extension."""
    assert bare_shell("%load_ext oauthmagic").error is None
    return bare_shell


@pytest.fixture(scope="session")
def traces() -> Callable[[object, str], list[str]]:
    """Return `canaries.traces_of`, which searches text or bytes for a value."""
    return traces_of


@pytest.fixture(scope="session")
def forms() -> Callable[[str], dict[str, bytes]]:
    """Return `canaries.forms_of`, for planting."""
    return forms_of


#: How a server may write what it was sent into its answer.
ECHOES: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda value: urllib.parse.quote(value, safe=""),
    "form": urllib.parse.quote_plus,
    "json": lambda value: json.dumps(value)[1:-1],
    "html": html.escape,
    "reversed": lambda value: value[::-1],
    "hex": lambda value: value.encode().hex(),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64-1": lambda value: base64.b64encode(b"=" + value.encode()).decode(),
    "base64-2": lambda value: base64.b64encode(b"p=" + value.encode()).decode(),
    "base64url": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
}


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with everything that it was sent, in the way its path names.

    `/echo/WAY/...` refuses and echoes; `/slow` is never answered.
    """

    def do_GET(self) -> None:
        """Answer an API request."""
        self._answer()

    def do_POST(self) -> None:
        """Answer a token request."""
        self._answer()

    def log_message(self, *_: Any) -> None:
        """Print nothing."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if "slow" in self.path:
            self.server.reached.set()
            self.server.hang.wait(20)
            return
        way = ECHOES[(self.path.split("/") + ["plain"] * 3)[2]]
        authorization = self.headers.get("Authorization", "")
        values = [value for _, value in urllib.parse.parse_qsl(body)]
        scheme, _, credentials = authorization.partition(" ")
        if scheme == "Basic":
            # As RFC 6749, section 2.3.1, says.
            basic = base64.b64decode(credentials).decode()
            credentials = urllib.parse.unquote_plus(basic)
            values += map(urllib.parse.unquote_plus, basic.split(":"))
        values.append(credentials)
        echoed = [way(value) for value in values if value]
        answer = {
            "error": "invalid_grant",
            # One at a time: quoted text is cut, and what is cut proves nothing.
            "error_description": " ".join(echoed)[:280],
            "hint": body,
            "sent": [authorization, *echoed],
        }
        said = json.dumps(answer).encode()
        self.send_response(400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.send_header("X-Echo", urllib.parse.quote(authorization))
        self.end_headers()
        self.wfile.write(said)


@pytest.fixture(scope="module")
def echo_server() -> Iterator[http.server.ThreadingHTTPServer]:
    """A server that echoes, see `Echo`; `reached` is set when it begins to hang."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        server.block_on_close = False
        server.reached, server.hang = threading.Event(), threading.Event()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.hang.set()
        server.shutdown()


@pytest.fixture(scope="module")
def echo_provider(
    echo_server: http.server.ThreadingHTTPServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Path]:
    """Return what writes a provider file for that server; give it a token path."""
    echo_url = f"http://127.0.0.1:{echo_server.server_port}"

    def write(
        token_path: str = "/echo/plain", method: str = "client_secret_post"
    ) -> Path:
        path = tmp_path_factory.mktemp("provider") / "echo.toml"
        path.write_text(
            f"""
            [provider]
            name = "echo"
            grants = ["password", "client_credentials", "refresh_token"]
            default_grant = "client_credentials"
            token_endpoint_auth_method = "{method}"

            [environments.sandbox]
            token_endpoint = "{echo_url}{token_path}"
            api_base = "{echo_url}"
            """,
            encoding="utf-8",
        )
        return path

    return write
