"""What notebooks hold every day is silent."""

from __future__ import annotations

import base64
import hashlib
import random
import uuid
from pathlib import Path

import pytest
from books import code, failed, notebook, prose, shown, stream, widgets

import oauthmagic
from oauthmagic.scan.files import notebook_findings, scan_paths, search_for

ROOT = Path(oauthmagic.__file__).parents[1]
CHANCE = random.Random(7)  # noqa: S311 - reproducible
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + CHANCE.randbytes(30_000)).decode()
HEX = hashlib.sha256(b"x").hexdigest()

SOURCES = [
    "import pandas as pd\nimport numpy as np\n%matplotlib inline\n%load_ext oauthmagic",
    "password = getpass.getpass('Password: ')\nuser = input('User: ')",
    "secret = os.environ['CLIENT_SECRET']\ntoken = os.getenv('TOKEN', '')",
    "client = OAuth2Session(client_id, client_secret=client_secret, token=token)",
    "headers = {'Authorization': f'Bearer {token}', 'X-API-Key': key}",
    "%token revsto@demo --scope account_view",
    "%%api revsto@demo --frame\nGET /distributor/v1/products\nX-Request-ID: {{$guid}}",
    "%%api acme\nPOST /x\nAuthorization: {{auth}}\n\nclient_secret={{secret}}",
    "tokenizer = AutoTokenizer.from_pretrained('bert-base', use_auth_token=True)",
    "model.generate(max_new_tokens=256, pad_token_id=tokenizer.eos_token_id)",
    "df.groupby('key').agg({'value': 'sum'}).sort_values(by='key', ascending=False)",
    "requests.get('https://api.example.com/v1/items?page=2&limit=100&sort=name')",
    "engine = create_engine(f'postgresql://{user}:{password}@{host}:5432/{db}')",
    "assert response.json()['access_token'] == expected_token",
    "for token in doc: print(token.text, token.pos_, token.dep_)",
    "hashlib.sha256(b'data').hexdigest() == '" + HEX + "'",
    "class Login(BaseModel):\n    username: str\n    password: SecretStr",
    "parser.add_argument('--password', required=True, help='the password')",
    "CONFIG = {'password': None, 'token': '', 'client_secret': '<your secret>'}",
    "session = requests.Session(); session.auth = (user, password)",
    "key = jax.random.PRNGKey(1234567890)\nprimary_key = 'customer_id_2024'",
    "widgets.Password(description='Password:', placeholder='Enter password')",
    "url = 'https://user:password@example.com'  # do not do this",
    "git checkout 8f14e45fceea167a5a36dedd4bea2543d3b1e2a7",
    "sk.metrics.f1_score(y_true, y_pred)\nimport sklearn as sk",
    "token_endpoint = 'https://id.acme.example/oauth2/token'\nscope = 'openid email'",
]
PROSE = [
    "## Passwords\nThe **password** grant sends the password; the token is renewed.",
    "Set `CLIENT_SECRET=...` in your environment, or `export TOKEN=<token>`.",
    "| field | value |\n|---|---|\n| password | their password |\n| token | opaque |",
    "[docs](https://docs.example/oauth2?topic=access_token#refresh_token)",
    "    curl -u $USER:$PASSWORD -H 'Authorization: Bearer $TOKEN' https://a.example",
    "Bearer tokens (RFC 6750), Basic authentication (RFC 7617), cookie: a small text",
    "password: at least 12 characters, with 1 digit and 1 sign",
    "commit 8f14e45fceea167a5a36dedd4bea2543d3b1e2a7, sha256:" + HEX,
    "id " + str(uuid.UUID(int=CHANCE.getrandbits(128), version=4)),
    '<script src="a.js" integrity="sha384-'
    + base64.b64encode(CHANCE.randbytes(48)).decode()
    + '"></script>',
    f'<img src="data:image/png;base64,{PNG[:4000]}"/>',
]
OUTPUTS = [
    shown(image_png=PNG, text_plain="<Figure size 640x480 with 1 Axes>"),
    shown(
        text_html="<table><thead><tr><th></th><th>token</th><th>count</th></tr></thead>"
        "<tbody><tr><th>0</th><td>the</td><td>1234</td></tr></tbody></table>",
        text_plain="   token  count\n0    the   1234\n1  Apple2     56",
    ),
    stream(
        "Epoch 1/10\n 32/500 [>.....] - ETA: 0:15 - loss: 0.6931 - accuracy: 0.5123\n"
    ),
    stream(
        "Collecting pandas\n  Downloading pandas-2.2.0-cp311-cp311-manylinux_2_17_x86."
        "manylinux2014_x86_64.whl (13.0 MB)\nSuccessfully installed pandas-2.2.0\n"
    ),
    stream("access_token   [secret]\nexpires_in   300\nfingerprint   1f3a9c2e\n"),
    stream("Token(target=revsto@demo, access_token=[secret], fingerprint='1f3a9c2e')"),
    stream(HEX + "\n" + str(uuid.UUID(int=CHANCE.getrandbits(128), version=4)) + "\n"),
    stream("-rw-r--r-- 1 me me 1234 Jan  1 09:00 client_secret.json\nPWD=/srv/me/x1\n"),
    failed(
        "\x1b[31mKeyError\x1b[39m                 Traceback (most recent call last)",
        "\x1b[32m----> 1\x1b[39m a\x1b[33m.\x1b[39mget(password\x1b[33m=\x1b[39mpw1)",
        "KeyError: 'access_token'",
    ),
    shown(application_json={"items": [{"id": 7, "key": "a", "next_page_token": HEX}]}),
    shown(
        **{
            "application_vnd.jupyter.widget-view+json": {
                "model_id": HEX[:32],
                "version_major": 2,
            },
            "text_plain": "VBox()",
        }
    ),
    shown(
        text_html=f'<div id="{HEX[:32]}"></div><script>var key = "{HEX[:8]}"; '
        "require.config({paths: {plotly: ['https://cdn.example/plotly-2.35.2.min']}})"
        "</script>"
    ),
]
WIDGETS = widgets(
    PasswordModel={"value": "", "description": "Password:", "placeholder": "secret"},
    TextModel={"value": "anna", "description": "User name:"},
    LayoutModel={"width": "30em"},
    HTMLModel={"value": "<b>token received</b>, fingerprint 1f3a9c2e"},
)


def findings(book):
    """Return what is found in a notebook."""
    return [str(each) for each, _ in notebook_findings(book, "a.ipynb", search_for([]))]


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_is_silent(source):
    """Magics, environment variables, prompts, models, requests."""
    assert findings(notebook(code(source))) == []


@pytest.mark.parametrize("source", PROSE)
def test_prose_is_silent(source):
    """Explanations of passwords hold none."""
    assert findings(notebook(prose(source))) == []


@pytest.mark.parametrize("output", OUTPUTS, ids=range(len(OUTPUTS)))
def test_an_output_is_silent(output):
    """Figures, tables, progress, installers, tracebacks, widgets."""
    assert findings(notebook(code("", output))) == []


def test_empty_forms_are_silent():
    """A password widget without a value."""
    assert findings(notebook(widgets=WIDGETS)) == []


def test_the_tutorials_of_this_package_are_silent(figure):
    """Every notebook in `notebooks/`."""
    scan = scan_paths([ROOT / "notebooks"])

    figure("finds in this package's own tutorials", f"0 in {scan.files} files")
    assert scan.files
    assert (scan.findings, scan.errors) == ([], [])
