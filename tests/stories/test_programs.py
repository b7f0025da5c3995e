"""A call is taken along as a program; it runs, and sends what the notebook sends."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from urllib.parse import parse_qsl, unquote

import pytest
from programs import STARTED, KeepingServer, run, start

import oauthmagic
from oauthmagic.errors import CommandError, UnknownName
from oauthmagic.sandbox import paysafe, revsto, stet
from oauthmagic.sandbox.serving import serve

FILE = """
[provider]
name = "acme"
title = "Acme"
grants = ["client_credentials", "password", "authorization_code"]
token_endpoint_auth_method = "METHOD"
basic_encoding = "ENCODING"

[environments.sandbox]
token_endpoint = "URL/token"
authorization_endpoint = "URL/authorize"
api_base = "URL/api"
"""
HOSTILE = 'x\' "y" $HOME `id` $(id) \\ %41 & ; | é € \u2028 </script> !! *'
LANGUAGES = sorted(STARTED)


@pytest.fixture(params=LANGUAGES)
def language(request, component):
    """Each language whose program can be run here."""
    needed = {"curl": "curl", "javascript": "node"}.get(request.param)
    if needed:
        component(needed)
    return request.param


@pytest.fixture
def server():
    """A server that keeps what came."""
    with KeepingServer() as server:
        yield server


@pytest.fixture
def acme(server, tmp_path):
    """Return what makes a session that knows it."""
    variables = {
        "OAUTHMAGIC_ACME_SANDBOX_CLIENT_ID": "reader +/é",
        "OAUTHMAGIC_ACME_SANDBOX_CLIENT_SECRET": "fake: 'client' \"secret\" $HOME%",
        "OAUTHMAGIC_ACME_SANDBOX_USERNAME": "jane@example.com",
        "OAUTHMAGIC_ACME_SANDBOX_PASSWORD": "fake & 'pass' =word+",
        "OAUTHMAGIC_ACME_SANDBOX_REDIRECT_URI": "https://app.example/back?a=b&c",
    }

    def make(method="client_secret_basic", encoding="form"):
        text = FILE.replace("METHOD", method).replace("ENCODING", encoding)
        (tmp_path / "acme.toml").write_text(text.replace("URL", server.url))
        session = oauthmagic.Session(environ=variables)
        session.add(tmp_path / "acme.toml")
        return session, variables

    return make


@pytest.mark.parametrize(
    ("method", "encoding"),
    [
        ("client_secret_basic", "form"),
        ("client_secret_basic", "raw"),
        ("client_secret_post", "form"),
        ("none", "form"),
    ],
)
def test_a_program_gets_the_token_as_the_notebook_does(
    acme, server, language, tmp_path, method, encoding
):
    """The same form and the same client authentication, whatever the values hold."""
    session, variables = acme(method, encoding)
    with session:
        session.token("acme", grant="password", scopes="a b")
        ours = server.last()
        text = session.code("acme", lang=language)

    run(text, language, tmp_path, variables)

    theirs = server.last()
    assert theirs.target == ours.target == "/token"
    assert parse_qsl(theirs.body.decode()) == parse_qsl(ours.body.decode())
    assert dict(theirs.headers).get("authorization") == dict(ours.headers).get(
        "authorization"
    )
    assert not any(value in text for value in variables.values())


REQUESTS = {
    "json": 'POST /a/b%2Fc?d=e%20f&g=[1]\nX-A: it\'s "$HOME"\n\n{"k": "{{v}}"}',
    "form": (
        "PUT /a\nContent-Type: application/x-www-form-urlencoded\n\na={{v}}&b=%27"
    ),
    "query": "GET /a?b={{v}}\nAccept: text/csv",
    "path": "DELETE /a/{{v}}/c",
    "no body": "POST /a",
    "text": "POST /a\nContent-Type: text/plain\n\n@{{v}}\n\n  b\tc",
    "untyped": "POST /a\n\nonly text",
    "head": "HEAD /a",
    "file": "POST /a\nContent-Type: image/png\n\n< ./it's a file",
    "parts": (
        "POST /a\nContent-Type: multipart/form-data; boundary=cut\n\n--cut\n"
        'Content-Disposition: form-data; name="k"; filename="{{v}}"\n\n'
        "< ./it's a file\n--cut--"
    ),
}


def test_a_program_sends_what_the_notebook_sends(
    acme, server, language, tmp_path, monkeypatch, figure
):
    """Method, target, headers and body are the same, byte by byte, in order.

    `fetch` alone follows the URL Standard, which writes ' as %27, and requests writes
    %27 as '; there the targets mean the same.
    """
    monkeypatch.chdir(tmp_path)
    (tmp_path / "it's a file").write_bytes(bytes(range(256)))
    cell, values = "\n###\n".join(REQUESTS.values()), {"v": HOSTILE}
    session, variables = acme()
    with session:
        session.api("acme", cell, variables=values)
        ours, server.sent = server.sent, []
        text = session.code("acme", cell, lang=language, variables=values)

    run(text, language, tmp_path, variables)

    assert len(server.sent) == len(ours) == len(REQUESTS) + 1
    for sent, meant in zip(server.sent[1:], ours[1:], strict=True):
        theirs = sent
        if language in ("javascript", "python-requests"):
            assert unquote(sent.target) == unquote(meant.target)
            theirs = sent._replace(target=meant.target)
        assert theirs == meant
    count = len(ours)
    figure(f"{language}: requests seen as the notebook's own", f"{count} of {count}")


def simulated(module, **options):
    """Return a simulator in real time."""
    return module.create(
        clock=lambda: datetime.now(UTC),
        randomness=random.Random(7),  # noqa: S311 - a simulation
        **options,
    )


def credentials_of(simulator, prefix, folder):
    """Return what it lets in, as variables; PEM in files."""
    found = {}
    for name, value in simulator.CREDENTIALS.items():
        if "-----BEGIN" in value:
            (folder / f"{name}.pem").write_text(value)
            value = str(folder / f"{name}.pem")  # noqa: PLW2901 - as a user would
        found[f"OAUTHMAGIC_{prefix}_DEMO_{name.upper()}"] = value
    return found


@pytest.mark.parametrize(
    ("module", "target", "prefix", "path", "answer"),
    [
        (revsto, "revsto@demo", "REVSTO", "/distributor/v1/products", "REVSTO_TESTING"),
        (
            paysafe,
            "paysafe/liberty@demo",
            "PAYSAFE_LIBERTY",
            "/v1/brands/liberty/customers?limit=1",
            "",
        ),
    ],
)
def test_a_demo_becomes_a_program_for_a_served_simulator(
    language, tmp_path, module, target, prefix, path, answer
):
    """`oauthmagic sandbox` serves what a demo's program asks."""
    simulator = simulated(module)
    with (
        serve(simulator.wsgi_app, clock=lambda: datetime.now(UTC)) as served,
        oauthmagic.Session() as session,
    ):
        text = session.code(target, f"GET {path}", lang=language)
        environ = credentials_of(simulator, prefix, tmp_path) | {
            "OAUTHMAGIC_SANDBOX_URL": served.url,
            "OAUTHMAGIC_SANDBOX_CA": str(served.ca_file),
        }
        printed = run(text, language, tmp_path, environ)

    assert "oauthmagic sandbox" in text
    assert answer in printed
    statuses = [seen.status for seen in simulator.requests]
    assert statuses[0] == 200
    # The notebook's own call, in the demo itself.
    assert statuses[1] == oauthmagic.Session().api(target, f"GET {path}").status


