"""`Session`: the whole of oauthmagic in plain Python, against the demo."""

import dataclasses
import threading
from datetime import UTC, datetime, timedelta

import pytest

import oauthmagic
from oauthmagic import OAuthMagicError, Secret, Session, Token
from oauthmagic.errors import (
    CommandError,
    EnvironmentRefused,
    InvalidCredentials,
    LoginRequired,
    MissingCredentials,
    OAuthError,
    ProviderFileError,
    ReplyError,
    UnknownName,
    UrlRefused,
    UserActionRequired,
)
from oauthmagic.oauth.credentials import Credentials
from oauthmagic.session.credentials import from_env_file

PRODUCTS = "GET /distributor/v1/products"


@pytest.fixture
def session():
    """A session with nothing in it."""
    return Session(environ={})


def token_requests(session):
    """Return how many token requests the simulator has seen."""
    seen = session.demo("revsto@demo")._simulator.requests
    return sum(path.endswith("/oauth2/token") for _, path, _ in seen)


def test_from_nothing_to_a_frame(session):
    """Two calls, as in the README."""
    token = session.token("revsto@demo", scopes=["account_view"])
    products = session.api("revsto@demo", PRODUCTS).frame()

    assert isinstance(token, Token)
    assert isinstance(token.access_token, Secret)
    assert token.target == "revsto@demo"
    assert token.scopes == {"account_view"}
    assert token.expires_at - token.issued_at == timedelta(seconds=300)
    assert list(products.columns) == ["id", "type", "currency", "name", "profiles"]
    assert len(products) >= 6


def test_api_gets_its_own_first_token(session):
    """Without a held token, the provider's default set is asked for."""
    assert session.api("revsto@demo", PRODUCTS).ok
    assert session.show("revsto@demo").scopes >= {"account_view", "transaction_view"}


def test_a_held_token_that_covers_the_scopes_is_returned(session):
    """Only what it does not cover leads to another."""
    first = session.token("revsto@demo", scopes=["account_view", "posting"])

    assert session.token("revsto@demo") is first
    assert session.token("revsto@demo", scopes="posting") is first
    second = session.token("revsto@demo", scopes=["event_management"])
    assert second is not first
    assert session.token("revsto@demo") is second
    assert session.token("revsto@demo", scopes="posting") is first
    assert token_requests(session) == 2


def test_fresh_asks_for_the_same_again(session):
    """Same scopes, another token."""
    first = session.token("revsto@demo", scopes=["posting"])
    second = session.token("revsto@demo", fresh=True)

    assert second.scopes == {"posting"}
    assert second.fingerprint != first.fingerprint
    assert len(session.tokens()) == 1


def test_the_demo_is_the_same_every_day():
    """Two sessions, byte-identical answers."""
    texts = []
    for _ in range(2):
        session = Session(environ={})
        session.token("revsto@demo")
        session.demo("revsto@demo").advance(271)
        reply = session.api("revsto@demo", "GET /distributor/v1/transactions?limit=3")
        texts.append((reply.text, session.tokens().to_csv()))

    assert texts[0] == texts[1]


def test_shortly_before_its_end_the_token_is_refreshed_once(session):
    """At 271 of 300 seconds the next call renews it, and the reply says so."""
    session.token("revsto@demo")
    session.demo("revsto@demo").advance(271)

    first = session.api("revsto@demo", PRODUCTS)
    second = session.api("revsto@demo", PRODUCTS)

    assert first.note == "token refreshed first: 29 s left, renewed from 30 s on"
    assert second.note == ""
    assert token_requests(session) == 2


def test_after_a_revocation_there_is_one_refresh_and_one_replay(session):
    """The API answers 401; the same request goes out once more."""
    session.token("revsto@demo")
    session.demo("revsto@demo").revoke()

    reply = session.api("revsto@demo", PRODUCTS)

    seen = session.demo("revsto@demo")._simulator.requests
    assert reply.status == 200
    assert "sent once more" in reply.note
    assert [status for _, _, status in seen] == [200, 401, 200, 200]


def test_a_busy_server_is_waited_for(session):
    """In the demo's own time."""
    session.token("revsto@demo")
    session.demo("revsto@demo").throttle(4)

    assert session.api("revsto@demo", PRODUCTS).note == "waited 4 s as the server asked"


