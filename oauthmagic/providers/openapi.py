"""What an OpenAPI description says of an API: endpoints, scopes, how to get a token.

OpenAPI 3.0 and 3.1: sections 4.8.2 (server), 4.8.8 (paths), 4.8.10 (operation),
4.8.12 (parameter), 4.8.23 (reference), 4.8.27 to 4.8.30 (security).

The text is a stranger's. What is not needed here is not looked at; what is, has to
have the form that the standard gives it, and there is a most of everything.
"""

from __future__ import annotations

import re
import urllib.parse
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import ProviderFileError
from oauthmagic.http_request.request_lines import METHODS
from oauthmagic.oauth.scopes import SCOPE_TOKEN
from oauthmagic.providers.api_descriptions import ApiDescription, OAuthFlow
from oauthmagic.providers.endpoints import Endpoint, Parameter
from oauthmagic.redaction import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_OPERATIONS = 10_000
MOST_PARAMETERS = 200
MOST_ALTERNATIVES = 50
#: References to references that are followed.
MOST_REFERENCES = 20
_LONGEST_PATH = 1000
_LONGEST_LINE = 200
_VERSION = re.compile(r"3\.[01](?:\.\d{1,3})?")
#: RFC 3986, section 3.3, and variables in braces; nothing that ends a path.
_PATH = re.compile(r"(?:/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@%]|\{[^{}/?#\s\\]{1,100}\})*)+")
_PLACES = ("path", "query", "header", "cookie")
#: The flows of section 4.8.28 that are grants of ours.
GRANT_OF = {
    "clientCredentials": "client_credentials",
    "authorizationCode": "authorization_code",
    "password": "password",
}
_DISCOVERY = "/.well-known/openid-configuration"


def read_openapi(document: Mapping[str, Any]) -> ApiDescription:
    """Read a description.

    Args:
        document: The whole of it; its values may be texts only, as in YAML.

    Raises:
        ProviderFileError: What is wrong, with the place.
    """
    _check_version(document)
    return _Reader(document).description()


def _check_version(document: Mapping[str, Any]) -> None:
    said = document.get("openapi")
    if isinstance(said, str) and _VERSION.fullmatch(said):
        return
    if said is not None:
        what = f"of version {quote(said, 20)}" if isinstance(said, str) else "odd"
        msg = f"It is {what}; OpenAPI 3.0 and 3.1 are read."
    elif "swagger" in document:
        msg = "It is Swagger 2.0, the version before OpenAPI 3; 3.0 and 3.1 are read."
    else:
        msg = 'It is no OpenAPI description: it has no "openapi".'
    raise ProviderFileError(msg, hint="Converters turn Swagger 2.0 into OpenAPI 3.")


