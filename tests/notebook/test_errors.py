"""What is wrong on a line or in a cell: said in one sentence, and nothing is sent."""

from __future__ import annotations

import traceback
from dataclasses import dataclass

import pytest

from oauthmagic import OAuthMagicError
from oauthmagic.errors import SecretOnLine


@dataclass(frozen=True, slots=True)
class Bad:
    """A cell, the name of its error, and words that the message has."""

    cell: str
    error: str
    words: str


GET = "\nGET /distributor/v1/products"
BAD = [
    # A target
    Bad("%token nope@demo", "UnknownName", "provider 'nope'"),
    Bad("%token revtso@demo", "UnknownName", "Did you mean 'revsto'?"),
    Bad("%token revsto@dmeo", "UnknownName", "Did you mean 'demo'?"),
    Bad("%token revsto@", "UnknownName", "environment ''"),
    Bad("%token @demo", "CommandError", "'@demo' is not a target"),
    Bad("%token Revsto@demo", "CommandError", "is not a target"),
    Bad("%token revsto/x@demo", "CommandError", "no tenants"),
    Bad("%token https://revsto.demo.invalid", "CommandError", "is not a target"),
    Bad("%%api nope@demo" + GET, "UnknownName", "provider 'nope'"),
    # A verb
    Bad("%token shwo revsto@demo", "UnknownName", "Did you mean 'show'?"),
    Bad("%token shwo", "UnknownName", "Did you mean 'show'?"),
    Bad("%token revsto@demo revsto@sandbox", "CommandError", "takes one TARGET"),
    Bad("%token show", "CommandError", "needs one TARGET"),
    Bad("%token refresh", "CommandError", "needs one TARGET"),
    Bad("%token scopes", "CommandError", "needs one TARGET"),
    Bad("%token introspect", "CommandError", "needs one TARGET"),
    Bad("%token demo --advance 5", "CommandError", "needs one TARGET"),
    Bad("%token forget", "CommandError", "--all"),
    Bad("%token add", "CommandError", "needs one FILE.toml"),
    Bad("%token show revsto@demo revsto@demo", "CommandError", "not 2"),
    Bad("%token providers revsto", "CommandError", "nothing more"),
    Bad("%token forget revsto@demo --all", "CommandError", "nothing more"),
    Bad("%token show revsto@demo", "CommandError", "No token is held"),
    Bad("%token refresh revsto@demo", "CommandError", "No token is held"),
    # An option
    Bad("%token revsto@demo --scpoe x", "UnknownName", "Did you mean '--scope'?"),
    Bad("%token revsto@demo --xyzzy", "UnknownName", "option '--xyzzy' of %token"),
    Bad("%token revsto@demo -x", "UnknownName", "option '-x'"),
    Bad("%token revsto@demo --fres", "UnknownName", "Did you mean '--fresh'?"),
    Bad("%token revsto@demo --scope", "CommandError", "--scope"),
    Bad("%token revsto@demo --fresh=1", "CommandError", "--fresh"),
    Bad("%token revsto@demo --advance 271", "CommandError", "takes no --advance"),
    Bad("%token show revsto@demo --scope x", "CommandError", "takes no --scope"),
    Bad("%token refresh revsto@demo --of x", "CommandError", "takes no --of"),
    Bad("%token introspect revsto@demo", "CommandError", "No token is held"),
    Bad("%token introspect revsto@demo --refresh-token", "SecretOnLine", "no"),
    Bad("%token --fresh", "CommandError", "takes no --fresh"),
    Bad("%token demo revsto@demo --advance x", "CommandError", "'x'"),
    Bad("%token demo revsto@demo --advance=-4", "CommandError", "forward"),
    Bad("%token demo revsto@demo --advance nan", "CommandError", "nan"),
    Bad("%token demo revsto@demo --advance 1e99", "CommandError", "1e+99"),
    Bad("%token demo revsto@demo --throttle=-1", "CommandError", "-1"),
    Bad("%token demo revsto@demo --errors league6", "UnknownName", "league"),
    Bad("%token demo revsto@sandbox --revoke", "CommandError", "is not a demo"),
    Bad('%token "revsto@demo', "CommandError", "quotation mark"),
    Bad("%%api revsto@demo --shwo body" + GET, "UnknownName", "mean '--show'?"),
    Bad("%%api revsto@demo --show bdoy" + GET, "UnknownName", "mean 'body'?"),
    Bad("%%api revsto@demo --show" + GET, "CommandError", "--show"),
    Bad("%%api revsto@demo extra" + GET, "CommandError", "'extra'"),
    Bad("%%api" + GET, "CommandError", "target"),
    Bad("%%api revsto@demo --out 3x" + GET, "CommandError", "'3x' cannot be"),
    Bad("%%api revsto@demo --out class" + GET, "CommandError", "'class' cannot be"),
    Bad("%%api revsto@demo --out a.b" + GET, "CommandError", "'a.b' cannot be"),
    Bad("%%api revsto@demo --out" + GET, "CommandError", "--out"),
    # A scope, a grant
    Bad("%token revsto@demo --scope acount_view", "UnknownName", "'account_view'?"),
    Bad("%token revsto@demo --grant passwrd", "UnknownName", "mean 'password'?"),
    Bad("%token revsto@demo --grant ciba", "UnknownName", "ciba"),
    Bad("%token revsto@demo --grant refresh_token", "CommandError", "renew"),
    Bad("%token revsto@demo --as show", "CommandError", "verb of %token"),
    Bad("%token revsto@demo --as revsto", "CommandError", "name of a provider"),
    Bad("%token revsto@demo --as 'My token'", "CommandError", "My token"),
    # A variable
    Bad("%token revsto@demo --credentials mnie", "UnknownName", "Did you mean 'mine'?"),
    Bad("%token revsto@demo --credentials number", "CommandError", "not int"),
    Bad("%token revsto@demo --credentials misspelt", "UnknownName", "'username'?"),
    Bad("%token revsto@demo --credentials odd", "CommandError", "'password'"),
    Bad("%token adopt revsto@demo", "CommandError", "--from VAR"),
    Bad("%token adopt revsto@demo --from nope", "UnknownName", "--from"),
    Bad("%token adopt revsto@demo --from mine", "CommandError", "neither"),
    Bad("%token adopt revsto@demo --from near", "CommandError", "mean 'access_token'?"),
    Bad("%%api revsto@demo\nGET /{{mnie}}", "UnknownName", "in line 1"),
    Bad("%%api revsto@demo\nGET /{{mine}}", "RequestSyntaxError", "of type dict"),
    # A file
    Bad("%token revsto@demo --env-file no.env", "CommandError", "'no.env'"),
    Bad("%token add no.toml", "ProviderFileError", "'no.toml'"),
    Bad("%token add broken.toml", "ProviderFileError", "not TOML"),
    Bad("%token add key.toml", "ProviderFileError", "'token_endpoint'?"),
    Bad("%token add taken.toml", "ProviderFileError", "token_endpoint"),
    Bad("%%api revsto@demo\nPOST /x\n\n< ./no.json", "RequestSyntaxError", "no.json"),
    # A request
    Bad("%api", "CommandError", "needs a request"),
    Bad("%api revsto@demo", "CommandError", "needs a request"),
    Bad("%api GET /x", "CommandError", "target"),
    Bad("%%api revsto@demo\n\n", "RequestSyntaxError", "no request"),
    Bad("%%api revsto@demo\n# nothing\n", "RequestSyntaxError", "no request"),
    Bad("%%api revsto@demo\nGTE /x", "UnknownName", "mean 'GET'?"),
    Bad("%%api revsto@demo\nGET /x\nnot a header", "RequestSyntaxError", "Line 2"),
    Bad("%%api revsto@demo\nGET https://evil.example/", "UrlRefused", "evil.example"),
    Bad(
        "%%api revsto@demo\nGET http://revsto.demo.invalid/", "UrlRefused", "encryption"
    ),
    Bad("%%api revsto@demo\nGET //evil.example/", "UrlRefused", "Nothing was sent"),
]
FILES = {
    "broken.toml": "[provider\n",
    "key.toml": "[provider]\nname = 'acme'\n"
    "[environments.sandbox]\ntoken_endpont = 'https://id.acme.example/token'\n",
    "taken.toml": "[provider]\nname = 'acme'\n[environments.sandbox]\n"
    "api_base = 'https://acme.example'\n",
}
NAMES = """
mine = {"client_id": "demo-distributor"}
number = 3
misspelt = {"usrname": "demo-analyst"}
odd = {"password": 12345}
near = {"acces_token": "not-a-token"}
"""


