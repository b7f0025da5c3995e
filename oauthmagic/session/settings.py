"""Settings that people give: numbers of seconds, and what each provider offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthmagic.errors import CommandError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oauthmagic.providers.provider import Provider

#: The most that makes sense, in seconds.
_DAY = 24 * 3600.0


def check_seconds(name: str, value: object, *, least: float) -> None:
    """Refuse a number of seconds that makes no sense.

    Raises:
        CommandError: It is not a number, too small, or more than a day.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not least <= value <= _DAY:  # type: ignore[operator]
        msg = f"{name} is {value!r}, not a number of seconds."
        raise CommandError(msg, hint="Give seconds, at most a day.")


def settled_settings(provider: Provider, chosen: Mapping[str, str]) -> dict[str, str]:
    """Return what stands for each setting of a provider.

    Raises:
        UnknownName: A setting, or its value, is unknown.
    """
    for name in chosen:
        if name not in provider.settings:
            where = f" of {provider.name}"
            raise UnknownName("setting", name, provider.settings, where=where)
    found = {}
    for name, values in provider.settings.items():
        value = chosen.get(name, next(iter(values)))
        if value not in values:
            raise UnknownName(f"{name} of {provider.name}", str(value), values)
        found[name] = values[value]
    return found
