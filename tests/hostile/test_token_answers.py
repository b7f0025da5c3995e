"""Whatever a token endpoint answers: a token or one typed error, and nothing shown.

Every answer of the two data files goes through every grant, over a socket.
"""

from __future__ import annotations

import gc
import logging
import time
import tomllib
from pathlib import Path

import pytest
from hostile_clients import (
    FLOWS,
    NOW,
    OLD_REFRESH,
    attempt,
    run,
    sent_in,
    session_at,
)
from hostile_servers import answer_of
from leaks import shown, traces
from scales import SOAK

from oauthmagic import errors
from oauthmagic.redaction import forget_the_gone
from oauthmagic.views.tokens import token_html, token_text

HERE = Path(__file__).parent
ON_THE_WIRE = tomllib.loads((HERE / "token_answers.toml").read_text(encoding="utf-8"))
IN_WORDS = tomllib.loads(
    (HERE.parent / "oauth" / "token_responses.toml").read_text(encoding="utf-8")
)
CASES = [*ON_THE_WIRE["case"], *IN_WORDS["case"]]
#: In `make test` the first grant goes through all of them, the others through some.
EVERY = 1 if SOAK else 4
#: The longest that an answer may be waited for beyond its deadline.
GRACE = 1.0
NAMES = {
    "LONG": "a" * 70_000,
    "DIGITS": "1" * 5001,
    "FIELDS": "\r\n".join(f"X-{number}: a" for number in range(300)),
}


def chosen(flow):
    """Return the answers that a grant goes through."""
    number = list(FLOWS).index(flow)
    return CASES if number == 0 else CASES[number % EVERY :: EVERY]


def expected(case, flow):
    """Return the class of the error that a case is for a grant, or None."""
    refused = case.get("when", {}).get(flow, case.get("refused"))
    refused = ON_THE_WIRE["on_the_wire"].get(case["name"], refused)
    return ON_THE_WIRE["always"].get(flow, {}).get(refused, refused)


def hostile(case, flow, other):
    """Return the answer of a case to a request, which it may repeat."""

    def answer(request):
        head, _, form = request.decode("latin-1").partition("\r\n\r\n")
        lines = [line for line in head.split("\r\n") if line.startswith("Authoriz")]
        basic = lines[0].partition(": ")[2] if lines else ""
        names = NAMES | sent_in(flow)
        return answer_of(case, **names, OTHER=other.url, BASIC=basic, FORM=form)

    return answer


def what_came(case, flow, session, server, other):
    """Go through a grant; return what is wrong with the outcome, and all it shows."""
    timeout = case.get("timeout", 8.0)
    session.configure(timeout=timeout)
    wrong = []
    begun = time.monotonic()
    try:
        token = run(session, flow, server, hostile(case, flow, other))
    except errors.OAuthMagicError as error:
        wrong += wrong_error(error, case, flow)
        text = shown(error)
    except Exception as error:  # noqa: BLE001 - what must not happen
        wrong.append(f"untyped: {error!r}")
        text = ""
    else:
        wrong += wrong_token(token, case, flow)
        text = f"{token!r}{token_text(token)}{token_html(token)}"
        token = None
    took = time.monotonic() - begun
    if took > timeout + GRACE:
        wrong.append(f"hangs: {took:.1f} s")
    server.settle()
    held = session.tokens()
    if len(held) != (flow == "refresh_token" or "accepted" in case):
        wrong.append(f"{len(held)} tokens are held")
    text += held.to_string() + repr(session)
    session.forget(every=True)
    return wrong, text


def wrong_error(error, case, flow):
    """Return what is wrong with an error."""
    name = expected(case, flow)
    if type(error).__name__ != name:
        return [f"{error!r} is not {name or 'accepted'}"]
    wrong = []
    said = str(error)
    if name == case["refused"] and case["says"] not in said:
        wrong.append(f"{said!r} does not say {case['says']!r}")
    if not (said + error.hint).replace("\n", " ").isprintable():
        wrong.append(f"{said!r} is not fit to be printed")
    if len(said) > errors.LONGEST_MESSAGE:
        wrong.append("the message is too long")
    return wrong


