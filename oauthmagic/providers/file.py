"""A provider described in a TOML file."""

from __future__ import annotations

import re
import tomllib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import (
    OAuthMagicError,
    ProviderFileError,
    UnknownName,
    listed,
)
from oauthmagic.flows.discovery import check_issuer
from oauthmagic.oauth import clients, grants
from oauthmagic.oauth.scopes import SCOPE_TOKEN
from oauthmagic.oauth.targets import check_name
from oauthmagic.providers.environments import TYPES, Environment
from oauthmagic.providers.paging import WAYS, by_cursor
from oauthmagic.providers.provider import Provider
from oauthmagic.redaction import quote
from oauthmagic.transport.urls import parse_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from oauthmagic.providers.paging import NextPage

_TABLES = ("provider", "scopes", "environments")
_KINDS: dict[Any, str] = {str: "a text", list: "a list", dict: "a table"}
_PROVIDER_KEYS: dict[str, type[Any]] = {
    "name": str,
    "title": str,
    "default_grant": str,
    "grants": list,
    "default_scopes": list,
    "token_endpoint_auth_method": str,
    "basic_encoding": str,
    "idempotency_header": str,
    "envelope": str,
    "paging": str,
    "cursor_member": str,
    "cursor_parameter": str,
    "probe": str,
    "documentation": str,
}
#: Where a cursor stands in a page, and the parameter that it is sent in.
_CURSOR = {"cursor_member": "next_cursor", "cursor_parameter": "cursor"}
#: The endpoints by their RFC 8414 names; `api_base` and `ca_file` are ours.
_ENDPOINTS = (
    "token_endpoint",
    "authorization_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "device_authorization_endpoint",
    "pushed_authorization_request_endpoint",
    "userinfo_endpoint",
    "jwks_uri",
    "issuer",
)
_ENVIRONMENT_KEYS = dict.fromkeys((*_ENDPOINTS, "api_base", "ca_file"), str)
_ENVIRONMENTS = ("sandbox", "production")
#: Grants that a file may list; which of them this version performs is another
#: question (`oauthmagic.oauth.grants.GRANTS`).
_GRANTS = (*grants.GRANTS, *grants.ALIASES)


def read_provider(text: str, *, source: str, folder: Path) -> Provider:
    """Read a provider.

    Args:
        text: The whole file.
        source: The file's name, for errors.
        folder: What relative file names in it are relative to.

    Raises:
        ProviderFileError: What is wrong, with the place.
    """
    with _naming(source):
        return _provider(tomllib.loads(text), folder)


def read_site_file(
    text: str, *, source: str, folder: Path
) -> tuple[Provider | None, bool]:
    """Read a file of a whole site: a provider, if any, and if production is allowed.

    Args:
        text: The whole file.
        source: The file's name, for errors.
        folder: What relative file names in it are relative to.

    Raises:
        ProviderFileError: What is wrong, with the place.
    """
    with _naming(source):
        document = tomllib.loads(text)
        keys = dict.fromkeys((*_TABLES, "allow_production"), object)
        _check(document, keys, "")
        allows = document.pop("allow_production", None)
        if not isinstance(allows, bool | None):
            raise _wrong("allow_production must be true or false")
        is_alone = allows is not None and not document
        return None if is_alone else _provider(document, folder), allows is not False


@contextmanager
def _naming(source: str) -> Iterator[None]:
    """Have every error name the file."""
    try:
        yield
    except tomllib.TOMLDecodeError as error:
        msg = f"{source} is not TOML: {quote(str(error))}."
        raise ProviderFileError(msg) from None
    except OAuthMagicError as error:
        msg = f"{source}: {error}"
        raise ProviderFileError(msg, hint=error.hint) from None


