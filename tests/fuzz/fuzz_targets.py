"""One function per parser that reads what strangers write, and seeds for each.

A target takes bytes, as a fuzzer makes them, gives them to a parser, and asserts what
holds for every input: the parser's own kind of answer, or an error of this package
that can be printed. Anything else is a finding.
"""

from __future__ import annotations

import base64
import json
import math
import re
import tomllib
import urllib.parse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hostile_servers import body_of

from oauthmagic import errors
from oauthmagic.http_request import parse
from oauthmagic.notebook.arguments import (
    api_parser,
    can_be_name,
    check_options,
    token_parser,
)
from oauthmagic.oauth import sca
from oauthmagic.oauth.authorization import (
    AuthorizationRequest,
    read_authorization_response,
)
from oauthmagic.oauth.challenges import BearerError, bearer_error, parse_challenges
from oauthmagic.oauth.responses import MAX_LIFE, TokenResponse, read_token_response
from oauthmagic.oauth.targets import Target, parse_target
from oauthmagic.providers.openapi import read_openapi
from oauthmagic.providers.openapi_texts import read_document
from oauthmagic.redaction import Secret
from oauthmagic.transport.retry_after import parse_retry_after
from oauthmagic.transport.urls import parse_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

TESTS = Path(__file__).parents[1]
NOW = datetime(2030, 1, 1, 9, tzinfo=UTC)
STATE = "plainly-fake-state-0123456789"
REDIRECT_URI = "https://me.example/callback"
REQUEST = AuthorizationRequest(
    url="https://id.example/authorize",
    redirect_uri=REDIRECT_URI,
    state=Secret(STATE),
    issuer="https://id.example",
)
TOKEN, API = token_parser(), api_parser()
#: Controls, and what hides, reorders or smuggles text.
UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
#: By the first byte of an input; most are what a parser likes best.
STATUSES = (200, 200, 200, 200, 201, 400, 401, 403, 429, 500, 503, 302)


def check_error(error: errors.OAuthMagicError, *, hides: str = "\0") -> None:
    """Assert that an error can be printed, is no page, and hides what it must."""
    assert isinstance(error, errors.OAuthMagicError)
    said = f"{error}\n{error.hint}"
    said.encode()
    assert hides not in said
    assert len(said) <= errors.LONGEST_MESSAGE + errors.LONGEST_HINT + 1
    assert not UNSEEN.search(said), ascii(said)


def token_response(data: bytes) -> None:
    """RFC 6749, section 5: a status, then the body."""
    status = STATUSES[data[0] % len(STATUSES)] if data else 200
    headers = {"content-type": "application/json"}
    outcome = read_token_response(status, headers.get, data[1:])
    if isinstance(outcome, TokenResponse):
        assert 200 <= status < 300
        token = outcome.access_token.reveal()
        assert token.isascii()
        assert token.isprintable()
        assert " " not in token
        assert outcome.expires_in is None or 1 <= outcome.expires_in <= MAX_LIFE
    else:
        check_error(outcome)


def www_authenticate(data: bytes) -> None:
    """RFC 9110, section 11.6.1: the value of the field."""
    challenges = parse_challenges(data.decode("latin-1"))
    for each in challenges:
        assert each.scheme
        assert each.scheme == each.scheme.lower()
    said = bearer_error(challenges)
    assert isinstance(said, BearerError)
    assert not UNSEEN.search(said.error_description)
    assert said.max_age is None or said.max_age >= 0


def retry_after(data: bytes) -> None:
    """RFC 9110, section 10.2.3: the value of the field."""
    seconds = parse_retry_after(data.decode("latin-1"), NOW)
    assert seconds is None or (math.isfinite(seconds) and seconds >= 0)


def sca_challenge(data: bytes) -> None:
    """The field as it is, or the JSON within it, by the first byte."""
    field = data.decode("latin-1")
    if data[:1] == b"{":
        field = f'SCA realm="x" auth-param1="{base64.b64encode(data).decode()}"'
    try:
        event = sca.read_challenge(field)
    except errors.InvalidChallenge as error:
        check_error(error)
        assert sca.asks(field)
        return
    if event is not None:
        assert sca.asks(field)
        assert "/" not in event.path_segment
        assert event.path_segment not in (".", "..")
        proof = json.loads(base64.b64decode(sca.authorization(event)))
        assert proof["scaDetails"]["eventId"] == event.event_id