def wrong_token(token, case, flow):
    """Return what is wrong with a token."""
    if "accepted" not in case:
        return [f"accepted, not {expected(case, flow)}"]
    wanted = {
        "access_token": "plainly-fake-access",
        "expires_in": None,
        "refresh_token": OLD_REFRESH if flow == "refresh_token" else None,
    } | case["accepted"]
    end = token.expires_at
    found = {
        "access_token": token.access_token.reveal(),
        "expires_in": end and (end - NOW).total_seconds(),
        "refresh_token": token.refresh_token and token.refresh_token.reveal(),
        "scopes": sorted(token.scopes),
    }
    wanted["scopes"] = sorted(wanted.get("scopes", ()))
    wanted = {name: wanted[name] for name in found}
    return [] if found == wanted else [f"{found} is not {wanted}"]


@pytest.mark.parametrize("flow", FLOWS)
def test_every_answer_has_its_outcome_in_every_grant(
    flow, transport, server, other, caplog, figure
):
    """A token or the typed error of the entry, in time, and no secret anywhere."""
    caplog.set_level(1)
    runs, untyped, hangs, leaks, failures = 0, 0, 0, 0, []
    step_up = "sca" if flow == "step_up" else ""
    gc.freeze()
    with session_at(server, step_up=step_up, transport=transport) as session:
        for case in chosen(flow):
            # What an earlier run knew must not mask what this one shows.
            gc.collect()
            forget_the_gone()
            caplog.clear()
            wrong, text = what_came(case, flow, session, server, other)
            logged = "\n".join(f"{vars(record)}" for record in caplog.records)
            found = traces(text + caplog.text + logged)
            leaks += bool(found)
            wrong += [f"leak, {form}" for form in found]
            runs += 1
            untyped += any(each.startswith("untyped") for each in wrong)
            hangs += any(each.startswith("hangs") for each in wrong)
            failures += [f"{case['name']}: {each}" for each in wrong]
    gc.unfreeze()

    figure(
        f"hostile token responses, {flow}",
        f"{runs} runs, untyped errors {untyped}, hangs {hangs}, leaks {leaks}",
    )
    assert not failures, "\n".join(failures)


def test_every_answer_to_a_second_factor_is_an_error_or_a_yes(
    transport, server, other, caplog, figure
):
    """It is read by another reader; none of these answers says that it was verified."""
    caplog.set_level(1)
    chosen, untyped, leaks = CASES[1::EVERY], [], []
    with session_at(server, step_up="sca", transport=transport) as session:
        for case in chosen:
            caplog.clear()
            session.configure(timeout=case.get("timeout", 8.0))
            try:
                attempt(session, server, hostile(case, "step_up", other))
            except errors.OAuthMagicError as error:
                logged = "".join(f"{vars(record)}" for record in caplog.records)
                leaks += [case["name"]] * bool(traces(shown(error) + logged))
            except Exception as error:  # noqa: BLE001 - what must not happen
                untyped.append(f"{case['name']}: {error!r}")
            else:
                untyped.append(f"{case['name']}: accepted")
            server.settle()
            session.forget(every=True)

    figure(
        "hostile answers to a second factor",
        f"{len(chosen)} runs, untyped errors {len(untyped)}, leaks {len(leaks)}",
    )
    assert (untyped, leaks) == ([], [])


def test_there_are_enough_answers_and_each_has_a_name():
    """At least 200, of both kinds; every logger is listened to."""
    names = [case["name"] for case in CASES]

    assert len(names) >= 200
    for file in (ON_THE_WIRE, IN_WORDS):
        here = [case["name"] for case in file["case"]]
        assert len(set(here)) == len(here)
    assert all(("accepted" in case) != ("refused" in case) for case in CASES)
    assert logging.getLogger("oauthmagic").propagate


@pytest.mark.parametrize(
    "text",
    [
        "say plainly-fake-secret",
        "Basic YW5hbHlzdDpwbGFpbmx5LWZha2Utc2VjcmV0",
        "706c61696e6c792d66616b65",
        "pl\x1b[31mainly-fake",
        "ekaf-ylnialp",
        "%70%6C%61%69%6E%6C%79%2D%66%61%6B%65",
    ],
)
def test_the_search_finds_what_it_looks_for(text):
    """A search that finds nothing must be able to find something."""
    assert traces(text)
    assert not traces("[secret]")
