"""What is used of the description of an API: endpoints, scopes, ways to a token."""

from __future__ import annotations

import urllib.parse
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from oauthmagic.providers.endpoints import Endpoints

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oauthmagic.providers.endpoints import Endpoint


@dataclass(frozen=True, kw_only=True, slots=True)
class OAuthFlow:
    """One way to a token, as a description has it (section 4.8.29).

    Attributes:
        grant: The grant.
        token_endpoint: Where token requests go.
        authorization_endpoint: Where the user goes, or "".
    """

    grant: str
    token_endpoint: str
    authorization_endpoint: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiDescription:
    """What is used of a description.

    Attributes:
        title: What the API is called.
        servers: Where it is; perhaps relative to a place that nobody knows.
        endpoints: What can be asked, relative to a server.
        scopes: Each scope and what it allows.
        flows: The ways to a token.
        issuers: The issuers of OpenID Connect.
        left_out: The paths that cannot be asked for as they stand.
    """

    title: str
    servers: tuple[str, ...]
    endpoints: tuple[Endpoint, ...]
    scopes: Mapping[str, str]
    flows: tuple[OAuthFlow, ...]
    issuers: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def endpoints_at(self, api_base: str) -> Endpoints:
        """Return the endpoints with their paths relative to an API base.

        A server may be a part of the API base, or go on behind it. Where it is
        neither, the description is taken to be about the API base.
        """
        base = urllib.parse.urlsplit(api_base)
        servers = [urllib.parse.urlsplit(each) for each in self.servers]
        same = [each for each in servers if each.netloc in ("", base.netloc)]
        path = next((each.path for each in (*same, *servers)), "").rstrip("/")
        before = base.path.rstrip("/")
        return Endpoints(
            replace(each, path=_relative(path, each.path, before))
            for each in self.endpoints
        )


def _relative(server: str, path: str, before: str) -> str:
    whole = server + path
    if whole == before or whole.startswith(f"{before}/"):
        return whole.removeprefix(before) or "/"
    return path
