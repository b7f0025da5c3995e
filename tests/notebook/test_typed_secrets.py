"""A secret that is known, typed into a cell: refused, and kept nowhere (security: A14).

In cells of ours whatever is written around it; in other cells, which are not ours to
refuse, the history, `%logstart` and tracebacks have it masked.
"""

from __future__ import annotations

import base64
import html
import json
import linecache
import urllib.parse
from pathlib import Path

import pytest
from canaries import files_below, leaks

from oauthmagic import Secret
from oauthmagic.errors import SecretOnLine
from oauthmagic.oauth.credentials import Credentials
from oauthmagic.oauth.targets import parse_target
from oauthmagic.session.credentials import complete
from oauthmagic.session.remembered import Remembered

#: Without quotation marks and line ends, which would end a line's words.
CANARY = "Canary9-Zq9xT7~wB3+kL5/mN8=="

WRITTEN = {
    "plain": str,
    "quoted": repr,
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 of a login": lambda value: base64.b64encode(
        f"me:{value}".encode()
    ).decode(),
    "base64url": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
    "percent": lambda value: urllib.parse.quote(value, safe=""),
    "form": urllib.parse.quote_plus,
    "hex": lambda value: value.encode().hex(),
    "reversed": lambda value: value[::-1],
    "json": lambda value: json.dumps(value)[1:-1].replace("/", "\\/"),
    "html": html.escape,
    "split by a colour": lambda value: f"{value[:9]}\x1b[31m{value[9:]}",
    "split by a zero-width blank": lambda value: f"{value[:9]}\u200b{value[9:]}",
}
CELLS = (
    "%token revsto@demo --scope {}",
    "%token {}",
    "%token adopt revsto@demo --from {}",
    "%token revsto@demo --as {}",
    "t = %token revsto@demo --env-file {}",
    "for _ in range(1):\n    %token revsto@demo --grant {}",
    "%api revsto@demo GET /x?q={}",
    "%api revsto@demo --out {} GET /x",
    "%%api revsto@demo\nGET /x?access_token={}",
    "%%api revsto@demo\nGET /distributor/v1/users/{}",
    "%%api revsto@demo\nGET /x\nX-Trace: {}",
    '%%api revsto@demo\nPOST /x\nContent-Type: application/json\n\n{{"note": "{}"}}',
    "%%api revsto@demo\nPOST /x\nContent-Type: text/plain\n\n{}",
    "%%api revsto@demo\n# a comment: {}\nGET /x",
    "%%api revsto@demo\n@name = {}\nGET /{{{{name}}}}",
    "%%api revsto@demo --dry-run\nGET /x?q={}",
    "%%api {}\nGET /x",
)


@pytest.fixture
def known():
    """A secret that lives, for example a token that is held."""
    return Secret(CANARY)


def kept(notebook):
    """Return everything that a shell keeps of its cells."""
    shell, names = notebook.shell, notebook.names
    notebook.saved_history()
    return {
        "In": names["In"],
        "raw": shell.history_manager.input_hist_raw,
        "parsed": shell.history_manager.input_hist_parsed,
        "_i": [names[name] for name in names if name.startswith("_i")],
        "%history": notebook("%history -n -t").stdout,
        "linecache": [
            entry
            for name, entry in linecache.cache.items()
            if "ipython-input" in name or "ipykernel" in name
        ],
    } | files_below(Path(shell.ipython_dir))


@pytest.mark.parametrize("short", [True, False])
def test_a_known_secret_in_a_cell_of_ours_is_refused(shell, known, short, figure):
    """In every form and place; nothing is sent, nothing is kept, a way is named."""
    shell(f"%config OAuthMagic.short_errors = {short}")
    shell("%token revsto@demo -q")
    before, wrong, tried, said = len(shell.asked()), [], 0, []
    for form, write in WRITTEN.items():
        for cell in CELLS:
            tried += 1
            ran = shell(cell.format(write(CANARY)))
            if not isinstance(ran.error, SecretOnLine) or not ran.error.hint:
                wrong.append((form, cell, ran.error))
            said += [ran.stdout, ran.stderr, str(ran.error), ran.error.hint]
        said.append(shell("%tb Verbose").stdout)

    if short:
        cells = f"{len(WRITTEN)} forms x {len(CELLS)} cells"
        came_out = f"{tried - len(wrong)} of {tried}"
        figure(f"known secrets typed into our cells, refused ({cells})", came_out)
    assert wrong == []
    assert len(shell.asked()) == before
    assert known
    assert leaks(kept(shell) | {"said": said}, (CANARY,)) == []


