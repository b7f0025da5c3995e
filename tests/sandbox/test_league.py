"""The answers recorded from league/oauth2-server, asked for in the same way."""

from __future__ import annotations

import base64
import json
import random
from datetime import UTC, datetime, timedelta

import pytest

from oauthmagic.errors import UnknownName
from oauthmagic.sandbox.answers import Refusal
from oauthmagic.sandbox.clocks import DemoClock
from oauthmagic.sandbox.league import TokenServer, User

MALFORMED = (
    "The request is missing a required parameter, includes an invalid parameter "
    "value, includes a parameter more than once, or is otherwise malformed."
)
GRANT = "The authorization grant type is not supported by the authorization server."
ALL_PARAMETERS = "Check that all required parameters have been provided"
SCOPE = "The requested scope is invalid, unknown, or malformed"
CLIENT = "Client authentication failed"
DENIED = "The resource owner or authorization server denied the request."
BAD_REFRESH = "The refresh token is invalid."
PASSWORD = {
    "grant_type": "password",
    "client_id": "client",
    "client_secret": "not-a-secret",
    "username": "alex",
    "password": "whisky",
    "scope": "basic email",
}
FAMILIES = ("league7", "league8", "league9")


def basic(text):
    """Return an Authorization header with Basic credentials."""
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.fixture
def clock():
    """Stand still until a test moves it."""
    return DemoClock()


@pytest.fixture(params=FAMILIES)
def family(request):
    """Name each error family in turn."""
    return request.param


@pytest.fixture
def server(clock, family):
    """Serve the client and the user of the recording."""
    return TokenServer(
        clock=clock,
        randomness=random.Random(7),  # noqa: S311 - reproducible
        clients={"client": "not-a-secret", "other": "not-a-secret-either"},
        users={"alex": User(identifier="1", password="whisky")},
        scopes=("basic", "email"),
        errors=family,
    )


def expected(family, error, description, hint=""):
    """Return the body of a refusal, to the byte."""
    members = {"error": error, "error_description": description}
    if hint:
        members["hint"] = hint
    if family != "league9":
        members["message"] = description
    return json.dumps(members, separators=(",", ":")).encode()


def issued(answer):
    """Return the members of a token response."""
    assert answer.status == 200
    return json.loads(answer.body)


def refresh(server, refresh_token, /, **form):
    """Ask for new tokens."""
    asked = {
        "grant_type": "refresh_token",
        "client_id": "client",
        "client_secret": "not-a-secret",
        "refresh_token": refresh_token,
    }
    return server.token(asked | form, None)


def denial(server, authorization):
    """Return the answer to a request whose access token is refused."""
    with pytest.raises(Refusal) as caught:
        server.authorize(authorization)
    return caught.value.answer


