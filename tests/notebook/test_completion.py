"""What Tab offers in `%token`, `%api` and `%%api`, in a shell and in a terminal."""

from __future__ import annotations

import socket
import statistics
import time
from dataclasses import replace
from importlib.metadata import EntryPoint

import IPython
import pytest
from IPython.core.completer import provisionalcompleter

import oauthmagic
from oauthmagic.notebook.arguments import api_parser, taken_by, token_parser
from oauthmagic.notebook.commands import VERBS
from oauthmagic.notebook.completion import complete
from oauthmagic.providers import catalogue
from oauthmagic.providers.endpoints import Endpoints, Parameter, endpoint

pytestmark = pytest.mark.skipif(
    IPython.version_info < (8, 6),
    reason="IPython has matchers like ours from 8.6 on; Colab has 7.34",
)
BASE = "/distributor/v1"
SECRET = "plainly-fake-secret-0123456789"


class Context:
    """The context of a completion at the end of a text."""

    def __init__(self, text):
        self.full_text = text
        lines = text.split("\n")
        self.cursor_line = len(lines) - 1
        self.line_with_cursor = lines[-1]
        self.cursor_position = len(lines[-1])


@pytest.fixture
def tab(shell):
    """Return what Tab offers at the end of a text, or at a mark `|` in it."""

    def press(text):
        before, _, behind = text.partition("|")
        with provisionalcompleter():
            found = shell.shell.Completer.completions(before + behind, len(before))
            ours = [each for each in found if each.type == "oauthmagic"]
        assert all(each.end == len(before) for each in ours)
        return [each.text for each in ours]

    return press


def test_every_verb_and_target_can_begin(tab):
    """Verbs, providers with their environments; those with tenants up to the tenant."""
    found = tab("%token ")

    assert set(found) >= {*VERBS, "revsto@demo", "revsto@production", "stet/"}
    assert tab("%token tr") == ["trace"]
    assert tab("t = %token reve") == []
    assert tab("t = %token revs") == [
        *("revsto@demo", "revsto@sandbox", "revsto@production")
    ]


def test_a_target_is_completed_part_by_part(tab, shell):
    """Tenants behind the slash, environments behind a tenant; what is held, too."""
    assert "stet/17515" in tab("%token stet/1")
    assert tab("%token stet/17515@d") == ["stet/17515@demo"]
    assert "stet/17515@sandbox" in tab("%token stet/17515")
    assert tab("%token paysafe/") == []
    shell("%token paysafe/liberty@demo --as wallets")
    assert tab("%token show w") == ["wallets"]
    assert tab("%token refresh paysafe/liberty@d") == ["paysafe/liberty@demo"]


def test_every_option_of_a_verb_is_offered_and_no_other(tab):
    """Taken from the parser, so that a new one is there at once."""
    for verb in ("", *VERBS):
        target = (
            ""
            if verb == "providers"
            else "acme.toml"
            if verb == "add"
            else "revsto@demo"
        )
        line = " ".join(filter(None, ["%token", verb, target]))
        taken = token_parser().option_names(of=taken_by(verb))

        assert set(tab(f"{line} --")) == set(taken)
        assert not set(tab(f"{line} -q --")) - set(taken)


def test_every_option_of_api_is_offered_once(tab):
    """But for those that can be repeated."""
    names = api_parser().option_names()

    assert set(tab("%%api revsto@demo --")) == set(names)
    assert set(tab("%api revsto@demo --")) == set(names)
    left = tab("%%api revsto@demo --dry-run --show body --")
    assert set(names) - set(left) == {"--dry-run"}


VALUES = [
    ("%token revsto@demo --scope account_v", ["account_view"]),
    ("%token revsto@demo --scope account_view account_v", []),
    ("%token revsto@demo --scope posting --fre", ["--fresh"]),
    ("%token --scope posting --grant p", ["password"]),
    ("%token revsto@demo --grant ", ["password", "refresh_token"]),
    ("%token unknown@demo --grant d", ["device_code"]),
    ("%token introspect acme --of r", ["refresh_token"]),
    ("%token resume stet/17515@demo --answer a", ["accept"]),
    ("%token resume stet/17515@sandbox --answer a", []),
    ("%token demo revsto@demo --errors ", ["league7", "league8", "league9"]),
    ("%token code revsto@demo --lang j", ["javascript"]),
    ("%%api revsto@demo --show ", ["headers", "body", "exchange"]),
    ("%%api revsto@demo --lang python-", ["python-requests"]),
    # What only the user knows is left to IPython: names, numbers and files.
    ("%%api revsto@demo --save ", []),
    ("%token revsto@demo --as ", []),
    ("%token add acme.toml --openapi ", []),
    ("print('%token ')", []),
]