def test_a_redirect_login_over_mutual_tls_is_the_steps_one_has_to_do(
    language, tmp_path
):
    """The address is printed, the redirected one is read, and PKCE is kept."""
    simulator = simulated(stet, fresh_keys=True)
    authority = simulator.authority.certificate
    clock = {"clock": lambda: datetime.now(UTC)}
    with (
        serve(simulator.wsgi_app, client_authority=authority, **clock) as served,
        oauthmagic.Session() as session,
    ):
        text = session.code("stet/17515@demo", "GET /accounts", lang=language)
        environ = credentials_of(simulator, "STET_17515", tmp_path) | {
            "OAUTHMAGIC_SANDBOX_URL": served.url,
            "OAUTHMAGIC_SANDBOX_PAGES_URL": served.url,
            "OAUTHMAGIC_SANDBOX_CA": str(served.ca_file),
            "PYTHONUNBUFFERED": "1",
        }
        with start(text, language, tmp_path, environ) as program:
            said = program.stdout.readline()
            url = program.stdout.readline().strip()
            back = simulator.decide(url, "accept")
            printed, errors = program.communicate(back + "\n", timeout=60)

    assert "Open this in a browser" in said
    assert program.returncode == 0, errors
    assert '"accounts"' in printed


def test_the_answer_to_another_login_is_refused(acme, server, language, tmp_path):
    """`state` is compared: the code of somebody else's login is not sent."""
    session, variables = acme()
    text = session.code("acme", lang=language, grant="authorization_code")
    session.close()

    with start(text, language, tmp_path, variables) as program:
        program.communicate("https://app.example/back?code=evil&state=s\n", timeout=60)

    assert not any(b"evil" in each.body for each in server.sent)


def test_a_secret_of_the_notebook_is_not_written_down(acme):
    """A known secret is masked, and a key header is an environment reference."""
    session, _ = acme()
    with session:
        session.token("acme")
        variables = {"key": "fake-key-of-a-header", "token": "fake-token-1"}
        text = session.code(
            "acme",
            "GET /a?x={{token}}\nX-API-Key: {{key}}",
            variables=variables,
        )

    assert "fake-token-1" not in text
    assert "fake-key-of-a-header" not in text
    assert '"X-API-Key: $X_API_KEY"' in text


def test_what_has_no_program_says_so(acme):
    """An unknown language, a grant without one, and what fetch does not do."""
    session, _ = acme()
    with session:
        with pytest.raises(UnknownName, match="Did you mean 'python'"):
            session.code("acme", lang="pyton")
        with pytest.raises(CommandError, match="fetch sends no body with GET"):
            session.code("acme", "GET /a\n\nbody", lang="javascript")
