"""Whatever a resource server answers: a reply or one typed error, and no token leaves.

Every answer of the data file comes to a GET and to a POST, over a socket.
"""

from __future__ import annotations

import base64
import contextlib
import json
import time
import tomllib
from pathlib import Path

import pytest
from hostile_clients import (
    CHALLENGE,
    DETAILS,
    OLD_ACCESS,
    OLD_REFRESH,
    credentials,
    session_at,
)
from hostile_servers import answer_of, plain
from leaks import shown, traces

from oauthmagic import errors
from oauthmagic.views.html import reply_html
from oauthmagic.views.texts import headers_text, reply_line

CASES = tomllib.loads(
    Path(__file__).with_name("resource_answers.toml").read_text(encoding="utf-8")
)["case"]
REQUESTS = {
    "GET": "GET /items?limit=5",
    "POST": 'POST /items\nContent-Type: application/json\n\n{"amount": 1}',
}
NEW = plain(200, {"access_token": "plainly-fake-new-access", "token_type": "Bearer"})
_OUT = json.dumps({"scaDetails": DETAILS | {"eventId": ".."}}).encode()
NAMES = {
    "CHALLENGE": CHALLENGE,
    "EVENT_PATH": base64.b64encode(_OUT).decode(),
    "LONG": "a" * 6_000,
    "FIVE": "A" * 5_000,
    "DIGITS": "1" * 5_001,
    "SCHEMES": ", ".join(f"S{number}" for number in range(600)),
    "FIELDS": "\r\n".join(f"X-{number}: a" for number in range(300)),
}
#: The longest that waiting as a server says may take in all.
MAX_WAIT = 10.0
GRACE = 1.0


def is_about_a_token(request):
    """Return whether a request is one for a token."""
    return request.startswith(b"POST /token ")


def hostile(case, other):
    """Return what answers token requests well and others as the case says."""

    def answer(request):
        if is_about_a_token(request):
            return NEW
        head, _, body = request.decode("latin-1").partition("\r\n\r\n")
        (line,) = [each for each in head.split("\r\n") if each.startswith("auth")]
        authorization = line.partition(": ")[2]
        return answer_of(
            case,
            **NAMES,
            OTHER=other.url,
            AUTHORIZATION=authorization,
            ACCESS=authorization.partition(" ")[2],
            REQUEST=f"{head}\n{body}".replace('"', "'"),
        )

    return answer


def all_shown(reply):
    """Return all that is shown of a reply."""
    parts = [repr(reply), reply_html(reply), reply.exchange, reply_line(reply)]
    return "\n".join([*parts, headers_text(reply), repr(reply.headers)])


def wrong_looks(reply, case):
    """Return what is wrong with how a reply looks."""
    text, page = all_shown(reply), reply_html(reply)
    text.encode()
    marked = [mark for mark in ("\x1b", "\u202e") if mark in text]
    marked += [mark for mark in ("<script", "<svg", "<img", "<meta") if mark in page]
    checks = {
        f"the status is {reply.status}": reply.status == case.get("status", 200),
        f"the hint is {reply.hint!r}": case.get("hint", "") in reply.hint,
        f"the note is {reply.note!r}": case.get("note", "") in reply.note,
        f"it looks so: {repr(reply)[:200]}": case.get("shows", "") in repr(reply),
        "what should be hidden is shown": case.get("hides", "\0") not in text,
        f"{marked} are shown": not marked,
    }
    return [what for what, is_right in checks.items() if not is_right]


def wrong_reading(reply, case):
    """Return what is wrong with what is read from a reply, and what errors show."""
    wrong, text = [], ""
    rows = None
    for name, read in (("json", reply.json), ("frame", reply.frame)):
        fails = case.get("json") == "fails"
        try:
            found = read()
        except errors.ReplyError as error:
            text += shown(error)
            if not fails and (name == "json" or "rows" in case):
                wrong.append(f"{name}: {error!r}")
        else:
            rows = len(found) if name == "frame" else None
            if fails:
                wrong.append(f"{name} is {found!r}")
    if rows != case.get("rows", rows):
        wrong.append(f"the frame has {rows} rows")
    return wrong, text


