"""Targets, scopes, grants and client authentication: what is sent, exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthmagic.errors import CommandError, UnknownName
from oauthmagic.oauth import clients, grants
from oauthmagic.oauth.scopes import format_scope, normalise_scopes, parse_scope
from oauthmagic.oauth.targets import VERBS, Target, check_name, parse_target
from oauthmagic.redaction import Secret


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("revsto@demo", Target("revsto", "", "demo")),
        ("revsto", Target("revsto", "", "sandbox")),
        ("stet/17515@production", Target("stet", "17515", "production")),
        ("paysafe/liberty", Target("paysafe", "liberty", "sandbox")),
    ],
)
def test_a_target_names_provider_tenant_and_environment(text, target):
    """Tenant and environment may be left out."""
    assert parse_target(text, default_environment="sandbox") == target


def test_a_target_reads_as_it_was_written():
    """Its text is the whole name, the environment included."""
    target = parse_target("stet/17515", default_environment="demo")

    assert str(target) == "stet/17515@demo"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'' is not a target."),
        ("Revsto@demo", "'Revsto@demo' is not a target."),
        ("revsto@", "Unknown environment ''."),
        ("revsto@prodution", "Did you mean 'production'?"),
        ("stet/@demo", "is not a tenant."),
        ("a/b/c@demo", "is not a target."),
        ("revsto@demo@demo", "is not a target."),
        ("re vsto@demo", "is not a target."),
    ],
)
def test_what_is_no_target_is_refused_in_one_sentence(text, said):
    """The sentence quotes what was typed."""
    with pytest.raises(CommandError) as caught:
        parse_target(text, default_environment="sandbox")

    assert said in str(caught.value)


@given(st.text(max_size=30))
def test_any_text_is_a_target_or_an_error_of_ours(text):
    """Property: nothing else comes out, and a target reads back as itself."""
    try:
        target = parse_target(text, default_environment="sandbox")
    except CommandError:
        return

    assert parse_target(str(target), default_environment="demo") == target


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_names_no_provider(verb):
    """`%token show` must stay a command."""
    with pytest.raises(CommandError, match="it is a verb"):
        check_name(verb)


def test_scopes_are_split_and_joined_by_blanks():
    """Order is kept, repetitions are not (RFC 6749, section 3.3)."""
    assert parse_scope("b a  b") == ("b", "a")
    assert format_scope(("b", "a")) == "b a"
    assert normalise_scopes(["b a", "c"]) == ("b", "a", "c")
    assert normalise_scopes("b a") == ("b", "a")


@pytest.mark.parametrize("scope", ['a"b', "a\\b", "é", "a\tb", "a\x7f"])
def test_a_character_outside_the_grammar_is_refused(scope):
    """scope-token = 1*( %x21 / %x23-5B / %x5D-7E )."""
    with pytest.raises(CommandError, match="Not a scope"):
        normalise_scopes(scope)


@given(st.lists(st.from_regex(r"\A[\x21\x23-\x5b\x5d-\x7e]+\Z"), unique=True))
def test_scopes_survive_the_wire(scopes):
    """Property: what is joined can be split again."""
    assert parse_scope(format_scope(scopes)) == tuple(scopes)


def test_the_password_grant_is_a_form():
    """RFC 6749, section 4.3.2, with every odd character encoded (Appendix B)."""
    parameters = grants.password("jo é", Secret("p&w=+%"), ["a", "b"])

    assert grants.encode_form(parameters) == (
        b"grant_type=password&username=jo+%C3%A9&password=p%26w%3D%2B%25&scope=a+b"
    )


def test_no_scope_sends_no_parameter():
    """An empty parameter would count as omitted anyway (section 3.2)."""
    assert grants.encode_form(grants.client_credentials()) == (
        b"grant_type=client_credentials"
    )
    assert grants.encode_form(grants.refresh_token(Secret("rt"))) == (
        b"grant_type=refresh_token&refresh_token=rt"
    )


@pytest.mark.parametrize(
    ("client_id", "secret", "encoding", "value"),
    [
        # RFC 6749, sections 2.3.1 and 6.
        (
            "s6BhdRkqt3",
            "7Fjfp0ZBr1KtDRbnfVdmIw",
            "form",
            "czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3",
        ),
        ("s6BhdRkqt3", "gX1fBat3bV", "form", "czZCaGRSa3F0MzpnWDFmQmF0M2JW"),
        # `a:b` and `c d%é` form-encoded: a%3Ab:c+d%25%C3%A9
        ("a:b", "c d%é", "form", "YSUzQWI6YytkJTI1JUMzJUE5"),
        ("a", "c d%é", "raw", "YTpjIGQlw6k="),
    ],
)
def test_basic_credentials_are_encoded_each_for_itself(
    client_id, secret, encoding, value
):
    """Form-encoded before base64, unless the server does not decode."""
    assert (
        clients.basic_authorization(client_id, Secret(secret), encoding)
        == f"Basic {value}"
    )


def test_a_client_authenticates_in_one_place_only():
    """RFC 6749, section 2.3: never header and body in one request."""
    basic = clients.authenticate("client_secret_basic", "id", Secret("s"))
    post = clients.authenticate("client_secret_post", "id", Secret("s"))
    none = clients.authenticate("none", "id", None)

    assert basic == ((("authorization", "Basic aWQ6cw=="),), {})
    assert post[0] == ()
    assert post[1]["client_id"] == "id"
    assert post[1]["client_secret"].reveal() == "s"
    assert none == ((), {"client_id": "id"})


def test_appendix_b_vector():
    """RFC 6749, Appendix B: the six characters of the example."""
    assert grants.encode_form({"v": " %&+£€"}) == b"v=+%25%26%2B%C2%A3%E2%82%AC"


def test_an_unknown_environment_names_the_known():
    """The hint lists what would have been accepted."""
    with pytest.raises(UnknownName) as caught:
        parse_target("revsto@live", default_environment="sandbox")

    assert caught.value.hint == "Known: demo, sandbox, production."
