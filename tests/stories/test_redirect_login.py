"""A redirect login at a provider of one's own: RFC 6749, 4.1; 7636; 9207; 9470."""

import json
import urllib.parse
from datetime import UTC, datetime, timedelta
from traceback import TracebackException

import pytest

from oauthmagic import Session, UserActionRequired
from oauthmagic.errors import (
    AccessDenied,
    CommandError,
    MissingCredentials,
    OAuthError,
    OAuthMagicError,
    RateLimited,
    WrongState,
)
from oauthmagic.oauth.pkce import code_challenge, code_verifier
from oauthmagic.redaction import Secret
from oauthmagic.transport.wire import WireResponse
from oauthmagic.views.tokens import token_text

FILE = """
[provider]
name = "acme"
title = "Acme"
default_grant = "authorization_code"
grants = ["authorization_code", "refresh_token"]
token_endpoint_auth_method = "none"
[environments.sandbox]
issuer = "https://id.acme.example"
authorization_endpoint = "https://id.acme.example/authorize"
token_endpoint = "https://id.acme.example/token"
api_base = "https://api.acme.example"
"""
CREDENTIALS = {"client_id": "me", "redirect_uri": "https://me.example/callback"}


class Server:
    """A transport that answers token requests, and APIs from a list."""

    def __init__(self):
        self.forms = []
        self.bearers = []
        self.answers = []
        self.busy = False

    def send(self, request, *, timeout, limit):  # noqa: ARG002
        """Answer one request."""
        if self.busy:
            return WireResponse(status=429)
        if request.url.endswith("/token"):
            self.forms.append(dict(urllib.parse.parse_qsl(request.body.decode())))
            number = len(self.forms)
            members = {"access_token": f"fake-token-{number}", "token_type": "Bearer"}
            return self._json(200, (), **members)
        self.bearers.append(dict(request.headers)["authorization"])
        return self.answers.pop(0) if self.answers else self._json(200, (), items=[])

    def _json(self, status, headers, **members):
        return WireResponse(
            status=status,
            headers=(("content-type", "application/json"), *headers),
            body=json.dumps(members).encode(),
        )


class Stage:
    """A session, its server, and the time."""

    def __init__(self, folder):
        file = folder / "acme.toml"
        file.write_text(FILE)
        self.now = datetime(2030, 1, 1, tzinfo=UTC)
        self.server = Server()
        self.session = Session(
            environ={}, transport=self.server, clock=lambda: self.now
        )
        self.session.add(file)

    def ask(self):
        """Ask for a token and return what waits."""
        with pytest.raises(UserActionRequired) as caught:
            self.session.token("acme", credentials=CREDENTIALS)
        return caught.value.pending

    def answer(self, pending, **parameters):
        """Return the URL that the browser is sent to."""
        asked = dict(urllib.parse.parse_qsl(pending.url.partition("?")[2]))
        given = {"state": asked["state"], "code": "fake-code-1"} | parameters
        query = urllib.parse.urlencode({k: v for k, v in given.items() if v})
        return f"{asked['redirect_uri']}?{query}"


@pytest.fixture
def stage(tmp_path):
    """A provider with a redirect login."""
    return Stage(tmp_path)


def test_a_login_is_asked_for_and_completed_with_the_pasted_url(stage):
    """State always, PKCE with S256, the verifier only at the token endpoint."""
    pending = stage.ask()
    asked = dict(urllib.parse.parse_qsl(pending.url.partition("?")[2]))

    token = stage.session.resume("acme", answer=stage.answer(pending))

    (form,) = stage.server.forms
    assert pending.kind == "redirect"
    assert pending.expires_at == stage.now + timedelta(minutes=10)
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["state"]) == 43
    assert code_challenge(Secret(form["code_verifier"])) == asked["code_challenge"]
    assert form["code_verifier"] not in pending.url
    assert form["code"] == "fake-code-1"
    assert form["redirect_uri"] == CREDENTIALS["redirect_uri"]
    assert form["client_id"] == "me"
    assert token is stage.session.token("acme")


def test_the_verifier_of_rfc_7636():
    """Appendix B."""
    octets = bytes.fromhex(
        "7418dfb49799e0254ffa607dd8adbbba16d4254d69d6bff05b5805585384 8d79".replace(
            " ", ""
        )
    )
    verifier = code_verifier(octets)

    assert verifier.reveal() == "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert code_challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_asking_again_is_the_same_login(stage):
    """Running the cell twice does not open a second one."""
    assert stage.ask().url == stage.ask().url


@pytest.mark.parametrize(
    ("parameters", "raised"),
    [
        ({"state": "another"}, WrongState),
        ({"state": ""}, WrongState),
        ({"iss": "https://evil.example"}, WrongState),
        ({"code": ""}, CommandError),
    ],
    ids=["state", "no state", "issuer", "no code"],
)
def test_what_does_not_answer_this_login_changes_nothing(stage, parameters, raised):
    """The login goes on waiting, and the right answer still completes it."""
    pending = stage.ask()

    with pytest.raises(raised):
        stage.session.resume("acme", answer=stage.answer(pending, **parameters))
    with pytest.raises(CommandError, match="not the redirected URL"):
        stage.session.resume("acme", answer="accept")

    assert stage.server.forms == []
    assert stage.session.resume("acme", answer=stage.answer(pending))