def http_cell(data: bytes) -> None:
    """A `%%api` cell, its variables filled in."""
    text = data.decode("utf-8", "replace")
    names = {"a": "1", "b": "x y/ü&=", "account": 4711, "host": "evil.example"}
    try:
        for template in parse(text):
            request = template.fill(
                names.__getitem__,
                now=NOW,
                guid=lambda: "guid-1",
                files=_no_file,
                known_names=names,
            )
            assert request.method.isascii()
            for name, value in request.headers:
                assert not {"\r", "\n", "\0"} & set(name + value)
    except errors.OAuthMagicError as error:
        check_error(error)


def magic_line(data: bytes) -> None:
    """A line of `%token`, and one of `%%api`."""
    line = data.decode("utf-8", "replace")
    try:
        options = TOKEN.read(line)
        assert all(isinstance(word, str) for word in options.words)
        check_options(options, options.words[0] if options.words else "table")
    except errors.OAuthMagicError as error:
        check_error(error)
    try:
        options = API.read(line)
        can_be_name(options.out or "")
        found = parse_target(options.target, default_environment="sandbox")
        assert isinstance(found, Target)
        assert str(found).isascii()
    except errors.OAuthMagicError as error:
        check_error(error)


def url(data: bytes) -> None:
    """RFC 3986: what is accepted is read in the same way by another parser."""
    text = data.decode("utf-8", "replace")
    try:
        read = parse_url(text)
    except errors.UrlRefused as error:
        check_error(error)
        return
    assert parse_url(str(read)) == read
    parts = urllib.parse.urlsplit(str(read))
    assert parts.hostname == read.host
    assert (parts.port or {"https": 443, "http": 80}[parts.scheme]) == read.port
    assert (parts.path, parts.query) == (read.path, read.query)
    assert read.scheme == "https" or read.is_loopback


def callback(data: bytes) -> None:
    """RFC 6749, section 4.1.2: a code comes only of a URL with the state."""
    text = data.decode("utf-8", "replace")
    try:
        outcome = read_authorization_response(REQUEST, text)
    except errors.CommandError as error:
        check_error(error, hides=STATE)
        return
    assert STATE in urllib.parse.unquote_plus(text)
    assert text.lower().startswith(REDIRECT_URI[:18])
    if isinstance(outcome, errors.OAuthError):
        check_error(outcome)
    else:
        code = outcome.reveal()
        assert code
        assert code.isascii()
        assert code.isprintable()


def _no_file(name: str) -> bytes:
    raise FileNotFoundError(2, "No such file or directory", name)


def _data(path: str) -> list[dict]:
    text = (TESTS / path).read_text(encoding="utf-8")
    return tomllib.loads(text)["case"]


def _token_seeds() -> Iterable[bytes]:
    for path in ("oauth/token_responses.toml", "hostile/token_answers.toml"):
        for case in _data(path):
            status = case.get("status", 200)
            first = STATUSES.index(status) if status in STATUSES else 0
            yield bytes([first]) + body_of(case)


def _fields(name: str) -> Iterable[bytes]:
    for case in _data("hostile/resource_answers.toml"):
        values = case.get("headers", {}).get(name, [])
        for value in [values] if isinstance(values, str) else values:
            yield value.encode("latin-1")


def _challenge_seeds() -> Iterable[bytes]:
    yield from _fields("WWW-Authenticate")
    yield b'Basic realm="simple", Newauth realm="apps", type=1, title="a \\"b\\""'
    yield b'Negotiate YIIabc/+==, Bearer error=invalid_token,, DPoP algs="ES256"'


def _retry_seeds() -> Iterable[bytes]:
    yield from _fields("Retry-After")
    yield b"Sun, 06 Nov 1994 08:49:37 GMT"
    yield b"Sunday, 06-Nov-94 08:49:37 GMT"
    yield b"Sun Nov  6 08:49:37 1994"


def _sca_seeds() -> Iterable[bytes]:
    yield from (field for field in _fields("WWW-Authenticate") if b"SCA" in field)
    details = {
        "eventId": "06bdc2c0-cce",
        "walletOperationId": "a5865fd6",
        "authenticationMode": "EMBEDDED",
        "availableVerifications": [
            {"method": "OTP", "channel": "SMS", "target": "+33*****12"},
            {"method": "PIN"},
        ],
        "creationTime": "2030-01-01T09:00:00Z",
        "expirationTime": "2030-01-01T09:15:00+01:00",
    }
    yield json.dumps({"scaDetails": details}).encode()
    for name in details:
        yield json.dumps({"scaDetails": details | {name: [1, {"a": None}]}}).encode()


