"""What is read of an OpenAPI description, and what is refused in a sentence."""

from __future__ import annotations

import json
import sys
import time

import pytest
import yaml

from oauthmagic.errors import ProviderFileError
from oauthmagic.providers import openapi, openapi_texts
from oauthmagic.providers.endpoints import Parameter
from oauthmagic.providers.openapi import read_openapi
from oauthmagic.providers.openapi_texts import read_document

ACME = """
openapi: 3.0.3
info: {title: "Acme\\nAccounts", version: "1"}
servers: [{url: "https://api.acme.example/{stage}", variables: {stage: {default: v2}}}]
security: [{login: [accounts]}]
paths:
  /accounts:
    parameters: [{$ref: "#/components/parameters/Limit"}]
    get: {summary: List accounts}
    post:
      summary: Open one
      security: [{login: [accounts, accounts:write]}, {login: [admin]}]
  /accounts/{id}:
    get:
      description: One account
      parameters: [{name: id, in: path, required: true, description: Its number}]
      responses: {200: {description: OK}}
  /health:
    get: {security: []}
  /either:
    get: {security: [{key: []}, {login: [accounts], key: []}, {other: [x]}]}
  /open:
    get: {security: [{}, {login: [accounts]}]}
  "/files?kind=pdf": {get: {}}
components:
  parameters:
    Limit: {name: limit, in: query, schema: {type: integer}}
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
    login:
      type: oauth2
      flows:
        clientCredentials:
          tokenUrl: https://id.acme.example/token
          scopes: {accounts: See accounts, "accounts:write": Change them}
        implicit: {authorizationUrl: "https://id.acme.example/a", scopes: {old: Old}}
    oidc:
      type: openIdConnect
      openIdConnectUrl: https://id.acme.example/.well-known/openid-configuration
"""


def described(text):
    """Return what is read of a text."""
    return read_openapi(read_document(text.encode()))


def as_json(text):
    """Return YAML as JSON, numbers and booleans included."""
    document = yaml.safe_load(text)
    return json.dumps(document)


@pytest.mark.parametrize("write", [str, as_json], ids=["yaml", "json"])
def test_a_description_is_read(write):
    """Paths, methods, summaries, parameters, scopes; the same from JSON and YAML."""
    found = described(write(ACME))

    assert found.title == "Acme Accounts"
    assert found.servers == ("https://api.acme.example/v2",)
    assert [(each.method, each.path, each.needs) for each in found.endpoints] == [
        ("GET", "/accounts", "accounts"),
        ("POST", "/accounts", "accounts + accounts:write or admin"),
        ("GET", "/accounts/{id}", "accounts"),
        ("GET", "/health", ""),
        # A key is not a scope, and a scheme that is not OAuth's has none.
        ("GET", "/either", "accounts"),
        ("GET", "/open", "accounts"),
    ]
    assert found.endpoints[-1].missing([]) == ()
    assert [each.summary for each in found.endpoints[:3]] == [
        *("List accounts", "Open one", "One account")
    ]
    assert found.endpoints[0].parameters == (Parameter(name="limit", place="query"),)
    assert found.endpoints[2].parameters == (
        Parameter(name="id", place="path", required=True, description="Its number"),
    )
    assert found.left_out == ("/files?kind=pdf",)


def test_what_it_says_of_tokens_is_read():
    """Grants that are performed here, every scope, and the issuer."""
    found = described(ACME)

    (flow,) = found.flows
    assert (flow.grant, flow.token_endpoint) == (
        "client_credentials",
        "https://id.acme.example/token",
    )
    assert found.scopes == {
        "accounts": "See accounts",
        "accounts:write": "Change them",
        "old": "Old",
        "admin": "",
    }
    assert found.issuers == ("https://id.acme.example",)


