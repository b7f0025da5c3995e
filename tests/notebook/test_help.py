from __future__ import annotations

import re

import pytest

from oauthmagic.notebook.arguments import api_parser, token_parser
from oauthmagic.notebook.commands import VERBS
from oauthmagic.notebook.options import SHOWN
from oauthmagic.sandbox.league_errors import FAMILIES


def help_of(shell, name, kind):
    """Return the help text of a magic."""
    return shell.shell.magics_manager.magics[kind][name].__doc__


@pytest.mark.parametrize(
    ("name", "kind", "parser"),
    [
        ("token", "line", token_parser),
        ("api", "cell", api_parser),
        ("api", "line", api_parser),
    ],
)
def test_help_tells_every_option(shell, name, kind, parser):
    """`%token?` and `%%api?` mention each option that is accepted, and no other."""
    text = help_of(shell, name, kind)

    told = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))
    assert told == set(parser().option_names())
    assert "-q" in text


def test_help_tells_every_verb(shell):
    """`%token?` mentions each verb with its syntax."""
    text = help_of(shell, "token", "line")

    assert set(re.findall(r"^ *%token ([a-z]+)\b", text, re.MULTILINE)) >= set(VERBS)


def test_help_tells_every_word(shell):
    """The words that options take are told as well."""
    api, token = help_of(shell, "api", "cell"), help_of(shell, "token", "line")

    assert all(word in api for word in SHOWN)
    assert all(word in token for word in FAMILIES)


@pytest.mark.parametrize("line", ["%token?", "%%api?", "%api?"])
def test_a_question_mark_shows_the_help(shell, line):
    """`%token?` shows the text, as IPython shows every help."""
    shown = []
    shell.shell.set_hook("show_in_pager", lambda _, data, **__: shown.append(data))

    assert shell(line).error is None
    assert "Examples:" in shown[0]["text/plain"]


def test_help_fits_a_terminal(shell):
    """No line of the help is longer than 88 characters."""
    for kind, name in (("line", "token"), ("cell", "api")):
        lines = help_of(shell, name, kind).splitlines()
        assert max(map(len, lines)) <= 88


def test_examples_of_the_help_run(shell):
    """Every example that needs no credentials works as it stands."""
    examples = [
        line.strip()
        for kind, name in (("line", "token"), ("line", "api"))
        for line in help_of(shell, name, kind).partition("Examples:")[2].splitlines()
        if "@demo" in line and "%%" not in line
    ]

    assert len(examples) == 4
    for example in examples:
        assert shell(example).error is None, example


def test_the_rows_of_the_help_run(shell, tmp_path, monkeypatch):
    """Its last two examples are one: the rows of a list, and a request for each."""
    monkeypatch.chdir(tmp_path)
    text = help_of(shell, "api", "cell").partition("Examples:")[2]
    (pages,) = re.findall(r"%api .*--all.*", text)
    (each,) = re.findall(r"%%api .*--each.*\n.*", text)

    assert shell(pages).error is None
    assert shell(re.sub(r"\n +", "\n", each)).error is None
    assert shell.names["details"]["status"].eq(200).all()