@pytest.mark.parametrize(
    ("change", "authorization", "status", "error", "description", "hint"),
    [
        ({"client_secret": "x"}, None, 401, "invalid_client", CLIENT, ""),
        ({"client_id": "nobody"}, None, 401, "invalid_client", CLIENT, ""),
        ({"client_secret": ""}, None, 401, "invalid_client", CLIENT, ""),
        (
            {"client_id": "", "client_secret": ""},
            None,
            400,
            "invalid_request",
            MALFORMED,
            "Check the `client_id` parameter",
        ),
        (
            {"client_id": "", "client_secret": ""},
            "Basic !!!",
            400,
            "invalid_request",
            MALFORMED,
            "Check the `client_id` parameter",
        ),
        (
            {"grant_type": ""},
            None,
            400,
            "unsupported_grant_type",
            GRANT,
            ALL_PARAMETERS,
        ),
        (
            {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange"},
            None,
            400,
            "unsupported_grant_type",
            GRANT,
            ALL_PARAMETERS,
        ),
        (
            {"scope": "nope"},
            None,
            400,
            "invalid_scope",
            SCOPE,
            "Check the `nope` scope",
        ),
        (
            {"scope": 'a"b'},
            None,
            400,
            "invalid_scope",
            SCOPE,
            "Check the `a&quot;b` scope",
        ),
        (
            {"scope": "<b>&amp;'"},
            None,
            400,
            "invalid_scope",
            SCOPE,
            "Check the `&lt;b&gt;&amp;&#039;` scope",
        ),
        (
            {"username": "  "},
            None,
            400,
            "invalid_request",
            MALFORMED,
            "Check the `username` parameter",
        ),
        (
            {"password": ""},
            None,
            400,
            "invalid_request",
            MALFORMED,
            "Check the `password` parameter",
        ),
    ],
)
def test_a_refused_token_request_is_answered_as_recorded(
    server, family, change, authorization, status, error, description, hint
):
    """Status, members, their order and the hint are those of the recording."""
    answer = server.token(PASSWORD | change, authorization)

    assert answer.status == status
    assert answer.body == expected(family, error, description, hint)
    assert answer.headers == (("Content-Type", "application/json"),)


@pytest.mark.parametrize(
    ("authorization", "challenge"),
    [
        (basic("client:wrong"), 'Basic realm="OAuth"'),
        (basic("nobody:wrong"), 'Basic realm="OAuth"'),
    ],
)
def test_a_client_that_sent_a_header_is_challenged(
    server, family, authorization, challenge
):
    """RFC 6749, section 5.2: the challenge matches the scheme that was used."""
    form = {"grant_type": "password", "username": "alex", "password": "whisky"}
    answer = server.token(form, authorization)

    assert answer.status == 401
    assert answer.body == expected(family, "invalid_client", CLIENT)
    assert ("WWW-Authenticate", challenge) in answer.headers


@pytest.mark.parametrize(
    ("errors", "status", "error"),
    [
        ("league7", 401, "invalid_credentials"),
        ("league8", 400, "invalid_grant"),
        ("league9", 400, "invalid_grant"),
    ],
)
@pytest.mark.parametrize("change", [{"username": "sam"}, {"password": "wine"}])
def test_a_wrong_user_is_refused_in_each_familys_way(
    server, errors, status, error, change
):
    """The library changed its mind twice about this status."""
    server.use_errors(errors)
    answer = server.token(PASSWORD | change, None)

    assert answer.status == status
    assert answer.body == expected(
        errors, error, "The user credentials were incorrect."
    )


@pytest.mark.parametrize(
    ("form", "authorization"),
    [
        (PASSWORD, None),
        (PASSWORD, basic("client:not-a-secret")),
        (
            {**PASSWORD, "client_id": "", "client_secret": ""},
            basic("client:not-a-secret"),
        ),
        ({**PASSWORD, "username": " alex\t", "password": "\n whisky"}, None),
        ({**PASSWORD, "resource": "anything"}, None),
    ],
)
def test_tokens_are_issued_as_recorded(server, form, authorization):
    """Body or Basic, trimmed values, unknown parameters: all are accepted."""
    answer = server.token(form, authorization)
    members = issued(answer)

    assert list(members) == [
        "token_type",
        "expires_in",
        "access_token",
        "refresh_token",
    ]
    assert members["token_type"] == "Bearer"
    assert members["expires_in"] == 300
    assert members["refresh_token"].startswith("def50200")
    assert len(members["refresh_token"]) == 758
    assert answer.headers == (
        ("Pragma", "no-cache"),
        ("Cache-Control", "no-store"),
        ("Content-Type", "application/json; charset=UTF-8"),
    )


def test_basic_credentials_are_read_raw(clock):
    """This server does not form-decode them, whatever RFC 6749, 2.3.1, says."""
    server = TokenServer(
        clock=clock,
        randomness=random.Random(7),  # noqa: S311 - reproducible
        clients={"a b": "c:d%2B+"},
        users={"alex": User(identifier="1", password="whisky")},
        scopes=("basic",),
        errors="league9",
    )
    form = {"grant_type": "password", "username": "alex", "password": "whisky"}

    assert server.token(form, basic("a b:c:d%2B+")).status == 200
    assert server.token(form, basic("a+b:c%3Ad%252B%2B")).status == 401


@pytest.mark.parametrize(
    ("scope", "granted"),
    [
        ("email", ("email",)),
        ("email basic email", ("email", "basic")),
        ("", ("basic", "email")),
        ("   ", ("basic", "email")),
    ],
)
def test_scopes_are_granted_as_asked_for_or_all(server, scope, granted):
    """Without `scope` all are granted: our invention."""
    members = issued(server.token(PASSWORD | {"scope": scope}, None))
    token = server.authorize(f"Bearer {members['access_token']}")

    assert token.scopes == granted


def test_a_refresh_replaces_both_tokens(server, family):
    """Rotation: the old access token and the old refresh token are dead."""
    first = issued(server.token(PASSWORD, None))
    second = issued(refresh(server, first["refresh_token"]))
    old = denial(server, f"Bearer {first['access_token']}")

    assert second["refresh_token"] != first["refresh_token"]
    assert old.status == 401
    assert old.body == expected(
        family, "access_denied", DENIED, "Access token has been revoked"
    )
    assert server.authorize(f"Bearer {second['access_token']}").user_id == "1"


def test_reuse_of_a_rotated_refresh_token_is_refused_and_nothing_more(server, family):
    """The recorded order: reuse, the newest refresh token, its old access token.

    The access token that died in the recording was revoked by the refresh in
    between, not by the reuse.
    """
    first = issued(server.token(PASSWORD, None))
    second = issued(refresh(server, first["refresh_token"]))
    reuse = refresh(server, first["refresh_token"])

    assert reuse.status == (400 if family == "league9" else 401)
    assert reuse.body == expected(
        family,
        "invalid_grant" if family == "league9" else "invalid_request",
        BAD_REFRESH,
        "Token has been revoked",
    )
    assert server.authorize(f"Bearer {second['access_token']}")

    issued(refresh(server, second["refresh_token"]))

    assert b"Access token has been revoked" in (
        denial(server, f"Bearer {second['access_token']}").body
    )


def test_reuse_detection_revokes_the_login_and_no_other(server):
    """Our switch, after RFC 9700, section 4.14.2; the library has none."""
    server.use_reuse_detection()
    first, other = (issued(server.token(PASSWORD, None)) for _ in range(2))
    second = issued(refresh(server, first["refresh_token"]))

    refresh(server, first["refresh_token"])

    assert denial(server, f"Bearer {second['access_token']}").status == 401
    assert refresh(server, second["refresh_token"]).status >= 400
    assert server.authorize(f"Bearer {other['access_token']}")
    assert issued(refresh(server, other["refresh_token"]))


@pytest.mark.parametrize(
    ("form", "hint"),
    [
        ({"refresh_token": "def50200bogus"}, "Cannot decrypt the refresh token"),
        (
            {"client_id": "other", "client_secret": "not-a-secret-either"},
            "Token is not linked to client",
        ),
    ],
)
def test_a_bad_refresh_token_is_refused_as_recorded(server, family, form, hint):
    """Which error and status it is depends on the family; the hint does not."""
    first = issued(server.token(PASSWORD, None))
    answer = refresh(server, first["refresh_token"], **form)

    assert answer.status == (400 if family == "league9" else 401)
    assert answer.body == expected(
        family,
        "invalid_grant" if family == "league9" else "invalid_request",
        BAD_REFRESH,
        hint,
    )


def test_a_refresh_without_a_refresh_token_lacks_a_parameter(server, family):
    """It is told which."""
    answer = refresh(server, "")

    assert answer.status == 400
    assert answer.body == expected(
        family, "invalid_request", MALFORMED, "Check the `refresh_token` parameter"
    )


@pytest.mark.parametrize(
    ("start", "last_moment"),
    [
        (datetime(2030, 1, 1, 9, tzinfo=UTC), datetime(2030, 2, 1, 9, tzinfo=UTC)),
        (datetime(2030, 1, 31, 9, tzinfo=UTC), datetime(2030, 3, 3, 9, tzinfo=UTC)),
        (datetime(2030, 12, 5, 9, tzinfo=UTC), datetime(2031, 1, 5, 9, tzinfo=UTC)),
    ],
)
def test_a_refresh_token_lasts_a_calendar_month(start, last_moment):
    """`P1M` counts on where the next month has no such day."""
    clock = DemoClock(start)
    server = TokenServer(
        clock=clock,
        randomness=random.Random(7),  # noqa: S311 - reproducible
        clients={"client": "not-a-secret"},
        users={"alex": User(identifier="1", password="whisky")},
        scopes=("basic", "email"),
        errors="league9",
    )
    first = issued(server.token(PASSWORD, None))
    clock.advance((last_moment - start).total_seconds())
    second = issued(refresh(server, first["refresh_token"]))
    clock.advance(timedelta(days=32).total_seconds())

    assert b"Token has expired" in refresh(server, second["refresh_token"]).body


def test_a_refresh_may_narrow_the_scopes_and_never_widen_them(server, family):
    """RFC 6749, section 6; a refusal spends nothing."""
    first = issued(server.token(PASSWORD, None))
    unknown = refresh(server, first["refresh_token"], scope="nope")
    narrow = issued(refresh(server, first["refresh_token"], scope="basic"))
    wide = refresh(server, narrow["refresh_token"], scope="basic email")

    assert unknown.body == expected(
        family, "invalid_scope", SCOPE, "Check the `nope` scope"
    )
    assert server.authorize(f"Bearer {narrow['access_token']}").scopes == ("basic",)
    assert wide.status == 400
    assert wide.body == expected(
        family, "invalid_scope", SCOPE, "Check the `email` scope"
    )
    assert issued(refresh(server, narrow["refresh_token"]))


@pytest.mark.parametrize(
    ("authorization", "hint"),
    [
        (None, 'Missing "Authorization" header'),
        ("", "The JWT string must have two dots"),
        ("Bearer garbage", "The JWT string must have two dots"),
        ("Bearer .b.c", "The JWT string is missing the Header part"),
    ],
)
def test_a_request_without_a_token_is_refused_as_recorded(
    server, family, authorization, hint
):
    """`access_denied`, not `invalid_token`, and no challenge (against RFC 6750)."""
    answer = denial(server, authorization)

    assert answer.status == 401
    assert answer.headers == (("Content-Type", "application/json"),)
    assert answer.body == expected(family, "access_denied", DENIED, hint)


def test_an_access_token_ends_after_300_seconds(server, clock):
    """RFC 7519, section 4.1.4: on or after `exp` it is not accepted."""
    members = issued(server.token(PASSWORD, None))
    authorization = f"Bearer {members['access_token']}"
    clock.advance(299)

    assert server.authorize(authorization)

    clock.advance(1)

    assert b"Access token could not be verified" in denial(server, authorization).body


def test_a_token_signed_by_others_is_refused(server):
    """A changed signature is not verified."""
    token = issued(server.token(PASSWORD, None))["access_token"]
    forged = token[:-8] + "AAAAAAAA"

    assert b"could not be verified" in denial(server, f"Bearer {forged}").body


@pytest.mark.parametrize(
    ("errors", "accepted"), [("league7", False), ("league8", False), ("league9", True)]
)
def test_the_scheme_is_case_sensitive_before_version_9(server, errors, accepted):
    """RFC 9110, section 11.1, says it is not; 9.x follows."""
    authorization = f"bearer {issued(server.token(PASSWORD, None))['access_token']}"
    server.use_errors(errors)

    if accepted:
        assert server.authorize(authorization)
    else:
        assert denial(server, authorization).status == 401


def test_revoking_spares_refresh_tokens(server):
    """After the revocation a refresh still works."""
    members = issued(server.token(PASSWORD, None))
    server.revoke_access_tokens()

    assert b"has been revoked" in (
        denial(server, f"Bearer {members['access_token']}").body
    )
    assert issued(refresh(server, members["refresh_token"]))


def test_an_unknown_family_is_refused(server):
    """With the nearest name."""
    with pytest.raises(UnknownName, match="league9"):
        server.use_errors("leage9")
