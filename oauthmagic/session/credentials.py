"""Where credentials come from; the first that has a field wins.

What was given, environment variables, an env file, what this session already
holds, the keyring, and last a prompt, where there is somebody to ask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthmagic.errors import CommandError, MissingCredentials, StoreUnavailable
from oauthmagic.oauth.credentials import (
    SECRET_FIELDS,
    Credentials,
    field_names,
    holds_key,
    missing_credentials,
    read_credentials,
    variable_names,
)
from oauthmagic.oauth.outcomes import settled
from oauthmagic.oauth.targets import production_mark
from oauthmagic.redaction import Secret
from oauthmagic.store.stores import PASSPHRASE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from oauthmagic.oauth.targets import Target
    from oauthmagic.session.remembered import Remembered

    #: (label, secret) -> what the user entered
    Prompt = Callable[[str, bool], str]

PREFIX = "OAUTHMAGIC_"


def concealed(environ: Mapping[str, str | None]) -> dict[str, str | Secret]:
    """Return the variables that are ours, the secrets among them hidden."""
    endings = tuple(f"_{name.upper()}" for name in SECRET_FIELDS)
    return {
        name: Secret(value)
        if name.endswith((*endings, PASSPHRASE)) or holds_key(value)
        else value
        for name, value in environ.items()
        if name.startswith(PREFIX) and value
    }


def from_variables(
    variables: Mapping[str, str | Secret], target: Target
) -> Credentials:
    """Return the credentials that variables hold for a target.

    Args:
        variables: As `concealed` returns them.
        target: Names with its tenant come before names without.
    """
    found = {}
    for name in field_names():
        for variable in variable_names(target, name):
            if variable in variables:
                found[name] = variables[variable]
                break
    return settled(read_credentials(found))


def from_env_file(path: str | Path, target: Target) -> Credentials:
    """Return the credentials that a file of `NAME=value` lines holds for a target.

    A value with blanks, quotes or `#` in it must stand in single quotes; nothing is
    substituted in it.

    Raises:
        CommandError: The file cannot be read, or holds nothing for this target.
    """
    from dotenv.parser import parse_stream  # noqa: PLC0415 - only where it is needed

    values: dict[str, str | None] = {}
    try:
        with open(path, encoding="utf-8") as lines:  # noqa: PTH123 - str or Path
            for binding in parse_stream(lines):
                if binding.error:
                    line = binding.original.line
                    msg = f"Line {line} of the env file {str(path)!r} cannot be read."
                    raise CommandError(msg, hint="Write NAME='value'.")
                if binding.key:
                    values[binding.key] = binding.value
    except (OSError, UnicodeDecodeError) as error:
        msg = f"The env file {str(path)!r} cannot be read ({type(error).__name__})."
        raise CommandError(msg, hint="Check the path of --env-file.") from None
    variables = concealed(values)
    del values
    found = from_variables(variables, target)
    if not found:
        example = variable_names(target, "client_id")[0]
        msg = f"The env file {str(path)!r} holds nothing for {target}."
        raise CommandError(msg, hint=f"Its names look like {example}.")
    return found


def complete(
    found: Credentials,
    needed: Iterable[str],
    target: Target,
    *,
    remembered: Remembered,
    prompt: Prompt | None,
    has_demo: bool,
) -> Credentials:
    """Return the credentials with every needed field, asking for what is missing.

    The keyring is asked only for what nothing else has, and that it does not answer
    matters only where nobody can be asked either.

    Args:
        found: What was found so far.
        needed: The fields that the grant needs.
        target: What they are for.
        remembered: What the keyring holds.
        prompt: Asks the user; None where nobody can be asked.
        has_demo: Whether the provider has a simulator to suggest.

    Raises:
        MissingCredentials: Fields are missing; the hint names every remedy.
    """
    needed = tuple(needed)
    missing = found.missing(needed)
    if not missing:
        return found
    silent = ""
    try:
        found = found.over(remembered.read(target, missing))
        missing = found.missing(needed)
    except StoreUnavailable as error:
        silent = f"{error} {error.hint} "
    if not missing:
        return found
    if prompt is None:
        remedies = missing_credentials(target, missing, has_demo=has_demo)
        raise remedies.with_hint(silent + remedies.hint)
    mark = production_mark(target.environment)
    where = f"{target} {mark}".strip()
    entered: dict[str, str | Secret] = {}
    for name in missing:
        hidden = name in SECRET_FIELDS
        # Hidden at once: an interruption at the next prompt shows this frame. Only
        # what is secret: a name would be masked wherever it is shown.
        hide: type[str | Secret] = Secret if hidden else str
        value = entered[name] = hide(prompt(f"{name} for {where}: ", hidden))
        if not (value.reveal() if isinstance(value, Secret) else value):
            remedies = missing_credentials(target, missing, has_demo=has_demo)
            msg = f"No {name} was entered for {target}."
            raise MissingCredentials(msg, hint=remedies.hint)
    return settled(read_credentials(entered)).over(found)