@pytest.mark.parametrize(
    ("server", "api_base", "path"),
    [
        ("https://api.acme.example/v2", "https://api.acme.example/v2", "/a"),
        ("https://api.acme.example/v2/", "https://api.acme.example", "/v2/a"),
        ("https://api.acme.example", "https://api.acme.example/v2", "/a"),
        ("/v2", "https://api.acme.example", "/v2/a"),
        ("https://other.example/v2", "https://api.acme.example", "/v2/a"),
        ("https://other.example/v3", "https://api.acme.example/v2", "/a"),
        ("", "https://api.acme.example/v2", "/a"),
    ],
)
def test_paths_are_relative_to_the_api_base(server, api_base, path):
    """Where the server goes on behind the API base, its paths do, too."""
    text = {"openapi": "3.1.0", "servers": [{"url": server}], "paths": {"/a": {}}}
    text["paths"]["/a"]["get"] = {}

    (endpoint,) = described(json.dumps(text)).endpoints_at(api_base)

    assert endpoint.path == path


def test_the_server_at_the_api_base_counts():
    """Of several, the one on its host, whichever stands first."""
    servers = [{"url": "https://test.example/t"}, {"url": "https://api.example/v1"}]
    text = json.dumps(
        {"openapi": "3.1.0", "servers": servers, "paths": {"/a": {"get": {}}}}
    )

    (endpoint,) = described(text).endpoints_at("https://api.example")

    assert endpoint.path == "/v1/a"


def paths(**members):
    """Return a description with one path."""
    return json.dumps({"openapi": "3.1.0", "paths": {"/a": members}})


REFUSED = {
    '{"swagger": "2.0"}': "Swagger 2.0",
    '{"openapi": "3.2.0"}': "of version 3.2.0; OpenAPI 3.0 and 3.1 are read",
    '{"openapi": "4"}': "of version 4",
    '{"openapi": 3.1}': "It is odd",
    '{"info": {}}': 'it has no "openapi"',
    "[]": "it is not an object",
    "just words": "it is not an object",
    "{": "it is not JSON",
    '{"openapi": "3.1.0", "openapi": "3.1.0"}': "two members of one name",
    "openapi: 3.1.0\nopenapi: 3.1.0": "two members of the name 'openapi'",
    "openapi: [": "it is not YAML",
    "? [a]\n: b": "a name that is no text",
    "a: &a [*a]": "or in itself",
    '{"openapi": "3.1.0", "paths": []}': "paths is not an object",
    paths(get=[]): "paths./a.get is not an object",
    paths(get={"parameters": {}}): "paths./a.get.parameters is not a list",
    paths(get={"parameters": [{"in": "body", "name": "x"}]}): "none of path, query",
    paths(get={"parameters": [{"in": "query", "name": 1}]}): "name is not a text",
    paths(get={"security": {}}): "security is not a list",
    paths(get={"parameters": [{}] * 201}): "more than 200 parameters",
    paths(**{"$ref": "other.yaml#/a"}): "'other.yaml#/a' is in another file",
    paths(**{"$ref": "https://evil.example/a"}): "is in another file",
    paths(**{"$ref": "#/components/none"}): "there is no '#/components/none'",
    paths(**{"$ref": "#/paths/~1a"}): "lead round in a circle",
    '{"openapi": "3.1.0", "x": ' + '{"a":' * 120 + "1" + "}" * 121: "nested more",
    "x:\n" + "".join(" " * each + "a:\n" for each in range(1, 200)): "nested more",
    "a: " + "[" * 5000: "It cannot be read",
}


@pytest.mark.parametrize(("text", "why"), REFUSED.items(), ids=range(len(REFUSED)))
def test_what_cannot_be_read_is_a_sentence(text, why):
    """With the place, and never a stranger's words in control of the page."""
    with pytest.raises(ProviderFileError) as caught:
        described(text)

    assert why in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_scope_has_the_form_of_a_scope():
    """RFC 6749, section 3.3: what could not be asked for is refused."""
    text = ACME.replace("[{login: [accounts]}]", '[{login: ["a b"]}]')

    with pytest.raises(ProviderFileError, match="a scope that RFC 6749"):
        described(text)


