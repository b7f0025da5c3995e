from __future__ import annotations

import html.parser
import itertools
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthmagic.errors import ConnectionLost
from oauthmagic.redaction import Secret
from oauthmagic.runtime.traces import MOST, RecordingTransport, Trace
from oauthmagic.transport.wire import WireRequest, WireResponse
from oauthmagic.views.traces import ShownTrace

ENDPOINTS = {
    "token_endpoint": "https://id.example/token",
    "revocation_endpoint": "https://id.example/revoke",
}
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</pre></details><b>",
    "\x1b[31mred\x1b[0m",
    "; end\n    p0->>p1: forged",
    "#quot;%%{init: {'a': 1}}%%",
    "```\n\n# heading",
    "$\\alpha$ | a | b |",
    "\u202eevil",
]


class Answering:
    """Answers with what it is given."""

    def __init__(self, answer):
        self.answer = answer

    def send(self, request, *, timeout, limit):  # noqa: ARG002 - the seam's
        """Answer, or fail."""
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def traced(answer, *requests, **options):
    """Send requests through a recording transport and return what is shown."""
    trace = Trace(
        "acme@sandbox", lambda: datetime(2026, 3, 1, tzinfo=UTC), itertools.count(1)
    )
    transport = RecordingTransport(
        Answering(answer),
        trace,
        endpoints=ENDPOINTS,
        api_base="https://api.example/v1",
        **options,
    )
    for request in requests:
        try:
            transport.send(WireRequest(**request), timeout=1, limit=1)
        except ConnectionLost:
            continue
    return ShownTrace(
        target=trace.target, exchanges=trace.exchanges(), forgotten=trace.forgotten
    )


def token_request(**form):
    """Return a token request."""
    body = "&".join(f"{name}={value}" for name, value in form.items())
    return {
        "method": "POST",
        "url": ENDPOINTS["token_endpoint"],
        "headers": (
            ("content-type", "application/x-www-form-urlencoded"),
            ("authorization", "Basic cmVhZGVyOmZha2Utc2VjcmV0"),
        ),
        "body": body.encode(),
    }


def everything(trace):
    """Return all that a trace shows."""
    return "\n".join([repr(trace), *trace._repr_mimebundle_().values()])


def test_a_token_nobody_knows_yet_is_not_shown():
    """The redactor cannot know new tokens; values are not written down at all."""
    body = (
        b'{"access_token": "brand-new-1", "refresh_token": "brand-new-2", '
        b'"token_type": "Bearer", "expires_in": 300, "x": {"y": "brand-new-3"}, '
        b'"brand-new-list": ["brand-new-4"]}'
    )
    answer = WireResponse(
        status=200,
        headers=(
            ("content-type", "application/json"),
            ("set-cookie", "sid=brand-new-5"),
            ("x-token", "brand-new-6"),
            ("location", "https://app.example/?code=brand-new-7"),
            ("www-authenticate", 'sca sca_event="brand-new-8"'),
        ),
        body=body,
    )

    shown = everything(
        traced(
            answer,
            token_request(
                grant_type="password", username="jane", password="fake", scope="a+b"
            ),
        )
    )

    assert not re.search(r"brand-new-\d", shown)
    assert "jane" not in shown
    assert "cmVhZGVy" not in shown
    for told in ("access_token = ...", "expires_in = 300", "scope = a b", "X-Token"):
        assert told in shown


def test_a_known_secret_in_a_path_is_masked():
    """A path is shown, and what is known as a secret in it is not."""
    secret = Secret("fake-secret-in-a-path")

    shown = everything(
        traced(
            WireResponse(status=200),
            {"method": "GET", "url": f"https://api.example/v1/{secret.reveal()}/x"},
        )
    )

    assert "fake-secret-in-a-path" not in shown
    assert "[secret]" in shown


def test_a_secret_that_became_known_later_is_masked():
    """What is shown is redacted once more: it may have been new when it was kept."""
    trace = traced(
        WireResponse(status=200),
        {"method": "GET", "url": "https://api.example/v1/fake-code-of-a-later-time"},
    )
    later = Secret("fake-code-of-a-later-time")

    assert later.reveal() not in everything(trace)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_server_draws_nothing(text):
    """Script, escapes, Mermaid and Markdown of a stranger stay text."""
    answer = WireResponse(
        status=400,
        headers=(("content-type", text), (text, text)),
        body=b'{"error": "x"}',
    )
    trace = traced(
        answer,
        token_request(grant_type=text.replace("&", "")),
        {"method": "GET", "url": f"https://api.example/v1/{text}"},
    )
    bundle = trace._repr_mimebundle_()

    assert "\x1b" not in everything(trace)
    assert "\u202e" not in everything(trace)
    assert tags_of(bundle["text/html"]) <= ALLOWED
    diagram = bundle["text/markdown"].split("```")[1]
    for line in diagram.splitlines()[2:]:
        assert re.fullmatch(
            r"    (participant p\d as [a-zA-Z ]+"
            r"|(p\d-?->>p\d|Note over p\d): (?:[A-Za-z0-9 /.,_()?=-]|#\d+;)*)",
            line,
        )
    assert len(diagram.splitlines()) == 9
    rest = bundle["text/markdown"].split("```")[2]
    assert tags_of(rest) <= {"details", "summary", "pre"}


