"""The command line, called as a function and started as a program."""

from __future__ import annotations

import base64
import http.client
import json
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import urllib.parse
from pathlib import Path

import pytest

import oauthmagic
from oauthmagic.cli import main

ROOT = Path(oauthmagic.__file__).parents[1]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
#: Seconds until a program that says nothing is given up.
PATIENCE = 60
#: Begins as in a terminal; tests that run in the background ignore these signals.
PROGRAM = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from oauthmagic.cli import main
sys.exit(main())
"""


def command(*words):
    """Return how the program is started, whatever is installed."""
    return [sys.executable, "-c", PROGRAM, *map(str, words)]


class Sandbox:
    """A running `oauthmagic sandbox`, and what it said about itself."""

    def __init__(self, process):
        self.process = process
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Ctrl-C ends it"):
                break
        self.text = "".join(lines)
        assert lines, process.stderr.read()
        assert "Ctrl-C" in lines[-1], self.text
        self.said = dict(re.findall(r"(?m)^  (\S+(?: \S+)*)  +(\S+)", self.text))
        self.files = {
            name: Path(value) for name, value in self.said.items() if ".pem" in value
        }

    def ask(self, url, form=None, headers=None, authority="authority", chain=None):
        """Send one request; return status, headers and body."""
        context = ssl.create_default_context(cafile=self.files[authority])
        if chain is not None:
            context.load_cert_chain(*chain)
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPSConnection(
            parts.netloc, context=context, timeout=10
        )
        path = parts._replace(scheme="", netloc="").geturl()
        try:
            if form is None:
                connection.request("GET", path, headers=headers or {})
            else:
                body = urllib.parse.urlencode(form)
                connection.request("POST", path, body, {**FORM, **(headers or {})})
            response = connection.getresponse()
            return response.status, response.headers, response.read().decode()
        finally:
            connection.close()

    def end(self, number=signal.SIGTERM):
        """Send a signal; return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@pytest.fixture
def sandbox():
    """Return a function that starts one; all are gone in the end."""
    started = []

    def start(*words):
        process = subprocess.Popen(
            command("sandbox", *words),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        timer = threading.Timer(PATIENCE, process.kill)
        timer.start()
        started.append((process, timer))
        return Sandbox(process)

    yield start
    for process, timer in started:
        timer.cancel()
        process.kill()
        process.communicate()


@pytest.fixture
def write_notebook(tmp_path):
    """Return a function that writes a notebook of code cells."""

    def write(*sources):
        cells = [
            {"cell_type": "code", "metadata": {}, "outputs": [], "source": source}
            | {"execution_count": None, "id": f"cell-{number}"}
            for number, source in enumerate(sources)
        ]
        book = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
        path = tmp_path / "own.ipynb"
        path.write_text(json.dumps(book), encoding="utf-8")
        return path

    return write


def test_it_says_its_version(capsys):
    """And ends with that."""
    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert ended.value.code == 0
    assert capsys.readouterr().out == f"oauthmagic {oauthmagic.__version__}\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["sandbox", "--port", "99999"],
            "There is no port 99999; ports are 0 to 65535",
        ),
        (["sandbox", "--port", "-1"], "There is no port -1"),
        (["sandbox", "revst"], "Unknown simulator 'revst'. Did you mean 'revsto'?"),
        (["demo", "nothing.ipynb"], "There is no notebook nothing.ipynb."),
        (["demo", str(ROOT / "pyproject.toml")], "pyproject.toml is not a Jupyter"),
        (["demo", str(ROOT)], "cannot be read: Is a directory."),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(capsys, words, sentence):
    """The exit code is that of a wrong command line."""
    code = main(words)

    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert sentence in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"nbformat": 99, "nbformat_minor": 0, "metadata": {}, "cells": []}',
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": 3}',
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{}]}',
        "\ud800",
    ],
)
def test_a_broken_notebook_is_refused_before_it_runs(capsys, tmp_path, text):
    """Whatever is wrong with it."""
    path = tmp_path / "broken.ipynb"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    code = main(["demo", str(path)])

    assert (code, capsys.readouterr().err) == (
        2,
        f"{path} is not a Jupyter notebook.\n",
    )


