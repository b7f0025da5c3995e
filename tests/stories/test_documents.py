"""Each simulator on loopback answers the requests of its document as printed there.

The samples are the providers' own; only hosts and credentials are changed. A program
that a sample is written for trusts the simulator's authority by its own means.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import random
import ssl
import subprocess
import sys
import urllib.parse
from datetime import UTC, datetime

import pytest

from oauthmagic.oauth import sca
from oauthmagic.sandbox import paysafe, revsto, stet
from oauthmagic.sandbox.serving import serve

#: docs.revsto.com/distributor-api/authentication, "cURL".
CURL = r"""curl --location 'https://35702.tagpay.fr/api/distributor/v1/oauth2/token' \
--header 'Content-Type: application/x-www-form-urlencoded' \
--data-urlencode 'grant_type=password' \
--data-urlencode 'username={your_username}' \
--data-urlencode 'password={your_password}' \
--data-urlencode 'client_id={your_client_id}' \
--data-urlencode 'client_secret={your_client_secret}'
"""
#: The same page, "Python".
PYTHON = """import requests
url = "https://35702.tagpay.fr/api/distributor/v1/oauth2/token"
payload = {
"grant_type": "password",
"username": "{your_username}",
"password": "{your_password}",
"client_id": "{your_client_id}",
"client_secret": "{your_client_secret}"
}
headers = {
"Content-Type": "application/x-www-form-urlencoded"
}
response = requests.post(url, data=payload, headers=headers)
print(response.text)
"""
#: The same page, "JavaScript".
JAVASCRIPT = """fetch("https://35702.tagpay.fr/api/distributor/v1/oauth2/token", {
method: "POST",
headers: {
"Content-Type": "application/x-www-form-urlencoded"
},
body: new URLSearchParams({
grant_type: "password",
username: "{your_username}",
password: "{your_password}",
client_id: "{your_client_id}",
client_secret: "{your_client_secret}"
})
})
.then(response => response.json())
.then(data => console.log("Access Token:", data.access_token))
.catch(error => console.error("Error:", error));
"""
#: The same page, "Requesting Scopes". It leaves out the client, by oversight: as
#: printed it is refused, which is what the page's table says of missing parameters.
CURL_WITH_SCOPES = r"""curl -X POST "https://35702.tagpay.fr/api/distributor/v1/oauth2/token" \
-H "Content-Type: application/x-www-form-urlencoded" \
-d "grant_type=password&username=your_username&password=your_password&scope=profile_view kyc_view user_creation document_management open_identity account_creation account_view account_close user_deactivate event_management transaction_view customer-instruction_view payment-instruction_view customer-instruction_initiation customer-instruction_submission customer-instruction_submit posting"
"""  # noqa: E501 - as printed
#: docs.paysafe.com, embedded wallets, "Issue an Access Token".
PAYSAFE_CHALLENGE = (
    'SCA realm="Authentication" auth-param1="ewogICJzY2FEZXRhaWxzIjogewogICAgImV2ZW50'
)
#: The same page, there in HTTP/2; its JSON lacks the last brace.
PAYSAFE_REQUEST = """POST /digitalwallets/v1/auth/brands/{brandIdentity}/token HTTP/1.1
Host: api.paysafe.com
SCA-Authorization: ewogICJzY2FEZXRhaWxzIjogewogICAgImV2ZW50SWQiOiAiMDZiZGNkMmMtMGNjZS00YjM2LTk3ZWMtMjgxYzhmNWQ3NDNjIiwKICAgICJ3YWxsZXRPcGVyYXRpb25JZCI6ICJhNTg2NWZkNi0xOGMyLTQ1YTgtOTk1My0xYzAwZWFjMzZjMzYiCn0=
"""  # noqa: E501 - as printed
#: www.api.89c3.com, "Get your token": the parameters of `GET /authorize`.
BANK_AUTHORIZE = {
    "response_type": "code",
    "client_id": "PSDFR-ACPR-13807",
    "redirect_uri": "https://www.mycallback.com/",
    "scope": "aisp",
}


def real_clock():
    """Return the real time: TLS knows no other."""
    return datetime.now(UTC)


def chance():
    """Return randomness that can be reproduced."""
    return random.Random(1)  # noqa: S311 - reproducible


@pytest.fixture(scope="module")
def tagpay():
    """Serve Revsto's simulator."""
    simulator = revsto.create(real_clock, chance())
    with serve(simulator.wsgi_app, clock=real_clock) as server:
        yield server


@pytest.fixture
def run(tmp_path):
    """Run a program without the proxies and settings of this machine."""

    def run(command, **environ):
        quiet = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "NO_PROXY": "*"}
        done = subprocess.run(
            command,
            env={**quiet, **environ},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def filled(sample, server):
    """Return a sample of Revsto's with another host, and the demo's credentials."""
    text = sample.replace("https://35702.tagpay.fr", server.url)
    for name, value in revsto.RevstoSimulator.CREDENTIALS.items():
        text = text.replace(f"{{your_{name}}}", value)
        text = text.replace(f"=your_{name}&", f"={value}&")
    assert "your_" not in text
    return text


def check_revstos_answer(text):
    """Look for the page's sample response."""
    answer = json.loads(text)
    assert list(answer) == ["token_type", "expires_in", "access_token", "refresh_token"]
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 300)
    assert answer["access_token"].startswith("eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.")
    assert answer["refresh_token"].startswith("def50200")


