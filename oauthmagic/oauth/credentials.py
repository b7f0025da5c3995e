"""Credentials: what a client and its user show to be let in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import CommandError, UnknownName
from oauthmagic.redaction import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Fields whose values are secrets.
SECRET_FIELDS = ("client_secret", "password")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Credentials:
    """The fields of RFC 6749 that authenticate a client and a resource owner."""

    client_id: str = ""
    client_secret: Secret | None = None
    username: str = ""
    password: Secret | None = None

    def missing(self, needed: Iterable[str]) -> tuple[str, ...]:
        """Return those of the needed fields that have no value."""
        return tuple(name for name in needed if not getattr(self, name))

    def over(self, other: Credentials) -> Credentials:
        """Return these credentials, completed by `other` where they say nothing."""
        return Credentials(
            **{
                name: getattr(self, name) or getattr(other, name)
                for name in field_names()
            }
        )


def field_names() -> tuple[str, ...]:
    """Return the names of all credential fields."""
    return tuple(each.name for each in fields(Credentials))


def read_credentials(values: object) -> Credentials:
    """Read credentials from a mapping of field names in lower case; None has none.

    Raises:
        CommandError: It is not a mapping of texts (or `Secret` values); no value
            is quoted.
        UnknownName: A field is unknown.
    """
    names = field_names()
    if values is None:
        return Credentials()
    if not isinstance(values, Mapping):
        msg = f"Credentials are a mapping, not {type(values).__name__}."
        raise CommandError(msg, hint=f"Its keys: {', '.join(names)}.")
    given: dict[str, Any] = {}
    for name in values:
        if name not in names:
            raise UnknownName("credential", str(name), names)
        given[name] = _value(name, values[name])
    return Credentials(**given)


def _value(name: str, value: object) -> str | Secret:
    if isinstance(value, Secret):
        return value if name in SECRET_FIELDS else value.reveal()
    if not isinstance(value, str):
        # The value is not shown: it may be the secret in a wrapping.
        msg = f"The credential {name!r} is not a text but {type(value).__name__}."
        raise CommandError(msg)
    try:
        value.encode()
    except UnicodeEncodeError:
        msg = f"The credential {name!r} has characters that UTF-8 cannot write."
        raise CommandError(msg) from None
    if name not in SECRET_FIELDS:
        return value
    return Secret(value) if value else ""