def _cell_seeds() -> Iterable[bytes]:
    for cell in (
        "GET /accounts?a={{a}}",
        'POST /a\nContent-Type: application/json\n\n{"x": {{a}}, "y": "{{b}}"}',
        "@host = api.example\nGET https://{{host}}/a\n    ?b=1\n    &c={{b}}\nX: {{a}}",
        "# @name one\n// @timeout 10 s\nget /\n\n###\n# @name two\nDELETE /a/{{b}}",
        "POST /f\nContent-Type: application/x-www-form-urlencoded\n\na={{a}}\n&b={{b}}",
        "POST /f\n\n< ./order.json\n",
        "PUT /a HTTP/1.1\nAuthorization: Bearer x\n\n{{$timestamp}} {{$isoTimestamp}}",
        "{{host}}/a\n> {% client.test() %}",
        "@a = {{b}}\n@b = {{a}}\nGET /{{a}}",
    ):
        yield cell.encode()


def _line_seeds() -> Iterable[bytes]:
    for line in LINES:
        yield line.encode()


#: Lines as people type them.
LINES = (
    "",
    "revsto@demo",
    "revsto@sandbox --scope account_view transaction_view",
    "stet/17515@sandbox --grant authorization_code --as bank",
    "paysafe/liberty@demo --grant password --answer 123456 -q",
    "acme --fresh --credentials cred --env-file ./a.env",
    "show acme --credentials cred",
    "refresh acme -q",
    "revoke acme",
    "forget --all",
    "scopes revsto",
    "providers",
    "add acme.toml --as other",
    "adopt acme --from tokens --credentials cred",
    "resume acme --answer OTP/SMS:123456",
    "demo revsto@demo --advance 271 --throttle 5 --refuse --errors league8 --reset",
    "revsto@demo --client-secret plainly-fake",
    "'revsto@demo' \"--scope\" a\\ b",
    "revsto@demo --frame data.items --out products --all --show headers --dry-run",
)


def openapi(data: bytes) -> None:
    """OpenAPI 3.1, JSON or YAML: what is read can be shown and asked for."""
    try:
        said = read_openapi(read_document(data))
    except errors.ProviderFileError as error:
        check_error(error)
        return
    for each in said.endpoints_at("https://api.example/v1"):
        shown = f"{each.path}{each.summary}{each.needs}"
        assert not UNSEEN.search(shown), ascii(shown)
        assert each.path.startswith("/")
        assert not set("?# ") & set(each.path)


def _openapi_seeds() -> Iterable[bytes]:
    parameter = {"name": "p", "in": "query", "description": "\u202eP\n"}
    reference = {"$ref": "#/components/parameters/p"}
    operation = {"summary": "Ask", "security": [{"o": ["a"]}, {}]}
    flow = {"tokenUrl": "https://id.example/t", "scopes": {"a": "A", "b": "B"}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "T"},
        "servers": [{"url": "/{v}", "variables": {"v": {"default": "v1"}}}],
        "paths": {
            "/a/{id}": {"get": operation, "parameters": [reference]},
            "/b": {"$ref": "#/paths/~1a~1{id}"},
            "/c?d": {"get": {}},
        },
        "components": {
            "parameters": {"p": parameter},
            "securitySchemes": {
                "o": {"type": "oauth2", "flows": {"clientCredentials": flow}},
                "i": {
                    "type": "openIdConnect",
                    "openIdConnectUrl": "https://id.example",
                },
            },
        },
    }
    yield json.dumps(document).encode()
    for name in document:
        # Each member in turn is something else.
        for other in ([], {"$ref": "#/paths"}, None, "x"):
            yield json.dumps(document | {name: other}).encode()
    yield b"openapi: 3.0.0\npaths:\n  /a: &a\n    get: {summary: A}\n  /b: *a\n"
    yield b"openapi: 3.0.0\npaths: &p {/a: *p}"


def _url_seeds() -> Iterable[bytes]:
    text = (TESTS / "transport/url_cases.toml").read_text(encoding="utf-8")
    for cases in tomllib.loads(text).values():
        for case in cases:
            yield case["url"].encode("utf-8", "replace")


def _callback_seeds() -> Iterable[bytes]:
    for case in _data("hostile/callbacks.toml"):
        filled = case["url"].replace("@STATE@", STATE)
        yield filled.replace("@ISSUER@", REQUEST.issuer).encode()


TARGETS: dict[str, tuple[Callable[[bytes], None], Callable[[], Iterable[bytes]]]] = {
    "token_response": (token_response, _token_seeds),
    "www_authenticate": (www_authenticate, _challenge_seeds),
    "retry_after": (retry_after, _retry_seeds),
    "sca_challenge": (sca_challenge, _sca_seeds),
    "http_cell": (http_cell, _cell_seeds),
    "magic_line": (magic_line, _line_seeds),
    "url": (url, _url_seeds),
    "callback": (callback, _callback_seeds),
    "openapi": (openapi, _openapi_seeds),
}
