"""The bank over real TLS sockets, asked with the standard library."""

from __future__ import annotations

import http.client
import json
import random
import ssl
import urllib.parse
from datetime import UTC, datetime, timedelta

import pytest

from oauthmagic.sandbox.serving import serve
from oauthmagic.sandbox.stet import create

NUMBER = "PSDFR-ACPR-13807"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def real_clock():
    """Return the real time: TLS clients know no other."""
    return datetime.now(UTC)


class Browser:
    """Asks one server, with or without a certificate."""

    def __init__(self, server, chain=None):
        self.server = server
        self.context = ssl.create_default_context(cafile=server.ca_file)
        # The default from Python 3.13 on.
        self.context.verify_flags |= ssl.VERIFY_X509_STRICT
        if chain is not None:
            self.context.load_cert_chain(chain)

    def ask(self, method, path, form=None, headers=None):
        """Send one request over a new connection; return status, headers, body."""
        host = urllib.parse.urlsplit(self.server.url).netloc
        connection = http.client.HTTPSConnection(host, context=self.context, timeout=5)
        body = None if form is None else urllib.parse.urlencode(form)
        sent = {**(FORM if form is not None else {}), **(headers or {})}
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def bank():
    """Simulate a bank with keys of its own."""
    chance = random.Random(1)  # noqa: S311 - reproducible
    return create(real_clock, chance, fresh_keys=True)


@pytest.fixture(scope="module")
def pages(bank):
    """Serve it for browsers, which have no certificate."""
    with serve(bank.wsgi_app, clock=real_clock) as server:
        yield server


@pytest.fixture(scope="module")
def secured(bank):
    """Serve it for third parties."""
    authority = bank.authority.certificate
    with serve(bank.wsgi_app, clock=real_clock, client_authority=authority) as server:
        yield server


@pytest.fixture(scope="module")
def chains(bank, tmp_path_factory):
    """Write certificates with their keys, by what is right or wrong with them."""
    now = real_clock()
    directory = tmp_path_factory.mktemp("chains")
    roles = ("PSP_AI",)
    issue = bank.authority.issue
    made = {
        "other": issue("QWAC", "PSDFR-ACPR-99999", roles),
        "roleless": issue("QWAC", NUMBER, ["PSP_PI"]),
        "expired": issue("QWAC", NUMBER, roles, not_after=now - timedelta(hours=1)),
    }
    texts = {name: each.certificate + each.private_key for name, each in made.items()}
    credentials = bank.CREDENTIALS
    right = credentials["certificate"] + credentials["private_key"]
    texts["right"] = right.encode()
    paths = {}
    for name, text in texts.items():
        paths[name] = directory / f"{name}.pem"
        paths[name].write_bytes(text)
    return paths


def authorize_url(bank, prefix=""):
    """Return the path of an authorization request."""
    query = urllib.parse.urlencode(
        {
            "response_type": "code",
            "client_id": NUMBER,
            "redirect_uri": bank.CREDENTIALS["redirect_uri"],
            "scope": "aisp",
            "state": "simulated-state",
        }
    )
    return f"{prefix}/stet/psd2/oauth/authorize?{query}"


def exchange(bank, browser, prefix=""):
    """Have the customer accept and send the token request."""
    url = f"{browser.server.url}{authorize_url(bank, prefix)}"
    location = bank.decide(url, "accept")
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(location).query)["code"][0]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": NUMBER,
        "redirect_uri": bank.CREDENTIALS["redirect_uri"],
    }
    return browser.ask("POST", f"{prefix}/stet/psd2/oauth/token", form)


