"""What can be chosen in a form, and the line that asks for the same."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import CommandError, OAuthMagicError, UnknownName
from oauthmagic.oauth import grants
from oauthmagic.oauth.targets import ENVIRONMENTS, Target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oauthmagic.providers.provider import Provider
    from oauthmagic.session import Session


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """A token that a form asks for.

    Attributes:
        provider: The provider.
        tenant: Its tenant, or "".
        environment: The environment.
        grant: The grant.
        scopes: What is selected, in the provider's order; empty for its default set.
    """

    provider: Provider
    tenant: str
    environment: str
    grant: str
    scopes: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """The target, as it is typed."""
        return str(Target(self.provider.name, self.tenant, self.environment))

    def check(self) -> None:
        """Refuse a choice that is not complete.

        Raises:
            CommandError: The tenant is missing or unknown.
        """
        self.provider.check_tenant(self.tenant)

    def line(self) -> str:
        """Return the magic line that does the same; it never has a secret."""
        words = ["%token", self.target]
        if self.grant != self.provider.check_grant(None):
            short = {long: alias for alias, long in grants.ALIASES.items()}
            words += ["--grant", short.get(self.grant, self.grant)]
        if self.scopes and set(self.scopes) == set(offered_scopes(self.provider)):
            words.append("--all-scopes")
        elif self.scopes:
            words += ["--scope", *map(shlex.quote, self.scopes)]
        return " ".join(words)


def changed(choice: Choice, **changes: Any) -> Choice:
    """Return a choice with something else chosen."""
    return replace(choice, **changes)


def kept_text(target: str, names: Iterable[str]) -> str:
    """Return a sentence that says what the keyring holds now."""
    return f"In the keyring for {target}: {', '.join(names)}."


def first_choice(session: Session, text: str = "") -> Choice:
    """Return what a form begins with.

    Args:
        session: The session.
        text: A target, which may lack its tenant, or an alias; without it, the
            first provider.

    Raises:
        CommandError: It is no target.
        UnknownName: It names something unknown.
    """
    target = session.read_target(text or next(iter(providers(session))))
    provider = session.provider(target.provider)
    provider.environment(target.environment)
    if target.tenant:
        provider.check_tenant(target.tenant)
    return choice_of(provider, target.environment, tenant=target.tenant)


def choice_of(provider: Provider, environment: str, *, tenant: str = "") -> Choice:
    """Return what is chosen of a provider before anything is.

    Args:
        provider: The provider.
        environment: The environment that is wished for; where it has none of this
            name, its first.
        tenant: Its tenant; where it has known ones and none is given, the first.
    """
    known = environments(provider)
    return Choice(
        provider=provider,
        tenant=tenant or next(iter(provider.tenants or {}), ""),
        environment=environment if environment in known else known[0],
        grant=provider.check_grant(None),
        scopes=provider.default_scopes,
    )


def providers(session: Session) -> dict[str, Provider]:
    """Return every provider that can be had, by name.

    Raises:
        CommandError: There is none.
    """
    found = {}
    for name in session.names():
        try:
            found[name] = session.provider(name)
        except OAuthMagicError:
            continue  # an alias, or somebody's package that is broken
    if not found:
        msg = "There is no provider to choose from."
        raise CommandError(msg, hint="%token add FILE.toml adds one.")
    return found


def environments(provider: Provider) -> list[str]:
    """Return the environments of a provider, the most harmless first."""
    return [name for name in ENVIRONMENTS if name in provider.environments]


def beginning_grants(provider: Provider) -> list[str]:
    """Return the grants of a provider that a token can begin with."""
    found = []
    for name in provider.grants:
        try:
            grant = provider.check_grant(name)
        except (CommandError, UnknownName):
            continue  # one that this version does not perform
        if grant != "refresh_token" and grant not in found:
            found.append(grant)
    return found


def offered_scopes(provider: Provider) -> dict[str, str]:
    """Return the scopes that can be asked for together, with their descriptions."""
    return {
        name: text
        for name, text in provider.scopes.items()
        if name not in provider.not_offered
    }


def matching(scopes: dict[str, str], search: str) -> list[str]:
    """Return the scopes in whose name or description every word of a search is."""
    words = search.casefold().split()
    return [
        name
        for name, text in scopes.items()
        if all(word in f"{name} {text}".casefold() for word in words)
    ]
