"""The `.http` language: text in, requests out; lookup, never evaluation.

What is read is the subset that JetBrains HTTP Client, VS Code REST Client and
httpyac share. This package imports the standard library only.
"""

from __future__ import annotations

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
