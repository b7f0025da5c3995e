from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oauthmagic import errors
from oauthmagic.oauth.responses import TokenResponse, read_token_response
from oauthmagic.redaction import Secret

CASES = tomllib.loads(
    Path(__file__).with_name("token_responses.toml").read_text(encoding="utf-8")
)["case"]
GOOD = {"access_token": "plainly-fake-access", "token_type": "Bearer"}
LONG = 10**5000
TOKENS = ("access_token", "refresh_token", "id_token")
#: What nobody wants in a message: markup, controls, text that runs the other way.
UNSEEMLY = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u202e\ud800-\udfff]|<script|<html")


def body_of(case):
    """Return the body of a case as bytes."""
    if "hex" in case:
        return bytes.fromhex(case["hex"])
    if "body" in case:
        return case["body"].encode()
    members = GOOD | case.get("fields", {})
    for name in case.get("without", ()):
        del members[name]
    if "long_token" in case:
        members["access_token"] = "a" * case["long_token"]
    if "padding" in case:
        members["padding"] = "a" * case["padding"]
    if "long_description" in case:
        description = "a" * case["long_description"]
        members = {"error": "invalid_grant", "error_description": description}
    text = json.dumps(members)
    if "deep" in case:
        nested = "[" * case["deep"] + "]" * case["deep"]
        text = f'{text[:-1]}, "deep": {nested}}}'
    if "long_number" in case:
        text = f'{text[:-1]}, "number": {"1" * case["long_number"]}}}'
    return text.encode()


