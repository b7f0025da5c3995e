"""A cURL command is pasted into a cell, and a call is taken out of it as a program."""

from __future__ import annotations

import sqlite3

import pytest

API = "https://revsto.demo.invalid/api"
PRODUCTS = "/distributor/v1/products"


def test_a_pasted_command_is_sent_and_shown_as_a_cell(shell):
    """The request goes out with the token, and what to keep is printed."""
    ran = shell(f"%%api revsto@demo\ncurl '{API}{PRODUCTS}' -H 'accept: */*' -L")

    assert ran.value.status == 200
    assert f"GET {API}{PRODUCTS}\naccept: */*\n" in ran.stdout
    assert "# -L is left out" in ran.stdout


def test_what_is_printed_is_a_cell_that_does_the_same(shell):
    """It can be kept in place of the command."""
    ran = shell(f"%%api revsto@demo --dry-run\ncurl '{API}{PRODUCTS}' --compressed")
    kept = ran.stdout.partition("in its place:\n")[2].partition("\n\n")[0]

    assert shell(f"%%api revsto@demo\n{kept}").value.status == 200


def test_a_quiet_command_prints_nothing(shell):
    """`-q` is quiet about it, too."""
    ran = shell(f"%%api revsto@demo -q\ncurl '{API}{PRODUCTS}'")

    assert ran.lines == []


def test_a_command_for_another_host_is_refused(shell):
    """The gate is the same for a command: the token goes nowhere else."""
    ran = shell("%%api revsto@demo\ncurl https://evil.example/products")

    assert type(ran.error).__name__ == "UrlRefused"


SECRET = "Fake-Secret-4711"
CARRYING = [
    f"-H 'Authorization: Bearer {SECRET}'",
    f"-H $'authorization: Basic {SECRET}'",
    f"-H 'Cookie: sid={SECRET}'",
    f'-H "X-API-Key: {SECRET}"',
    f"-b 'sid={SECRET}; x=y'",
    f"--cookie sid={SECRET}",
    f"-u 'jane:{SECRET}'",
    f"-ujane:{SECRET}",
    f"-su jane:{SECRET}",
    f"--user jane:{SECRET}",
    f"--oauth2-bearer {SECRET}",
    f"-d 'grant_type=password&password={SECRET}'",
    f"--data-urlencode 'client_secret={SECRET}'",
    f"-F 'client_secret={SECRET}'",
    f"""--json '{{"client_secret": "{SECRET}"}}'""",
]


@pytest.mark.parametrize("option", CARRYING)
@pytest.mark.parametrize("place", ["alone", "last"])
def test_a_secret_in_a_command_is_refused_and_not_kept(
    shell, traces, clean_environ, option, place
):
    """Nothing is sent, and neither the history nor the output has it."""
    lines = f"curl '{API}{PRODUCTS}' {option}"
    if place == "last":
        lines = f"curl '{API}{PRODUCTS}' \\\n  -X GET \\\n  {option}"

    ran = shell(f"%%api revsto@demo\n{lines}")
    shell.saved_history()

    assert type(ran.error).__name__ == "SecretOnLine"
    assert not traces(ran.stdout + ran.stderr + str(ran.error), SECRET)
    history = next(clean_environ.rglob("history.sqlite"))
    with sqlite3.connect(history) as kept:
        rows = kept.execute("select source, source_raw from history").fetchall()
    kept.close()
    assert rows
    assert not traces(rows, SECRET)


def test_a_request_becomes_a_program(shell):
    """`--lang` prints the request with its token step and sends nothing."""
    ran = shell(f"%%api revsto@demo --lang curl\nGET {PRODUCTS}")

    assert ran.value is None
    assert "curl --silent" in ran.stdout
    assert '"password=$OAUTHMAGIC_REVSTO_DEMO_PASSWORD"' in ran.stdout
    assert shell.asked() == []


def test_a_token_becomes_a_program(shell):
    """`%token code` is the token step alone."""
    ran = shell("%token code revsto@demo --lang python --scope account_view")

    assert "'account_view'" in ran.stdout or '"account_view"' in ran.stdout
    assert "client.request(" not in ran.stdout


def test_a_language_that_is_none_is_answered_with_one(shell):
    """A misspelt language is a did-you-mean."""
    ran = shell("%token code revsto@demo --lang javscript")

    assert "Did you mean 'javascript'" in str(ran.error)


def test_a_trace_is_a_picture_in_three_forms(shell):
    """`%token trace` hands back what a notebook, GitHub and a terminal can show."""
    shell(f"%api revsto@demo GET {PRODUCTS}")

    ran = shell("%token trace")
    named = shell("%token trace revsto@demo").value

    assert "authorization server" in ran.stdout
    assert set(named._repr_mimebundle_()) == {
        "text/plain",
        "text/html",
        "text/markdown",
    }


def test_a_reply_is_saved_and_said(shell, tmp_path):
    """`--save FILE` says where, how much and of what type."""
    path = tmp_path / "it is here.json"

    ran = shell(f'%api revsto@demo --save "{path}" GET {PRODUCTS}')
    again = shell(f'%%api revsto@demo --save "{path}"\nGET {PRODUCTS}')

    assert path.read_bytes().startswith(b"{")
    assert f"saved as {path}" in ran.stdout
    assert "application/json" in ran.stdout
    assert "there already" in str(again.error)
    assert shell(
        f'%%api revsto@demo --overwrite --save "{path}"\nGET {PRODUCTS}'
    ).value.saved


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--save x --frame", "--save and --frame"),
        ("--save x --all", "--save and --all"),
        ("--overwrite", "--save FILE"),
    ],
)
def test_options_that_do_not_go_with_a_file_are_refused(shell, options, message):
    """Nothing is sent."""
    ran = shell(f"%%api revsto@demo {options}\nGET {PRODUCTS}")

    assert message in str(ran.error)
    assert shell.asked() == []


def test_progress_is_one_line_that_changes(shell):
    """The first time it is displayed, from then on changed."""
    ran = shell(
        "from oauthmagic.notebook.progress import Progress\n"
        "told = Progress('Saving x')\n"
        "told(1234, 5000)\n"
        "told(5000, None)"
    )

    assert ran.lines[0] == "Saving x: 1,234 bytes of 5,000 (24 %)"