def what_came(case, method, session, server, other):
    """Send a request; return what is wrong with the outcome, and all it shows."""
    timeout = case.get("timeout", 30.0)
    session.configure(timeout=timeout)
    held = {"access_token": OLD_ACCESS, "refresh_token": OLD_REFRESH}
    session.adopt("acme", held, credentials=credentials())
    server.play(hostile(case, other))
    wrong = []
    begun = time.monotonic()
    try:
        reply = session.api("acme", REQUESTS[method])
    except errors.OAuthMagicError as error:
        text = shown(error)
        if type(error).__name__ != case.get("refused"):
            wrong.append(f"{error!r} is not {case.get('refused', 'a reply')}")
        elif case["says"] not in str(error):
            wrong.append(f"{str(error)!r} does not say {case['says']!r}")
    except Exception as error:  # noqa: BLE001 - what must not happen
        wrong.append(f"untyped: {error!r}")
        text = ""
    else:
        if "refused" in case:
            wrong.append(f"a reply, not {case['refused']}")
        try:
            found, text = wrong_reading(reply, case)
            wrong += found + wrong_looks(reply, case)
            text += all_shown(reply)
        except Exception as error:  # noqa: BLE001 - what must not happen
            wrong.append(f"untyped, when it was read: {error!r}")
            text = ""
    took = time.monotonic() - begun
    if took > timeout + GRACE:
        wrong.append(f"hangs: {took:.1f} s")
    server.settle()
    wrong += wrong_requests(case, method, session, server)
    session.forget(every=True)
    return wrong, text


def wrong_requests(case, method, session, server):
    """Return what is wrong with what was sent, and waited for."""
    wrong = []
    asked = [each for each in server.requests if not is_about_a_token(each)]
    renewed = len(server.requests) - len(asked)
    if renewed != case.get("renewed", 0):
        wrong.append(f"{renewed} token requests")
    waits = case.get("waits", False)
    if method == "GET" and (waits or case.get("again")):
        if waits and not session.slept:
            wrong.append("does not wait")
        if sum(session.slept) > MAX_WAIT:
            wrong.append(f"waits {session.slept}")
    elif session.slept or len(asked) != case.get("sent", 1):
        wrong.append(f"sent {len(asked)} times, waits {session.slept}")
    return wrong


@pytest.mark.parametrize("method", REQUESTS)
def test_every_answer_has_its_outcome(method, server, other, transport, caplog, figure):
    """A reply or the typed error of the entry; what was sent is never shown."""
    caplog.set_level(1)
    untyped, leaks, failures = 0, 0, []
    with contextlib.ExitStack() as stack:
        sessions = {
            step_up: stack.enter_context(
                session_at(server, step_up=step_up, transport=transport)
            )
            for step_up in ("", "sca")
        }
        for case in CASES:
            caplog.clear()
            session = sessions["sca" if case.get("step_up") else ""]
            if case.get("status") in (429, 503):
                # A session remembers that a server is busy.
                session = stack.enter_context(session_at(server, transport=transport))
            wrong, text = what_came(case, method, session, server, other)
            logged = "".join(f"{vars(record)}" for record in caplog.records)
            found = traces(text + caplog.text + logged)
            leaks += bool(found)
            wrong += [f"leak, {form}" for form in found]
            untyped += any(each.startswith("untyped") for each in wrong)
            failures += [f"{case['name']}: {each}" for each in wrong]

    figure(
        f"hostile resource responses, {method}",
        f"{len(CASES)} runs, untyped errors {untyped}, leaks {leaks}, "
        f"connections to another origin {other.connections}",
    )
    assert not failures, "\n".join(failures)


def test_there_are_enough_answers_and_each_has_a_name():
    """At least 100."""
    assert len({case["name"] for case in CASES}) == len(CASES) >= 100
    assert sum(case.get("status") == 401 for case in CASES) >= 30