@dataclass(slots=True)
class _Reader:
    document: Mapping[str, Any]
    left_out: list[str] = field(default_factory=list)

    def description(self) -> ApiDescription:
        info = self._object(self.document.get("info", {}), "info")
        schemes = self._schemes()
        flows = [each for name in schemes for each in self._flows(name, schemes[name])]
        scopes = {
            scope: text
            for name, scheme in schemes.items()
            for scope, text in self._scopes_of(name, scheme)
        }
        endpoints = tuple(self._endpoints(schemes))
        for each in endpoints:
            for scope in each.all_scopes:
                scopes.setdefault(scope, "")
        return ApiDescription(
            title=_line(info.get("title")),
            servers=tuple(self._servers()),
            endpoints=endpoints,
            scopes=scopes,
            flows=tuple(flows),
            issuers=tuple(self._issuers(schemes)),
            left_out=tuple(self.left_out),
        )

    def _servers(self) -> Iterator[str]:
        servers = self._list(self.document.get("servers", []), "servers")
        for number, each in enumerate(servers[:MOST_ALTERNATIVES]):
            where = f"servers[{number}]"
            server = self._object(each, where)
            url = self._text(server.get("url", ""), f"{where}.url")
            variables = self._object(server.get("variables", {}), f"{where}.variables")
            for name, said in variables.items():
                place = f"{where}.variables.{name}"
                default = self._object(said, place).get("default", "")
                url = url.replace(f"{{{name}}}", self._text(default, place))
            yield url

    def _schemes(self) -> dict[str, Mapping[str, Any]]:
        """Return the security schemes that are OAuth's."""
        where = "components.securitySchemes"
        components = self._object(self.document.get("components", {}), "components")
        found = self._object(components.get("securitySchemes", {}), where)
        schemes = {
            name: self._referred(each, f"{where}.{name}")
            for name, each in found.items()
        }
        kinds = ("oauth2", "openIdConnect")
        return {
            name: each for name, each in schemes.items() if each.get("type") in kinds
        }

    def _flows(self, name: str, scheme: Mapping[str, Any]) -> Iterator[OAuthFlow]:
        where = f"components.securitySchemes.{name}.flows"
        flows = self._object(scheme.get("flows", {}), where)
        for kind, grant in GRANT_OF.items():
            if kind in flows:
                place = f"{where}.{kind}"
                flow = self._object(flows[kind], place)
                yield OAuthFlow(
                    grant=grant,
                    token_endpoint=self._text(flow.get("tokenUrl", ""), place),
                    authorization_endpoint=self._text(
                        flow.get("authorizationUrl", ""), place
                    ),
                )

    def _scopes_of(
        self, name: str, scheme: Mapping[str, Any]
    ) -> Iterator[tuple[str, str]]:
        where = f"components.securitySchemes.{name}.flows"
        for kind, each in self._object(scheme.get("flows", {}), where).items():
            if not kind.startswith("x-"):
                flow = self._object(each, f"{where}.{kind}")
                place = f"{where}.{kind}.scopes"
                scopes = self._object(flow.get("scopes", {}), place)
                for scope, text in scopes.items():
                    yield _scope(scope, place), _line(text)

    def _issuers(self, schemes: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
        for name, scheme in schemes.items():
            if scheme.get("type") == "openIdConnect":
                where = f"components.securitySchemes.{name}"
                url = self._text(scheme.get("openIdConnectUrl", ""), where)
                yield url.removesuffix(_DISCOVERY)

    def _endpoints(self, schemes: Mapping[str, Any]) -> Iterator[Endpoint]:
        default = self._needs(self.document.get("security", []), "security", schemes)
        paths = self._object(self.document.get("paths", {}), "paths")
        count = 0
        for path, said in paths.items():
            if path.startswith("x-"):
                continue
            if len(path) > _LONGEST_PATH or not _PATH.fullmatch(path):
                self.left_out.append(quote(path))
                continue
            where = f"paths.{path}"
            item = self._referred(said, where)
            shared = self._parameters(item.get("parameters", []), where)
            for method in METHODS:
                if method.lower() not in item:
                    continue
                count += 1
                if count > MOST_OPERATIONS:
                    raise _wrong(f"it has more than {MOST_OPERATIONS:,} operations")
                place = f"{where}.{method.lower()}"
                operation = self._object(item[method.lower()], place)
                needs = default
                if "security" in operation:
                    needs = self._needs(operation["security"], place, schemes)
                own = self._parameters(operation.get("parameters", []), place)
                yield Endpoint(
                    method=method,
                    path=path,
                    summary=_line(operation.get("summary") or item.get("summary"))
                    or _line(operation.get("description")),
                    scopes=needs,
                    parameters=tuple({**shared, **own}.values()),
                )

    def _needs(
        self, said: Any, where: str, schemes: Mapping[str, Any]
    ) -> tuple[frozenset[str], ...]:
        """Return the sets of scopes of which one is enough (section 4.8.30).

        What needs another key and no token says nothing about scopes.
        """
        place = where if where == "security" else f"{where}.security"
        found = []
        for number, each in enumerate(self._list(said, place)[:MOST_ALTERNATIVES]):
            requirement = self._object(each, f"{place}[{number}]")
            ours = [name for name in requirement if name in schemes]
            if requirement and not ours:
                continue
            names = [
                _scope(self._text(scope, place), place)
                for name in ours
                for scope in self._list(requirement[name], place)
            ]
            found.append(frozenset(names))
        return tuple(dict.fromkeys(found)) if any(found) else ()

    def _parameters(self, said: Any, where: str) -> dict[tuple[str, str], Parameter]:
        place = f"{where}.parameters"
        parameters = self._list(said, place)
        if len(parameters) > MOST_PARAMETERS:
            raise _wrong(f"{place} has more than {MOST_PARAMETERS} parameters")
        found = {}
        for number, each in enumerate(parameters):
            parameter = self._referred(each, f"{place}[{number}]")
            name = self._text(parameter.get("name", ""), f"{place}[{number}].name")
            kind = self._text(parameter.get("in", ""), f"{place}[{number}].in")
            if kind not in _PLACES:
                raise _wrong(f"{place}[{number}].in is none of {', '.join(_PLACES)}")
            found[name, kind] = Parameter(
                name=quote(name),
                place=kind,
                required=parameter.get("required") in (True, "true"),
                description=_line(parameter.get("description")),
            )
        return found

    def _referred(self, said: Any, where: str) -> Mapping[str, Any]:
        """Return an object, or what it refers to (section 4.8.23)."""
        found = self._object(said, where)
        for _ in range(MOST_REFERENCES):
            if "$ref" not in found:
                return found
            reference = self._text(found["$ref"], f"{where}.$ref")
            found = self._object(self._at(reference, where), where)
        raise _wrong(f"{where}: its references lead round in a circle")

    def _at(self, reference: str, where: str) -> Any:
        """Return what a JSON pointer points at, inside this document (RFC 6901)."""
        if not reference.startswith("#/"):
            raise ProviderFileError(
                f"{quote(where)}: {quote(reference)!r} is in another file.",
                hint="A bundler makes one file of a description in parts.",
            )
        found: Any = self.document
        for part in urllib.parse.unquote(reference[2:]).split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            try:
                found = found[int(name) if isinstance(found, list) else name]
            except (LookupError, TypeError, ValueError):
                raise _wrong(f"{where}: there is no {quote(reference)!r}") from None
        return found

    def _object(self, said: Any, where: str) -> Mapping[str, Any]:
        if not isinstance(said, dict) or not all(
            isinstance(each, str) for each in said
        ):
            raise _wrong(f"{where} is not an object")
        return said

    def _list(self, said: Any, where: str) -> list[Any]:
        if not isinstance(said, list):
            raise _wrong(f"{where} is not a list")
        return said

    def _text(self, said: Any, where: str) -> str:
        if not isinstance(said, str):
            raise _wrong(f"{where} is not a text")
        return said


def _scope(scope: str, where: str) -> str:
    if not SCOPE_TOKEN.fullmatch(scope):
        raise _wrong(f"{where} has a scope that RFC 6749 does not allow")
    return scope


def _line(said: object) -> str:
    """Return a text in one line that can be shown."""
    if not isinstance(said, str):
        return ""
    # No line that is worth reading begins behind this; the rest is not looked at.
    return quote(" ".join(said[: _LONGEST_LINE * 20].split()), _LONGEST_LINE)


def _wrong(message: str) -> ProviderFileError:
    return ProviderFileError(f"{quote(message, 400)}.")