@pytest.mark.needs("curl")
def test_revstos_curl_sample(tagpay, run):
    """The shell command, word for word."""
    text = run(["sh", "-c", filled(CURL, tagpay)], CURL_CA_BUNDLE=str(tagpay.ca_file))

    check_revstos_answer(text)


def test_revstos_python_sample(tagpay, run):
    """The script, word for word, with the library that it imports."""
    pytest.importorskip("requests")
    script = filled(PYTHON, tagpay)

    text = run([sys.executable, "-c", script], REQUESTS_CA_BUNDLE=str(tagpay.ca_file))

    check_revstos_answer(text)


@pytest.mark.needs("node")
def test_revstos_javascript_sample(tagpay, run, component):
    """The script, word for word."""
    script = filled(JAVASCRIPT, tagpay)

    text = run(
        [component("node"), "-e", script], NODE_EXTRA_CA_CERTS=str(tagpay.ca_file)
    )

    assert text.startswith("Access Token: eyJ0eXAiOiJKV1Qi")


@pytest.mark.needs("curl")
def test_revstos_curl_sample_with_scopes(tagpay, run):
    """Without its client a missing parameter; with it all seventeen scopes."""
    sample = filled(CURL_WITH_SCOPES, tagpay)
    credentials = revsto.RevstoSimulator.CREDENTIALS
    client = "".join(
        f"&{name}={credentials[name]}" for name in ("client_id", "client_secret")
    )
    completed = sample.rstrip().removesuffix('"') + f'{client}"'

    refused, granted = (
        run(["sh", "-c", each], CURL_CA_BUNDLE=str(tagpay.ca_file))
        for each in (sample, completed)
    )

    assert json.loads(refused)["error"] == "invalid_request"
    assert "client_id" in json.loads(refused)["hint"]
    check_revstos_answer(granted)


def ask(server, method, path, body=None, headers=(), chain=None):
    """Send one request; return status, headers and body."""
    context = ssl.create_default_context(cafile=server.ca_file)
    if chain is not None:
        context.load_cert_chain(chain)
    host = urllib.parse.urlsplit(server.url).netloc
    connection = http.client.HTTPSConnection(host, context=context, timeout=10)
    try:
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def test_paysafes_raw_request():
    """The page's challenge comes back; the page's proof is no JSON, and is refused."""
    simulator = paysafe.create(real_clock, chance())
    credentials = simulator.CREDENTIALS
    line, _, proof = PAYSAFE_REQUEST.splitlines()
    method, path, _ = line.split(" ")
    path = path.replace("{brandIdentity}", "liberty")
    pair = f"{credentials['client_id']}:{credentials['client_secret']}".encode()
    headers = {
        # "{URL-encoded-client-ID}:{URL-encoded-client-secret}" in base64.
        "Authorization": f"Basic {base64.b64encode(pair).decode()}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    form = urllib.parse.urlencode(
        {
            "grant_type": "password",
            "username": credentials["username"],
            "password": credentials["password"],
        }
    )
    with serve(simulator.wsgi_app, clock=real_clock) as server:
        status, answered, _ = ask(server, method, path, form, headers)
        name, _, value = proof.partition(": ")
        second, _, _ = ask(server, method, path, form, {**headers, name: value})

    challenge = answered["WWW-Authenticate"]
    assert (status, second) == (401, 400)
    assert challenge.startswith(PAYSAFE_CHALLENGE)
    assert sca.read_challenge(challenge) is not None


def test_the_banks_authorize_and_token(tmp_path):
    """The page's example, a customer who accepts, and `POST /token` without scope."""
    bank = stet.create(real_clock, chance(), fresh_keys=True)
    chain = tmp_path / "qwac.pem"
    chain.write_text(bank.CREDENTIALS["certificate"] + bank.CREDENTIALS["private_key"])
    authorize = f"/stet/psd2/oauth/authorize?{urllib.parse.urlencode(BANK_AUTHORIZE)}"
    # The page lists this header for a GET, too.
    form = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    with serve(bank.wsgi_app, clock=real_clock) as pages:
        shown, _, _ = ask(pages, "GET", authorize, None, form)
        location = bank.decide(f"{pages.url}{authorize}", "accept")
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(location).query)["code"][0]
    body = urllib.parse.urlencode(
        {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": BANK_AUTHORIZE["redirect_uri"],
            "client_id": BANK_AUTHORIZE["client_id"],
        }
    )
    authority = bank.authority.certificate
    with serve(bank.wsgi_app, clock=real_clock, client_authority=authority) as server:
        path = "/stet/psd2/oauth/token"
        status, _, text = ask(server, "POST", path, body, form, chain)
        answer = json.loads(text)
        bearer = {"Authorization": f"Bearer {answer['access_token']}"}
        called, _, _ = ask(
            server, "GET", "/stet/psd2/v1.4.2/accounts", None, bearer, chain
        )

    assert location.startswith(BANK_AUTHORIZE["redirect_uri"])
    assert (shown, status, called) == (200, 200, 200)
    assert answer["token_type"] == "Bearer"
    assert answer["refresh_token"]