def test_values_of_options(tab):
    """What can stand behind an option is offered there, and only there."""
    assert [(line, tab(line)) for line, _ in VALUES] == VALUES


def test_variables_that_can_be_named(tab, shell):
    """Mappings for credentials."""
    shell.names.update(mine={"client_id": "x"}, number=1)

    assert tab("%token revsto@demo --credentials ") == ["mine"]
    assert tab("%token adopt revsto@demo --from m") == ["mine"]


CELLS = [
    ("", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
    ("PO", ["POST"]),
    ("ge", ["get"]),
    ("Po", []),
    ("/distributor/v1/pro", [f"{BASE}/products"]),
    (
        "GET /distributor/v1/tr",
        [f"{BASE}/transactions", f"{BASE}/transactions/{{{{transactionId}}}}"],
    ),
    ("POST /distributor/v1/users/", [f"{BASE}/users/{{{{userId}}}}/accounts"]),
    ("POST /distributor/v1/users/1001/", [f"{BASE}/users/1001/accounts"]),
    (
        "POST /distributor/v1/users/{{me}}/a",
        [f"{BASE}/users/{{{{me}}}}/accounts"],
    ),
    ("DELETE /dis", []),
    ("GET /distributor/v1/products?", ["limit=", "offset=", "sort="]),
    ("/distributor/v1/products?limit=5&of", ["offset="]),
    ("GET /distributor/v1/products?limit=", []),
    ("GET /distributor/v1/products\n    ?li", ["limit="]),
    ("GET /distributor/v1/products\n?limit=1\n    &so", ["sort="]),
    ("@x = 1\n# Why\nPO", ["POST"]),
    ("GET /a\n###\nPU", ["PUT"]),
    ("# G", []),
    ("@x = G", []),
    ("GET /nothing\n    ?li", []),
    # A body and headers that nobody described are nobody's guess.
    ("POST /distributor/v1/hooks\n\nG", []),
    ("POST /distributor/v1/hooks\nG", []),
    # In the middle of what is there already.
    ("GE| /distributor/v1/products", ["GET"]),
    ("GET /distributor/v1/pro|\n\n{}", [f"{BASE}/products"]),
]


def test_the_lines_of_a_cell(tab):
    """Methods, paths from the catalogue, query parameters: where each can stand."""
    first = "%%api revsto@demo --frame\n"
    assert [(cell, tab(first + cell)) for cell, _ in CELLS] == CELLS


def test_headers_that_are_described(tab):
    """Parameters in a header, where an endpoint has them."""
    session = oauthmagic.current_session()
    provider = session.provider("revsto")
    one = endpoint("GET /a", "Ask")
    header = Parameter(name="X-Language", place="header")
    known = Endpoints([replace(one, parameters=(header,))])
    session.add(replace(provider, name="acme", endpoints=known))

    assert tab("%%api acme@sandbox\nGET /a\nX-") == ["X-Language: "]


LINES = [
    ("%api revsto@demo /distributor/v1/pro", [f"{BASE}/products"]),
    ("%api revsto@demo --frame GET /distributor/v1/pro", [f"{BASE}/products"]),
    ("%api revsto@demo PO", ["POST"]),
    ("%api revsto@demo GET /distributor/v1/products --fra", ["--frame"]),
    ("%api revs", ["revsto@demo", "revsto@sandbox", "revsto@production"]),
    ("%api revsto@demo GET /distributor/v1/products?li", ["limit="]),
]


def test_the_request_of_a_line(tab):
    """`%api` has its request behind the target."""
    assert [(line, tab(line)) for line, _ in LINES] == LINES


def test_variables_of_a_request(tab, shell):
    """Those of the cell first, then plain ones of the notebook; never a value."""
    shell.names.update(user_id=1001, secret=SECRET, frame=[1], _private=1)
    shell("import math")

    cell = "%%api revsto@demo\n@base = /x\nGET {{base}}/{{"
    assert tab(cell) == [
        *("base}}", "user_id}}", "secret}}", "$guid}}", "$timestamp}}"),
        "$isoTimestamp}}",
    ]
    assert tab("%%api revsto@demo\nGET /x/{{us") == ["user_id}}"]
    assert tab('%%api revsto@demo\nPOST /x\n\n{"id": {{us') == ["user_id}}"]
    assert tab("%api revsto@demo GET /x/{{$g") == ["$guid}}"]
    assert SECRET not in repr([tab(cell), tab("%%api revsto@demo\nGET {{sec")])


def test_columns_are_variables_of_a_request_for_each_row(tab, shell):
    """`--each frame` makes a column a variable."""
    shell("import pandas as pd; frame = pd.DataFrame({'account_id': [1]})")

    assert tab("%%api revsto@demo --each frame\nGET /x/{{acc") == ["account_id}}"]


def test_under_another_name_it_is_the_same(bare_shell):
    """Where `%token` was taken, `%oauth_token` is completed."""
    bare_shell.shell.register_magic_function(lambda _: "theirs", "line", "token")
    bare_shell("%load_ext oauthmagic")
    with provisionalcompleter():
        found = list(bare_shell.shell.Completer.completions("%oauth_token trac", 17))

    assert [each.text for each in found] == ["trace"]


ODD = [
    "%token \x00",
    "%token --scope --scope ",
    "%token '",
    "%token --grant",
    "%%api \n\n\n{{",
    "%%api\n",
    "%%api revsto@demo\n{{{{{{",
    "%%api revsto@demo\nGET //?&{{}}",
    "%%api revsto@demo --each nothing\nGET {{",
    "%%api revsto@demo\n" + "###\n" * 5000,
    "%token " + "a" * 50_000,
]


@pytest.mark.usefixtures("shell")
def test_nothing_that_is_typed_is_an_error(caplog):
    """Whatever stands there; nothing is written to the log either."""
    caplog.set_level("DEBUG", logger="oauthmagic")
    for text in ODD:
        complete(Context(text))

    assert caplog.records == []


def test_a_store_that_cannot_be_read_is_no_error(tab, monkeypatch, caplog):
    """The next command says why; the log says only that there was something."""
    session = oauthmagic.current_session()
    monkeypatch.setattr(
        session, "_store", type("Broken", (), {"tokens": lambda _: 1 / 0})()
    )
    caplog.set_level("DEBUG", logger="oauthmagic")

    assert tab("%token ") == []
    assert "Nothing completed: ZeroDivisionError" in caplog.text


def test_nothing_is_sent_and_no_package_is_run(tab, monkeypatch):
    """No socket, and no import of a provider that another package offers."""
    monkeypatch.setattr(socket, "socket", None)
    group = "oauthmagic.providers"
    stranger = EntryPoint(name="acme", value="acme_that_explodes:P", group=group)
    ours = catalogue._entries()
    monkeypatch.setattr(catalogue, "_entries", lambda: (*ours, stranger))

    assert tab("%token ac") == ["acme"]
    assert tab("%token acme --scope a") == []
    assert tab("%%api acme\nGET /") == []


def test_it_is_fast_once_warm(shell, figure):
    """Under 20 ms, with a catalogue of 2,000 endpoints; median CPU time of 30."""
    session = oauthmagic.current_session()
    lines = (f"GET /r{n}/{{id}}/things" for n in range(2000))
    known = Endpoints(endpoint(line, "Ask") for line in lines)
    session.add(replace(session.provider("revsto"), name="acme", endpoints=known))
    shell.names.update({f"name{n}": n for n in range(500)})
    took = {}
    for text in (
        "%token ",
        "%token stet/1",
        "%token revsto@demo --",
        "%%api acme@sandbox\nGET /r1",
        "%%api acme@sandbox\nGET /{{",
    ):
        context = Context(text)
        complete(context)
        times = []
        for _ in range(30):
            begun = time.thread_time()
            assert complete(context)["completions"]
            times.append(time.thread_time() - begun)
        took[text] = statistics.median(times) * 1000

    slowest = max(took.values())
    figure("a completion, warm, at most", f"{slowest:.1f} ms")
    assert slowest < 20


def test_a_terminal_offers_the_same(shell):
    """IPython's terminal asks its completer for a whole cell."""
    ptutils = pytest.importorskip("IPython.terminal.ptutils")
    from prompt_toolkit.document import Document  # noqa: PLC0415

    completer = ptutils.IPythonPTCompleter(ipy_completer=shell.shell.Completer)

    def offered(text):
        found = completer.get_completions(Document(text, len(text)), None)
        return [(each.text, each.start_position) for each in found]

    assert offered("%token trac") == [("trace", -4)]
    assert offered("%%api revsto@demo\nGET /distributor/v1/pro") == [
        (f"{BASE}/products", -len("/distributor/v1/pro"))
    ]
    assert offered("%%api revsto@demo\nGET /x/{{$g") == [("$guid}}", -2)]