def _provider(document: dict[str, Any], folder: Path) -> Provider:
    _check(document, dict.fromkeys(_TABLES, dict), "")
    about = document.get("provider", {})
    _check(about, _PROVIDER_KEYS, "[provider]")
    if "name" not in about:
        raise _wrong("[provider] has no name")
    name = check_name(about["name"])
    scopes = document.get("scopes", {})
    _check(scopes, dict.fromkeys(scopes, str), "[scopes]")
    for scope in scopes:
        if not SCOPE_TOKEN.fullmatch(scope):
            raise _wrong(f"[scopes] has {scope!r}, which RFC 6749 does not allow")
    offered = _texts(about, "grants") or (
        about.get("default_grant", "client_credentials"),
    )
    default = about.get("default_grant") or _first_that_begins(offered)
    for grant in (*offered, default):
        _known("grant", grant, _GRANTS)
    offered, default = (
        tuple(map(grants.grant_named, offered)),
        grants.grant_named(default),
    )
    if default not in offered:
        raise _wrong(f"default_grant {default!r} is not one of grants")
    method = about.get("token_endpoint_auth_method", "client_secret_basic")
    encoding = about.get("basic_encoding", "form")
    _known("token_endpoint_auth_method", method, clients.AUTH_METHODS)
    _known("basic_encoding", encoding, clients.BASIC_ENCODINGS)
    header = about.get("idempotency_header", "")
    if header and not re.fullmatch("[A-Za-z0-9-]+", header):
        raise _wrong("[provider]: idempotency_header is not the name of a header")
    environments = document.get("environments", {})
    _check(environments, dict.fromkeys(_ENVIRONMENTS, dict), "[environments]")
    if not environments:
        raise _wrong("it has no [environments.sandbox] or [environments.production]")
    provider = Provider(
        name=name,
        title=about.get("title", name),
        environments={
            key: _environment(key, value, folder) for key, value in environments.items()
        },
        grants=offered,
        default_grant=default,
        scopes=scopes,
        default_scopes=_texts(about, "default_scopes"),
        token_endpoint_auth_method=method,
        basic_encoding=encoding,
        idempotency_header=header,
        envelope=about.get("envelope", ""),
        next_page=_way(about),
        probe=_path(about, "probe"),
        documentation=about.get("documentation", ""),
    )
    provider.check_scopes(provider.default_scopes)
    return provider


def _way(about: dict[str, Any]) -> NextPage:
    """Return how lists go on: RFC 8288's way where nothing is said."""
    way = about.get("paging", "link")
    _known("paging", way, (*WAYS, "cursor"))
    names = {key: about[key] for key in _CURSOR if key in about}
    if way != "cursor":
        if names:
            raise _wrong(f'[provider]: {listed(names)} need paging = "cursor"')
        return WAYS[way]
    return by_cursor(*(names.get(key) or default for key, default in _CURSOR.items()))


def _environment(name: str, table: dict[str, Any], folder: Path) -> Environment:
    where = f"[environments.{name}]"
    _check(table, _ENVIRONMENT_KEYS, where)
    issuer = table.get("issuer", "")
    if not issuer and "token_endpoint" not in table:
        raise _wrong(f"{where} has no token_endpoint, and no issuer to ask for it")
    if not issuer and "api_base" not in table:
        raise _wrong(f"{where} has no api_base")
    for key, value in table.items():
        if key != "ca_file":
            parse_url(value, what=key)  # a place in braces has nothing to fill it
    # Nothing is sent here: what the issuer says is asked when it is first needed.
    origin = check_issuer(issuer).origin if issuer else ""
    api_base = table.get("api_base") or origin
    ca_file = table.get("ca_file")
    if ca_file is not None:
        path = folder / Path(ca_file).expanduser()
        if not path.is_file():
            raise _wrong(f"{where} names a ca_file that does not exist: {ca_file}")
        ca_file = str(path.resolve())
    return TYPES[name](
        token_endpoint=table.get("token_endpoint", ""),
        api_base=api_base.rstrip("/"),
        ca_file=ca_file,
        endpoints={
            key: value
            for key, value in table.items()
            if key in _ENDPOINTS and key != "token_endpoint"
        },
    )


def _check(table: dict[str, Any], keys: Mapping[str, type[Any]], where: str) -> None:
    for key, value in table.items():
        if key not in keys:
            place = f" in {where}" if where else ""
            raise UnknownName("key", key, keys, where=place)
        if not isinstance(value, keys[key]):
            raise _wrong(f"{where or 'the file'}: {key} must be {_KINDS[keys[key]]}")


def _path(table: dict[str, Any], key: str) -> str:
    value: str = table.get(key, "")
    if value and not re.fullmatch(r"/[!-~]*", value):
        raise _wrong(f"[provider]: {key} must be a path, for example /accounts")
    return value


def _texts(table: dict[str, Any], key: str) -> tuple[str, ...]:
    values = table.get(key, [])
    if not all(isinstance(value, str) for value in values):
        raise _wrong(f"[provider]: {key} must be a list of texts")
    return tuple(values)


def _known(kind: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UnknownName(kind, value, known)


def _first_that_begins(offered: tuple[str, ...]) -> str:
    return next((grant for grant in offered if grant != "refresh_token"), offered[0])


def _wrong(message: str) -> ProviderFileError:
    return ProviderFileError(f"{message}.")
