"""Where credentials come from; the first that has a field wins.

What was given, environment variables, an env file, what this session already
holds, and last a prompt, where there is somebody to ask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthmagic.errors import CommandError, MissingCredentials
from oauthmagic.oauth.credentials import (
    SECRET_FIELDS,
    Credentials,
    field_names,
    read_credentials,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from oauthmagic.oauth.targets import Target

    #: (label, secret) -> what the user entered
    Prompt = Callable[[str, bool], str]


def from_variables(variables: Mapping[str, str | None], target: Target) -> Credentials:
    """Return the credentials that variables hold for a target.

    Args:
        variables: For example the process environment.
        target: Names with its tenant come before names without.
    """
    found = {}
    for name in field_names():
        for variable in _variables(target, name):
            if variables.get(variable):
                found[name] = variables[variable]
                break
    return read_credentials(found)


def from_env_file(path: str | Path, target: Target) -> Credentials:
    """Return the credentials that a file of `NAME=value` lines holds for a target.

    Raises:
        CommandError: The file cannot be read.
    """
    import dotenv  # noqa: PLC0415 - only where such a file is named

    try:
        with open(path, encoding="utf-8") as lines:  # noqa: PTH123 - str or Path
            # Values are taken as they stand: a $ in a password is a $.
            values = dotenv.dotenv_values(stream=lines, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        msg = f"The env file {str(path)!r} cannot be read ({type(error).__name__})."
        raise CommandError(msg, hint="Check the path of --env-file.") from None
    return from_variables(values, target)


def complete(
    found: Credentials,
    needed: Iterable[str],
    target: Target,
    *,
    prompt: Prompt | None,
    has_demo: bool,
) -> Credentials:
    """Return the credentials with every needed field, asking for what is missing.

    Args:
        found: What was found so far.
        needed: The fields that the grant needs.
        target: What they are for.
        prompt: Asks the user; None where nobody can be asked.
        has_demo: Whether the provider has a simulator to suggest.

    Raises:
        MissingCredentials: Fields are missing; the hint names every remedy.
    """
    missing = found.missing(needed)
    if not missing:
        return found
    if prompt is None:
        msg = f"No credentials for {target}: {', '.join(missing)} missing."
        raise MissingCredentials(
            msg, hint=_remedies(missing, target, has_demo=has_demo)
        )
    entered = {}
    for name in missing:
        entered[name] = prompt(f"{name} for {target}: ", name in SECRET_FIELDS)
        if not entered[name]:
            msg = f"No {name} was entered for {target}."
            raise MissingCredentials(
                msg, hint=_remedies(missing, target, has_demo=has_demo)
            )
    return read_credentials(entered).over(found)


def _variables(target: Target, field: str) -> list[str]:
    parts = [target.provider, target.tenant, target.environment, field]
    shorter = [target.provider, target.environment, field]
    ways = [parts, shorter] if target.tenant else [shorter]
    return [
        "OAUTHMAGIC_" + "_".join(way).upper().replace("-", "_").replace(".", "_")
        for way in ways
    ]


def _remedies(missing: Iterable[str], target: Target, *, has_demo: bool) -> str:
    variables = ", ".join(_variables(target, name)[-1] for name in missing)
    remedies = (
        "Any of these ways: in a notebook or terminal, run %token and enter them at "
        "the prompt; --credentials VAR (in Python credentials=), a mapping with the "
        f"fields {', '.join(missing)}; the environment variables {variables}, set "
        "before the session begins; or --env-file PATH, a file with the same names."
    )
    if has_demo and target.environment != "demo":
        remedies += f" {target.provider}@demo needs none."
    return remedies
