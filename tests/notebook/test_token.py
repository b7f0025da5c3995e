from __future__ import annotations

import pytest

from oauthmagic import Secret, Token

READ_ONLY = {"account_view", "kyc_view", "profile_view", "transaction_view"}


def test_a_target_gives_a_token(shell):
    """`t = %token revsto@demo` is a Token, with the provider's read-only scopes."""
    shell("t = %token revsto@demo")

    token = shell.names["t"]
    assert isinstance(token, Token)
    assert isinstance(token.access_token, Secret)
    assert token.scopes == READ_ONLY
    assert token.is_expired() is False
    assert shell.token_requests() == [200]


def test_a_token_is_shown_without_its_text(shell):
    """What is displayed names scopes, life and fingerprint, in text and in HTML."""
    ran = shell("%token revsto@demo")

    plain, html = (
        shell.shell.display_formatter.format(ran.value)[0][mime]
        for mime in ("text/plain", "text/html")
    )
    assert plain in ran.stdout
    for text in (plain, html):
        assert "revsto@demo" in text
        assert "valid for 5 min 0 s" in text
        assert "account_view" in text
        assert ran.value.fingerprint in text
        assert ran.value.access_token.reveal() not in text
    assert "<script" not in html


def test_the_password_grant_is_remarked_upon(shell):
    """RFC 9700, section 2.4: on the first token's card, where it stops nobody."""
    assert "RFC 9700 forbids the password grant" in shell("%token revsto@demo").stdout
    assert "RFC 9700" not in shell("%token revsto@demo --scope posting").stdout
    assert "RFC 9700" not in shell("%token refresh revsto@demo").stdout
    assert "RFC 9700" not in shell("%token paysafe/liberty@demo").stdout


def test_all_scopes_are_asked_for_where_that_is_said(shell):
    """As the page advises; the default stays read-only."""
    shell("t = %token revsto@demo --all-scopes")

    assert len(shell.names["t"].scopes) == 17


def test_all_scopes_and_some_do_not_go_together(shell):
    """One of the two is not meant."""
    ran = shell("%token revsto@demo --all-scopes --scope posting")

    assert "do not go together" in str(ran.error)


def test_a_missing_scope_is_named_with_the_line_that_asks_for_it(shell):
    """The line works as it stands."""
    shell("%token revsto@demo --scope account_view")
    reply = shell("%api revsto@demo GET /distributor/v1/transactions").value
    line = reply.hint.partition("Ask for it: ")[2]

    assert "Missing scope: transaction_view." in reply.hint
    assert line == "%token revsto@demo --scope account_view transaction_view"
    shell(line)
    assert shell("%api revsto@demo GET /distributor/v1/transactions").value.ok


def test_the_token_held_is_given_again(shell):
    """A second `%token TARGET` asks the server nothing."""
    first = shell("%token revsto@demo").value
    second = shell("%token revsto@demo").value

    assert second.fingerprint == first.fingerprint
    assert shell.token_requests() == [200]


def test_fresh_gets_a_new_one(shell):
    """`--fresh` asks the server, whatever is held."""
    first = shell("%token revsto@demo").value
    second = shell("%token revsto@demo --fresh").value

    assert second.fingerprint != first.fingerprint
    assert shell.token_requests() == [200, 200]


def test_bare_is_a_table_of_the_tokens_held(shell):
    """`%token` alone: a row for each token, none before the first."""
    before = shell("%token").value
    shell("%token revsto@demo")
    after = shell("%token").value

    assert len(before) == 0
    assert list(before.columns) == list(after.columns)
    assert list(before.dtypes) == list(after.dtypes)
    assert list(after["target"]) == ["revsto@demo"]
    assert list(after["status"]) == ["valid"]


@pytest.mark.parametrize(
    "words",
    [
        "--scope account_view posting",
        "--scope account_view --scope posting",
        '--scope "account_view posting"',
    ],
)
def test_scopes_are_asked_for(shell, words):
    """`--scope` takes one or more, once or often, as RFC 6749 writes them too."""
    token = shell(f"%token revsto@demo {words}").value

    assert token.scopes == {"account_view", "posting"}
    assert shell.token_requests() == [200]