def test_a_server_that_is_busy_for_long_is_not(session):
    """The reply has the status and the documented next step."""
    session.token("revsto@demo")
    session.demo("revsto@demo").throttle(60)

    reply = session.api("revsto@demo", PRODUCTS)

    assert reply.status == 429
    assert "rate limit" in reply.hint
    with pytest.raises(ReplyError, match="429 Too Many Requests"):
        reply.frame()


def test_a_missing_scope_is_a_reply_with_a_hint(session):
    """Only policy, transport and token failures raise."""
    session.token("revsto@demo", scopes=["account_view"])

    reply = session.api("revsto@demo", "GET /distributor/v1/users/profiles")

    assert reply.status == 403
    assert "lacks the scope" in reply.hint


@pytest.mark.parametrize("family", ["league7", "league8", "league9"])
def test_a_wrong_password_is_sent_once_and_explained(session, family):
    """The documented cause, whichever family of errors the server speaks."""
    session.demo("revsto@demo").use_errors(family)

    with pytest.raises(OAuthError) as caught:
        session.token("revsto@demo", credentials={"password": "wrong-password"})

    assert "Verify username, password" in caught.value.hint
    assert token_requests(session) == 1
    assert len(session.tokens()) == 0


def test_the_family_of_the_documentation_answers_401(session):
    """The page says 401 for a wrong user name or password."""
    with pytest.raises(InvalidCredentials) as caught:
        session.token("revsto@demo", credentials={"password": "wrong-password"})

    assert caught.value.status == 401


def test_an_address_that_is_not_allowed_is_a_400_with_its_cause(session):
    """The FAQ's explanation of a 400."""
    session.demo("revsto@demo").refuse()

    with pytest.raises(OAuthError) as caught:
        session.token("revsto@demo")

    assert caught.value.status == 400
    assert "allow list" in caught.value.hint
    session.demo("revsto@demo").reset()
    assert session.token("revsto@demo")


#: A call, and what is said of it.
MISTAKES = [
    (lambda s: s.token("revst@demo"), "Did you mean 'revsto'?"),
    (lambda s: s.token("revsto@dmo"), "Did you mean 'demo'?"),
    (lambda s: s.token("revsto@demo", scopes="postin"), "Did you mean 'posting'?"),
    (
        lambda s: s.token("revsto@demo", grant="passwort"),
        "Did you mean 'password'?",
    ),
    (
        lambda s: s.token("revsto@demo", grant="client_credentials"),
        "does not offer",
    ),
    (lambda s: s.token("revsto@demo", credentials={"user": "x"}), "'username'?"),
    (lambda s: s.token("revsto/17515@demo"), "has no tenants"),
    (lambda s: s.token(7), "A target is a text, not int."),
    (lambda s: s.token("revsto@demo", alias="show"), "it is a verb"),
    (lambda s: s.token("revsto@demo", alias="revsto"), "name of a provider"),
    (lambda s: s.token("revsto@demo", env_file="missing"), "cannot be read"),
    (lambda s: s.refresh("revsto@demo"), "No token is held"),
    (lambda s: s.show("revsto@demo"), "No token is held"),
    (lambda s: s.forget(), "Forget which token?"),
    (lambda s: s.demo("revsto@sandbox"), "is not a demo"),
    (lambda s: s.add("missing.toml"), "cannot be read"),
    (
        lambda s: s.api("revsto@demo", "GET /x/{{usr}}", variables={"user": 1}),
        "'user'?",
    ),
    (lambda s: s.api("revsto@demo", "GET https://evil.example/"), "evil.example"),
    (lambda s: s.demo("revsto@demo").advance(-1), "Time only goes forward."),
    (lambda s: s.demo("revsto@demo").use_errors("league6"), "league"),
]


@pytest.mark.parametrize(
    ("call", "said"),
    MISTAKES,
    ids=[f"mistake-{number}" for number in range(len(MISTAKES))],
)
def test_bad_input_is_one_sentence_and_sends_nothing(session, call, said):
    """With a suggestion where there is a near name."""
    with pytest.raises(OAuthMagicError) as caught:
        call(session)

    assert said in str(caught.value)
    assert session.demo("revsto@demo")._simulator.requests == []


