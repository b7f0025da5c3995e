"""Credentials: what a client and its user show to be let in."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import (
    CommandError,
    EnvironmentRefused,
    MissingCredentials,
    UnknownName,
)
from oauthmagic.redaction import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oauthmagic.oauth.targets import Target

#: Fields whose values are secrets.
SECRET_FIELDS = ("client_secret", "password", "subject_token")
#: Fields that name a file, or hold its text; a key in it is then a secret.
PEM_FIELDS = ("certificate", "private_key", "signing_certificate", "signing_key")
#: Fields by which a client or a user proves who it is.
PROOFS = (*SECRET_FIELDS, "private_key", "signing_key")
#: A name and the secret that goes with it: both come from one source.
_PAIRS = (
    ("username", "password"),
    ("certificate", "private_key"),
    ("signing_certificate", "signing_key"),
)
#: The field that says whose a secret is.
_NAMES = {"client_secret": "client_id", **{secret: name for name, secret in _PAIRS}}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Credentials:
    """What authenticates a client and its user, and what it is registered with.

    Attributes:
        client_id: The client identifier.
        client_secret: The client secret.
        username: The resource owner's user name.
        password: The resource owner's password.
        subject_token: The token to exchange (RFC 8693).
        subject_token_type: Its type; an access token without it.
        redirect_uri: Where authorization responses go, as registered.
        certificate: The client's certificate (mutual TLS): PEM file or PEM text.
        private_key: Its key: PEM file or PEM text.
        signing_certificate: The certificate for HTTP signatures, in the same way.
        signing_key: Its key.
        target: The target that they belong to; "" while they were only handed over.
    """

    client_id: str = ""
    client_secret: Secret | None = None
    username: str = ""
    password: Secret | None = None
    subject_token: Secret | None = None
    subject_token_type: str = ""
    redirect_uri: str = ""
    certificate: str | Secret = ""
    private_key: str | Secret = ""
    signing_certificate: str | Secret = ""
    signing_key: str | Secret = ""
    target: str = ""

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in field_names())

    def missing(self, needed: Iterable[str]) -> tuple[str, ...]:
        """Return those of the needed fields that have no value."""
        return tuple(name for name in needed if not getattr(self, name))

    def over(self, other: Credentials) -> Credentials:
        """Return these credentials, completed by `other` where they say nothing.

        A secret is taken only with its own name: never one user's password for
        another user, and nothing at all of another client.

        Raises:
            EnvironmentRefused: They belong to different targets.
        """
        if self.target and other.target and self.target != other.target:
            msg = f"Credentials of {other.target} cannot complete {self.target}'s."
            raise EnvironmentRefused(msg, hint="Give each target its own.")
        if self.client_id and other.client_id and self.client_id != other.client_id:
            return self
        for name, secret in _PAIRS:
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine and theirs and mine != theirs:
                other = replace(other, **{secret: None})  # type: ignore[arg-type]
        return Credentials(
            target=self.target or other.target,
            **{
                name: getattr(self, name) or getattr(other, name)
                for name in field_names()
            },
        )

    def agrees_with(self, other: Credentials) -> bool:
        """Return whether `other` has the same value in every field that is set here."""
        return all(
            hmac.compare_digest(_plain(mine), _plain(getattr(other, name)))
            for name in field_names()
            if (mine := getattr(self, name))
        )

    def shared_with(self, other: Credentials) -> tuple[str, ...]:
        """Return the fields that prove something here and have the same value there."""
        return tuple(
            name
            for name in PROOFS
            if (mine := getattr(self, name))
            and hmac.compare_digest(_plain(mine), _plain(getattr(other, name)))
        )


def field_names() -> tuple[str, ...]:
    """Return the names of all credential fields."""
    return tuple(each.name for each in fields(Credentials) if each.name != "target")


def with_names(wanted: Iterable[str]) -> tuple[str, ...]:
    """Return fields, each secret behind the field that says whose it is."""
    wanted = tuple(wanted)
    names = [_NAMES[field] for field in wanted if field in _NAMES]
    return tuple(dict.fromkeys([*names, *wanted]))


def read_credentials(values: object) -> Credentials | CommandError:
    """Read credentials from a mapping of field names in lower case; None has none.

    Returns:
        The credentials, or the error to raise: the caller first forgets the
        mapping, so that no traceback shows it. No value is quoted.
    """
    names = field_names()
    if values is None:
        return Credentials()
    if not isinstance(values, Mapping):
        return CommandError(
            f"Credentials are a mapping, not {type(values).__name__}.",
            hint=f"Its keys: {', '.join(names)}.",
        )
    given: dict[str, Any] = {}
    for name in values:
        if name not in names:
            return UnknownName("credential", str(name), names)
        value = _value(name, values[name])
        if isinstance(value, CommandError):
            return value
        given[name] = value
    return Credentials(**given)


def variable_names(target: Target, field: str) -> list[str]:
    """Return the environment variables of a field, the most specific first."""
    shorter = [target.provider, target.environment, field]
    longer = [target.provider, target.tenant, target.environment, field]
    return [
        "OAUTHMAGIC_" + "_".join(way).upper().replace("-", "_").replace(".", "_")
        for way in ([longer, shorter] if target.tenant else [shorter])
    ]


def missing_credentials(
    target: Target, missing: Iterable[str], *, has_demo: bool = False
) -> MissingCredentials:
    """Return the error for missing credentials; its hint names every remedy.

    Args:
        target: What they are for.
        missing: The fields that have no value.
        has_demo: Whether the provider has a simulator to suggest.
    """
    missing = tuple(missing)
    variables = ", ".join(variable_names(target, name)[-1] for name in missing)
    hint = (
        "Any of these ways: in a notebook or terminal, run %token and enter them at "
        f"the prompt, or fill in the form (%token form {target}); --credentials VAR "
        f"(in Python credentials=), a mapping with the fields {', '.join(missing)}; "
        f"the environment variables {variables}, set before the kernel starts; "
        "--env-file PATH, a file with the same names; or the keyring, for example "
        f"keyring set oauthmagic {target}/{missing[0]}."
    )
    if has_demo and target.environment != "demo":
        tenant = f"/{target.tenant}" if target.tenant else ""
        hint += f" {target.provider}{tenant}@demo needs none."
    return MissingCredentials(
        f"No credentials for {target}: {', '.join(missing)} missing.", hint=hint
    )


def _value(name: str, value: object) -> str | Secret | CommandError | None:
    if isinstance(value, Secret):
        value = value.reveal()
    if not isinstance(value, str):
        # The value is not shown: it may be the secret in a wrapping.
        kind = type(value).__name__
        return CommandError(f"The credential {name!r} is not a text but {kind}.")
    try:
        value.encode()
    except UnicodeEncodeError:
        return CommandError(
            f"The credential {name!r} has characters that UTF-8 cannot write."
        )
    hidden = name in PEM_FIELDS and holds_key(value)
    if name not in SECRET_FIELDS and not hidden:
        return value
    return Secret(value) if value else None


def holds_key(value: str) -> bool:
    """Return whether a value is the PEM text of a private key, and no file's name."""
    return "PRIVATE KEY-----" in value


def _plain(value: str | Secret | None) -> bytes:
    return (value.reveal() if isinstance(value, Secret) else value or "").encode()