def test_a_scope_not_held_gets_another_token(shell):
    """A token that lacks a scope asked for is not given; the other stays."""
    shell("%token revsto@demo")
    posting = shell("%token revsto@demo --scope posting").value

    assert posting.scopes == {"posting"}
    assert len(shell("%token").value) == 2


def test_a_grant_can_be_named(shell):
    """`--grant` performs that grant; one that cannot begin says what can."""
    token = shell("%token revsto@demo --grant password").value
    refused = shell("%token revsto@demo --fresh --grant refresh_token")

    assert token.grant == "password"
    assert "adopt" in refused.error.hint
    assert shell.token_requests() == [200]


def test_an_alias_is_a_target(shell):
    """`--as NAME` names a token; the name works wherever a target does."""
    shell("%token revsto@demo --as mine")
    shell("%token revsto@demo --as other --scope posting")

    assert shell("%token show mine").value.scopes == READ_ONLY
    assert shell("%token show other").value.scopes == {"posting"}
    assert shell("%api mine GET /distributor/v1/products").value.status == 200
    assert shell("%token forget mine").stdout == "Forgotten here: 1.\n"
    assert list(shell("%token").value["alias"]) == ["other"]


@pytest.mark.parametrize("flag", ["-q", "--quiet"])
def test_quiet_shows_nothing(shell, flag):
    """`-q` obtains the token and says nothing."""
    ran = shell(f"%token revsto@demo {flag}")

    assert ran.lines == []
    assert ran.value is None
    assert shell.token_requests() == [200]


def test_credentials_come_from_a_variable(shell):
    """`--credentials VAR` names a mapping in the notebook; what it lacks is filled."""
    shell("mine = {'client_id': 'demo-distributor', 'username': 'demo-analyst'}")

    token = shell("%token revsto@demo --credentials mine").value

    assert token.subject == "demo-analyst"
    assert shell.token_requests() == [200]


def test_credentials_come_from_an_env_file(shell, tmp_path):
    """`--env-file PATH` is read only when it is named."""
    path = tmp_path / "my settings.env"
    path.write_text("OAUTHMAGIC_REVSTO_DEMO_PASSWORD=wrong-one\n", encoding="utf-8")

    refused = shell(f"%token revsto@demo --env-file '{path}'")
    granted = shell("%token revsto@demo")

    assert "401" in str(refused.error)
    assert granted.value.subject == "demo-analyst"


def test_credentials_come_from_the_environment(bare_shell, monkeypatch):
    """Environment variables are read when the session is made."""
    monkeypatch.setenv("OAUTHMAGIC_REVSTO_DEMO_PASSWORD", "wrong-one")

    bare_shell("%load_ext oauthmagic")

    assert "401" in str(bare_shell("%token revsto@demo").error)


def test_show_tells_and_does_nothing(shell):
    """`%token show` gives what is held, also when it has expired."""
    shell("%token revsto@demo")
    shell("%token demo revsto@demo --advance 400")

    ran = shell("%token show revsto@demo")

    assert ran.value.is_expired() is True
    assert "expired at 09:05:00 UTC" in ran.stdout
    assert shell.token_requests() == [200]


def test_refresh_renews_now(shell):
    """`%token refresh` gives a new token; the old object is a snapshot."""
    old = shell("%token revsto@demo").value

    new = shell("%token refresh revsto@demo").value

    assert new.fingerprint != old.fingerprint
    assert new.generation == old.generation + 1
    assert len(shell("%token").value) == 1
    assert shell.token_requests() == [200, 200]


def test_forget_forgets_one_target_or_all(shell):
    """`%token forget` says how many; nothing is asked of the server."""
    shell("%token revsto@demo -q")

    one = shell("%token forget revsto@demo")
    none = shell("%token forget revsto@demo")
    shell("%token revsto@demo -q\n%token revsto@demo --scope posting -q")
    every = shell("%token forget --all")

    assert one.stdout == "Forgotten here: 1.\n"
    assert none.stdout == "No token was held.\n"
    assert every.stdout == "Forgotten here: 2.\n"
    assert shell("%token forget --all -q").lines == []
    assert len(shell("%token").value) == 0