def test_the_refusal_says_how_to_enter_it(shell, known):
    """By a variable, and what to do about the one that was typed."""
    ran = shell(f"%%api revsto@demo\nGET /x?q={known.reveal()}")

    assert "Nothing was sent" in str(ran.error)
    assert "getpass" in ran.error.hint
    assert "{{name}}" in ran.error.hint
    assert "change the secret" in ran.error.hint


def test_what_the_hint_says_works(shell, known):
    """A variable with the same value is sent, and nothing is shown of it."""
    shell.names["name"] = known.reveal()
    ran = shell("%%api revsto@demo --show exchange\nGET /x?q={{name}}")
    del shell.names["name"]

    assert ran.error is None
    assert shell.asked()
    assert leaks(kept(shell) | {"said": ran}, (CANARY,)) == []


@pytest.mark.parametrize(
    "header",
    [
        *("X-API-Key: {}", "x-api-key:{}", "Api-Key: {}", "apikey: {}"),
        *("X-Auth-Token: {}", "X-Access-Token: {}", "Private-Token: {}"),
        "Ocp-Apim-Subscription-Key: {}",
    ],
)
def test_a_key_is_not_written_out_in_a_header(shell, header):
    """Nobody knows it yet, but its name says what it is; a variable may hold it."""
    value = "Canary6-not-known-before"
    cell = "%%api revsto@demo\nGET /distributor/v1/products\n"
    ran = shell(cell + header.format(value))
    shell.names["mine"] = "plainly-fake"
    named = shell(cell + header.format("{{mine}}"))

    assert isinstance(ran.error, SecretOnLine)
    assert named.error is None
    assert shell.names["In"][-1].count("{{mine}}") == 1
    assert leaks(kept(shell) | {"said": [ran.stdout, ran.error]}, (value,)) == []


@pytest.mark.parametrize("form", ["plain", "base64", "percent", "hex", "reversed"])
def test_in_other_cells_it_is_masked(shell, known, form):
    """Plain Python runs; what IPython keeps of it, in memory and files, is masked."""
    value = WRITTEN[form](known.reveal())
    log = Path(shell.shell.ipython_dir) / "session.log"
    shell(f"%logstart -o -r -t {log} over")

    ran = shell(f"typed = {value!r}\nassert typed\ntyped = None")
    failed = shell(f"typed = 1\nlen([{value!r}][1])")
    again = shell("%rerun 2")
    said = [ran.stdout, failed.stdout, again.stdout]
    modes = ("Plain", "Context", "Verbose", "Minimal", "Docs")
    said += [shell(f"%tb {mode}").stdout for mode in modes]
    shell("%logstop")

    assert ran.error is None
    assert isinstance(failed.error, IndexError)
    assert "[secret]" in log.read_text(encoding="utf-8")
    assert leaks(kept(shell) | {"said": said}, (CANARY,)) == []


def test_the_log_gets_no_secret_of_a_refused_line(shell):
    """`%logstart` is as careful as the history, and loading anew changes nothing."""
    log = Path(shell.shell.ipython_dir) / "session.log"
    shell(f"%logstart {log} over")
    shell("%reload_ext oauthmagic")
    shell("%token revsto@demo --password Canary6-on-a-line")
    shell("%logstop")
    written = log.read_text(encoding="utf-8")

    assert "revsto@demo" in written
    assert leaks({"log": written}, ("Canary6-on-a-line",)) == []


def test_a_short_word_is_no_reason_to_refuse(shell):
    """A password `demo` does not make every cell with that word a secret."""
    held = Secret("demo")

    assert shell("%token revsto@demo").error is None
    assert held


def test_a_name_that_was_entered_is_no_secret(shell):
    """A prompt hides passwords; a client_id may be written and shown."""
    found = complete(
        Credentials(),
        ("client_id", "client_secret"),
        parse_target("revsto@demo", default_environment="demo"),
        remembered=Remembered(),
        prompt=lambda label, _: f"fake-{label.split()[0]}-entered",
        has_demo=True,
    )
    ran = shell("%token show fake-client_id-entered")

    assert found.client_id == "fake-client_id-entered"
    assert not isinstance(ran.error, SecretOnLine)
    assert isinstance(
        shell("%token show fake-client_secret-entered").error, SecretOnLine
    )
