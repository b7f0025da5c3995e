"""No way to make a text of what a user holds shows a secret (security: A7, A13).

One list of ways, one of objects, every pair. A refusal is fine; its own text is
searched, too, with the variables of every frame that it went through.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import copy
import csv
import dataclasses
import difflib
import gc
import html
import inspect
import io
import json
import logging
import pprint
import reprlib
import shlex
import string
import subprocess
import sys
import textwrap
import traceback
import types
import unittest
import urllib.parse
import warnings
from datetime import UTC, datetime

import pandas as pd
import pytest
import rich.console
import rich.pretty
import rich.traceback
from canaries import leaks

from oauthmagic import OAuthMagicError, Secret, Session
from oauthmagic.flows.token_requests import build_request
from oauthmagic.oauth import grants
from oauthmagic.oauth.adoption import read_adopted
from oauthmagic.oauth.responses import read_token_response
from oauthmagic.providers.environments import SandboxEnvironment
from oauthmagic.providers.preparation import Preparation
from oauthmagic.providers.provider import Provider
from oauthmagic.runtime.authorized import authorize
from oauthmagic.runtime.granting import endpoint_of
from oauthmagic.runtime.lifecycle import Wish
from oauthmagic.session.step_ups import StepUp
from oauthmagic.transport.wire import WireRequest, WireResponse

ACCESS = "Canary1-Zq9xT7~wB3+kL5/mN8=="
REFRESH = "Canary2-Rf2yH6~pD4+sV1/cX0=="
PASSWORD = 'Canary3 "pä&ß/w+rd%<é>'
CLIENT_SECRET = "Canary4 s3cr:t/+&?x%'ü"
KEY = "-----BEGIN PRIVATE KEY-----\nCanary5Zq9xT7wB3kL5mN8\n-----END PRIVATE KEY-----\n"
CANARIES = (ACCESS, REFRESH, PASSWORD, CLIENT_SECRET, "Canary5Zq9xT7wB3kL5mN8")
LOGIN = {
    "client_id": "fake-client",
    "client_secret": CLIENT_SECRET,
    "username": "fake-user",
    "password": PASSWORD,
    "private_key": KEY,
}
GRANTED = {
    "access_token": ACCESS,
    "refresh_token": REFRESH,
    "token_type": "Bearer",
    "expires_in": 300,
}
JSON = (("content-type", "application/json"),)


def answer(status, members):
    """Return a response."""
    return WireResponse(status=status, headers=JSON, body=json.dumps(members).encode())


class Server:
    """Grants, refuses with an echo of what it was sent, and echoes API requests."""

    def send(self, request, **_):
        """Answer."""
        sent = (request.body or b"").decode()
        if not request.url.endswith("/token"):
            return answer(200, {"items": [{"id": 1, "echo": dict(request.headers)}]})
        if "refuse" in sent:
            echoed = {"error": "invalid_grant", "error_description": sent}
            return answer(400, echoed)
        return answer(200, GRANTED)


def objects():
    """Return everything that holds a secret, by name, and what keeps it alive."""
    now = datetime(2030, 1, 1, 9, tzinfo=UTC)
    session = Session(environ={}, transport=Server(), clock=lambda: now)
    session.add(
        Provider(
            name="acme",
            title="Acme",
            environments={
                "sandbox": SandboxEnvironment(
                    token_endpoint="https://id.acme.example/token",
                    api_base="https://api.acme.example",
                    endpoints={
                        "authorization_endpoint": "https://id.acme.example/authorize"
                    },
                )
            },
            grants=("password", "authorization_code", "refresh_token"),
            default_grant="password",
            token_endpoint_auth_method="client_secret_post",
        )
    )
    token = session.token("acme", credentials=LOGIN)
    credentials = session._keeper.credentials(token)
    world = session._worlds.named("acme")
    request = WireRequest(method="GET", url="https://api.acme.example/x")
    endpoint = endpoint_of(world, credentials, world.environment.token_endpoint)
    parameters = grants.refresh_token(token.refresh_token)
    login = raised(
        session.token,
        "acme",
        grant="authorization_code",
        credentials={
            "client_id": "a",
            "client_secret": CLIENT_SECRET,
            "redirect_uri": "https://b.example/",
        },
        alias="waiting",
    )
    with session._store.exclusive(token.key) as entry:
        pass
    step = StepUp(world=world, event=None, token=token, credentials=credentials)
    return {
        "Secret": token.access_token,
        "Token": token,
        "TokenKey": token.key,
        "Credentials": credentials,
        "a list of tokens": [token, {"x": token.refresh_token}],
        "Session": session,
        "World": world,
        "Store": session._store,
        "Entry": entry,
        "TokenKeeper": session._keeper,
        "Wish": Wish(grant="password"),
        "Endpoint": endpoint,
        "parameters": parameters,
        "TokenResponse": read_token_response(
            200, dict(JSON).get, json.dumps(GRANTED).encode()
        ),
        "Adopted": read_adopted(GRANTED),
        "Preparation": Preparation(
            credentials=credentials, settings={}, clock=lambda: now, guid=str
        ),
        "StepUp": step,
        "httpx.Client": session.client("acme"),
        "the table of tokens": session.tokens(),
        "PendingAction": login.pending,
        "UserActionRequired": login,
        "InvalidGrant": raised(
            session.token, "acme", credentials={**LOGIN, "username": "refuse"}
        ),
        "CommandError": raised(session.token, f"acme {ACCESS}"),
        "SecretRefused": raised(str.__add__, "x", token.access_token),
        "Reply": session.api("acme", "GET /x"),
        "WireRequest": authorize(request, token, world),
        "a token request": build_request(endpoint, parameters),
        "WireResponse": answer(200, GRANTED),
    }


def raised(call, *arguments, **named):
    """Return what a call raises."""
    try:
        call(*arguments, **named)
    except Exception as error:  # noqa: BLE001 - some are Python's own
        return error
    pytest.fail("it raised nothing")


class Plain:
    """An object with a value in it."""

    def __init__(self, value):
        self.value = value


def dataframe(value):
    """Return a DataFrame with a value in a cell."""
    return pd.DataFrame({"value": pd.Series([value, None], dtype=object)})


def with_rich(value):
    """Print a value, its attributes and a traceback with it, as rich does."""
    console = rich.console.Console(file=io.StringIO(), width=200)
    console.print(value, rich.pretty.Pretty(value))
    try:
        raise_with(value)
    except ZeroDivisionError:
        console.print(rich.traceback.Traceback(show_locals=True))
    return console.file.getvalue()


def raise_with(value):
    """Fail with a value among the variables."""
    held = [value]
    return 1 / (len(held) - 1)


def with_locals(value):
    """Return a traceback with the variables of its frames."""
    try:
        raise_with(value)
    except ZeroDivisionError as error:
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        return "".join(told.format())


def logged(value, *form):
    """Return what a log handler writes of a record."""
    record = logging.LogRecord("x", 10, "", 1, form[0], (value,), None)
    return logging.Formatter().format(record)


def warned(value):
    """Return a warning as Python prints it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn(f"{value} {value!r}", stacklevel=1)
    return str(caught[0].message)