def test_another_origin_gets_nothing(session):
    """The token goes only where the provider declares."""
    with pytest.raises(UrlRefused, match=r"evil\.example"):
        session.api("revsto@demo", "GET https://evil.example/distributor/v1/products")
    same = f"GET https://revsto.demo.invalid/api{PRODUCTS[4:]}"
    assert session.api("revsto@demo", same).ok


def test_several_requests_run_in_order(session):
    """The last reply is the value; `.replies` has all."""
    reply = session.api(
        "revsto@demo",
        "# @name first\nGET /distributor/v1/products?limit=1\n###\n"
        "GET /distributor/v1/products?limit=2",
    )

    assert [len(each.frame()) for each in reply.replies] == [1, 2]
    assert [each.name for each in reply.replies] == ["first", ""]
    assert reply.replies[-1] is reply


def test_a_mistake_in_the_second_request_sends_not_even_the_first(session):
    """Everything is checked before anything is sent."""
    with pytest.raises(UnknownName):
        session.api("revsto@demo", f"{PRODUCTS}\n###\nGET /{{{{nope}}}}")

    assert session.demo("revsto@demo")._simulator.requests == []


def test_a_preview_shows_everything_but_the_token(session):
    """And sends nothing, not even for a token."""
    text = session.preview(
        "revsto@demo",
        'POST /distributor/v1/hooks\n\n{"name": "{{name}}"}',
        variables={"name": 'a"b'},
    )

    assert "\nPOST https://revsto.demo.invalid/api/distributor/v1/hooks\n" in text
    assert '"name": "a\\"b"' in text
    assert "Authorization: Bearer" in text
    assert session.demo("revsto@demo")._simulator.requests == []


def test_two_users_of_one_target_are_told_apart(session):
    """By the name given with `alias`, usable wherever a target is."""
    first = session.token("revsto@demo", alias="mine")
    second = session.token("revsto@demo", alias="yours", scopes=["posting"])

    assert session.token("mine") is first
    assert session.token("yours") is second
    assert session.api("mine", PRODUCTS).status == 200
    assert session.api("yours", PRODUCTS).status == 403
    assert session.refresh("mine").alias == "mine"
    assert list(session.tokens()["alias"]) == ["mine", "yours"]
    assert session.forget("mine") == 1
    with pytest.raises(CommandError):
        session.token("mine@demo")


def test_the_owner_asked_for_is_the_owner_got(session):
    """Other credentials: another token, even for the same target."""
    session.token("revsto@demo")
    other = {"username": "somebody-else", "password": "another-password"}

    with pytest.raises(OAuthError):
        session.token("revsto@demo", credentials=other)


def test_no_password_is_sent_for_another_user(session):
    """A user's name brings no other user's password with it."""
    with pytest.raises(MissingCredentials, match="password missing"):
        session.token("revsto@demo", credentials={"username": "somebody-else"})

    assert token_requests(session) == 0


def test_wrong_credentials_do_not_get_the_token_held(session):
    """What is given on the call is used, even where a token is held."""
    session.token("revsto@demo")

    with pytest.raises(OAuthError):
        session.token("revsto@demo", credentials={"password": "wrong-password"})


def test_refused_credentials_are_not_sent_again_by_themselves(session):
    """Sixteen threads with a wrong password send it once; `fresh` sends it again."""
    wrong = {"password": "wrong-password"}
    barrier = threading.Barrier(16)
    errors = []

    def work():
        barrier.wait()
        try:
            session.token("revsto@demo", credentials=wrong)
        except OAuthError as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(errors) == 16
    assert token_requests(session) == 1
    with pytest.raises(OAuthError, match="refused before") as caught:
        session.token("revsto@demo", credentials=wrong)
    assert "--fresh" in caught.value.hint
    with pytest.raises(OAuthError):
        session.token("revsto@demo", credentials=wrong, fresh=True)
    assert token_requests(session) == 2
    assert session.token("revsto@demo")


def test_an_address_that_is_refused_costs_no_refresh_token(session):
    """The old token serves and says what went wrong; later the refresh works."""
    session.token("revsto@demo")
    session.demo("revsto@demo").refuse()
    session.demo("revsto@demo").advance(280)

    reply = session.api("revsto@demo", PRODUCTS)
    session.demo("revsto@demo").reset()
    session.demo("revsto@demo").advance(60)

    assert "could not be renewed yet" in reply.note
    assert session.api("revsto@demo", PRODUCTS).status == 200
    assert session.show("revsto@demo").reason == "the access token had expired"


