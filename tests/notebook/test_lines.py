"""Lines and cells of strangers: words are words, and nothing in them is run."""

from __future__ import annotations

import random
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from fuzz_targets import LINES
from hypothesis import given, note, settings
from hypothesis import strategies as st
from scales import scaled

import oauthmagic.session
from oauthmagic import Session
from oauthmagic.errors import ConnectionFailed, OAuthMagicError, UnknownName
from oauthmagic.notebook.arguments import api_parser

PROVIDER = """
[provider]
name = "acme"
token_endpoint_auth_method = "none"

[environments.sandbox]
token_endpoint = "https://id.acme.example/token"
api_base = "https://api.acme.example"
"""
#: What starts a program, or evaluates a text.
STARTS = ("subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "pty.")
ATTACKS = (
    "{x.__class__}",
    "{x.__init__.__globals__}",
    "{x!r:>{width}}",
    "{x}",
    "{{x.secret}}",
    "{{x}}",
    "$x",
    "${x.secret}",
    "$(id)",
    "`id`",
    "!id",
    "; id",
    "| id",
    "&& id",
    "> /dev/null",
    "%(x)s",
    "%s%n",
    "@x",
    "x.secret",
    "x['secret']",
    "x()",
    "__import__('os').system('id')",
    "--credentials x.secret",
    "--credentials x",
    "--from x",
    "--out x.secret",
    "--out __builtins__",
    "--env-file $(id)",
    "'",
    '"',
    "\\",
    "\\\n",
    "\r\n",
    "\0",
    "\u202e",
    "\U0001f600",
    "-" * 50,
    "a" * 5_000,
    "--advance nan",
    "--advance 1e400",
    "--",
    "\u2014\u2014client-secret=plainly-fake",
)
CELLS = ("GET /a", "POST /a\n\n{{x}}", "GET /{{x.secret}}", "@a = {{x}}\nGET /{{a}}")


@dataclass
class Watched:
    """A variable of the notebook that says how it was looked at."""

    seen: list = field(default_factory=list)

    def __getattr__(self, name):
        """Note every attribute that is not there: none was ever promised."""
        # What Python and IPython ask every object for, whatever its line says.
        if not name.startswith(("_repr_", "_ipython_", "__")):
            self.seen.append(name)
        raise AttributeError(name)

    def __format__(self, how):
        """Note it."""
        self.seen.append(f"format {how!r}")
        return "x"

    def __call__(self):
        """Note it."""
        self.seen.append("call")

    def __getitem__(self, key):
        """Note it."""
        self.seen.append(f"item {key!r}")
        raise KeyError(key)


class Nowhere:
    """A transport on a machine without a network."""

    def send(self, request, *, timeout, limit):  # noqa: ARG002 - a seam
        """Send nothing."""
        raise ConnectionFailed("No connection could be made.", sent="no")


@pytest.fixture(scope="module")
def started():
    """Note every program that is started, while the list is told to listen."""
    heard, listens = [], [False]

    def hook(event, arguments):
        if listens[0] and event.startswith(STARTS):
            heard.append((event, arguments))

    sys.addaudithook(hook)
    return heard, listens


@pytest.fixture
def run(shell, monkeypatch, tmp_path):
    """Run a line or a cell in a shell that has a provider and no network."""
    session = Session(environ={}, transport=Nowhere())
    path = tmp_path / "acme.toml"
    path.write_text(PROVIDER)
    session.add(path)
    session.adopt("acme", {"access_token": "held-token-1"})
    # There is no public way to say which session the magics use.
    monkeypatch.setattr(oauthmagic.session, "_current", session)

    def run(line, cell):
        watched = shell.names["x"] = Watched()
        shell.names["cred"] = {"client_id": "analyst"}
        try:
            if cell is None:
                shell.shell.run_line_magic("token", line)
            else:
                shell.shell.run_cell_magic("api", line, cell)
        except OAuthMagicError as error:
            str(error).encode()
        return watched

    return run


def line_of(chance):
    """Return a line as people type it, with attacks between its words."""
    words = chance.choice(LINES).replace("revsto@sandbox", "acme").split(" ")
    for _ in range(chance.randint(0, 3)):
        at = chance.randint(0, len(words))
        attack = chance.choice(ATTACKS)
        if chance.random() < 0.3 and at < len(words):
            words[at] += attack
        else:
            words.insert(at, attack)
    return " ".join(words)


def test_no_line_or_cell_is_run_or_looked_into(run, started, capsys, figure):
    """Property: only typed errors; no program, no attribute, no format (D15)."""
    heard, listens = started
    most = scaled(1_000, 10_000)

    # The first line imports pandas.
    @settings(max_examples=most, deadline=None)
    @given(st.integers(0, 2**64))
    def is_only_words(number):
        chance = random.Random(number)  # noqa: S311 - to be repeated
        line = line_of(chance)
        cell = chance.choice((None, chance.choice(CELLS) + chance.choice(ATTACKS)))
        note(repr((line, cell)))
        listens[0] = True
        try:
            watched = run(line, cell)
        finally:
            listens[0] = False
        assert not heard
        assert not watched.seen

    is_only_words()
    capsys.readouterr()

    figure(
        "generated lines and cells through the magics",
        f"{most}, untyped errors 0, programs 0, attributes 0",
    )


def test_the_watch_sees_what_it_looks_for(started):
    """A watch that sees nothing must be able to see something."""
    heard, listens = started
    watched = Watched()
    listens[0] = True
    try:
        sys.audit("subprocess.Popen", "id")
    finally:
        listens[0] = False

    assert f"{watched}" == "x"
    assert not hasattr(watched, "secret")
    assert watched.seen == ["format ''", "secret"]
    assert heard.pop() == ("subprocess.Popen", ("id",))


def test_a_parser_that_is_kept_forgets_the_last_line():
    """What was given once, and what failed, is not given the next time."""
    first = api_parser().read("acme --show a --show b --dry-run")
    with pytest.raises(UnknownName):
        api_parser().read("acme --never")
    second = api_parser().read("acme --show c")

    assert (first.show, second.show) == (["a", "b"], ["c"])
    assert not second.dry_run
    assert api_parser().read("acme").show == []


def test_a_parser_is_no_two_threads_own():
    """It changes itself while it reads."""
    with ThreadPoolExecutor(1) as thread:
        other = thread.submit(api_parser).result()

    assert api_parser() is api_parser()
    assert other is not api_parser()