def read(body, status=200, media_type="application/json", **headers):
    """Read a token response."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if media_type:
        headers["content-type"] = media_type
    return read_token_response(status, headers.get, body)


def shown(error):
    """Return all that an error says."""
    notes = getattr(error, "__notes__", ())
    return "\n".join([str(error), repr(error), error.hint, *notes, repr(vars(error))])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_each_response_has_its_outcome(case):
    """RFC 6749, sections 5.1 and 5.2, as `token_responses.toml` lists them."""
    outcome = read(
        body_of(case),
        case.get("status", 200),
        case.get("type", "application/json"),
        **case.get("headers", {}),
    )

    if "accepted" in case:
        assert isinstance(outcome, TokenResponse), outcome
        assert fields_of(outcome) == {**LEAST, **case["accepted"]}
    else:
        assert type(outcome) is getattr(errors, case["refused"])
        assert case["says"] in str(outcome)
        assert "plainly-fake" not in shown(outcome)
        assert UNSEEMLY.search(str(outcome) + outcome.hint) is None
        assert len(str(outcome)) < 450


LEAST = {
    "access_token": "plainly-fake-access",
    "token_type": "Bearer",
    "expires_in": None,
    "refresh_token": None,
    "refresh_expires_in": None,
    "id_token": None,
    "scopes": None,
}


def fields_of(response):
    """Return the fields of a token response, its secrets revealed."""
    fields = {name: getattr(response, name) for name in LEAST}
    for name in TOKENS:
        fields[name] = fields[name] and fields[name].reveal()
    fields["scopes"] = fields["scopes"] and list(fields["scopes"])
    return fields


def test_there_are_enough_cases():
    """Names are different, and there are both kinds."""
    names = [case["name"] for case in CASES]

    assert len(set(names)) == len(names) >= 120
    assert sum("accepted" in case for case in CASES) >= 25


def test_a_good_response_does_not_show_its_tokens():
    """Nor does it compare, pickle or measure them."""
    response = read(json.dumps(GOOD | {"refresh_token": "plainly-fake-r"}).encode())

    assert "plainly-fake" not in repr(response)


@pytest.mark.parametrize(
    ("digits", "seconds"),
    [("5", 5), ("12345678", 12345678), ("90", 90), ("000000000300", 300)],
)
def test_seconds_may_be_digits_in_a_text(digits, seconds):
    """Up to twelve of them."""
    outcome = read(json.dumps(GOOD | {"expires_in": digits}).encode())

    assert outcome.expires_in == seconds


def test_more_digits_are_no_seconds():
    """Thirteen would be 30,000 years."""
    outcome = read(json.dumps(GOOD | {"expires_in": "0000000000300"}).encode())

    assert "its expires_in is not a number of seconds" in str(outcome)


@pytest.mark.parametrize("length", [65536, 65537])
def test_a_token_fits_a_header(length):
    """64 KiB, and not one character more."""
    outcome = read(json.dumps(GOOD | {"access_token": "a" * length}).encode())

    if length == 65536:
        assert len(outcome.access_token.reveal()) == 65536
    else:
        assert "its access_token is longer than 64 KiB" in str(outcome)


def test_a_token_response_is_a_value():
    """Frozen, with names for its fields, and no place to hang anything on."""
    response = read(json.dumps(GOOD).encode())

    with pytest.raises(AttributeError):
        response.expires_in = 1
    with pytest.raises(TypeError):
        TokenResponse(response.access_token)
    assert not hasattr(response, "__dict__")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (199, errors.OAuthError),
        (200, TokenResponse),
        (299, TokenResponse),
        (300, errors.UnexpectedRedirect),
        (399, errors.UnexpectedRedirect),
        (400, errors.OAuthError),
    ],
)
def test_only_a_2xx_is_a_token_response(status, kind):
    """RFC 6749, section 5.1; a redirect is not followed, and a token in it not read."""
    assert type(read(json.dumps(GOOD).encode(), status)) is kind


@pytest.mark.parametrize(
    ("code", "kept"),
    [
        ("AZaz.09:some_vendor-code", True),
        ("x", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("", False),
    ],
)
def test_a_code_of_a_servers_own_is_kept(code, kept):
    """Letters, digits and four signs, at most 64; anything else is no code."""
    outcome = read(json.dumps({"error": code}).encode(), 400)

    assert type(outcome) is errors.OAuthError
    assert outcome.error == (code if kept else "")
    # An object it is; that much of a service is up.
    assert outcome.hint == ""


def test_without_a_code_the_message_of_a_gateway_is_said():
    """Whatever it calls its own error."""
    for code in ("", None, 7, "no code"):
        body = json.dumps({"error": code, "message": "of the gateway"}).encode()
        assert read(body, 400).error_description == "of the gateway"


def test_an_error_that_is_none_has_a_hint():
    """A page of a proxy says nothing; what to look at does."""
    outcome = read(b"<html>", 502, "text/html")

    assert outcome.error == ""
    assert "check the token endpoint's URL" in outcome.hint


def test_the_page_about_an_error_is_kept():
    """`error_uri` (RFC 6749, section 5.2)."""
    page = "https://id.example/errors#1"
    body = json.dumps({"error": "invalid_grant", "error_uri": page}).encode()

    assert read(body, 400).error_uri == page


def test_a_description_beside_a_gateways_error_comes_first():
    """What OAuth calls it is what the server meant."""
    error = {"code": "E7", "message": "of the gateway"}
    body = {"error": error, "error_description": "of the server"}

    outcome = read(json.dumps(body).encode(), 400)

    assert (outcome.error, outcome.error_description) == ("E7", "of the server")


def test_a_media_type_is_quoted_in_part():
    """Sixty characters of it."""
    outcome = read(b"{}", 200, "text/" + "x" * 100)

    assert f"its Content-Type is text/{'x' * 52}..., not" in str(outcome)


@pytest.mark.parametrize("wait", ["9" * 40, "9" * 41])
def test_a_wait_is_quoted_in_part(wait):
    """A date has 29 characters; 40 is enough."""
    outcome = read(b"", 429, retry_after=wait)

    assert outcome.retry_after == (wait if len(wait) == 40 else "9" * 37 + "...")
    assert read(b"", 429).retry_after == ""


def test_no_traceback_of_a_reader_shows_what_it_read():
    """An outcome is returned, and no error of Python's hangs on it."""
    for body in (b"plainly-fake", b"\xffplainly-fake", b'{"scope": "plainly\\u00e9"}'):
        outcome = read(body)
        assert outcome.__context__ is None
        assert outcome.__cause__ is None


