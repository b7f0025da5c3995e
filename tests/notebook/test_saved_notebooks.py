"""A notebook that was run and saved by a real kernel holds no secret (A1, A3, A6, G7).

Every magic and every kind of error, five traceback modes, logs at the lowest level;
then the saved file, its HTML export, everything below the home directory, and what
anybody can read of the processes.
"""

from __future__ import annotations

import json
import os
import queue
import re
import subprocess
import sys
import tempfile
import time

import nbclient
import nbformat
import pytest
from canaries import (
    command_lines,
    files_below,
    forms_of,
    leaks,
    notebook_places,
    processes_below,
)
from jupyter_client.manager import AsyncKernelManager, KernelManager
from nbconvert import HTMLExporter

PASSWORD = 'Canary1 "pä&ß/w+rd%<é>'
CLIENT_SECRET = "Canary2 s3cr:t/+&?x%'ü"
ACCESS = "Canary3-Zq9xT7~wB3+kL5/mN8=="
REFRESH = "Canary4-Rf2yH6~pD4+sV1/cX0=="
CANARIES = (PASSWORD, CLIENT_SECRET, ACCESS, REFRESH)
MODES = ("Plain", "Context", "Verbose", "Minimal", "Docs")
LOGGING = """\
import logging
logging.basicConfig(filename="everything.log", level=1, force=True)
logging.getLogger("traitlets").setLevel(1)
"""
#: What a careful user does, and what goes wrong.
SESSION = (
    "%load_ext oauthmagic",
    "%load_ext storemagic",
    "%logstart -o -r -t typed.log over",
    "import ipywidgets; ipywidgets.Text('a widget')",
    "%token add echo.toml",
    "import os; names = ('access_token', 'refresh_token')",
    "got = {name: os.environ[f'FAKE_{name}'.upper()] for name in names}",
    "t = %token adopt echo --from got",
    "del got",
    "t, [t], t.access_token, f'{t.refresh_token}', vars().get('t')",
    "%token",
    "%token show echo",
    "%token scopes echo",
    "%token providers",
    "%%api echo --show headers --show body --show exchange\nGET /echo/plain",
    "%%api echo --out reply\nPOST /echo/base64\n\nx",
    "reply, reply.exchange",
    "display(reply)",
    "%%api echo --dry-run\nGET /x",
    "%api echo GET /echo/hex",
    "%api echo GET /echo/reversed",
    "%token refresh echo",
    "%token revoke echo",
    "%token forget --all",
    "%token echo --fresh",
    "%token echo --grant password",
    "%token revsto@demo --fresh",
    "%%api echo\nGET /echo/json",
    "%token echo --client-secret Canary5-on-a-line",
    "%%api echo\nGET /x\nAuthorization: Bearer Canary5-in-a-header",
    "%store t",
    "import pickle; pickle.dumps(t)",
    "t + ''",
    "%whos",
    "t?",
    "%history -n",
    "In[1:], Out",
    "%config OAuthMagic.short_errors = False",
    *(
        cell
        for mode in MODES
        for cell in (
            f"%xmode {mode}",
            "%token echo --fresh",
            "held = [t, t.access_token]; 1 / 0",
            "%tb",
        )
    ),
)


DEBUGGED = (
    *SESSION[0:1],
    *SESSION[4:9],
    "import oauthmagic; session = oauthmagic.current_session()",
    "secret = t.access_token; held = {'t': [t, secret]}",
    "credentials = session._keeper.credentials(t); client = session.client('echo')",
)


@pytest.fixture
def environment(clean_environ, echo_provider):
    """The variables of a kernel that has everything from its environment."""
    (clean_environ / "echo.toml").write_text(echo_provider().read_text())
    hidden = re.compile(r"(?i)(OAUTHMAGIC|JUPYTER|JPY|IPYTHON|BINDER)_.*|.*_PROXY")
    kept = {name: value for name, value in os.environ.items() if not hidden.match(name)}
    given = {"PASSWORD": PASSWORD, "CLIENT_SECRET": CLIENT_SECRET}
    return kept | {
        "HOME": str(clean_environ),
        "IPYTHONDIR": str(clean_environ / ".ipython"),
        "FAKE_ACCESS_TOKEN": ACCESS,
        "FAKE_REFRESH_TOKEN": REFRESH,
        "OAUTHMAGIC_ECHO_SANDBOX_CLIENT_ID": "fake-client",
        "OAUTHMAGIC_ECHO_SANDBOX_USERNAME": "fake-user",
        **{f"OAUTHMAGIC_ECHO_SANDBOX_{name}": text for name, text in given.items()},
        **{f"OAUTHMAGIC_REVSTO_DEMO_{name}": text for name, text in given.items()},
    }


def run(cells, environment, home):
    """Run cells in a kernel of their own; return the notebook and command lines."""
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(each) for each in cells]
    )
    with tempfile.TemporaryDirectory(prefix="k") as folder:
        manager = AsyncKernelManager(transport="ipc", ip=f"{folder}/k")
        client = nbclient.NotebookClient(
            book,
            km=manager,
            timeout=60,
            allow_errors=True,
            store_widget_state=True,
            ipython_hist_file="",  # a file, as with a front end
            resources={"metadata": {"path": str(home)}},
        )
        client.owns_km = True
        with client.setup_kernel(env=environment):
            for index, cell in enumerate(book.cells):
                client.execute_cell(cell, index)
            lines = command_lines(processes_below(os.getpid()))
            client.set_widgets_metadata()
    return book, lines


