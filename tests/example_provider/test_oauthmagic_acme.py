"""What every provider promises, and what is Acme's own."""

from __future__ import annotations

from oauthmagic_acme import PROVIDER

import oauthmagic
from oauthmagic.testing import assert_provider


def test_it_keeps_the_contract():
    """One line for URLs, scopes, grants, names and functions."""
    assert_provider(PROVIDER)


def test_it_can_be_named_once_it_is_installed():
    """Nothing is registered by hand, and a preview sends nothing."""
    session = oauthmagic.Session()

    preview = session.preview("acme", "GET /accounts")

    assert "https://api.sandbox.acme.example/v1/accounts" in preview


def test_a_locked_client_is_explained():
    """The page "Getting started" says why; a 401 alone does not."""
    assert "three wrong secrets" in PROVIDER.hint("token", 401)
