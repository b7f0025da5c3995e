"""The contract of a provider: the built-in ones keep it, and each breach is told."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import entry_points

import pytest

from oauthmagic.providers.environments import SandboxEnvironment
from oauthmagic.providers.provider import Provider
from oauthmagic.testing import assert_provider, check_provider

BUILT_IN = [
    each
    for each in entry_points(group="oauthmagic.providers")
    if each.module.startswith("oauthmagic.")
]
GOOD = Provider(
    name="acme",
    title="Acme Bank",
    environments={
        "sandbox": SandboxEnvironment(
            token_endpoint="https://id.acme.example/token",
            api_base="https://api.acme.example/v1",
        )
    },
    grants=("client_credentials", "refresh_token"),
    default_grant="client_credentials",
    scopes={"accounts": "View accounts"},
    default_scopes=("accounts",),
)


def environment(**changes):
    """Return the good provider's environments, changed."""
    return {"sandbox": replace(GOOD.environments["sandbox"], **changes)}


def raising(*_):
    """Fail, whatever is asked."""
    raise KeyError("plainly-fake")


def signing(request, preparation, **changes):
    """Sign a request, and do something else to it."""
    signed = (*request.headers, ("x-signed", preparation.guid()))
    return replace(request, **{"headers": signed, **changes})


def counting():
    """Return a `prepare` that never gives the same twice."""
    numbers = iter(range(1000))

    def prepare(request, preparation):
        number = ("x-number", str(next(numbers)))
        return signing(request, preparation, headers=(*request.headers, number))

    return prepare


@pytest.mark.parametrize("entry", BUILT_IN, ids=lambda entry: entry.name)
def test_the_built_in_ones_keep_it(entry):
    """They come through the same door, under their own names."""
    provider = entry.load()

    assert_provider(provider)
    assert provider.name == entry.name


def test_there_are_three():
    """None of them is missing from the door."""
    assert sorted(entry.name for entry in BUILT_IN) == ["paysafe", "revsto", "stet"]


def test_little_is_enough():
    """A provider without functions of its own is one."""
    assert check_provider(GOOD) == []
    assert check_provider(replace(GOOD, prepare=signing)) == []


