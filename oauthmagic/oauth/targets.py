"""The one grammar that names what to talk to: `provider[/tenant][@environment]`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from oauthmagic.errors import CommandError, UnknownName

ENVIRONMENTS = ("demo", "sandbox", "production")
#: Words of `%token` that can therefore not name a provider or an alias.
VERBS = (
    "form",
    "show",
    "refresh",
    "revoke",
    "introspect",
    "forget",
    "scopes",
    "endpoints",
    "providers",
    "trace",
    "timeline",
    "code",
    "resume",
    "adopt",
    "add",
    "demo",
)

#: How production is marked wherever it is shown: in a word, whatever the colour.
PRODUCTION_MARK = "PRODUCTION"

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TARGET = re.compile(
    r"(?P<provider>[^/@]*)(?:/(?P<tenant>[^/@]*))?(?:@(?P<environment>[^@]*))?"
)


@dataclass(frozen=True, slots=True)
class Target:
    """A provider, its tenant ("" for none) and one of its environments."""

    provider: str
    tenant: str
    environment: str

    def __str__(self) -> str:
        tenant = f"/{self.tenant}" if self.tenant else ""
        return f"{self.provider}{tenant}@{self.environment}"


def environment_of(target: str) -> str:
    """Return the environment that a target's text ends in."""
    return target.rpartition("@")[2]


def production_mark(environment: str) -> str:
    """Return the mark in brackets for production, "" for every other environment."""
    return f"[{PRODUCTION_MARK}]" if environment == "production" else ""


def check_name(name: str, kind: str = "provider name") -> str:
    """Return `name` if it can name a provider or an alias.

    Raises:
        CommandError: It is malformed, or a verb of `%token`.
    """
    if not _NAME.fullmatch(name):
        msg = f"{name[:60]!r} is not a {kind}."
        raise CommandError(
            msg,
            hint="Use lower-case letters, digits, - and _, beginning with a letter.",
        )
    if name in VERBS:
        msg = f"{name!r} cannot be a {kind}: it is a verb of %token."
        raise CommandError(msg, hint="Choose another name.")
    return name


def parse_target(text: str, *, default_environment: str) -> Target:
    """Read a target.

    Args:
        text: For example `"stet/17515@sandbox"` or `"revsto"`.
        default_environment: The environment where the text names none.

    Raises:
        CommandError: The text does not follow the grammar.
        UnknownName: There is no such environment.
    """
    found = _TARGET.fullmatch(text)
    provider = found["provider"] if found else ""
    if not found or not _NAME.fullmatch(provider):
        msg = f"{text[:80]!r} is not a target."
        raise CommandError(
            msg,
            hint="Write provider[/tenant][@environment], for example revsto@demo.",
        )
    tenant = found["tenant"]
    if tenant is not None and not _TENANT.fullmatch(tenant):
        msg = f"{tenant[:60]!r} in {text[:80]!r} is not a tenant."
        raise CommandError(
            msg, hint="A tenant is a bank code or a brand, as in stet/17515."
        )
    environment = found["environment"]
    if environment is None:
        environment = default_environment
    if environment not in ENVIRONMENTS:
        raise UnknownName("environment", environment, ENVIRONMENTS)
    return Target(provider, tenant or "", environment)


def target_to_add(name: str, source: str) -> Target:
    """Read what a provider that is added is called: `NAME` or `NAME@ENVIRONMENT`.

    Without an environment it is a sandbox: nothing is production by chance.

    Args:
        name: The text.
        source: What is added, for errors.

    Raises:
        CommandError: It is no such name.
    """
    target = parse_target(name, default_environment="sandbox")
    check_name(target.provider)
    if target.tenant or target.environment == "demo":
        msg = f"{source} cannot be added as {name!r}."
        raise CommandError(msg, hint="Write NAME, NAME@sandbox or NAME@production.")
    return target