def test_the_wait_that_a_server_asks_for_is_kept():
    """As it was said; whoever waits reads it."""
    outcome = read(b"", 429, retry_after="Wed, 21 Oct 2026 07:28:00 GMT")

    assert outcome.retry_after == "Wed, 21 Oct 2026 07:28:00 GMT"
    assert "Wed, 21 Oct 2026 07:28:00 GMT" in outcome.hint


@pytest.mark.parametrize("length", [20, 3000, 6500, 65536])
@pytest.mark.parametrize("lead", [0, 250, 5990])
def test_a_known_secret_is_redacted_however_long_it_is(length, lead):
    """Not even its beginning is shown: it is cut only when it is redacted."""
    secret = Secret("plainly-fake-" + "s" * length)
    description = "-" * lead + f" {secret.reveal()} is wrong"

    outcome = read(
        json.dumps(
            {"error": "invalid_grant", "error_description": description}
        ).encode(),
        400,
    )

    assert "sss" not in shown(outcome)
    assert "plainly" not in shown(outcome)
    assert len(outcome.error_description) <= 300


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["Bearer", "bearer", "300", "", "a b", 300, 10**400, -1, 0.1]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
# Long enough not to be part of a message by chance.
token_texts = st.from_regex(r"plainly-fake-[!-~]{8,20}", fullmatch=True)
responses = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(TOKENS, token_texts | json_values),
        **dict.fromkeys(
            (
                *("token_type", "expires_in", "refresh_expires_in", "scope", "error"),
                *("error_description", "error_uri", "message", "hint", "more"),
            ),
            json_values,
        ),
    },
)
statuses = st.sampled_from([200, 201, 204, 302, 400, 401, 403, 429, 500, 503])
media_types = st.sampled_from(
    ["application/json", "application/x+json", "text/html", ""]
)


@given(responses, statuses, media_types)
@example({**GOOD, "expires_in": LONG}, 200, "application/json")
@example({"error": "x", "error_uri": "\ud800"}, 400, "application/json")
@example({"error": {"code": None, "message": []}}, 400, "")
def test_any_object_is_a_token_response_or_an_error(members, status, media_type):
    """Never anything else; the error can be printed and holds no token."""
    body = write(members)

    outcome = read(body, status, media_type)

    assert isinstance(outcome, TokenResponse | errors.OAuthMagicError)
    if isinstance(outcome, TokenResponse):
        assert 200 <= status < 300
        assert outcome.access_token.reveal() == members["access_token"]
        assert outcome.expires_in is None or outcome.expires_in >= 1
    else:
        shown(outcome).encode()
        tokens = [members.get(name) for name in TOKENS]
        for token in tokens:
            if isinstance(token, str) and token.startswith("plainly-fake-"):
                assert token not in shown(outcome)


def write(members):
    """Write JSON, a number longer than Python would write included."""
    members = {
        name: "@long@" if value == LONG else value for name, value in members.items()
    }
    return json.dumps(members).replace('"@long@"', "1" * 5001).encode()


@given(st.binary(max_size=200), statuses, media_types)
@example(b"\xff\xfe{\x00}\x00", 200, "application/json")
@example(b'{"a":' * 50_000, 200, "application/json")
@example(b'{"access_token": "\\ud800"}', 200, "application/json")
def test_any_bytes_are_a_token_response_or_an_error(body, status, media_type):
    """A hostile body is an error, not a crash."""
    outcome = read(body, status, media_type)

    assert isinstance(outcome, errors.OAuthMagicError)
    shown(outcome).encode()