def test_the_right_issuer_is_accepted(stage):
    """RFC 9207, compared to the letter."""
    pending = stage.ask()
    url = stage.answer(pending, iss="https://id.acme.example")

    assert stage.session.resume("acme", answer=url)


def test_a_refusal_ends_the_login(stage):
    """It is the server's word; a second answer finds nothing waiting."""
    pending = stage.ask()
    url = stage.answer(pending, code="", error="access_denied", error_description="No")

    with pytest.raises(AccessDenied, match="No"):
        stage.session.resume("acme", answer=url)
    with pytest.raises(CommandError, match="Nothing waits"):
        stage.session.resume("acme", answer=stage.answer(pending))


def test_an_unknown_error_keeps_its_code(stage):
    """Banks have codes of their own."""
    pending = stage.ask()
    url = stage.answer(pending, code="", error="bank_closed")

    with pytest.raises(OAuthError, match="bank_closed"):
        stage.session.resume("acme", answer=url)


def test_a_login_has_an_end(stage):
    """After ten minutes it must be started anew, and is another one."""
    pending = stage.ask()
    stage.now += timedelta(minutes=10)

    with pytest.raises(CommandError, match="time for this is over"):
        stage.session.resume("acme", answer=stage.answer(pending))

    assert stage.ask().url != pending.url


def test_requests_that_waited_for_a_login_are_sent_after_it(stage):
    """`resume` returns what the first call would have returned."""
    stage.ask()
    with pytest.raises(UserActionRequired) as caught:
        stage.session.api("acme", "GET /items")

    reply = stage.session.resume(answer=stage.answer(caught.value.pending))

    assert reply.status == 200
    assert stage.server.bearers == ["Bearer fake-token-1"]


def test_a_stronger_login_is_asked_for_and_the_request_repeated(stage):
    """RFC 9470: acr_values and max_age go into the new authorization request."""
    stage.session.resume("acme", answer=stage.answer(stage.ask()))
    challenge = (
        'Bearer error="insufficient_user_authentication", acr_values="gold", max_age=5'
    )
    refused = WireResponse(status=401, headers=(("www-authenticate", challenge),))
    stage.server.answers = [refused]

    with pytest.raises(UserActionRequired) as caught:
        stage.session.api("acme", "GET /items")
    pending = caught.value.pending
    reply = stage.session.resume("acme", answer=stage.answer(pending))

    assert "acr_values=gold" in pending.url
    assert "max_age=5" in pending.url
    assert reply.status == 200
    assert stage.server.bearers == ["Bearer fake-token-1", "Bearer fake-token-2"]


def test_the_redirect_uri_is_a_credential(stage):
    """Without the registered one nothing can begin."""
    with pytest.raises(MissingCredentials, match="redirect_uri missing"):
        stage.session.token("acme", credentials={"client_id": "me"})


def test_the_consent_of_a_bank_ends_and_the_login_is_asked_for_again():
    """90 days from the login, said a week before; a refresh does not prolong it."""
    session = Session(environ={})
    bank = "stet/17515@demo"
    with pytest.raises(UserActionRequired):
        session.token(bank)
    first = session.resume(bank, answer="accept")
    demo = session.demo(bank)
    demo.advance(84 * 24 * 3600)

    renewed = session.token(bank)

    assert first.refresh_expires_at - first.issued_at == timedelta(days=90)
    assert renewed.generation != first.generation
    assert renewed.refresh_expires_at == first.refresh_expires_at
    assert "log in again before (6 d 0 h left)" in token_text(renewed)
    reply = session.api(bank, "GET /accounts")
    assert reply.note == "the login ends in 6 days: log in again before"
    demo.advance(7 * 24 * 3600)
    with pytest.raises(UserActionRequired):
        session.api(bank, "GET /accounts")
    assert session.resume(bank, answer="accept").status == 200


def test_the_days_of_a_consent_are_a_setting():
    """180 at other banks."""
    session = Session(environ={})
    session.configure(settings={"stet": {"consent_days": "180", "version": "1.6.2"}})
    with pytest.raises(UserActionRequired):
        session.api("stet/17515@demo", "GET /accounts")

    reply = session.resume(answer="accept")
    token = session.show("stet/17515@demo")

    assert token.refresh_expires_at - token.issued_at == timedelta(days=180)
    assert "/stet/psd2/v1.6.2/accounts" in reply.url


def test_no_traceback_shows_the_answer(stage):
    """Neither the code nor the state, with locals or without."""
    pending = stage.ask()
    answers = [
        stage.answer(pending, state="fake-other-state", code="fake-code-99"),
        stage.answer(pending, code="", error="access_denied", extra="fake-code-99"),
    ]

    for url in answers:
        try:
            stage.session.resume("acme", answer=url)
        except OAuthMagicError as error:
            # This frame is the test's own, and holds the URL.
            frames = error.__traceback__.tb_next
            shown = "".join(
                TracebackException(
                    type(error), error, frames, capture_locals=True
                ).format()
            )

        assert "fake-code-99" not in shown


def test_a_server_that_is_busy_leaves_the_login_waiting(stage):
    """What the hint says must be possible: wait, then try again."""
    pending = stage.ask()
    stage.server.busy = True

    with pytest.raises(RateLimited):
        stage.session.resume("acme", answer=stage.answer(pending))
    stage.server.busy = False

    assert stage.session.resume("acme", answer=stage.answer(pending))
