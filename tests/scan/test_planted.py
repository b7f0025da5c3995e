"""The fifteen kinds of secrets that people leave in notebooks, and who finds them."""

from __future__ import annotations

import base64
import json
from random import Random

import plants
import pytest
from books import code, notebook, prose, shown, stream, widgets

from oauthmagic.scan import scan_file

CHANCE = Random(15)  # noqa: S311 - reproducible
OPAQUE = [plants.filled("«opaque»", seed)[1][0] for seed in range(8)]
PASSWORD = [plants.password(CHANCE) for _ in range(6)]
JWT = [plants.filled("«jwt»", seed)[1][0] for seed in range(2)]
PEM = plants.filled("«pem»", 1)[1][0]
BASIC = base64.b64encode(f"client-7:{PASSWORD[5]}".encode()).decode()
REFRESH = plants.filled("def50200«hex 300»", 1)[0]
TABLE = (
    '<table border="1" class="dataframe">\n<thead>\n<tr><th></th><th>access_token</th>'
    "<th>expires_in</th></tr>\n</thead>\n<tbody>\n<tr><th>0</th>"
    f"<td>{OPAQUE[0]}</td><td>300</td></tr>\n</tbody>\n</table>"
)
FORM = widgets(
    PasswordModel={"value": PASSWORD[2], "description": "Password:"},
    TextModel={"value": "anna", "description": "User name:"},
)
SCREENSHOT = base64.b64encode(
    b"token response: "
    + json.dumps({"access_token": OPAQUE[4], "token_type": "bearer"}).encode()
).decode()

#: What is planted, and a piece of it that is in no report.
KINDS = {
    "JSON Web Token in a source": (OPAQUE and JWT[0], code(f'claims("{JWT[0]}")')),
    "JSON Web Token in an output": (JWT[1], code("", stream(f"id_token: {JWT[1]}\n"))),
    "opaque token in an HTML table": (OPAQUE[0], code("", shown(text_html=TABLE))),
    "opaque token on a magic's line": (
        OPAQUE[1],
        code(f"%token acme@sandbox --client-secret {OPAQUE[1]}"),
    ),
    "opaque token in a header line": (
        OPAQUE[2],
        code(f"%%api acme\nGET /accounts\nAuthorization: Bearer {OPAQUE[2]}"),
    ),
    "refresh token in a repr": (
        REFRESH,
        code("", shown(text_plain=f"{{'refresh_token': '{REFRESH}'}}")),
    ),
    "client secret in an assignment": (
        OPAQUE[3],
        code(f'client_secret = "{OPAQUE[3]}"'),
    ),
    "password in a mapping": (
        PASSWORD[0],
        code(f"login = {{'username': 'anna', 'password': '{PASSWORD[0]}'}}"),
    ),
    "password on a command line": (
        PASSWORD[1],
        code(f"!curl -s -u anna:{PASSWORD[1]} https://api.acme.example/me"),
    ),
    "password in the state of a widget": (PASSWORD[2], FORM),
    "password in a URL": (
        PASSWORD[3],
        code(
            f'engine = create_engine("postgresql://anna:{PASSWORD[3]}@db.example/app")'
        ),
    ),
    "Basic credentials in prose": (
        BASIC,
        prose(f"Send `Authorization: Basic {BASIC}` with it."),
    ),
    "token in an attachment": (
        OPAQUE[4],
        prose(
            "![a](attachment:a.txt)", attachments={"a.txt": {"text/plain": SCREENSHOT}}
        ),
    ),
    "code in a redirected URL": (
        OPAQUE[5],
        code(
            f'back = "http://127.0.0.1:8765/callback?code={OPAQUE[5]}&state=a1b2c3d4e5"'
        ),
    ),
    "private key in PEM": (PEM[40:90], code(f'KEY = """{PEM}"""')),
}


def planted(name):
    """Return a notebook with one kind in it."""
    _, cell = KINDS[name]
    return notebook(widgets=cell) if cell is FORM else notebook(cell)


def test_all_kinds_are_found(tmp_path, figure):
    """Fifteen of fifteen, each by itself; no report shows a value."""
    found = {}
    for name, (value, _) in KINDS.items():
        path = tmp_path / "a.ipynb"
        path.write_text(json.dumps(planted(name), indent=1), encoding="utf-8")
        findings = scan_file(path)
        found[name] = len(findings)
        assert value not in str(findings)

    count = sum(map(bool, found.values()))
    figure(
        "kinds of secrets planted in notebooks: found by oauthmagic scan",
        f"{count} of {len(KINDS)}",
    )
    assert len(KINDS) == 15
    assert {name for name, number in found.items() if not number} == set()


@pytest.mark.soak
def test_a_general_scanner_finds_fewer(tmp_path, figure):
    """detect-secrets with all of its plugins; it reads the file as lines."""
    detect = pytest.importorskip("detect_secrets")
    settings = pytest.importorskip("detect_secrets.settings")
    found = []
    for name in KINDS:
        path = tmp_path / "a.ipynb"
        path.write_text(json.dumps(planted(name), indent=1), encoding="utf-8")
        with settings.default_settings():
            secrets = detect.SecretsCollection()
            secrets.scan_file(str(path))
        if any(secrets):
            found.append(name)

    figure(
        "kinds of secrets planted in notebooks: found by detect-secrets",
        f"{len(found)} of {len(KINDS)}",
    )
    assert len(found) < len(KINDS)
