"""Programs in Python: httpx, or requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthmagic.http_request.multipart import File
from oauthmagic.views.programs import LOG_IN, Env, comments, plain

if TYPE_CHECKING:
    from oauthmagic.http_request.multipart import Piece
    from oauthmagic.views.programs import (
        Call,
        Local,
        Login,
        Program,
        Text,
        TokenStep,
    )

_PKCE = """\
code_verifier = secrets.token_urlsafe(32)
digest = hashlib.sha256(code_verifier.encode()).digest()
code_challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
"""
_ANSWER = """\
print("{what}")
print({url} + "?" + urlencode(question))
answer = parse_qs(urlsplit(input()).query)
if answer["state"] != [question["state"]]:
    raise SystemExit("That is the answer to another login.")
code = answer["code"][0]
"""


def write(program: Program, language: str = "python") -> str:
    """Return a program in Python; `language` says with which library."""
    library = "requests" if language == "python-requests" else "httpx"
    body = [*_client(program, library), ""]
    if program.login is not None:
        body += [_login(program.login), ""]
    body += [_token(program.token, library), ""]
    for call in program.calls:
        body += [_call(call, library), ""]
    if not program.calls:
        body += ["print(sorted(token))  # its members; print no token", ""]
    text = "\n".join(body)
    return "\n".join([*comments(program, "#"), *_imports(text, library), "", text])


def _imports(text: str, library: str) -> list[str]:
    """Return the imports that a program needs."""
    modules = ("base64", "hashlib", "os", "secrets", "ssl")
    lines = [f"import {name}" for name in modules if f"{name}." in text]
    if "Path(" in text:
        lines.append("from pathlib import Path")
    names = ("parse_qs", "quote_plus", "urlencode", "urlsplit")
    used = [name for name in names if f"{name}(" in text]
    if used:
        lines.append(f"from urllib.parse import {', '.join(used)}")
    return [*lines, "", f"import {library}"]


def _client(program: Program, library: str) -> list[str]:
    if library == "requests":
        lines = ["client = requests.Session()"]
        if program.authority:
            lines.append(f"client.verify = {_text(program.authority)}")
        if program.certificate:
            pair = ", ".join(_text((each,)) for each in program.certificate)
            lines.append(f"client.cert = ({pair})")
        return lines
    if not (program.authority or program.certificate):
        return ["client = httpx.Client(timeout=30)"]
    cafile = f"cafile={_text(program.authority)}" if program.authority else ""
    lines = [f"context = ssl.create_default_context({cafile})"]
    if program.certificate:
        pair = ", ".join(_text((each,)) for each in program.certificate)
        lines.append(f"context.load_cert_chain({pair})")
    return [*lines, "client = httpx.Client(timeout=30, verify=context)"]


def _login(login: Login) -> str:
    question = [('"response_type"', '"code"')]
    question += [(_literal(name), _value(value)) for name, value in login.parameters]
    question.append(('"state"', "secrets.token_urlsafe(32)"))
    before = ""
    if login.use_pkce:
        before = _PKCE
        question += [
            ('"code_challenge"', "code_challenge"),
            ('"code_challenge_method"', '"S256"'),
        ]
    shown = f"question = {_mapping(question, '')}\n"
    return before + shown + _ANSWER.format(what=LOG_IN, url=_text(login.url)).rstrip()


def _token(step: TokenStep, library: str) -> str:
    form = [(_literal(name), _value(value)) for name, value in step.parameters]
    lines = [
        "granted = client.post(",
        f"    {_text(step.url)},",
        '    headers={"Accept": "application/json"},',
        f"    data={_mapping(form, '    ')},",
    ]
    if step.basic is not None:
        pair = [_value(each) for each in step.basic]
        if step.basic_encoding == "form":
            # RFC 6749, section 2.3.1
            pair = [f"quote_plus({each})" for each in pair]
        elif library == "requests":
            # It would write Latin-1.
            pair = [f"{each}.encode()" for each in pair]
        lines.append(f"    auth=({', '.join(pair)}),")
    return "\n".join(
        [*lines, ")", "granted.raise_for_status()", "token = granted.json()"]
    )


def _call(call: Call, library: str) -> str:
    bearer = ('"Authorization"', "f\"Bearer {token['access_token']}\"")
    headers = [
        bearer,
        *((_literal(name), _text(value)) for name, value in call.headers),
    ]
    names = [name.lower() for name, _ in headers]
    if len(set(names)) == len(names):
        shown = _mapping(headers, "    ")
    elif library == "httpx":
        pairs = "".join(f"        ({name}, {value}),\n" for name, value in headers)
        shown = f"[\n{pairs}    ]"
    else:
        # It takes each name once; joined, they mean the same (RFC 9110, 5.3).
        joined: dict[str, list[str]] = {}
        for name, value in headers:
            joined.setdefault(name.title(), []).append(value)
        shown = _mapping(
            [(name, ' + ", " + '.join(values)) for name, values in joined.items()],
            "    ",
        )
    lines = [
        "reply = client.request(",
        f"    {_literal(call.method)},",
        f"    {_text(call.url)},",
        f"    headers={shown},",
    ]
    if call.body is not None:
        option = "content" if library == "httpx" else "data"
        lines.append(f"    {option}={_body(call.body)},")
    if library == "requests":
        lines.append("    timeout=30,")
        lines.append("    allow_redirects=False,")
    return "\n".join([*lines, ")", "print(reply.status_code, reply.text)"])


def _body(pieces: tuple[Piece, ...]) -> str:
    return " + ".join(
        f"Path({_literal(each.name)}).read_bytes()"
        if isinstance(each, File)
        else f"{_literal(each.decode())}.encode()"
        for each in pieces
    )


def _mapping(pairs: list[tuple[str, str]], indent: str) -> str:
    lines = "".join(f"{indent}    {name}: {value},\n" for name, value in pairs)
    return f"{{\n{lines}{indent}}}"


def _text(text: Text) -> str:
    """Return a text as an expression."""
    whole = plain(text)
    if whole is not None:
        return _literal(whole)
    return " + ".join(_value(each) for each in text if each != "")


def _value(part: str | Env | Local) -> str:
    if isinstance(part, str):
        return _literal(part)
    return f"os.environ[{_literal(part.name)}]" if isinstance(part, Env) else part.name


def _literal(text: str) -> str:
    """Return a text as Python writes it, in double quotes where it can."""
    shown = repr(text)
    return shown if '"' in shown or "\\'" in shown else f'"{shown[1:-1]}"'