@pytest.fixture
def prepared(shell, tmp_path, monkeypatch):
    """A shell with a few variables, in a folder with a few bad files."""
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    shell(NAMES)
    return shell


def faults(bad, ran):
    """Return what is wrong with how a mistake was answered."""
    error = ran.error
    if not isinstance(error, OAuthMagicError):
        return [f"not an error of ours: {type(error).__name__}"]
    message = str(error)
    shown = [f"{type(error).__name__}: {message}"]
    if error.hint:
        shown += f"Hint: {error.hint}".splitlines()
    found = {
        "another class": type(error).__name__ != bad.error,
        "not these words": bad.words not in message,
        "not what is shown": ran.lines != shown,
        "empty": not message.strip(),
        "the hint twice": error.hint and error.hint in message,
        "several lines": "\n" in message,
        "no end": message[-1:] not in (".", "?"),
        "an untidy end": ".." in message or ".?" in message or "  " in message,
    }
    return [what for what, is_so in found.items() if is_so]


def test_a_mistake_is_one_sentence(prepared):
    """Each mistake is an error of ours, one clear line and a hint; nothing is sent."""
    wrong = {}
    for bad in BAD:
        ran = prepared(bad.cell)
        if found := faults(bad, ran):
            wrong[bad.cell] = found, ran.lines
    assert wrong == {}
    assert prepared.asked() == []
    assert len(prepared("%token").value) == 0