def test_references_inside_the_file_are_followed():
    """Through another reference, escaped names and places in a list (RFC 6901)."""
    text = {
        "openapi": "3.1.0",
        "paths": {
            "/a": {"get": {"parameters": [{"name": "one", "in": "query"}]}},
            "/b": {"$ref": "#/components/pathItems/a~1b%20c"},
        },
        "components": {
            "pathItems": {
                "a/b c": {
                    "get": {"parameters": [{"$ref": "#/components/parameters/p"}]}
                }
            },
            "parameters": {"p": {"$ref": "#/paths/~1a/get/parameters/0"}},
        },
    }

    found = described(json.dumps(text)).endpoints

    assert [each.parameter_names("query") for each in found] == [["one"], ["one"]]


def test_a_stranger_s_words_are_one_line():
    """Line breaks, colours and what hides are made visible; long ones are cut."""
    text = paths(get={"summary": "Pay\n\x1b[31mnow\u202e " + "x" * 500})

    (endpoint,) = described(text).endpoints

    assert endpoint.summary.isprintable()
    assert len(endpoint.summary) <= 200


def test_there_is_a_most_of_everything(monkeypatch):
    """Operations are counted, and bytes before they are looked at."""
    monkeypatch.setattr(openapi, "MOST_OPERATIONS", 2)
    monkeypatch.setattr(openapi_texts, "MOST_BYTES", 1 << 20)

    with pytest.raises(ProviderFileError, match="more than 2 operations"):
        described(paths(get={}, put={}, post={}))
    with pytest.raises(ProviderFileError, match="larger than 1 MiB"):
        read_document(b" " * ((1 << 20) + 1))


def test_aliases_of_yaml_do_not_multiply():
    """What is repeated a billion times is made once."""
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 20)]
    merges = "m: &m {k: 1}\nn: {<<: [*m, *m]}\n"
    begun = time.perf_counter()

    found = read_document(("\n".join(lines) + "\n" + merges).encode())

    assert found["a1"][0] is found["a1"][1]
    # Nothing is merged: that is not OpenAPI's business.
    assert "<<" in found["n"]
    assert time.perf_counter() - begun < 1


def test_no_tag_is_followed():
    """`!!python/object` and the like are texts."""
    found = read_document(
        b'a: !!python/object/apply:os.system ["exit 1"]\nb: 2030-01-01'
    )

    assert found == {"a": ["exit 1"], "b": "2030-01-01"}


@pytest.mark.parametrize("text", [ACME, "a: [", "a: 1\na: 2", "a: &a [*a]"])
def test_another_reader_of_yaml_reads_the_same(monkeypatch, text):
    """ruamel.yaml does where there is no PyYAML."""
    pytest.importorskip("ruamel.yaml")

    def outcome():
        try:
            return read_document(text.encode())
        except ProviderFileError as error:
            return str(error)[:30]

    first = outcome()
    monkeypatch.setitem(sys.modules, "yaml", None)

    assert outcome() == first


def test_without_a_reader_of_yaml_the_ways_on_are_said(monkeypatch):
    """JSON needs none."""
    monkeypatch.setitem(sys.modules, "yaml", None)
    monkeypatch.setitem(sys.modules, "ruamel.yaml", None)

    with pytest.raises(ProviderFileError, match="nothing here reads YAML") as caught:
        read_document(ACME.encode())

    assert "pyyaml or ruamel.yaml, or save the description as JSON" in caught.value.hint
    assert described(as_json(ACME)).endpoints


def test_a_large_description_is_read_at_once(figure):
    """A thousand operations, as the largest public ones have."""
    operation = {
        "summary": "Do it",
        "security": [{"login": ["a"]}],
        "parameters": [{"$ref": "#/components/parameters/p"}] * 5,
        "responses": {"200": {"description": "x" * 2000}},
    }
    text = json.dumps(
        {
            "openapi": "3.1.0",
            "paths": {f"/r{n}/{{id}}": {"get": operation} for n in range(1000)},
            "components": {
                "parameters": {"p": {"name": "p", "in": "query", "description": "P"}},
                "securitySchemes": {"login": {"type": "oauth2"}},
            },
        }
    ).encode()
    begun = time.perf_counter()

    found = read_openapi(read_document(text)).endpoints_at("https://api.example")

    took = time.perf_counter() - begun
    assert len(found) == 1000
    figure(
        "an OpenAPI file of 1,000 operations", f"{len(text):,} bytes in {took:.2f} s"
    )
    assert took < 5
