"""The targets that can be typed, as far as they are typed already."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from oauthmagic.oauth.tokens import Token
    from oauthmagic.providers.catalogue import Catalogue


def targets(catalogue: Catalogue, held: Iterable[Token], typed: str) -> list[str]:
    """Return the targets and aliases that begin with a text.

    Args:
        catalogue: The providers.
        held: The tokens that are held; their targets and aliases can be typed, too.
        typed: The text.
    """
    found = [each.alias or each.target for each in held]
    for name in catalogue:
        found += _of_provider(catalogue, name, typed)
    return [name for name in dict.fromkeys(found) if name.startswith(typed)]


def _of_provider(catalogue: Catalogue, name: str, typed: str) -> Iterator[str]:
    provider = catalogue.known(name)
    if provider is None:
        yield name  # its package was not asked yet
        return
    if provider.tenants is None:
        yield from (f"{name}@{each}" for each in provider.environments)
        return
    before, slash, behind = typed.partition("/")
    if not slash or before != name:
        yield f"{name}/"
        return
    tenant, at, _ = behind.partition("@")
    if not at:
        yield from (f"{name}/{each}" for each in provider.tenants)
    if tenant and (tenant in provider.tenants or not provider.tenants):
        yield from (f"{name}/{tenant}@{each}" for each in provider.environments)