def test_a_mistake_has_a_traceback_where_it_is_wanted(prepared):
    """With `short_errors = False` each error comes with the way it took."""
    prepared("%config OAuthMagic.short_errors = False")
    for bad in BAD:
        ran = prepared(bad.cell)

        assert "Traceback" in ran.stdout, bad.cell
        assert "commands.py" in ran.stdout, bad.cell
        assert type(ran.error).__name__ == bad.error
        assert ran.error.__traceback__ is not None


def test_a_cell_without_a_body_is_refused_by_ipython(shell):
    """An empty `%%api` cell never reaches us; IPython names the line magic."""
    ran = shell("%%api revsto@demo")

    assert "cell body is empty" in ran.stderr
    assert "%api" in ran.stderr
    assert shell.asked() == []


def test_an_error_can_be_caught(shell):
    """`except` works as for any other error; the hint is there."""
    shell(
        "import oauthmagic\n"
        "try:\n"
        "    %token nope@demo\n"
        "except oauthmagic.OAuthMagicError as error:\n"
        "    caught = error, error.hint\n"
    )

    error, hint = shell.names["caught"]
    assert type(error).__name__ == "UnknownName"
    assert hint.startswith("Known: ")


def test_tb_shows_the_same_two_lines(shell):
    """`%tb` after a short error shows what was shown, in every mode."""
    lines = shell("%token nope@demo").lines

    # Not every version of IPython has each.
    modes = {"Plain", "Context", "Verbose", "Minimal", "Docs"}
    for mode in ("", *(modes & {*shell.shell.InteractiveTB.valid_modes})):
        assert shell(f"%tb {mode}").lines == lines


def test_an_error_of_somebody_else_keeps_its_traceback(shell):
    """Only our own errors are short."""
    assert "ZeroDivisionError" in shell("1/0").stdout
    assert "Traceback" in shell("1/0").stdout


def test_a_hint_is_in_a_plain_traceback_too(shell):
    """Python's own traceback shows the hint as a note."""
    error = shell("%token nope@demo").error

    assert "\nHint: Known: " in "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    "word",
    [
        "--credentials \"{'password': 'not-a-secret'}\"",
        "--credentials not-a-secret",
        "--from eyJub3QiOiJh.not-a-secret",
        "--credentials " + "a" * 50,
    ],
)
def test_a_value_where_a_name_belongs_is_not_repeated(shell, word):
    """`--credentials` with a value instead of a name does not show the value."""
    verb = "adopt" if "--from" in word else ""
    ran = shell(f"%token {verb} revsto@demo {word}")

    assert isinstance(ran.error, SecretOnLine)
    assert "not-a-secret" not in ran.stdout + ran.error.hint
    assert "aaaa" not in ran.stdout