def compared(value):
    """Return what unittest says of two values that differ."""
    return str(raised(unittest.TestCase().assertEqual, [value], [1]))


def csv_of(value):
    """Return a row as csv writes it."""
    file = io.StringIO()
    csv.writer(file).writerow([value, [value]])
    return file.getvalue()


#: Ways that read fields one by one. What is on the wire, and what a server sent, is
#: there in clear; these objects are not handed to notebooks, a reply's data is its
#: owner's.
READERS = {
    "asdict": dataclasses.asdict,
    "astuple": dataclasses.astuple,
    "fields": lambda value: [
        getattr(value, each.name) for each in dataclasses.fields(value)
    ],
    "slots": lambda value: [
        getattr(value, name, None) for name in type(value).__slots__
    ],
    "json of fields": lambda value: json.dumps(
        {each.name: getattr(value, each.name) for each in dataclasses.fields(value)},
        default=str,
    ),
    "DataFrame of records": lambda value: str(pd.DataFrame([value, value])),
    "getmembers": inspect.getmembers,
    "getattr": lambda value: [getattr(value, name, None) for name in dir(value)],
}
WIRE = ("WireRequest", "a token request", "WireResponse", "Reply")


def copied(value):
    """Return a copy; an error's own frames are its own.

    Once Dask is imported, copies of errors keep the traceback of what they copy.
    """
    made = copy.copy(value)
    return made.with_traceback(None) if isinstance(made, Exception) else made


