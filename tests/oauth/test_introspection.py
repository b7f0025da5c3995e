"""RFC 7662, section 2.2: what is believed of an introspection response."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scales import scaled

from oauthmagic import errors
from oauthmagic.oauth.introspection import Introspection, read_introspection
from oauthmagic.oauth.tokens import Token
from oauthmagic.redaction import Secret
from oauthmagic.views.introspections import Introspected

CASES = tomllib.loads(
    Path(__file__).with_name("introspection_responses.toml").read_text(encoding="utf-8")
)["case"]
HELD = "plainly-fake-held"
TOKEN = Token(
    target="acme@sandbox",
    access_token=None,
    issued_at=datetime(2030, 1, 1, tzinfo=UTC),
    clock=lambda: datetime(2030, 1, 1, tzinfo=UTC),
)
BARE = asdict(Introspection(active=True))
#: What nobody wants in a result: controls, text that runs the other way.
UNSEEMLY = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u202e\ud800-\udfff]")


@pytest.fixture(autouse=True)
def held():
    """Hold the token that a server may repeat."""
    return Secret(HELD)


def body_of(case):
    """Return the body of a case as bytes."""
    if "hex" in case:
        return bytes.fromhex(case["hex"])
    if "body" not in case:
        return json.dumps({"active": True, **case["fields"]}).encode()
    text, times = case.get("repeat", ["", 0])
    many = text * times
    if text == "number":
        many = " ".join(map(str, range(times)))
    return case["body"].replace("@MANY@", many).encode()


def read(body, status=200, media_type="application/json", **headers):
    """Read an introspection response."""
    if media_type:
        headers["content-type"] = media_type
    return read_introspection(status, headers.get, body)


def shown(outcome):
    """Return all that an outcome says, and what is made of it."""
    if isinstance(outcome, Introspection):
        asked = Introspected(said=outcome, token=TOKEN)
        return f"{outcome} {asdict(outcome)} {asked!r} {asked._repr_html_()}"
    return f"{outcome} {outcome!r} {outcome.hint} {vars(outcome)}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_each_response_has_its_outcome(case):
    """As `introspection_responses.toml` lists them."""
    outcome = read(
        body_of(case),
        case.get("status", 200),
        case.get("type", "application/json"),
        **case.get("headers", {}),
    )

    assert HELD not in shown(outcome)
    if "accepted" in case:
        assert isinstance(outcome, Introspection), outcome
        assert plain(outcome) == expected(case)
        frame = Introspected(said=outcome, token=TOKEN).frame()
        assert frame["member"][0] == "active"
        assert HELD not in frame.to_csv()
        assert max(map(len, shown(outcome).splitlines())) < 20_000
    else:
        assert type(outcome) is getattr(errors, case["refused"])
        assert case["says"] in str(outcome)
        assert UNSEEMLY.search(str(outcome) + outcome.hint) is None
        assert len(str(outcome)) < 450


def expected(case):
    """Return the attributes that a case expects."""
    found = {**BARE, **case["accepted"]}
    for name in ("aud", "scopes"):
        found[name] = found[name] if found[name] is None else tuple(found[name])
    for name in ("expires_at", "issued_at", "not_before"):
        if found[name] is not None:
            found[name] = datetime.fromtimestamp(found[name], UTC)
    return found


def plain(outcome):
    """Return the attributes of a result, a long text by its name."""
    found = asdict(outcome)
    assert all(len(value) <= 200 for value in found.values() if isinstance(value, str))
    return {
        name: "long" if isinstance(value, str) and len(value) == 200 else value
        for name, value in found.items()
    }


def test_there_are_enough_cases():
    """Names are different, and there are both kinds."""
    names = [case["name"] for case in CASES]

    assert len(set(names)) == len(names)
    assert sum("refused" in case for case in CASES) >= 50
    assert sum("accepted" in case for case in CASES) >= 20


TEXTS = ("client_id", "username", "token_type", "sub", "iss", "jti")
texts = st.text(max_size=20)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | texts
    | st.sampled_from(["", "a b", f"x {HELD}", HELD[::-1], 1893456000, 10**30, -1]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner),
    max_leaves=4,
)
plausible = st.sampled_from(["", "a b", f"x {HELD}", "urn:a:b"])
responses = st.fixed_dictionaries(
    {"active": st.sampled_from([True] * 6 + [False, "true", None, 1])},
    optional={
        **dict.fromkeys((*TEXTS, "scope"), texts | plausible | json_values),
        **dict.fromkeys(("exp", "iat", "nbf"), st.integers(0, 10**10) | json_values),
        **dict.fromkeys(("aud", "error", "more"), json_values),
    },
)
statuses = st.sampled_from([200] * 10 + [201, 204, 302, 400, 401, 403, 429, 500])
media_types = st.sampled_from(
    ["application/json"] * 5 + ["application/x+json", "text/html", ""]
)


def test_any_object_is_an_introspection_or_an_error(figure):
    """Never anything else; it can be printed and holds no token that is held."""
    read_so_far = []

    @settings(max_examples=scaled(300, 20_000), deadline=None)
    @given(responses, statuses, media_types)
    @example({"active": True, "exp": 10**400}, 200, "application/json")
    @example({"active": True, "username": "\ud800"}, 200, "application/json")
    def read_one(members, status, media_type):
        outcome = read(json.dumps(members).encode(), status, media_type)
        check(outcome)
        read_so_far.append(isinstance(outcome, Introspection))
        if read_so_far[-1]:
            assert status == 200
            assert outcome.active is members["active"]
            assert outcome.active or outcome == Introspection(active=False)

    read_one()
    count = f"{len(read_so_far)}, of which {sum(read_so_far)} can be read"
    figure(f"introspection responses ({count}): untyped errors, leaks", "0, 0")


@given(st.binary(max_size=300), statuses, media_types)
@example(b"\xff\xfe{\x00}\x00", 200, "application/json")
@example(b'{"active":' * 5_000, 200, "application/json")
def test_any_bytes_are_an_introspection_or_an_error(body, status, media_type):
    """A hostile body is an error, not a crash."""
    check(read(body, status, media_type))


def check(outcome):
    """Refuse an outcome that cannot be shown."""
    assert isinstance(outcome, Introspection | errors.OAuthMagicError)
    text = shown(outcome)
    text.encode()
    assert HELD not in text
    if isinstance(outcome, Introspection):
        found = [getattr(outcome, name) for name in TEXTS]
        for value in (*found, *outcome.aud, *(outcome.scopes or ())):
            assert UNSEEMLY.search(value) is None
            assert len(value) <= 200