def test_an_adopted_token_is_not_replaced_by_the_clients_own(session):
    """A refused refresh token ends in "log in again", whoever could get another."""
    session.adopt("revsto@demo", {"refresh_token": "def50200dead"}, alias="alice")

    with pytest.raises(LoginRequired):
        session.token("alice")


def test_a_wider_scope_uses_the_credentials_held(session):
    """Nobody is asked for what this session already has."""
    session = Session(environ={})
    given = dict(session.demo("revsto@demo").credentials)
    session.token("revsto@demo", credentials=given, scopes="posting")

    assert session.token("revsto@demo", scopes="kyc_view").scopes == {"kyc_view"}


def test_an_env_file_names_its_user(session, tmp_path):
    """What it holds is part of the wish: another user's token is not returned."""
    env_file = tmp_path / "bob.env"
    env_file.write_text(
        "OAUTHMAGIC_REVSTO_DEMO_USERNAME=bob\nOAUTHMAGIC_REVSTO_DEMO_PASSWORD=pw-bob\n"
    )
    session.token("revsto@demo")

    with pytest.raises(OAuthError):
        session.token("revsto@demo", env_file=env_file)


def test_an_env_file_without_anything_for_the_target_says_so(session, tmp_path):
    """And one that cannot be read names the line."""
    env_file = tmp_path / "some.env"
    env_file.write_text("OTHER=1\n")
    with pytest.raises(CommandError, match=r"holds nothing for revsto@demo") as caught:
        session.token("revsto@demo", env_file=env_file)
    assert caught.value.hint == "Its names look like OAUTHMAGIC_REVSTO_DEMO_CLIENT_ID."
    env_file.write_text("A=1\nOAUTHMAGIC_REVSTO_DEMO_PASSWORD='never closed\n")
    with pytest.raises(CommandError, match="Line 2 of the env file"):
        session.token("revsto@demo", env_file=env_file)


def test_settings_can_be_changed_and_taken_back(session):
    """None takes back what the session was made with."""
    session.configure(environment="production")
    with pytest.raises(MissingCredentials, match="revsto@production"):
        session.token("revsto")
    session.configure(environment=None)
    with pytest.raises(MissingCredentials, match="revsto@sandbox"):
        session.token("revsto")
    for wrong in [
        {"timeout": -1},
        {"max_wait": "long"},
        {"timeot": 1},
        {"settings": "x"},
        {"settings": {"stet": None}},
        {"settings": {"sett": {}}},
        {"settings": {"stet": {"versoin": "1.6.2"}}},
        {"settings": {"stet": {"version": "9"}}},
    ]:
        with pytest.raises(CommandError):
            session.configure(**wrong)


def test_production_is_not_on_this_machine(tmp_path):
    """A production token has no way to a loopback server."""
    file = tmp_path / "acme.toml"
    file.write_text(
        '[provider]\nname = "acme"\n[environments.production]\n'
        'token_endpoint = "http://localhost:1/t"\napi_base = "http://localhost:1"\n'
    )
    with pytest.raises(ProviderFileError, match="production is not on this machine"):
        Session(environ={}).add(file)


def test_a_refresh_gives_a_new_token_and_leaves_the_old_object(session):
    """A token is a snapshot."""
    first = session.token("revsto@demo")
    mark = first.fingerprint

    second = session.refresh("revsto@demo")

    assert second.fingerprint != mark
    assert first.fingerprint == mark
    assert second.generation == first.generation + 1
    assert second.reason == "asked for"


def test_an_adopted_refresh_token_gets_its_access_token_at_first_use(session):
    """`adopt` with a refresh token alone, then `token` refreshes."""
    donor = session.token("revsto@demo")
    session.forget("revsto@demo")

    adopted = session.adopt(
        "revsto@demo", {"refresh_token": donor.refresh_token, "scope": "account_view"}
    )
    token = session.token("revsto@demo")

    assert adopted.access_token is None
    assert adopted.is_expired() is True
    assert token.access_token
    assert token.grant == "adopted"
    assert session.api("revsto@demo", PRODUCTS).ok