@pytest.mark.filterwarnings("ignore:Alternative text is missing")
def test_a_saved_notebook_holds_no_secret(environment, clean_environ, figure):
    """Nor its export, a log, a file of the kernel's, or an argument of a process."""
    book, lines = run((LOGGING, *SESSION), environment, clean_environ)
    path = clean_environ / "saved.ipynb"
    nbformat.write(book, path)
    exported, _ = HTMLExporter().from_notebook_node(book)
    places = notebook_places(path) | files_below(clean_environ) | lines
    places["export"] = exported
    # The front end keeps what was typed in the cell's source, whatever is refused
    # (SECURITY.md); everything else is the kernel's.
    of_kernel = {
        place: text
        for place, text in places.items()
        if place != "export" and "source" not in place and "saved.ipynb" not in place
    }
    typed = ("Canary5-on-a-line", "Canary5-in-a-header")

    outputs = json.dumps([cell["outputs"] for cell in book.cells])
    errors = [
        output["ename"]
        for cell in book.cells
        for output in cell["outputs"]
        if output["output_type"] == "error"
    ]
    found = leaks(places, CANARIES) + leaks(of_kernel, typed)
    forms = len(forms_of(CANARIES[0]))
    what = f"{len(places)} places x {forms} encodings x 6 secrets, {len(book.cells)}"
    figure(f"a saved notebook ({what} cells): hits", len(found))
    # The cells that show nothing would prove nothing.
    assert outputs.count("[secret]") > 20
    assert {"InvalidGrant", "SecretOnLine", "SecretRefused", "ZeroDivisionError"} <= {
        *errors
    }
    assert "NameError" not in errors
    assert "widgets" in book.metadata
    assert "DEBUG" in (clean_environ / "everything.log").read_text(encoding="utf-8")
    assert found == []


def test_the_debugger_shows_no_secret(environment, clean_environ, figure):
    """`inspectVariables` and all below it, as JupyterLab's variable view asks."""
    environment = environment | {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    with tempfile.TemporaryDirectory(prefix="k") as folder:
        manager = KernelManager(transport="ipc", ip=f"{folder}/k")
        manager.start_kernel(env=environment, cwd=str(clean_environ))
        client = manager.client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=60)
            for cell in DEBUGGED:
                reply = client.execute(cell, reply=True, timeout=60)
                assert reply["content"]["status"] == "ok", reply["content"]
            heard = list(_debugged(client))
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
            manager.cleanup_resources()

    names = {each["name"] for each in heard if "name" in each}
    figure("debugger: variables looked at", len(heard))
    assert {"t", "secret", "session", "held", "client", "access_token"} <= names
    assert leaks({"debugger": json.dumps(heard, ensure_ascii=False)}, CANARIES) == []


def _debugged(client):
    """Yield what the debug protocol says of the variables, three levels deep."""
    ours = ("t", "secret", "session", "credentials", "client", "held")
    _request(client, "initialize", clientID="x", adapterID="", pathFormat="path")
    _request(client, "attach")
    said = _request(client, "inspectVariables")
    level = [each for each in said["variables"] if each["name"] in ours]
    yield from said["variables"]
    for name in ours:
        yield _request(client, "richInspectVariables", variableName=name)
    for _ in range(3):
        following = []
        for each in level:
            if not each.get("variablesReference"):
                continue
            found = _request(
                client, "variables", variablesReference=each["variablesReference"]
            )
            following += found.get("variables", ())
        yield from following
        level = following[:200]


def _request(client, command, **arguments):
    """Send a request of the debug protocol, and return the body of its answer."""
    content = {"seq": 1, "type": "request", "command": command, "arguments": arguments}
    message = client.session.msg("debug_request", content)
    client.control_channel.send(message)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            reply = client.get_control_msg(timeout=1)
        except queue.Empty:
            continue
        if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
            return reply["content"].get("body", {})
    pytest.fail(f"no answer to {command}")


@pytest.mark.parametrize("command", ["sandbox", "demo"])
def test_a_command_line_says_no_secret(environment, clean_environ, command):
    """Neither that of `oauthmagic sandbox` and `demo` nor of what they start."""
    arguments = [sys.executable, "-m", "oauthmagic.cli", command]
    with subprocess.Popen(
        arguments,
        env=environment,
        cwd=clean_environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        shown, lines = b"", {}
        for line in process.stdout:
            shown += line
            lines |= command_lines(processes_below(process.pid))
            if b"Ctrl-C ends" in line or b"revsto@demo" in line:
                break
        process.terminate()
        shown += process.stdout.read()

    assert any(command.encode() in line for line in lines.values())
    secrets = (*CANARIES, "simulated-client-secret", "simulated-password")
    assert leaks(lines, secrets) == []
    assert leaks({"shown": shown}, CANARIES) == []