def test_an_issuer_is_enough_where_it_is_asked():
    """Its metadata name the endpoints, the authorization endpoint among them."""
    asked = replace(
        GOOD,
        grants=("authorization_code",),
        default_grant="authorization_code",
        environments=environment(
            token_endpoint="", endpoints={"issuer": "https://id.acme.example"}
        ),
    )

    assert check_provider(asked) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "show"}, "it is a verb of %token"),
        ({"name": "Acme Bank"}, "name: 'Acme Bank' is not a provider name"),
        ({"title": " "}, "title is empty"),
        ({"documentation": "ftp://acme.example"}, "documentation: "),
        ({"environments": {}}, "environments is empty"),
        ({"environments": {"test": GOOD.environments["sandbox"]}}, "is none of demo"),
        ({"environments": {"production": GOOD.environments["sandbox"]}}, "calls itsel"),
        ({"environments": {"demo": GOOD.environments["sandbox"]}}, "come together"),
        ({"simulator": "oauthmagic.sandbox.revsto:create"}, "come together"),
        (
            {"environments": environment(api_base="https://{brand}.acme.example")},
            "nothing fills in {brand}",
        ),
        (
            {"environments": environment(api_base="https://{tenant}.acme.example")},
            "nothing fills in {tenant}",
        ),
        (
            {
                "environments": environment(api_base="https://{tenant}.acme.example"),
                "tenants": {"A_B": "no host"},
            },
            "environments['sandbox']: The api_base has a host that is no name",
        ),
        ({"environments": environment(api_base="https://a.example/?a=b")}, "a query"),
        ({"default_grant": "password"}, "'password' is not one of grants"),
        (
            {"grants": ("implicit",), "default_grant": "implicit"},
            "does not perform the grant 'implicit'",
        ),
        ({"grants": ("client_credentials", "REFRESH_TOKEN")}, "on the wire"),
        (
            {"grants": ("client_credentials", "authorization_code")},
            "offered without authorization_endpoint",
        ),
        ({"token_endpoint_auth_method": "basic"}, "token_endpoint_auth_method is none"),
        ({"basic_encoding": "utf-8"}, "basic_encoding is none of form, raw"),
        ({"scopes": {"a b": "Two"}, "default_scopes": ()}, "not a scope by RFC 6749"),
        ({"scopes": {"accounts": ""}}, "'accounts' has no description"),
        ({"default_scopes": ("account",)}, "Did you mean 'accounts'?"),
        ({"tenants": {"a/b": "Slash"}}, "tenants: "),
        ({"tenants": {"a": 7}}, "has no text as its name"),
        ({"tenants": {}, "tenant_kind": ""}, "tenant_kind is empty"),
        ({"settings": {"version": {}}}, "'version' has no value"),
        ({"settings": {"tenant": {"a": "a"}}}, "a meaning of its own"),
        ({"consent_days": "days"}, "there is no setting 'days'"),
        (
            {"consent_days": "days", "settings": {"days": {"a": "soon"}}},
            "not numbers of days",
        ),
        ({"step_up": "totp"}, "'totp' is not 'sca'"),
        ({"explain": raising}, "raises KeyError"),
        ({"explain": lambda *_: None}, "is no text"),
        ({"explain": lambda *_: "x" * 5000}, "is no text of at most"),
        ({"next_page": raising}, "next_page(null) raises KeyError"),
        ({"next_page": lambda *_: None}, "next_page(null) is not a text"),
        ({"prepare": raising}, "prepare(GET) raises KeyError"),
        ({"prepare": lambda *a: signing(*a, method="PUT")}, "changes the method"),
        ({"prepare": lambda *a: signing(*a, url="https://e/")}, "changes the url"),
        ({"prepare": lambda *a: signing(*a, body=b"")}, "changes the body"),
        ({"prepare": lambda *a: signing(*a, headers=())}, "drops or changes a header"),
        (
            {"prepare": lambda *a: signing(*a, headers=(("Authorization", "x"),))},
            "writes Authorization",
        ),
        ({"prepare": counting()}, "is not pure"),
        ({"probe": "accounts"}, "probe: 'accounts' is not a path"),
        ({"preflight": raising}, "preflight raises KeyError"),
        ({"simulator": "oauthmagic.sandbox.nowhere:create"}, "cannot be imported"),
        ({"simulator": "oauthmagic.sandbox.revsto:SIMULATED"}, "cannot be imported"),
        ({"simulator": "oauthmagic.providers.catalogue:GROUP"}, "cannot be called"),
    ],
)
def test_each_breach_is_told(changes, said):
    """In a sentence that says where."""
    complaints = check_provider(replace(GOOD, **changes))

    assert [each for each in complaints if said in each], complaints


def test_all_of_them_are_told_at_once():
    """An author repairs a page in one go."""
    broken = replace(GOOD, title="", step_up="totp", explain=raising)

    with pytest.raises(AssertionError) as failed:
        assert_provider(broken)

    assert len(str(failed.value).splitlines()) == 3


def test_something_else_is_no_provider():
    """A module or a dictionary is not taken for one."""
    assert check_provider({"name": "acme"}) == ["It is dict, not a Provider."]


def test_what_a_signature_needs_can_be_given():
    """A `prepare` that cannot do without credentials is tested with fake ones."""

    def prepare(request, preparation):
        if preparation.credentials.client_secret is None:
            raise KeyError("client_secret")
        return signing(request, preparation)

    fake = {"client_id": "me", "client_secret": "plainly-fake-secret"}

    assert check_provider(replace(GOOD, prepare=prepare))
    assert check_provider(replace(GOOD, prepare=prepare), credentials=fake) == []
