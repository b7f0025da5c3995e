"""Whatever comes back from a login: it completes it, leaves it waiting, or ends it."""

from __future__ import annotations

import tomllib
import urllib.parse
from dataclasses import replace
from pathlib import Path

import pytest
from hostile_clients import REDIRECT_URI, credentials, provider_at, session_at
from hostile_servers import plain
from hypothesis import given
from hypothesis import strategies as st
from leaks import shown, traces
from scales import scaled

from oauthmagic import UserActionRequired, errors
from oauthmagic.oauth.authorization import (
    AuthorizationRequest,
    read_authorization_response,
    state_of,
)
from oauthmagic.redaction import Secret

CASES = tomllib.loads(
    Path(__file__).with_name("callbacks.toml").read_text(encoding="utf-8")
)["case"]
GOOD = plain(200, {"access_token": "fake-token-1", "token_type": "Bearer"})


@pytest.fixture
def ask(server, transport):
    """Begin a login at a provider with an issuer; return the session and the action."""
    with session_at(server, transport=transport) as session:

        def ask(*, announced):
            provider = provider_at(server.url)
            sandbox = provider.environments["sandbox"]
            sandbox = replace(
                sandbox,
                iss_in_response=announced,
                endpoints={**sandbox.endpoints, "issuer": server.url},
            )
            session.add(
                replace(provider, name="bank", environments={"sandbox": sandbox})
            )
            with pytest.raises(UserActionRequired) as asked:
                session.token(
                    "bank", grant="authorization_code", credentials=credentials()
                )
            return session, asked.value.pending

        yield ask


def state_in(pending):
    """Return the state that a login waits for."""
    return dict(urllib.parse.parse_qsl(pending.url.partition("?")[2]))["state"]


def filled(url, pending, issuer):
    """Return the URL of a case for a login."""
    state = state_in(pending)
    names = {
        "STATE_ENCODED": f"%{ord(state[0]):02X}{state[1:]}",
        "STATE_CUT": state[:-1],
        "STATE_SWAPPED": state.swapcase(),
        "STATE": state,
        "ISSUER": issuer,
        "REQUEST": pending.url,
        "LONG": "a" * 20_000,
        "PARAMETERS": "".join(f"&p{number}=1" for number in range(1000)),
    }
    for name, value in names.items():
        url = url.replace(f"@{name}@", value)
    return url


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_every_callback_has_its_outcome(case, ask, server):
    """Completed once, or still waiting, or over; and nothing sent but for the first."""
    session, pending = ask(announced=case.get("iss") == "announced")
    url = filled(case["url"], pending, server.url)
    server.play(GOOD)

    if case["expected"] == "completes":
        session.resume("bank", answer=url)
    else:
        with pytest.raises(errors.OAuthMagicError) as raised:
            session.resume("bank", answer=url)
        assert type(raised.value).__name__ == case.get("error", "CommandError")
        assert case["says"] in str(raised.value)
        assert raised.value.hint
        assert str(raised.value).isprintable()
        assert state_in(pending) not in f"{raised.value}{raised.value.hint}"
        assert not traces(shown(raised.value))

    forms = [
        dict(urllib.parse.parse_qsl(each.decode().partition("\r\n\r\n")[2]))
        for each in server.requests
    ]
    wanted = [case["code"]] if "code" in case else []
    assert [form["code"] for form in forms] == wanted
    if case["expected"] == "waits":
        assert session.pending("bank") == pending
        answer = f"{REDIRECT_URI}?code=c0de&state={state_in(pending)}&iss={server.url}"
        assert session.resume("bank", answer=answer).grant == "authorization_code"
    with pytest.raises(errors.CommandError, match="Nothing waits"):
        session.pending("bank")


def test_there_are_enough_callbacks_of_every_kind():
    """At least forty."""
    assert len({case["name"] for case in CASES}) == len(CASES) >= 40
    assert {case["expected"] for case in CASES} == {"completes", "waits", "ends"}


def test_after_many_bad_callbacks_the_good_one_completes(ask, server, figure):
    """Nobody can end a login by sending nonsense, however often."""
    session, pending = ask(announced=False)
    server.play(GOOD)
    count = scaled(1_000, 10_000)
    for number in range(count):
        with pytest.raises(errors.CommandError):
            session.resume("bank", answer=f"{REDIRECT_URI}?code=x&state={number}")

    answer = f"{REDIRECT_URI}?code=c0de&state={state_in(pending)}"
    assert session.resume("bank", answer=answer)
    assert len(server.requests) == 1
    figure("bad callbacks, then the good one", f"{count}, then the token")


STATE = "plainly-fake-state-0123456789"
ISSUER = "https://id.example"
names = st.sampled_from(
    ["code", "state", "iss", "error", "error_description", "scope", "response", ""]
)
values = st.sampled_from(["c0de", STATE, STATE[:-1], ISSUER, "access_denied", ""])
places = st.sampled_from(
    [
        REDIRECT_URI,
        REDIRECT_URI.upper(),
        "https://evil.example/callback",
        "",
        "https://[",
    ]
)


@given(
    places | st.text(max_size=30),
    st.lists(st.tuples(names, values | st.text(max_size=20)), max_size=8),
    st.sampled_from(["?", "#", "?#", "??", ""]),
    st.text(max_size=10),
    st.booleans(),
)
def test_any_url_is_a_code_or_an_error_or_refused(place, pairs, mark, tail, announced):
    """Property: a code comes out only of a URL with the state, once, at its place."""
    request = AuthorizationRequest(
        url="https://id.example/authorize",
        redirect_uri=REDIRECT_URI,
        state=Secret(STATE),
        issuer=ISSUER,
        iss_in_response=announced,
    )
    url = f"{place}{mark}{urllib.parse.urlencode(pairs)}{tail}"
    try:
        outcome = read_authorization_response(request, url)
    except errors.CommandError as error:
        outcome = error
    if isinstance(outcome, errors.OAuthMagicError):
        assert STATE not in f"{outcome}{outcome.hint}"
    if isinstance(outcome, errors.CommandError):
        return
    assert isinstance(outcome, Secret | errors.OAuthError)
    assert place.lower() == REDIRECT_URI
    assert ("state", STATE) in pairs or STATE in tail
    assert not announced or ("iss", ISSUER) in pairs
    assert state_of(url) == STATE