def test_scopes_are_a_table(shell):
    """`%token scopes`: what exists, what was asked for, what was granted."""
    before = shell("%token scopes revsto@demo").value
    shell("%token revsto@demo")
    after = shell("%token scopes revsto@demo").value

    assert len(after) == 17
    assert not before["granted"].any()
    assert set(after.loc[after["granted"], "scope"]) == READ_ONLY
    assert (after["description"] != "").all()


def test_providers_are_a_table(shell):
    """`%token providers`: what can be named, with grants and environments."""
    table = shell("%token providers").value

    revsto = table.set_index("provider").loc["revsto"]
    assert revsto["environments"] == "demo, sandbox, production"
    assert revsto["default_grant"] == "password"


def test_a_provider_is_added(shell, echo_provider):
    """`%token add FILE.toml` makes a provider known, and says what to do next."""
    ran = shell(f"%token add '{echo_provider()}'")

    assert ran.stdout == "Added echo. Next: %token echo\n"
    assert "echo" in set(shell("%token providers").value["provider"])


def test_a_token_from_elsewhere_is_adopted(shell):
    """`%token adopt --from VAR` looks after a token: expired, it is renewed."""
    shell("other = %token revsto@demo --as other")
    shell(
        "got = {'refresh_token': other.refresh_token.reveal(), 'expires_in': 0,"
        " 'access_token': other.access_token.reveal()}\n"
        "login = {'client_id': 'demo-distributor',"
        " 'client_secret': 'simulated-client-secret'}\n"
        "%token forget other"
    )

    adopted = shell("%token adopt revsto@demo --from got --credentials login --as got")
    reply = shell("%api got GET /distributor/v1/products")

    assert adopted.value.grant == "adopted"
    assert adopted.value.is_expired() is True
    assert reply.value.status == 200
    assert "the access token had expired" in reply.value.note
    assert shell.token_requests() == [200, 200]


def test_the_demo_tells_its_time(shell):
    """`%token demo` without an option says what time it is there."""
    ran = shell("%token demo revsto@demo")

    assert ran.stdout == "In the demo it is 2030-01-01 09:00:00 UTC.\n"


def test_time_passes_in_the_demo(shell):
    """`--advance 271`: the next request renews the token by itself, once."""
    shell("%token revsto@demo")
    shell("%token demo revsto@demo --advance 271")

    first = shell("%api revsto@demo GET /distributor/v1/products").value
    second = shell("%api revsto@demo GET /distributor/v1/products").value

    assert "29 s left, renewed from 30 s on" in first.note
    assert second.note == ""
    assert shell.token_requests() == [200, 200]


def test_a_token_is_not_renewed_too_early(shell):
    """At 269 of 300 seconds the token is good: a tenth of its life is left."""
    shell("%token revsto@demo")
    shell("%token demo revsto@demo --advance 269")

    assert shell("%api revsto@demo GET /distributor/v1/products").value.note == ""
    assert shell.token_requests() == [200]


def test_the_demo_revokes(shell):
    """`--revoke`: a 401, one refresh, one replay."""
    shell("%token revsto@demo")
    shell("%token demo revsto@demo --revoke")

    reply = shell("%api revsto@demo GET /distributor/v1/products").value

    assert reply.status == 200
    assert "the API answered 401" in reply.note
    assert [seen.status for seen in shell.asked()] == [200, 401, 200, 200]
    assert shell.token_requests() == [200, 200]


def test_the_demo_throttles(shell):
    """`--throttle`: a GET waits as long as the server says, in the demo's time."""
    shell("%token revsto@demo")
    shell("%token demo revsto@demo --throttle")

    reply = shell("%api revsto@demo GET /distributor/v1/products").value

    assert reply.status == 200
    assert reply.note == "waited 5 s as the server asked"
    assert [seen.status for seen in shell.asked()] == [200, 429, 200]


def test_the_demo_throttles_for_longer_than_one_waits(shell):
    """Past `max_wait` the 429 is the reply, and it has a hint."""
    shell("%token revsto@demo")
    shell("%token demo revsto@demo --throttle 60")

    reply = shell("%api revsto@demo GET /distributor/v1/products").value

    assert reply.status == 429
    assert "rate limit" in reply.hint