def test_an_adopted_access_token_is_used_as_it_is(session):
    """Its life is unknown, so it counts as usable."""
    donor = session.token("revsto@demo")
    session.forget(every=True)

    session.adopt("revsto@demo", {"access_token": donor.access_token.reveal()})

    assert session.api("revsto@demo", PRODUCTS).ok
    assert session.show("revsto@demo").is_expired() is None


def test_missing_credentials_name_every_remedy(session):
    """The fields, the variables, the file, the prompt, the demo."""
    with pytest.raises(MissingCredentials) as caught:
        session.token("revsto@sandbox", credentials={"client_id": "me"})

    assert str(caught.value) == (
        "No credentials for revsto@sandbox: client_secret, username, password missing."
    )
    for remedy in (
        "--credentials VAR",
        "OAUTHMAGIC_REVSTO_SANDBOX_PASSWORD",
        "--env-file PATH",
        "prompt",
        "%token form revsto@sandbox",
        "keyring set oauthmagic revsto@sandbox/client_secret",
        "revsto@demo needs none",
    ):
        assert remedy in caught.value.hint


def test_credentials_come_from_the_first_place_that_has_them(tmp_path):
    """Given on the call or in its file, then the environment, then the demo."""
    env_file = tmp_path / "acme.env"
    env_file.write_text(
        "OAUTHMAGIC_REVSTO_DEMO_SUBJECT_TOKEN_TYPE=from-file\n"
        "OAUTHMAGIC_REVSTO_DEMO_PASSWORD='fi$le'\n"
    )
    session = Session(
        environ={
            "OAUTHMAGIC_REVSTO_DEMO_CLIENT_ID": "from-environment",
            "OAUTHMAGIC_REVSTO_DEMO_USERNAME": "from-environment",
            "OAUTHMAGIC_REVSTO_SANDBOX_USERNAME": "of another environment",
        }
    )
    world, _ = session._holdings.named("revsto@demo")
    given = Credentials(redirect_uri="given").over(
        from_env_file(env_file, world.target)
    )

    found = session._holdings.credentials(world, "", given)

    assert found.redirect_uri == "given"
    assert found.subject_token_type == "from-file"
    assert found.client_id == "from-environment"
    assert found.password.reveal() == "fi$le"
    assert found.username == "from-environment"
    assert found.client_secret is None


def test_a_prompt_is_asked_for_what_is_missing_only():
    """Secrets with a hidden prompt; an empty answer ends it."""
    asked = []

    def prompt(label, secret):
        asked.append((label, secret))
        return ""

    session = Session(
        environ={"OAUTHMAGIC_REVSTO_SANDBOX_CLIENT_ID": "me"}, prompt=prompt
    )

    with pytest.raises(MissingCredentials, match="No client_secret was entered"):
        session.token("revsto@sandbox")

    assert asked == [("client_secret for revsto@sandbox: ", True)]


def test_it_can_be_seen_where_credentials_would_come_from():
    """Without asking the keyring or the user; the first place wins."""
    session = Session(environ={"OAUTHMAGIC_REVSTO_SANDBOX_CLIENT_ID": "me"})

    assert session.credential_sources("revsto@sandbox") == {
        "client_id": "environment",
        "client_secret": "",
        "username": "",
        "password": "",
    }
    assert set(session.credential_sources("revsto@demo").values()) == {"demo"}
    assert session.credential_sources("paysafe/x@demo", "token_exchange") == {
        "client_id": "demo",
        "client_secret": "demo",
        "subject_token": "demo",
    }


def test_a_token_is_tested_with_what_its_provider_names(session):
    """One harmless request; a provider that names none is an error that says so."""
    assert session.probe("revsto@demo").status == 200
    assert session.probe("paysafe/liberty@demo").status == 200

    session.add(dataclasses.replace(session.provider("revsto"), name="other", probe=""))
    with pytest.raises(CommandError, match="names no harmless request"):
        session.probe("other@sandbox")


def test_the_environment_of_a_bare_target_can_be_set():
    """`OAUTHMAGIC_ENVIRONMENT`, or the argument; else sandbox."""
    assert Session(environ={"OAUTHMAGIC_ENVIRONMENT": "demo"}).token("revsto")
    assert Session(environ={}, environment="demo").token("revsto")
    with pytest.raises(MissingCredentials):
        Session(environ={}).token("revsto")
    with pytest.raises(UnknownName, match="Did you mean 'demo'"):
        Session(environ={"OAUTHMAGIC_ENVIRONMENT": "dmo"})


