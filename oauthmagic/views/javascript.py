"""Programs in JavaScript: a module for Node.js, with `fetch`.

`fetch` cannot show a client certificate; where one is needed, `node:https` sends.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from oauthmagic.errors import CommandError
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

_FORM = '"Content-Type": "application/x-www-form-urlencoded"'
_TRUST = (
    "Start it with NODE_EXTRA_CA_CERTS=FILE node program.mjs, FILE the authority's."
)
_MUTUAL_TLS = """\
// fetch cannot show a certificate, so this sends instead.
const tls = { cert: readFileSync(CERT), key: readFileSync(KEY) };
const send = (url, { method, headers, body }) =>
  new Promise((resolve, reject) => {
    const sent = request(url, { method, headers: Object.fromEntries(headers), ...tls });
    sent.on("error", reject).on("response", async (response) => {
      const content = Buffer.concat(await response.toArray()).toString();
      const status = response.statusCode;
      resolve({
        status,
        ok: status >= 200 && status < 300,
        text: () => content,
        json: () => JSON.parse(content),
      });
    });
    sent.end(body instanceof URLSearchParams ? body.toString() : body);
  });
"""
_LOGIN = """\
console.log("LOG_IN");
console.log(URL_OF_PAGE + "?" + question);
const lines = createInterface({ input: process.stdin });
const answer = new URL((await lines[Symbol.asyncIterator]().next()).value).searchParams;
lines.close();
if (answer.get("state") !== question.get("state"))
  throw new Error("That is the answer to another login.");
const code = answer.get("code");
"""
_PKCE = """\
const code_verifier = randomBytes(32).toString("base64url");
const code_challenge = createHash("sha256").update(code_verifier).digest("base64url");
"""


def write(program: Program, _: str = "javascript") -> str:
    """Return a program in JavaScript.

    Raises:
        CommandError: A request has a body that `fetch` does not send.
    """
    sender = "send" if program.certificate else "fetch"
    body = []
    if program.certificate:
        certificate, key = (_text((each,)) for each in program.certificate)
        made = _MUTUAL_TLS.replace("CERT", certificate).replace("KEY", key)
        body.append(made)
    if program.login is not None:
        body += [_login(program.login), ""]
    body += [_token(program.token, sender), ""]
    for number, call in enumerate(program.calls, start=1):
        name = f"reply{number if len(program.calls) > 1 else ''}"
        body += [_call(call, sender, name), ""]
    if not program.calls:
        body += ["console.log(Object.keys(token)); // its members; print no token", ""]
    text = "\n".join(body)
    notes = comments(program, "//")
    if program.authority:
        notes.append(f"// {_TRUST}")
    return "\n".join([*notes, *_imports(text), text])


def _imports(text: str) -> list[str]:
    modules = {
        "node:crypto": ("createHash", "randomBytes"),
        "node:fs": ("readFileSync",),
        "node:https": ("request",),
        "node:readline": ("createInterface",),
    }
    lines = []
    for module, names in modules.items():
        used = [name for name in names if f"{name}(" in text]
        if used:
            lines.append(f'import {{ {", ".join(used)} }} from "{module}";')
    return [*lines, ""]


def _login(login: Login) -> str:
    question = [("response_type", '"code"')]
    question += [(name, _value(value)) for name, value in login.parameters]
    question.append(("state", 'randomBytes(32).toString("base64url")'))
    before = ""
    if login.use_pkce:
        before = _PKCE
        question += [
            ("code_challenge", "code_challenge"),
            ("code_challenge_method", '"S256"'),
        ]
    made = f"const question = new URLSearchParams({_object(question, '')});\n"
    asked = _LOGIN.replace("LOG_IN", LOG_IN)
    return before + made + asked.replace("URL_OF_PAGE", _text(login.url)).rstrip()


def _token(step: TokenStep, sender: str) -> str:
    form = [(name, _value(value)) for name, value in step.parameters]
    headers = ['["Accept", "application/json"]']
    headers.append(f"[{_FORM.replace(': ', ', ')}]")
    before = ""
    if step.basic is not None:
        pair = [_value(each) for each in step.basic]
        if step.basic_encoding == "form":
            # RFC 6749, section 2.3.1
            before = (
                "const formed = (text) => "
                'new URLSearchParams([["", text]]).toString().slice(1);\n'
            )
            pair = [f"formed({each})" for each in pair]
        joined = ' + ":" + '.join(pair)
        headers.append(
            f'["Authorization", "Basic " + Buffer.from({joined}).toString("base64")]'
        )
    return (
        f"{before}const granted = await {sender}({_text(step.url)}, {{\n"
        '  method: "POST",\n'
        f"  headers: [{', '.join(headers)}],\n"
        f"  body: new URLSearchParams({_object(form, '  ')}),\n"
        "});\n"
        "if (!granted.ok)\n"
        "  throw new Error(`${granted.status} ${await granted.text()}`);\n"
        "const token = await granted.json();"
    )


def _call(call: Call, sender: str, name: str) -> str:
    if call.body is not None and call.method in ("GET", "HEAD") and sender == "fetch":
        msg = f"fetch sends no body with {call.method}."
        raise CommandError(msg, hint="Choose another language: --lang python.")
    headers = [("Authorization", '"Bearer " + token.access_token')]
    headers += [(each, _text(value)) for each, value in call.headers]
    pairs = "".join(f"    [{json.dumps(each)}, {value}],\n" for each, value in headers)
    lines = [
        f"const {name} = await {sender}({_text(call.url)}, {{",
        f"  method: {json.dumps(call.method)},",
        f"  headers: [\n{pairs}  ],",
    ]
    if call.body is not None:
        lines.append(f"  body: {_body(call.body)},")
    lines += [
        '  redirect: "manual",',
        "});",
        f"console.log({name}.status, await {name}.text());",
    ]
    return "\n".join(lines)


def _body(pieces: tuple[Piece, ...]) -> str:
    # As bytes: of a text, fetch would say what type it has.
    made = [
        f"readFileSync({json.dumps(each.name)})"
        if isinstance(each, File)
        else f"Buffer.from({json.dumps(each.decode())})"
        for each in pieces
    ]
    return made[0] if len(made) == 1 else f"Buffer.concat([{', '.join(made)}])"


def _object(pairs: list[tuple[str, str]], indent: str) -> str:
    lines = "".join(
        f"{indent}  {json.dumps(name)}: {value},\n" for name, value in pairs
    )
    return f"{{\n{lines}{indent}}}"


def _text(text: Text) -> str:
    """Return a text as an expression."""
    whole = plain(text)
    if whole is not None:
        return json.dumps(whole)
    return " + ".join(_value(each) for each in text if each != "")


def _value(part: str | Env | Local) -> str:
    if isinstance(part, str):
        return json.dumps(part)
    return f"process.env.{part.name}" if isinstance(part, Env) else part.name