ALLOWED = {
    *("table", "caption", "thead", "tbody", "tr", "th", "td"),
    *("div", "span", "b", "details", "summary", "pre"),
}


def tags_of(text):
    """Return the elements that a browser would make."""
    found = set()

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag, attributes):
            found.add(tag)
            assert not any(name.startswith("on") for name, _ in attributes)

    Reader().feed(text)
    return found


@given(text=st.text(max_size=60))
def test_no_text_leaves_its_place(text):
    """Whatever a URL and a media type hold, the drawing has the same lines."""
    trace = traced(
        WireResponse(status=200, headers=(("content-type", text),)),
        {"method": "GET", "url": f"https://api.example/v1/{text}"},
    )

    assert len(repr(trace).splitlines()) == 9
    assert tags_of(trace._repr_mimebundle_()["text/html"]) <= ALLOWED


def test_who_was_asked_is_told_from_the_url_and_the_form():
    """Endpoints and forms with a grant are the authorization server's."""
    trace = traced(
        WireResponse(status=200, elapsed=0.0125),
        token_request(grant_type="urn:ietf:params:oauth:grant-type:token-exchange"),
        {"method": "POST", "url": "https://id.example/revoke", "body": b"token=x"},
        {"method": "POST", "url": "https://api.example/v1/ask", "body": b"token=x"},
        {"method": "GET", "url": "https://id.example/.well-known/openid-configuration"},
        {
            "method": "GET",
            "url": "https://api.example/v1/accounts?page=2",
            "headers": (("signature", "keyId=..."),),
        },
        has_certificate=True,
    )

    assert [(each.receiver, each.title) for each in trace.exchanges] == [
        ("authorization server", "token request (token-exchange): POST /token"),
        ("authorization server", "revocation: POST /revoke"),
        ("authorization server", "about a token: POST /v1/ask"),
        (
            "authorization server",
            "discovery: GET /.well-known/openid-configuration",
        ),
        ("API", "GET /v1/accounts"),
    ]
    assert trace.exchanges[4].notes == ("mutual TLS", "HTTP signature")
    assert "200 OK, 12 ms" in repr(trace)
    assert "?page = ..." in trace.exchanges[4].request


def test_what_never_came_back_is_told_too():
    """A lost connection is a step with its reason."""
    trace = traced(
        ConnectionLost("The connection was lost.", sent="unknown"),
        {"method": "GET", "url": "https://api.example/v1/x"},
    )

    assert trace.exchanges[0].outcome == "ConnectionLost"
    assert "The connection was lost" in trace.exchanges[0].response


def test_only_the_last_steps_are_remembered():
    """A trace is bounded, and says what it left out."""
    request = {"method": "GET", "url": "https://api.example/v1/x"}

    trace = traced(WireResponse(status=200), *[request] * (MOST + 7))

    assert len(trace) == MOST
    assert repr(trace).startswith(f"Trace of acme@sandbox: {MOST} steps, and 7 before")


def test_a_diagram_fits_a_terminal():
    """No line is longer than 88 columns; the lives stand below their names."""
    trace = traced(
        WireResponse(status=200),
        token_request(grant_type="client_credentials"),
        {"method": "GET", "url": "https://api.example/v1/" + "long/" * 40},
    )

    lines = repr(trace).splitlines()
    assert max(map(len, lines)) <= 88
    assert "notebook" in lines[2]
    assert "authorization server" in lines[2]
    assert "API" in lines[2]


def test_each_step_says_in_words_who_asked_whom():
    """An arrow alone says nothing to a screen reader."""
    text = traced(
        WireResponse(status=200), {"method": "GET", "url": "https://api.example/v1/x"}
    )._repr_mimebundle_()["text/html"]

    assert "(notebook to API)" in text
    assert 'aria-hidden="true"' in text
    assert "<caption" in text
    assert 'scope="col"' in text