WAYS = READERS | {
    "repr": repr,
    "str": str,
    "ascii": ascii,
    "f-string": lambda value: f"{value} {value!r} {value!s} {value!a}",
    "f-string with =": lambda value: f"{value=}",
    "format specs": lambda value: f"{value:>40} {value:s} {value:.3}",
    "str.format": "{0} {0!r} {0!s}".format,
    "str.format of attributes": "{0.access_token} {0.client_secret}".format,
    "__format__": lambda value: value.__format__(""),
    "percent": lambda value: f"{value!s} {value!r} {value!a}",
    "%-operator": lambda value: "%s %r" % (value, value),  # noqa: UP031 - that way
    "string.Template": lambda value: string.Template("$x").substitute(x=value),
    "containers": lambda value: str([value, {1: value}, (value,)]),
    "a set": lambda value: str({value}),
    "pprint": pprint.pformat,
    "pprint of vars": lambda value: pprint.pformat(vars(value)),
    "reprlib": reprlib.repr,
    "json, default=str": lambda value: json.dumps([value], default=str),
    "json, default=repr": lambda value: json.dumps([value], default=repr),
    "json, default=vars": lambda value: json.dumps([value], default=vars),
    "json": json.dumps,
    "vars": vars,
    "__dict__": lambda value: value.__dict__,
    "vars of its holder": lambda value: vars(Plain(value)),
    "dir": dir,
    "replace": dataclasses.replace,
    "copy": copied,
    "deepcopy": lambda value: copy.deepcopy([value]),
    "signature": lambda value: inspect.signature(type(value)),
    "hash": hash,
    "sorted": lambda value: sorted([value, value]),
    "iterate": list,
    "len": len,
    "index": lambda value: value[0],
    "bytes": bytes,
    "int": int,
    "add": lambda value: value + "",
    "multiply": lambda value: value * 2,
    "join": ", ".join,
    "in": lambda value: "x" in value,
    "compare": lambda value: value == "x",
    "less": lambda value: value < "x",
    "match": lambda value: [case for case in [value] if case],
    "log %s": lambda value: logged(value, "%s"),
    "log %r": lambda value: logged(value, "%r"),
    "warning": warned,
    "traceback with locals": with_locals,
    "an exception's arguments": lambda value: repr(ValueError(value)),
    "a note": lambda value: Exception(value).add_note(str(value)),
    "unittest's difference": compared,
    "difflib": lambda value: list(difflib.ndiff([str(value)], [repr(value)])),
    "literal_eval of repr": lambda value: ast.literal_eval(repr(value)),
    "csv": csv_of,
    "html.escape": lambda value: html.escape(str(value)),
    "shlex.quote": lambda value: shlex.quote(str(value)),
    "urllib.quote": lambda value: urllib.parse.quote(str(value)),
    "urlencode": lambda value: urllib.parse.urlencode({"x": value}),
    "base64": lambda value: base64.b64encode(str(value).encode()),
    "textwrap": lambda value: textwrap.fill(str(value), 20),
    "print": lambda value: print(value, file=io.StringIO()),
    "Series": lambda value: str(pd.Series([value], dtype=object)),
    "DataFrame": lambda value: str(dataframe(value)),
    "DataFrame, HTML": lambda value: dataframe(value).to_html(),
    "DataFrame, notebook": lambda value: dataframe(value)._repr_html_(),
    "DataFrame, csv": lambda value: dataframe(value).to_csv(),
    "DataFrame, json": lambda value: dataframe(value).to_json(default_handler=str),
    "DataFrame, markdown": lambda value: dataframe(value).to_string(),
    "DataFrame, LaTeX": lambda value: dataframe(value).to_latex(),
    "DataFrame, Styler": lambda value: dataframe(value).style.to_html(),
    "rich": with_rich,
}
CELLS = {
    "the value of a cell": "value",
    "print": "print(value)",
    "display": "display(value)",
    "value?": "value?",
    "value??": "value??",
    "%pinfo": "%pinfo value",
    "%pinfo2": "%pinfo2 value",
    "%pdoc": "%pdoc value",
    "%whos": "%whos",
    "%who_ls": "%who_ls",
    "%store": "%store value",
    "braces in a magic": "%echo {value} $value",
    "%timeit": "%timeit -n1 -r1 str(value)",
    "%xmode Verbose": "1 / (len([value]) - 1)",
    "%xmode Verbose, its name in the line": "[value][1]",
    "%tb": "%tb Verbose",
    "%%capture": "%%capture out\nvalue",
    "its MIME types": "get_ipython().display_formatter.format(value)",
    "LaTeX": "get_ipython().display_formatter.formatters['text/latex'](value)",
    "Out": "Out, _, __, ___",
}


def text_of(shown):
    """Return all that a result could be shown as."""
    kept = [shown] if isinstance(shown, str | bytes) else [str(shown), repr(shown)]
    if isinstance(shown, BaseException):
        kept += [*frames_of(shown), repr(vars(shown))]
    return kept


def frames_of(error):
    """Yield the variables of every frame but the test's own."""
    yield from traceback.format_exception(error)
    frames = list(traceback.walk_tb(error.__traceback__))[1:]
    for frame, _ in frames:
        for name, value in frame.f_locals.items():
            # Somebody else's object, half made, may not even have a repr.
            with contextlib.suppress(Exception):
                yield f"{name}={value!r}"


@pytest.fixture(scope="module")
def held():
    """Everything that holds a secret."""
    return objects()