def test_a_taken_port_is_said_in_one_line(capsys):
    """With the way to another one."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code = main(["sandbox", "--port", str(port)])

    assert code == 2
    assert capsys.readouterr().err == (
        f"Port {port} cannot be listened on: Address already in use. "
        "Leave --port out to get a free one.\n"
    )


def test_the_handlers_of_signals_are_put_back():
    """Whoever calls `main` keeps its own."""
    before = signal.getsignal(signal.SIGTERM)
    main(["sandbox", "revst"])

    assert signal.getsignal(signal.SIGTERM) is before


def test_a_notebook_is_printed_as_it_runs(write_notebook):
    """Each cell with what it shows; the first that fails is the last."""
    path = write_notebook("print(6 * 7)", "1 / 0", "print('never')")
    done = subprocess.run(
        command("demo", path),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )

    assert done.returncode == 1
    assert done.stdout == "  | print(6 * 7)\n42\n\n"
    assert done.stderr.endswith("failed: ZeroDivisionError: division by zero\n")


def test_the_simulator_of_revsto_is_the_one_without_a_name(sandbox):
    """What it prints is all that a client needs."""
    served = sandbox()
    names = ("client_id", "client_secret", "username", "password")
    form = {name: served.said[name] for name in names}
    status, _, body = served.ask(
        served.said["token_endpoint"], {"grant_type": "password", **form}
    )
    authorized = {"Authorization": f"Bearer {json.loads(body)['access_token']}"}
    rows = served.said["api_base"] + "/distributor/v1/products"

    assert status == 200
    assert served.ask(rows, headers=authorized)[0] == 200


def test_paysafe_is_served_as_the_brand_of_the_examples(sandbox):
    """Its client authenticates as there (RFC 6749, section 2.3.1)."""
    served = sandbox("paysafe")
    pair = f"{served.said['client_id']}:{served.said['client_secret']}"
    basic = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    url = served.said["token_endpoint"]
    status, _, body = served.ask(url, {"grant_type": "client_credentials"}, basic)
    authorized = {"Authorization": f"Bearer {json.loads(body)['access_token']}"}
    rows = served.said["api_base"] + "/v1/customers"

    assert (status, "/brands/liberty/" in url) == (200, True)
    assert served.ask(rows, headers=authorized)[0] == 200


def test_a_bank_is_served_over_mutual_tls(sandbox):
    """From the customer's page to the accounts, with the files that it wrote."""
    served = sandbox("stet")
    chain = (served.files["certificate"], served.files["private_key"])
    asked = {
        "response_type": "code",
        "client_id": served.said["client_id"],
        "redirect_uri": served.said["redirect_uri"],
        "scope": "aisp",
        "state": "simulated-state",
    }
    pages = {"authority": "authority of the pages"}
    page_url = served.said["authorization_endpoint"]
    _, _, page = served.ask(f"{page_url}?{urllib.parse.urlencode(asked)}", **pages)
    screen = page.partition('name="screen" value="')[2].partition('"')[0]
    decision = {"screen": screen, "decision": "accept"}
    _, headers, _ = served.ask(page_url, decision, **pages)
    query = urllib.parse.urlsplit(headers["Location"]).query
    form = {
        "grant_type": "authorization_code",
        "code": urllib.parse.parse_qs(query)["code"][0],
        "client_id": asked["client_id"],
        "redirect_uri": asked["redirect_uri"],
    }
    with pytest.raises(ssl.SSLError, match=r"(?i)certificate.required|handshake"):
        served.ask(served.said["token_endpoint"], form)
    status, _, body = served.ask(served.said["token_endpoint"], form, chain=chain)
    assert status == 200

    authorized = {"Authorization": f"Bearer {json.loads(body)['access_token']}"}
    accounts = served.said["api_base"] + "/accounts"
    assert served.ask(accounts, headers=authorized, chain=chain)[0] == 200


def test_the_files_of_a_bank_are_for_their_user_alone(sandbox):
    """Keys made for this run, in directories that nobody else can open."""
    served = sandbox("stet")

    assert {name for name in served.files if not name.startswith("authority")} == {
        "certificate",
        "private_key",
        "signing_certificate",
        "signing_key",
    }
    for path in served.files.values():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert "BEGIN" not in served.text


@pytest.mark.parametrize(
    ("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130)]
)
def test_however_it_is_ended_its_files_are_removed(sandbox, name, code):
    """Ctrl-C, the end of the terminal, or a service manager."""
    served = sandbox("stet")
    assert all(path.exists() for path in served.files.values())

    assert served.end(getattr(signal, name)) == code
    assert not any(path.parent.exists() for path in served.files.values())
    assert served.process.stderr.read() == ""