@pytest.mark.parametrize("prefix", ["", "/13807"])
def test_the_right_certificate_gets_through_the_whole_flow(
    bank, pages, secured, chains, prefix
):
    """Page, consent, code, token, accounts, consent, transactions."""
    status, _, page = Browser(pages).ask("GET", authorize_url(bank, prefix))
    assert (status, b"Simulation." in page) == (200, True)

    tpp = Browser(secured, chains["right"])
    status, _, body = exchange(bank, tpp, prefix)
    assert status == 200
    authorized = {"Authorization": f"Bearer {json.loads(body)['access_token']}"}
    base = f"{prefix}/stet/psd2/v1.4.2"
    status, _, body = tpp.ask("GET", f"{base}/accounts", None, authorized)
    assert status == 200
    account = json.loads(body)["accounts"][0]
    choice = json.dumps({"transactions": [account["accountId"]]})
    connection = http.client.HTTPSConnection(
        urllib.parse.urlsplit(secured.url).netloc, context=tpp.context, timeout=5
    )
    headers = {**authorized, "Content-Type": "application/json"}
    connection.request("PUT", f"{base}/consents", choice, headers)
    assert connection.getresponse().status == 200
    connection.close()
    href = account["_links"]["transactions"]["href"]
    assert href.startswith(base)
    status, _, body = tpp.ask("GET", href, None, authorized)
    assert (status, bool(json.loads(body)["transactions"])) == (200, True)


def test_a_browsers_decision_is_a_redirect(bank, pages):
    """The page's form, sent as a browser sends it."""
    browser = Browser(pages)
    _, _, page = browser.ask("GET", authorize_url(bank))
    screen = page.decode().partition('name="screen" value="')[2].partition('"')[0]
    form = {"screen": screen, "decision": "refuse"}
    status, headers, _ = browser.ask("POST", "/stet/psd2/oauth/authorize", form)

    assert status == 302
    assert "error=access_denied" in headers["Location"]


def test_another_providers_certificate_is_refused_by_the_bank(bank, secured, chains):
    """TLS lets it in; its number is not the client's."""
    status, _, body = exchange(bank, Browser(secured, chains["other"]))

    assert (status, json.loads(body)["error"]) == (403, "invalid_client")


def test_a_certificate_without_the_role_is_refused_by_the_bank(bank, secured, chains):
    """TLS lets it in; it is for payments."""
    status, _, body = exchange(bank, Browser(secured, chains["roleless"]))

    assert (status, json.loads(body)["error"]) == (403, "unauthorized_client")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("expired", {"SSLV3_ALERT_CERTIFICATE_EXPIRED"}),
        (
            None,
            {"TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_HANDSHAKE_FAILURE"},
        ),
    ],
)
def test_an_expired_certificate_and_none_are_refused_by_tls(
    bank, secured, chains, name, reasons, version
):
    """Under TLS 1.3 the alert comes late: the request was sent by then."""
    browser = Browser(secured, chains.get(name))
    browser.context.maximum_version = version
    before = len(bank.requests)
    for _ in range(5):
        with pytest.raises(ssl.SSLError) as caught:
            browser.ask("POST", "/stet/psd2/oauth/token", {"code": "x" * 5000})

        assert caught.value.reason in reasons
    assert len(bank.requests) == before


def test_a_certificate_of_another_authority_is_refused_by_tls(secured, tmp_path):
    """The demo's published key opens nothing here."""
    chance = random.Random(1)  # noqa: S311 - reproducible
    credentials = create(real_clock, chance).CREDENTIALS
    chain = tmp_path / "chain.pem"
    chain.write_text(credentials["certificate"] + credentials["private_key"])
    with pytest.raises(ssl.SSLError) as caught:
        Browser(secured, chain).ask("GET", "/stet/psd2/v1/accounts")

    assert caught.value.reason in {
        "TLSV1_ALERT_UNKNOWN_CA",
        "TLSV1_ALERT_DECRYPT_ERROR",
    }


def test_a_server_that_asks_for_none_says_so_in_http(pages):
    """As nginx does; the body is ours."""
    status, _, body = Browser(pages).ask("POST", "/stet/psd2/oauth/token", {"a": "b"})

    assert (status, json.loads(body)["error"]) == (400, "certificate_required")
