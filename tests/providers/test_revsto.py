"""Revsto: what its documentation says."""

import pytest

from oauthmagic.errors import InvalidGrant, InvalidScope, OAuthError, UnknownName
from oauthmagic.providers.catalogue import Catalogue
from oauthmagic.providers.revsto import PROVIDER, READ_ONLY, SCOPES


def test_revsto_comes_in_through_the_entry_points():
    """The same door that other packages use."""
    assert Catalogue().get("revsto") is PROVIDER


@pytest.mark.parametrize(
    ("environment", "token_endpoint", "api_base"),
    [
        (
            "sandbox",
            "https://35702.tagpay.fr/api/distributor/v1/oauth2/token",
            "https://sandbox.revsto.com/api",
        ),
        (
            "production",
            "https://35703.tagpay.fr/api/distributor/v1/oauth2/token",
            "https://login.revsto.com/api",
        ),
    ],
)
def test_the_addresses_are_the_documented_ones(environment, token_endpoint, api_base):
    """Token and API live on different hosts."""
    found = PROVIDER.environment(environment)

    assert found.token_endpoint == token_endpoint
    assert found.api_base == api_base


def test_all_seventeen_scopes_are_described():
    """The near twins at the end are both documented."""
    assert len(SCOPES) == 17
    assert all(SCOPES.values())
    assert {"customer-instruction_submission", "customer-instruction_submit"} < set(
        SCOPES
    )
    assert {"account_view", "transaction_view"} < set(READ_ONLY) < set(SCOPES)


def test_a_misspelt_scope_is_suggested():
    """Nothing is sent for it."""
    with pytest.raises(UnknownName, match="Did you mean 'account_view'"):
        PROVIDER.check_scopes(("acount_view",))


@pytest.mark.parametrize(
    ("where", "status", "error", "said"),
    [
        ("token", 400, OAuthError(error="invalid_request"), "allow list"),
        ("token", 400, OAuthError(error="invalid_request"), "the other environment"),
        ("token", 401, OAuthError(), "Verify username, password, client_id"),
        ("token", 400, InvalidGrant(), "Verify username, password, client_id"),
        ("token", 403, OAuthError(), "Contact Revsto"),
        ("token", 429, None, "rate limit"),
        ("api", 401, None, "--fresh"),
        ("api", 403, None, "lacks the scope"),
        ("api", 429, None, "rate limit"),
        ("api", 400, None, "differ between sandbox and production"),
    ],
)
def test_each_documented_refusal_has_its_own_cause(where, status, error, said):
    """400 may be the wrong environment or an address that is not allowed."""
    assert said in PROVIDER.hint(where, status, error)


def test_a_code_that_says_it_all_needs_no_table():
    """For `invalid_scope` the general hint is the better one."""
    assert PROVIDER.hint("token", 400, InvalidScope()) == ""
    assert PROVIDER.hint("api", 500) == ""