def test_a_post_is_not_sent_again_after_429(shell):
    """What may have been done is not repeated."""
    shell("%token revsto@demo --scope posting")
    shell("%token demo revsto@demo --throttle")

    reply = shell("%%api revsto@demo\nPOST /distributor/v1/hooks\n\n{}").value

    assert reply.status == 429
    assert [seen.status for seen in shell.asked()] == [200, 429]


def test_the_demo_refuses_and_begins_anew(shell):
    """`--refuse` answers as for an address not allowed; `--reset` ends it."""
    shell("%token demo revsto@demo --refuse")
    refused = shell("%token revsto@demo")
    shell("%token demo revsto@demo --reset")

    assert "allow list" in refused.error.hint
    assert shell("%token revsto@demo").error is None


@pytest.mark.parametrize(
    ("family", "status"), [("league7", 401), ("league8", 400), ("league9", 400)]
)
def test_a_wrong_password_is_tried_once(shell, family, status):
    """One token request in every family of errors, and a hint that names the cause."""
    shell(f"%token demo revsto@demo --errors {family}")
    shell("wrong = {'password': 'not-the-password'}")

    ran = shell("%token revsto@demo --credentials wrong")

    assert shell.token_requests() == [status]
    assert f"(HTTP {status})" in str(ran.error)
    assert ran.error.hint.startswith(
        "Verify username, password, client_id and client_secret."
    )
    assert "not repeated" in ran.error.hint
    assert "not-the-password" not in ran.stdout


@pytest.mark.parametrize("family", ["league7", "league8", "league9"])
def test_a_dead_refresh_token_ends_in_a_new_grant(shell, family):
    """A refused refresh token is sent once; the password grant needs nobody."""
    shell(f"%token demo revsto@demo --errors {family}")
    shell("%token revsto@demo")
    # Its refresh token lives for a month.
    shell("%token demo revsto@demo --advance 2764800")

    reply = shell("%api revsto@demo GET /distributor/v1/products").value

    assert reply.status == 200
    assert "granted again" in shell("%token show revsto@demo").value.reason
    first, refused, again = shell.token_requests()
    assert (first, again) == (200, 200)
    assert refused in (400, 401)


def test_revoking_says_what_was_done(shell):
    """The server was told, and the token is gone."""
    shell("%token stet/17515@demo --answer accept")

    ran = shell("%token revoke stet/17515@demo")

    assert ran.error is None
    assert ran.lines == [
        "Revoked at the server and forgotten here: stet/17515@demo.",
    ]
    assert shell("%token").value.empty


def test_a_revocation_that_failed_says_what_is_left(shell):
    """A sentence that says why, and one that says until when it matters."""
    shell("%token stet/17515@demo --answer accept")
    shell("%token demo stet/17515@demo --throttle 60")

    ran = shell("%token revoke stet/17515@demo")

    error, hint = ran.lines
    assert error.startswith("RevocationFailed: stet/17515@demo did not revoke the")
    assert "HTTP 429" in error
    assert hint.startswith("Hint: Here the token is forgotten")
    assert "the access token ends at 2030-01-01 09:05:00 UTC" in hint
    assert shell("%token").value.empty


def test_a_provider_without_introspection_says_what_there_is(shell):
    """One sentence, and what to do instead; nothing is sent."""
    shell("%token revsto@demo -q")

    ran = shell("%token introspect revsto@demo --of refresh_token")

    error, hint = ran.lines
    assert error == (
        "CommandError: Revsto / TagPay documents no way to introspect a token."
    )
    assert hint == (
        "Hint: %token show revsto@demo shows what is known here, and an API request "
        "whether the server takes it."
    )
    assert shell.token_requests() == [200]


def test_a_token_can_be_shown_with_all_that_is_known(shell):
    """Its life, scopes, claims; the timeline; that nothing can be verified is said."""
    shell("%token revsto@demo")

    shown = shell("%token show revsto@demo")
    line = shell("%token timeline")
    refused = shell("%token show revsto@demo --verify")

    assert "claims of the access token, unverified" in shown.stdout
    assert "[####################] 100% of 5 min 0 s left" in shown.stdout
    assert line.stdout.startswith("Out[")
    assert "issued     asked for, valid until 09:05:00" in line.stdout
    assert "names no keys to verify a signature with" in str(refused.error)
    assert len(shell("%token timeline revsto@demo").value) == 1