def test_forgetting_is_local_and_counted(session):
    """One target, or everything."""
    session.token("revsto@demo", scopes=["posting"])
    session.token("revsto@demo", scopes=["kyc_view"])

    assert session.forget("revsto@demo") == 2
    assert session.forget("revsto@demo") == 0
    session.token("revsto@demo")
    assert session.forget(every=True) == 1


def test_threads_share_a_session():
    """Eight threads without a token: one token request, eight good replies."""
    session = Session(environ={})
    barrier = threading.Barrier(8)
    statuses = []

    def work():
        barrier.wait()
        statuses.append(session.api("revsto@demo", PRODUCTS).status)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [200] * 8
    assert token_requests(session) == 1


def test_the_magics_session_is_made_once():
    """`current_session` is the one that `%token` uses."""
    assert oauthmagic.current_session() is oauthmagic.current_session()


def test_an_unknown_store_is_an_unknown_name():
    """There is one so far."""
    with pytest.raises(UnknownName, match="Did you mean 'memory'"):
        Session("memry")


def test_a_session_shows_how_much_it_holds(session):
    """And nothing else."""
    assert repr(session) == "<oauthmagic.Session holding 0 tokens>"
    session.token("revsto@demo")
    assert repr(session) == "<oauthmagic.Session holding 1 token>"


def test_time_outside_a_demo_is_given():
    """A clock that is given is the one that counts."""
    now = datetime(2030, 5, 5, tzinfo=UTC)
    session = Session(environ={}, clock=lambda: now)

    token = session.adopt("revsto@sandbox", {"access_token": "at", "expires_in": 60})

    assert token.issued_at == now


def test_on_a_public_binder_production_is_refused_before_any_prompt():
    """A private JupyterHub is not a Binder."""
    asked = []

    def prompt(label, _):
        asked.append(label)
        return ""

    binder = {"BINDER_LAUNCH_HOST": "https://mybinder.org/", "JUPYTERHUB_USER": "x"}
    hub = {"JUPYTERHUB_USER": "x"}

    with pytest.raises(EnvironmentRefused, match="public Binder"):
        Session(environ=binder, prompt=prompt).token("revsto@production")
    assert asked == []
    with pytest.raises(MissingCredentials):
        Session(environ=hub, prompt=prompt).token("revsto@production")
    assert asked
    assert Session(environ=binder).token("revsto@demo")


def test_credentials_of_production_are_refused_in_the_sandbox(tmp_path):
    """Never use production credentials in the sandbox, and never the reverse."""
    file = tmp_path / "acme.toml"
    text = '[provider]\nname = "acme"\n'
    for name in ("sandbox", "production"):
        text += (
            f'[environments.{name}]\ntoken_endpoint = "https://{name}.acme.example/t"\n'
            f'api_base = "https://{name}.acme.example"\n'
        )
    file.write_text(text)
    environ = {
        "OAUTHMAGIC_ACME_PRODUCTION_CLIENT_ID": "me",
        "OAUTHMAGIC_ACME_PRODUCTION_CLIENT_SECRET": "fake-production-secret",
    }
    session = Session(environ=environ)
    session.add(file)
    given = {"client_id": "me", "client_secret": "fake-production-secret"}

    with pytest.raises(EnvironmentRefused, match="those of acme@production"):
        session.token("acme@sandbox", credentials=given)


def test_forgetting_drops_what_waits(session):
    """A payment does not go out with a token that was forgotten."""
    wallet = "paysafe/liberty@demo"
    with pytest.raises(UserActionRequired):
        session.token(wallet, grant="password")
    session.resume(wallet, answer="123456")
    account = session.api(wallet, "GET /v1/customers").status
    with pytest.raises(UserActionRequired):
        session.token(wallet, grant="password", fresh=True)

    session.forget(every=True)

    assert account == 200
    with pytest.raises(CommandError, match="Nothing waits"):
        session.resume(wallet, answer="123456")


def test_an_adopted_token_is_nobodys_in_particular(session):
    """It does not answer a wish that names a user."""
    session.token("revsto@demo")
    session.adopt("revsto@demo", {"access_token": "fake-token-of-bob"})

    named = session.token("revsto@demo", credentials={"username": "demo-analyst"})

    assert named.grant == "password"
