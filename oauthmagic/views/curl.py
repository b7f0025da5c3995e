"""Programs as cURL, for a POSIX shell: every value quoted, none ever evaluated."""

from __future__ import annotations

import re
import shlex
import urllib.parse
from typing import TYPE_CHECKING

from oauthmagic.http_request.multipart import File
from oauthmagic.views.programs import LOG_IN, Env, Local, comments, plain

if TYPE_CHECKING:
    from oauthmagic.views.programs import Call, Login, Program, Text, TokenStep

#: What means nothing to a shell between double quotes.
_TAME = re.compile(r"[\w./:;=@%+, ?&-]*", re.ASCII)
_NAME_GOES_ON = re.compile(r"\w", re.ASCII)
_CURL = "curl --silent --show-error --globoff"
_READ = "python3 -c 'import json, sys; print(json.load(sys.stdin)[\"access_token\"])'"
_BASIC = (
    "python3 -c 'import base64, os, sys; from urllib.parse import quote_plus; "
    'print(base64.b64encode(":".join(quote_plus(os.environ[name]) '
    "for name in sys.argv[1:]).encode()).decode())'"
)
_ENCODE = (
    "encode() { python3 -c 'import sys, urllib.parse; "
    'print(urllib.parse.quote(sys.argv[1], safe=""))\' "$1"; }'
)
_PKCE = """\
CODE_VERIFIER=$(openssl rand -hex 32)
CODE_CHALLENGE=$(printf %s "$CODE_VERIFIER" | openssl dgst -sha256 -binary |
  openssl base64 -A | tr '+/' '-_' | tr -d '=')
"""
_ANSWER = """\
read -r REDIRECTED
case "$REDIRECTED" in
  *"state=$STATE"*) ;;
  *) echo 'That is the answer to another login.' >&2; REDIRECTED= ;;
esac
CODE=$(printf %s "$REDIRECTED" | sed -n 's/.*[?&]code=\\([^&#]*\\).*/\\1/p')
"""
_SEEN = "While it runs, other programs of this machine can see curl's arguments."


def write(program: Program, _: str = "curl") -> str:
    """Return a program as shell text."""
    lines = [*comments(program, "#"), f"# {_SEEN}", ""]
    if program.login is not None:
        lines += [*_login(program.login), ""]
    lines += _token(program, program.token)
    for each in program.calls:
        lines += ["", call(each, program)]
    return "\n".join(lines) + "\n"


def call(call: Call, program: Program | None = None) -> str:
    """Return an API request as one command; the token is in `ACCESS_TOKEN`."""
    words = [f"{_CURL} --path-as-is"]
    has_type = any(name.lower() == "content-type" for name, _ in call.headers)
    if call.method == "HEAD":
        words[0] += " --head"
    elif call.method != "GET" or call.body is not None:
        words[0] += f" --request {call.method}"
    words += _security(program)
    bearer = ("Authorization: Bearer ", Local("access_token"))
    words.append(f"--header {_text(bearer)}")
    for name, value in call.headers:
        empty = plain(value) == ""
        head = f"{name};" if empty else f"{name}: "
        words.append(f"--header {_text((head, *value))}")
    before = ""
    if call.body is not None or call.method in ("POST", "PUT", "PATCH"):
        if not has_type:
            words.append("--header 'Content-Type:'")
        before, given = _body(call)
        words += given
    words.append(f"--url {_text(call.url)}")
    return before + _joined(words)


def _body(call: Call) -> tuple[str, list[str]]:
    """Return what comes before the command, and its options."""
    pieces = call.body or (b"",)
    if len(pieces) == 1 and not isinstance(pieces[0], File):
        return "", [f"--data-raw {shlex.quote(pieces[0].decode())}"]
    given = ["--header 'Expect:'"]
    if len(pieces) == 1 and isinstance(pieces[0], File):
        return "", [*given, f"--data-binary {shlex.quote(f'@{pieces[0].name}')}"]
    made = "; ".join(
        f"cat -- {shlex.quote(each.name)}"
        if isinstance(each, File)
        else f"printf %s {shlex.quote(each.decode())}"
        for each in pieces
    )
    return f"{{ {made}; }} |\n  ", [*given, "--data-binary @-"]


def _token(program: Program, step: TokenStep) -> list[str]:
    lines = []
    words = [f"{_CURL} --fail-with-body", *_security(program)]
    words.append("--header 'Accept: application/json'")
    if step.basic is not None and step.basic_encoding == "raw":
        client, secret = step.basic
        words.append(f"--user {_text((client, ':', secret))}")
    elif step.basic is not None:
        # RFC 6749, section 2.3.1: form-encoded first, which curl does not do.
        lines.append(f"BASIC=$({_BASIC} {step.basic[0].name} {step.basic[1].name})")
        words.append(f"--header {_text(('Authorization: Basic ', Local('basic')))}")
    for name, value in step.parameters:
        if isinstance(value, str):
            pair = urllib.parse.urlencode({name: value})
            words.append(f"--data-raw {shlex.quote(pair)}")
        elif value == Local("code"):
            # As it stands in the URL, where it is encoded.
            words.append(f"--data-raw {_text((f'{name}=', value))}")
        else:
            words.append(f"--data-urlencode {_text((f'{name}=', value))}")
    words.append(f"--url {_text(step.url)}")
    return [*lines, f"ACCESS_TOKEN=$({_joined(words)} |\n  {_READ})"]


def _login(login: Login) -> list[str]:
    query = ["response_type=code"]
    for name, value in login.parameters:
        if isinstance(value, Env):
            query.append(f'{name}=$(encode "${value.name}")')
        else:
            query.append(f"{name}={urllib.parse.quote(value, safe='')}")
    query.append("state=$STATE")
    if login.use_pkce:
        query += ["code_challenge=$CODE_CHALLENGE", "code_challenge_method=S256"]
    return [
        "STATE=$(openssl rand -hex 32)",
        _ENCODE,
        *_PKCE.splitlines() * login.use_pkce,
        f"echo '{LOG_IN}'",
        f'echo {_text(login.url)}"?{"&".join(query)}"',
        *_ANSWER.splitlines(),
    ]


def _security(program: Program | None) -> list[str]:
    words = []
    if program is not None and program.authority:
        words.append(f"--cacert {_text(program.authority)}")
    if program is not None and program.certificate:
        certificate, key = program.certificate
        words += [f"--cert {_text((certificate,))}", f"--key {_text((key,))}"]
    return words


def _joined(words: list[str]) -> str:
    return " \\\n  ".join(words)


def _text(text: Text) -> str:
    """Return a text as one word of a shell."""
    whole = plain(text)
    if whole is not None:
        return shlex.quote(whole)
    literals = [each for each in text if isinstance(each, str)]
    # Where a name ends must be plain to see.
    ends = not any(_NAME_GOES_ON.match(each) for each in literals[1:])
    if ends and not isinstance(text[0], str):
        ends = not any(map(_NAME_GOES_ON.match, literals))
    if ends and all(map(_TAME.fullmatch, literals)):
        return '"' + "".join(map(_inside, text)) + '"'
    return "".join(
        shlex.quote(each) if isinstance(each, str) else f'"{_inside(each)}"'
        for each in text
        if each
    )


def _inside(part: str | Env | Local) -> str:
    """Return a part as it stands between double quotes."""
    if isinstance(part, str):
        return part
    name = part.name if isinstance(part, Env) else part.name.upper()
    return f"${name}"
