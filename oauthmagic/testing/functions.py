"""What a provider does: nothing of it may raise, send, or answer twice differently."""

from __future__ import annotations

import json
import pkgutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import (
    LONGEST_HINT,
    ConnectionLost,
    OAuthError,
    OAuthMagicError,
    RateLimited,
)
from oauthmagic.oauth.credentials import read_credentials
from oauthmagic.oauth.outcomes import settled
from oauthmagic.providers.preparation import Preparation
from oauthmagic.transport.wire import WireRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from oauthmagic.providers.provider import Provider

_NOW = datetime(2030, 1, 1, 9, tzinfo=UTC)
_GUID = "00000000-0000-4000-8000-000000000000"
_STATUSES = (None, *range(100, 600))
#: Bodies that a stranger's server may answer a list with.
_BODIES: tuple[Any, ...] = (
    *(None, True, 7, "x", [], [1], {}, {"items": None}, {"items": 3, "limit": "x"}),
    *({"_links": 3}, {"_links": {"next": "x"}}, {"_links": {"next": {"href": 3}}}),
    *({"meta": []}, {"meta": {"limit": -1, "offset": True}}, {"next": {}}),
)
_REQUESTS = (
    ("GET", "/a/b?c=d", None),
    ("POST", "/a", b'{"a": 1}'),
    ("DELETE", "/", b""),
)


def check_functions(
    provider: Provider, credentials: Mapping[str, Any]
) -> Iterator[str]:
    """Yield what is wrong with the functions of a provider.

    Args:
        provider: The provider.
        credentials: Credential fields in lower case, plainly fake.
    """
    if provider.explain is not None:
        yield from _explain(provider)
    yield from _next_page(provider)
    if provider.prepare is not None:
        yield from _prepare(provider, credentials)
    if provider.preflight is not None:
        found = settled(read_credentials(credentials))
        try:
            provider.preflight(found, provider.default_scopes, _NOW)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            yield f"preflight raises {type(error).__name__} without certificates."
    if provider.simulator:
        try:
            if not callable(pkgutil.resolve_name(provider.simulator)):
                yield f"simulator: {provider.simulator!r} cannot be called."
        except (ImportError, AttributeError, ValueError):
            yield f"simulator: {provider.simulator!r} cannot be imported."


def _explain(provider: Provider) -> Iterator[str]:
    """Yield where `explain` raises, or gives no text, for what may be refused."""
    codes = sorted(OAuthError._classes)  # noqa: SLF001 - the table that is meant
    errors: list[OAuthMagicError | None] = [
        *(OAuthError.for_code(code)("Said the server.") for code in codes),
        OAuthError("", error="a_code_of_its_own", status=400),
        RateLimited("Too many requests.", retry_after="soon"),
        ConnectionLost("The connection was lost.", sent="unknown"),
        None,
    ]
    for where in ("token", "api"):
        for error in errors:
            for status in _STATUSES:
                call = f"explain({where!r}, {status}, {type(error).__name__})"
                try:
                    hint: object = provider.hint(where, status, error)
                except Exception as raised:  # noqa: BLE001 - whatever it is, it is told
                    yield f"{call} raises {type(raised).__name__}."
                    return
                if not isinstance(hint, str) or len(hint) > LONGEST_HINT:
                    yield f"{call} is no text of at most {LONGEST_HINT} characters."
                    return


def _next_page(provider: Provider) -> Iterator[str]:
    url = "https://api.acme.example/accounts?limit=2"
    for body in _BODIES:
        call = f"next_page({json.dumps(body)})"
        try:
            following: object = provider.next_page(body, url, {})
        except Exception as raised:  # noqa: BLE001 - whatever it is, it is told
            yield f"{call} raises {type(raised).__name__}."
            continue
        if not isinstance(following, str):
            yield f"{call} is not a text."


def _prepare(provider: Provider, credentials: Mapping[str, Any]) -> Iterator[str]:
    """Yield where `prepare` changes what it may not, or answers twice differently."""
    preparation = Preparation(
        credentials=settled(read_credentials(credentials)),
        settings={
            name: next(iter(values.values()), "")
            for name, values in provider.settings.items()
        },
        clock=lambda: _NOW,
        guid=lambda: _GUID,
    )
    assert provider.prepare is not None  # noqa: S101 - for the type checker
    for method, path, body in _REQUESTS:
        request = WireRequest(
            method=method,
            url=f"https://api.acme.example{path}",
            headers=(("accept", "application/json"), ("x-mine", "kept")),
            body=body,
        )
        try:
            prepared = provider.prepare(request, preparation)
            again = provider.prepare(request, preparation)
        except Exception as raised:  # noqa: BLE001 - whatever it is, it is told
            yield f"prepare({method}) raises {type(raised).__name__}: {raised}"
            continue
        for what in ("method", "url", "body"):
            if getattr(prepared, what) != getattr(request, what):
                yield f"prepare({method}) changes the {what}."
        if not set(request.headers) <= set(prepared.headers):
            yield f"prepare({method}) drops or changes a header of the request."
        if any(name.lower() == "authorization" for name, _ in prepared.headers):
            yield f"prepare({method}) writes Authorization, which holds the token."
        if prepared != again:
            yield f"prepare({method}) is not pure: two calls differ."
