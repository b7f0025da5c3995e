"""The `.http` language: text in, requests out; lookup, never evaluation.

What is read is the subset that JetBrains HTTP Client, VS Code REST Client and
httpyac share. This package imports the standard library only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oauthmagic.http_request.parser import parse
    from oauthmagic.http_request.requests import HttpRequest, RequestTemplate
    from oauthmagic.http_request.targets import Target
    from oauthmagic.http_request.templates import BUILT_IN, Reference, Template
    from oauthmagic.http_request.variables import Variable

__all__ = [
    "BUILT_IN",
    "HttpRequest",
    "Reference",
    "RequestTemplate",
    "Target",
    "Template",
    "Variable",
    "parse",
]

_HOMES = {
    "BUILT_IN": "templates",
    "HttpRequest": "requests",
    "Reference": "templates",
    "RequestTemplate": "requests",
    "Target": "targets",
    "Template": "templates",
    "Variable": "variables",
    "parse": "parser",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: a token needs no reader of requests."""
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    import importlib  # noqa: PLC0415 - see above

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