def test_the_objects_hold_what_is_looked_for(held):
    """The search would find it: what is refused is refused for a reason."""
    assert held["Token"].access_token.reveal() == ACCESS
    assert held["Credentials"].password.reveal() == PASSWORD
    assert ACCESS in dict(held["WireRequest"].headers)["authorization"]
    assert ACCESS in held["Reply"].text
    assert "[secret]" in str(held["InvalidGrant"])
    assert leaks({"x": [held["Reply"].text]}, (ACCESS,))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_no_way_to_make_a_text_shows_a_secret(held, figure, capfd):
    """Every way, every object."""
    found, tried, refused = [], 0, 0
    for name, value in held.items():
        for way, show in WAYS.items():
            if name in WIRE and way in (*READERS, "json, default=vars"):
                continue
            tried += 1
            try:
                shown = show(value)
            except Exception as error:  # noqa: BLE001 - any refusal will do
                shown, refused = error, refused + 1
            places = {f"{name}, {way}": text_of(shown)}
            found += leaks(places, CANARIES)
    printed = capfd.readouterr()
    found += leaks({"printed": printed}, CANARIES)

    figure("ways to make a text", f"{len(WAYS)} in Python, {len(CELLS)} in a notebook")
    figure("objects that hold a secret", len(held))
    figure("ways x objects that show a secret", f"{len(found)} of {tried}")
    assert found == []
    assert refused > 100


@pytest.mark.parametrize("name", ["Secret", "Token", "Credentials", "Reply", "Session"])
def test_no_cell_shows_a_secret(shell, held, name, figure):
    """In a shell: what a notebook prints, displays and keeps."""
    shell("%load_ext storemagic")
    shell("%xmode Verbose")
    shell.names["value"] = held[name]
    shell.shell.register_magic_function(print, "line", "echo")
    shown = {}
    for way, cell in CELLS.items():
        ran = shell(cell)
        value = [] if ran.value is held[name] else text_of(ran.value)
        shown[f"{name}, {way}"] = [ran.stdout, ran.stderr, *value, *text_of(ran.error)]

    assert leaks(shown, CANARIES) == []
    figure(f"cells that show a secret of {name}", f"0 of {len(CELLS)}")


def test_pytest_itself_shows_no_secret(tmp_path):
    """Assertions that are rewritten, their differences, and `--showlocals`."""
    (tmp_path / "test_it.py").write_text(
        """
from oauthmagic import Secret, Session

SESSION = Session(environ={})
TOKENS = {"access_token": "".join(["Canary1-Zq9xT7~wB", "3+kL5/mN8=="])}
TOKEN = SESSION.adopt("revsto@sandbox", dict(TOKENS))
TOKENS.clear()

def test_equal():
    held = [TOKEN, TOKEN.access_token]
    assert TOKEN == 1
def test_secret():
    assert TOKEN.access_token == "x"
def test_members():
    assert [TOKEN.access_token, 1] == [TOKEN.access_token, 2]
def test_false():
    assert not TOKEN.access_token
def test_in():
    assert "x" in str(TOKEN)[:3]
""",
        encoding="utf-8",
    )
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "--showlocals", "-vv", "-rA"),
            *("-p", "no:cacheprovider", str(tmp_path)),
        ],
        capture_output=True,
        check=False,
        cwd=tmp_path,
    )

    assert b"5 failed" in done.stdout
    assert leaks({"out": done.stdout, "err": done.stderr}, (ACCESS,)) == []


def test_errors_are_our_own(held):
    """What is refused has our type, and says what to do."""
    for name in ("Secret", "Token"):
        for use in (str.__add__,):
            assert isinstance(raised(use, "x", held[name]), TypeError)
    with pytest.raises(OAuthMagicError):
        len(held["Secret"])


def test_nothing_that_is_held_leads_to_a_plain_secret(held):
    """Also through closures, and after requests: every way goes through `Secret` (A4).

    A client is asked to send first: what it remembers of its requests is no token.
    """
    held["httpx.Client"].get("/x")
    skipped = (Secret, type, type(sys), types.FrameType)
    found, looked_at = [], 0
    for name, value in held.items():
        if name in WIRE:
            continue
        seen, todo = {id(held)}, [value]
        for _ in range(8):
            following = []
            for each in todo:
                if id(each) in seen or isinstance(each, skipped):
                    continue
                seen.add(id(each))
                if isinstance(each, str | bytes):
                    text = each if isinstance(each, str) else each.decode("latin-1")
                    found += [(name, one) for one in CANARIES if one in text]
                # What a function can see of its module is not what it holds.
                following += [
                    it
                    for it in gc.get_referents(each)
                    if not (isinstance(it, dict) and "__builtins__" in it)
                ]
            todo = following
        looked_at += len(seen)

    assert found == []
    assert looked_at > 1000
