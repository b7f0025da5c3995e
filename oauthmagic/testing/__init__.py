"""The contract of a provider, for the tests of the package that offers one.

def test_acme_keeps_the_contract():
    assert_provider(PROVIDER)

    data        what a provider says of itself
    functions   what it does: explain, next_page, prepare, preflight, its simulator
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oauthmagic.providers.provider import Provider
from oauthmagic.testing.data import check_data
from oauthmagic.testing.functions import check_functions

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["assert_provider", "check_provider"]


def assert_provider(
    provider: object, *, credentials: Mapping[str, Any] | None = None
) -> None:
    """Fail a test where a provider breaks the contract, with every complaint.

    Args:
        provider: The provider.
        credentials: As in `check_provider`.

    Raises:
        AssertionError: It does.
    """
    complaints = check_provider(provider, credentials=credentials)
    if complaints:
        raise AssertionError("\n".join(complaints))


def check_provider(
    provider: object, *, credentials: Mapping[str, Any] | None = None
) -> list[str]:
    """Return what a provider does wrong; empty where it keeps the contract.

    Nothing is sent.

    Args:
        provider: What the entry point leads to.
        credentials: Credential fields in lower case, plainly fake, for a `prepare`
            that cannot do without.
    """
    if not isinstance(provider, Provider):
        return [f"It is {type(provider).__name__}, not a Provider."]
    return [*check_data(provider), *check_functions(provider, credentials or {})]
